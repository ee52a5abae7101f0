/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "base/virt-error.h"
#include "domain/devices/disk.h"
#include "domain/domain-def.h"
#include "targets/qemu/caps.h"
#include <json-glib/json-glib.h>

/*
 * A recipe is what a machine, or one device of it, becomes in QEMU: an ordered list of steps, each of which
 * can be said on the command line of a cold start or over QMP to a running guest, and undone in reverse.
 * Devices add steps; argv.c and the daemon's attach serve them.
 */
typedef struct Recipe Recipe;

typedef enum {
  RECIPE_BY_PATH,       /* files are named by path: for people to read and run */
  RECIPE_BY_DESCRIPTOR, /* files are /dev/fdset/N: the daemon opens them and passes descriptors */
} RecipeFiles;

typedef enum {
  STEP_OPTION,   /* command line only: "-name", "guest=a" (value may be NULL) */
  STEP_OBJECT,   /* -object JSON         | object-add / object-del    */
  STEP_CHARDEV,  /* -chardev k=v,...     | chardev-add / chardev-remove; properties as chardev-add takes them
                  */
  STEP_NETDEV,   /* -netdev JSON         | netdev_add / netdev_del    */
  STEP_BLOCKDEV, /* -blockdev JSON       | blockdev-add / blockdev-del */
  STEP_DEVICE,   /* -device JSON         | device_add / device_del    */
  STEP_AUDIODEV, /* -audiodev JSON, cold only */
} StepKind;

typedef struct {
  StepKind kind;
  const char *option;     /* STEP_OPTION: "-name" */
  const char *value;      /* STEP_OPTION */
  JsonObject *properties; /* the others; has "id" (or "node-name") */
} Step;

/* The number the first file has among QEMU's descriptors; the others follow. monitor_fd is below it. */
#define RECIPE_FIRST_DESCRIPTOR 16

/* A file QEMU needs: opened by the daemon and passed as descriptor @fd. The command line says it as
 * "-add-fd fd=FD,set=SET" and /dev/fdset/SET, or, where @by_name, as /proc/self/fd/FD. */
typedef struct {
  guint set; /* from 1; 0 when @by_name */
  int fd;    /* its number in QEMU's process */
  char *path;
  gboolean writable;
  /* QEMU opens it anew by its name (kernels, initial ramdisks), with its own rights: what is passed has to be
   * a copy in a memfd, mode 0444. Asked for only where host->can_read says no. */
  gboolean by_name;
  gboolean passed; /* made and not opened, see recipe_passed; @path is its name in a running QEMU */
  gboolean made;   /* made and not opened, and told like a file; @path is its name among what is offered */
  /* What it holds, where that is a secret of the daemon: by @secret_uuid or @secret_usage; @secret_text: as
   * it stands. @made, and mode 0444 in memory, as QEMU opens it anew. */
  gboolean is_secret;
  char *secret_uuid, *secret_usage, *secret_text;
  int secret_type;   /* virSecretUsageType: of @secret_usage */
  gboolean output;   /* takes what the guest writes: opened for writing only, and made when it is not there */
  gboolean truncate; /* an output that is emptied first; otherwise it is appended to */
  /* A machine's own store, which may not exist yet: it is first made as a copy of @made_from, or that cannot
   * be and the error is @problem. */
  gboolean is_store;
  char *made_from;
  virErrorNumber problem_code;
  char *problem;
  char *content;        /* there is no such file: QEMU reads this text by name */
  const Device *device; /* whose it is, or NULL: for the error when it cannot be opened */
  const char *purpose;  /* "disk image", "kernel", ... */
} RecipeFile;

/* A file that QEMU opens by its name and maps: memory that is shared, or that lasts. It is made with that
 * size where it does not exist. */
typedef struct {
  char *path;
  guint64 size;         /* bytes */
  const Device *device; /* whose it is */
  const char *purpose;  /* "shared memory" */
} RecipeMemoryFile;

/* Where the daemon wants its sockets and files; paths for `translate` are the same ones a system daemon uses.
 */
