/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/virtio.h"
#include "targets/qemu/recipe.h"

#include "base/virt-error.h"
#include "domain/devices/chardev.h"
#include "domain/devices/disk.h"
#include "domain/devices/memory.h"

/*
 * What the files of this folder share and nobody else needs.
 */

gboolean recipe_by_descriptor (const Recipe *recipe);
/* What is known of an image; NULL: nothing. */
const ImageInfo *recipe_image (const Recipe *recipe, const char *path);
/* What QEMU calls the controller of that type and index: its alias, but for those that are part of the
 * machine; NULL when there is none. */
const char *recipe_controller_bus (const Recipe *recipe, int type, guint64 index);

/* The machine as a whole, in QEMU's order: machine-type.c, cpu.c, clock.c, boot.c, firmware.c. */
void recipe_add_head (Recipe *recipe);
gboolean recipe_add_machine (Recipe *recipe, GError **error);
gboolean recipe_add_cpu (Recipe *recipe, GError **error);
gboolean recipe_add_memory (Recipe *recipe, GError **error);
gboolean recipe_add_nodes (Recipe *recipe, GError **error); /* <cpu><numa> */
gboolean recipe_has_nodes (const Recipe *recipe);           /* then their memory is the machine's */
const char *recipe_memory_id (const Recipe *recipe);        /* what the machine type calls its memory */
/* hmat.c: what the guest is told of its memory's speed. */
gboolean recipe_has_hmat (const Recipe *recipe);
gboolean recipe_add_hmat (Recipe *recipe, GError **error);
void recipe_append_initiator (const Recipe *recipe, GString *text, guint node); /* of -numa node */
gboolean recipe_add_epc (Recipe *recipe, const DeviceMemory *memory, GError **error);
void epc_machine_options (const Recipe *recipe, GString *options);
gboolean recipe_add_launch_security (Recipe *recipe, GError **error);
void recipe_add_topology (Recipe *recipe);
gboolean recipe_add_sysinfo (Recipe *recipe, GError **error);
gboolean recipe_add_clock (Recipe *recipe, GError **error);
void recipe_add_monitor (Recipe *recipe);
gboolean recipe_add_boot (Recipe *recipe, GError **error);
gboolean recipe_add_firmware (Recipe *recipe, GError **error);
/* Members of -machine that other parts decide. */
void firmware_machine_options (const Recipe *recipe, GString *options);
void launch_security_machine_options (const Recipe *recipe, GString *options);
void clock_machine_options (const Recipe *recipe, GString *options);
void sound_machine_options (const Recipe *recipe, GString *options);
void clock_cpu_options (const Recipe *recipe, GString *options);

/* What the document says past the format: custom.c. */
QemuCaps *custom_caps (const DomainDef *def, const QemuCaps *caps); /* as it adjusts them (transfer full) */
gboolean custom_check (Recipe *recipe, GError **error);
void recipe_add_deprecation (Recipe *recipe);
void recipe_add_custom (Recipe *recipe);
/* The words after -device and -netdev. (transfer full) */
char *custom_device (const Recipe *recipe, JsonObject *properties);
char *custom_netdev (const Recipe *recipe, JsonObject *properties);

/* The place of @device in the order of boot; not set when it is not tried. */
Number recipe_boot_index (const Recipe *recipe, const Device *device);

/* "a,b" → "a,,b": a value inside QEMU's k=v,k=v options. (transfer full) */
char *option_escape (const char *value);

/* Refuse for the lack of something in the binary: "%s is not supported by QEMU 7.2.22 (/usr/bin/...)" with
 * @package, when not NULL, as the place it may come from. FALSE. */
gboolean qemu_lacks (const Recipe *recipe, const Device *device, const char *what, const char *package,
                     GError **error);