typedef struct {
  const char *run_directory;   /* /run/domaind/machines/UUID */
  const char *state_directory; /* /var/lib/domaind */
  const char *render_node;     /* /dev/dri/renderD128, or NULL when the host has none */
  gboolean sandbox;            /* -sandbox on,... */
  gboolean paused;      /* -S and -no-shutdown: the daemon starts the CPUs and ends the process itself */
  int monitor_fd;       /* a listening socket's number in QEMU's process; -1: a path in run_directory */
  const char *incoming; /* -incoming: "defer" to be given a saved machine; NULL: a fresh start */
  gint64 now;           /* seconds since the epoch: what <clock offset='variable'> counts from */
  guint nodes_used;     /* the highest number of a block node the running machine has; 0 for a cold start */
  guint sets_used;      /* the same of its descriptor sets */
  gboolean plugging;    /* the steps are said to a running QEMU */
  gboolean vhost_net;   /* the host has /dev/vhost-net */
  const char *host_directory; /* where the dev of the host's devices is; NULL: "/" */
  /* What is known of a disk's image, or NULL: the backing chain a disk needs spelled out in descriptor mode.
   */
  const struct ImageInfo *(*image) (gpointer data, const char *path);
  gpointer image_data;
  /* May QEMU's account read @path itself? NULL: yes. Only asked when files go by descriptor. */
  gboolean (*can_read) (gpointer data, const char *path);
  gpointer can_read_data;
  /* The number of an account or group of that name on the host; NULL: names cannot be looked up. FALSE: there
   * is none. */
  gboolean (*account_id) (const char *name, gboolean group, Number *ret_id);
  /* What an emulated processor counts by, in kHz; 0: not known, or the machine's guest measures it. */
  guint clock_khz;
  /* What the host's firmware says, for <smbios mode='host'>; NULL: nothing. */
  const struct Sysinfo *smbios;
} RecipeHost;

/* What an image file says of itself (from its header); chain by @backing. Filled by daemon/host/image.c. */
typedef struct ImageInfo ImageInfo;
struct ImageInfo {
  const char *path;
  const char *format;       /* "raw", "qcow2" */
  guint64 virtual_size;     /* bytes */
  gboolean is_device;       /* a block device */
  const ImageInfo *backing; /* NULL at the end of the chain */
};

/* @host is copied, the strings in it are borrowed until the last step is added. */
Recipe *recipe_new (const DomainDef *def, const QemuCaps *caps, const RecipeHost *host, RecipeFiles files);
void recipe_free (Recipe *recipe);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Recipe, recipe_free)

const DomainDef *recipe_def (const Recipe *recipe);
const QemuCaps *recipe_caps (const Recipe *recipe);
const RecipeHost *recipe_host (const Recipe *recipe);

/* Adding steps. Property lists are built with props (below); the recipe takes them. */
void recipe_option (Recipe *recipe, const char *option, const char *value_format, ...) G_GNUC_PRINTF (3, 4);
void recipe_step (Recipe *recipe, StepKind kind, JsonObject *properties);
/* A -device step: @properties get "id" (the alias) and the bus and address of @device. */
gboolean recipe_device (Recipe *recipe, const Device *device, JsonObject *properties, GError **error);
/* How QEMU is to be told of the file: its path, or /dev/fdset/N. Owned by the recipe. */
const char *
recipe_file (Recipe *recipe, const char *path, gboolean writable, const Device *device, const char *purpose);
/* The same for a file that QEMU opens by its name only. */
const char *recipe_file_by_name (Recipe *recipe, const char *path, const char *purpose);
/* A text of the document's that QEMU wants as a file: how it is to be told of it. @name is static. Owned by
 * the recipe. */
const char *recipe_content (Recipe *recipe, const char *name, const char *text);
/* A descriptor that the daemon makes for @device: of a tap, of vhost-net, of a socket. @name says which: it
 * is RecipeFile.purpose, and with the alias the name a running QEMU gets it by. How QEMU is to be told of it:
 * its number, or that name. Owned by the recipe. */
const char *recipe_passed (Recipe *recipe, const Device *device, const char *name);
/* A file that the daemon makes for @device and that has no name on the host. How QEMU is to be told of it.
 * Owned by the recipe. */
const char *recipe_made_file (Recipe *recipe, const Device *device, const char *name);
/* The same, with what a secret of the daemon holds, or with @text; @id: of the object that reads it. */
const char *recipe_secret_file (Recipe *recipe, const Device *device, const char *id, const char *uuid,
                                int usage_type, const char *usage);
const char *recipe_secret_text (Recipe *recipe, const Device *device, const char *id, const char *text);
/* A running QEMU has opened @file by that name: the steps that were told another are told this one. */
void recipe_rename_file (Recipe *recipe, const RecipeFile *file, const char *name);
/* QEMU is to map the file @path, of @size bytes: see RecipeMemoryFile. @purpose is static. */
void recipe_memory_file (Recipe *recipe, const char *path, guint64 size, const Device *device,
                         const char *purpose);
/* QEMU changes files below that directory, by their names and with its own rights. */
void recipe_directory (Recipe *recipe, const char *path);
/* The unix socket that the character device @device listens on and the daemon makes, which is the descriptor
 * QEMU_LISTENING of recipe_passed; NULL: none, or one of QEMU's own beneath @run_directory. */
#define QEMU_LISTENING "socket"
const char *qemu_listening_socket (const Device *device, const char *run_directory);
/* The last file added takes what the guest writes: see RecipeFile.output. */
void recipe_file_output (Recipe *recipe, gboolean truncate);
/* The last file added is a store of the machine, made from @template when it does not exist. */
void recipe_file_made_from (Recipe *recipe, const char *template);
/* The same, and it cannot be made, for that reason. */
void recipe_file_not_made (Recipe *recipe, virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* One more variable for QEMU's environment; a later value of the same name wins. */
void recipe_environment (Recipe *recipe, const char *name, const char *value);
/* The number of the block nodes of a disk's image: "libvirt-%u-storage", "libvirt-%u-format"; the images
 * below it have the next ones. */
guint recipe_disk_node (const Recipe *recipe, const Device *disk);

/* JSON objects in one expression: props ("driver", "s", "virtio-rng-pci", "max-bytes", "u", 1024, NULL).
 * Types: s string, i int, u guint, t guint64, b gboolean, o JsonObject * (taken), a JsonArray * (taken), n
 * null (no value follows); a type with '?' in front leaves the member out when the value is NULL, 0 or FALSE;
 * "N" takes a Number by pointer and leaves it out when not set; "T" a Tristate: left out when absent,
 * true/false; "O" a Tristate said as "on" and "off". */
JsonObject *props (const char *name, ...) G_GNUC_NULL_TERMINATED;
void props_add (JsonObject *object, const char *name, ...) G_GNUC_NULL_TERMINATED;

guint recipe_step_count (const Recipe *recipe);
const Step *recipe_get_step (const Recipe *recipe, guint index);
/* @text, which QEMU said, with the names of files instead of those it knows them by. (transfer full) */
char *recipe_name_files (const Recipe *recipe, const char *text);
guint recipe_file_count (const Recipe *recipe);
const RecipeFile *recipe_get_file (const Recipe *recipe, guint index);
guint recipe_memory_file_count (const Recipe *recipe);
const RecipeMemoryFile *recipe_get_memory_file (const Recipe *recipe, guint index);
/* char *: what recipe_directory was told. Owned by the recipe. */
const GPtrArray *recipe_directories (const Recipe *recipe);

/* Everything a machine is, in QEMU's order. @error: VIR_ERR_CONFIG_UNSUPPORTED naming every element that the
 * binary cannot make or for which the host lacks what it needs; see recipe_check. */
gboolean recipe_add_domain (Recipe *recipe, GError **error);
/* One device, for hotplug. */
gboolean recipe_add_device (Recipe *recipe, const Device *device, GError **error);

/* The nodes of one image of @disk, and of nothing below it: @backing is the node it stands on, NULL: none.
 * @number: of its nodes. The one that stands for the image is in @ret_node (transfer full). */
gboolean recipe_add_image (Recipe *recipe, const DeviceDisk *disk, const DiskImage *image, guint number,
                           gboolean readonly, const char *backing, char **ret_node, GError **error);

/* Something of @device that stands in the way and that the recipe does not see itself, to be told with the
 * rest. Takes @problem. */
void recipe_add_problem (Recipe *recipe, const Device *device, GError *problem);
/* Why it cannot be made, as errors with the places in @document, the text that its definition was read from
 * (NULL: without). At most DIAGNOSTICS_MAX of them are told. */
void recipe_report_problems (const Recipe *recipe, const char *document, Diagnostics *diagnostics);
/* The same as one error, as diagnostics_check makes it. TRUE when there is none. */
gboolean recipe_check (const Recipe *recipe, const char *document, const char *file_name, GError **error);

/* What a person should know of a recipe that was made all the same: one sentence each. NULL-terminated. */
const char *const *recipe_warnings (const Recipe *recipe);
void recipe_warn (Recipe *recipe, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* argv.c: the command line, argv[0] is the emulator; NULL-terminated. (transfer full) */
char **recipe_to_argv (const Recipe *recipe);
/* A word of it as a shell takes it: in quotes where it needs them. (transfer full) */
char *launch_word (const char *word);
/* @argv as lines: an option and its values on each, continued by a backslash, and no end of the last line.
 * @quote: a word as who reads it takes it (transfer full). (transfer full) */
char *launch_lines (const char *const *argv, char *(*quote) (const char *word));
/* The environment QEMU is to have: "NAME=VALUE" strings, NULL-terminated. (transfer full) */
char **recipe_to_environment (const Recipe *recipe);

/* The descriptor of the kernel's SCSI targets that a vhost adapter is passed; see recipe_passed. */
#define HOSTDEV_VHOST_SCSI "vhost-scsi"

/* Where the machine's helper for persistent reservations listens. (transfer full) */
char *recipe_pr_helper_socket (const char *run_directory);
gboolean domain_def_wants_pr_helper (const DomainDef *def);

/* What is made of a transient disk's changes: see recipe_made_file. */
#define DISK_OVERLAY "overlay"

/* The name of the descriptor (recipe_passed) of a vsock device: of /dev/vhost-vsock, told the guest's number.
 */
#define VSOCK_DESCRIPTOR "vhost-vsock"

/* The kinds of device QEMU can be given, one file each. */
typedef struct {
  const DeviceKind *kind;
  gboolean (*add) (Recipe *recipe, const Device *device, GError **error);
  /* Can it be plugged into, taken out of, a running QEMU? FALSE and VIR_ERR_OPERATION_UNSUPPORTED, in
   * libvirt's words, when not; NULL: no device of the kind can. */
  gboolean (*can_attach) (const Device *device, GError **error);
  gboolean (*can_detach) (const DomainDef *def, const Device *device, GError **error);
  /* Has it no device that the guest would have to let go of? NULL: all have one. */
  gboolean (*has_no_device) (const Device *device);
} QemuDeviceKind;
extern const QemuDeviceKind qemu_device_kinds[];                 /* ends with kind NULL */
const QemuDeviceKind *qemu_device_kind (const DeviceKind *kind); /* NULL: QEMU cannot be given it */

/* device-plug.c. The same of one device, @def's where it has to be one, with what holds for all of them. */
gboolean qemu_can_attach (const Device *device, GError **error);
gboolean qemu_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean qemu_has_guest_device (const Device *device);

/* The Platform that completion asks, answered from capabilities. @lookup gives the caps of an emulator path
 * (NULL: the default one), or NULL when there is no such emulator; called in the thread that completes. */
typedef QemuCaps *(*QemuCapsLookup) (gpointer data, const char *emulator);
Platform *qemu_platform_new (QemuCapsLookup lookup, gpointer data);
/* From now on the platform is that of a host: a definition whose emulator @check refuses is refused, and so
 * is one that no emulator could run. @check gets the data of the lookup; called in the thread that completes.
 */
typedef gboolean (*QemuEmulatorCheck) (gpointer data, const char *emulator, GError **error);
void qemu_platform_set_check (Platform *platform, QemuEmulatorCheck check);
/* Have firmware chosen, from the descriptors in @directories (NULL: the host's, see firmware.h), with
 * variable stores in @state_directory/nvram. Before the platform is shared between threads. */
void
qemu_platform_set_firmware (Platform *platform, const char *const *directories, const char *state_directory);
/* Have the host's PCI devices looked at, in sys below @host_directory, for the slots that they need. Before
 * the platform is shared, too. */
void qemu_platform_set_host (Platform *platform, const char *host_directory);
void qemu_platform_free (Platform *platform);