/* Refuse what the document asks for and no QEMU code makes yet. FALSE. */
gboolean
qemu_unsupported (const Device *device, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* qemu_lacks when the binary has no such device. */
gboolean qemu_needs_type (const Recipe *recipe, const Device *device, const char *type, GError **error);

/*
 * problems.c: what the recipe cannot have. A function that adds steps and fails either sets its @error, or
 * has kept its problems here and leaves @error alone: so one part can be refused for several reasons, each
 * with its place.
 */
GPtrArray *recipe_problems_new (void);
GPtrArray *recipe_problems (const Recipe *recipe);
/* @device may be NULL: the domain's own. @part: where it stands, see source_places_find. @error is taken.
 * FALSE. */
gboolean recipe_keep_problem (Recipe *recipe, const Device *device, const char *part, GError *error);
/* qemu_unsupported, kept with the place of @part. FALSE. */
gboolean recipe_refuse (Recipe *recipe, const Device *device, const char *part, const char *format, ...)
    G_GNUC_PRINTF (4, 5);
/* What no code makes yet: refused where the document says it. */
typedef struct {
  gboolean said;
  const char *what; /* "<source><slices>": its place as well */
} UnsupportedPart;
gboolean recipe_check_parts (Recipe *recipe, const Device *device, const UnsupportedPart *parts, guint count);
/* Have a part of the domain, or a device, add its steps, and keep its problems. */
void recipe_add_part (Recipe *recipe, gboolean (*add) (Recipe *recipe, GError **error), const char *part);
void recipe_add_device_part (Recipe *recipe, const QemuDeviceKind *row, const Device *device);

/* The -chardev step of @source with that id. @device: whose, for errors. */
gboolean
recipe_chardev (Recipe *recipe, const Device *device, const Chardev *source, const char *id, GError **error);
/* The members every virtio device may have. */
void props_add_virtio (JsonObject *properties, const VirtioOptions *virtio);
/* When a lost connection is made again; @enabled: Tristate, @timeout in seconds. */
void props_add_reconnect (JsonObject *data, const QemuCaps *caps, int enabled, const Number *timeout);
/* "iothread": "iothread1", when the document names one. */
void props_add_iothread (JsonObject *properties, const Number *iothread);
/* The form of a "...-pci" driver for the kind of address that @device has: "virtio-blk-ccw" on a mainframe's
 * channel. Static or interned. */
const char *address_driver (const Device *device, const char *driver);
/* "virtio-blk-pci", or its -transitional/-non-transitional form. Static or interned. */
const char *virtio_driver (const char *base, int model);

/* The block nodes of a disk's image; *ret_node is what the device is given, NULL for an empty drive. */
gboolean disk_add_nodes (Recipe *recipe, const DeviceDisk *disk, char **ret_node, GError **error);

/* The row of that kind, or one that refuses. */
const QemuDeviceKind *qemu_device_kind (const DeviceKind *kind);

/* How many numbers the nodes of a disk take, as far as is known or said; an empty drive takes one. */
guint disk_count_nodes (const Recipe *recipe, const DeviceDisk *disk);
/* Are its changes kept in a file that ends with the machine? */
gboolean disk_has_overlay (const Recipe *recipe, const DeviceDisk *disk);
/* The -object step of a secret that QEMU reads from a file: disk-keys.c. */
void recipe_add_secret (Recipe *recipe, const Device *device, const char *id, const DiskSecret *secret);
/* The machine's throttle groups, before its disks: throttle.c. */
void recipe_add_throttle_groups (Recipe *recipe);

/* The number of the last of them, those that the running machine has counted. */
guint recipe_disk_nodes (const Recipe *recipe);

/* DiskCache: what the document says, or what a shared disk has to have. */
int disk_cache_mode (const DeviceDisk *disk);

gboolean recipe_add_audio (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_channel (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_console (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_controller (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_disk (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_graphics (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_hostdev (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_host_interface (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_hub (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_input (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_interface (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_memballoon (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_memory_device (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_nvram (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_panic (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_parallel (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_redirdev (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_tpm (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_rng (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_serial (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_sound (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_video (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_crypto (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_filesystem (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_iommu (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_pstore (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_shmem (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_smartcard (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_vsock (Recipe *recipe, const Device *device, GError **error);
gboolean recipe_add_watchdog (Recipe *recipe, const Device *device, GError **error);
/* What the rows of qemu_device_kinds say of hotplug: for all devices of a kind, and for some. */
gboolean can_always_attach (const Device *device, GError **error);
gboolean can_always_detach (const DomainDef *def, const Device *device, GError **error);
gboolean channel_has_no_device (const Device *device);
gboolean console_can_attach (const Device *device, GError **error);
gboolean console_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean controller_can_attach (const Device *device, GError **error);
gboolean controller_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean disk_can_attach (const Device *device, GError **error);
gboolean disk_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean filesystem_can_attach (const Device *device, GError **error);
gboolean filesystem_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean hostdev_can_attach (const Device *device, GError **error);
gboolean hostdev_has_no_device (const Device *device);
gboolean input_can_attach (const Device *device, GError **error);
gboolean input_can_detach (const DomainDef *def, const Device *device, GError **error);
gboolean parallel_can_attach (const Device *device, GError **error);
gboolean serial_can_attach (const Device *device, GError **error);
/* The displays: one -display for the whole machine, decided from graphics and video together. */
gboolean recipe_add_display (Recipe *recipe, GError **error);
