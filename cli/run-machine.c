/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An image's machine. Its document is one like any other: the image is a disk that is only read, the layer
 * another, what is to be run an fw_cfg entry, and the init's ports are channels. Output and exit status are
 * files, so they are there whether anybody looks or not.
 */
#include "cli/run-machine.h"

#include "base/virt-error.h"
#include "cli/guest-session.h"
#include "image/guest-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORT_MAX     65535
#define STATUS_MAX   255
#define COMMAND_LINE "console=ttyS0 quiet panic=-1 reboot=t"

static const char *const files[] = { "layer.ext4", "output", "status", "image", "ephemeral",
                                     "port0",      "port1",  "port2",  "port3" };

void
run_machine_free (RunMachine *machine)
{
  if (machine == NULL)
    return;
  g_free (machine->name);
  g_free (machine->directory);
  if (machine->plan != NULL)
    g_string_free (machine->plan, TRUE);
  g_free (machine);
}

char *
run_machine_file (const char *cache, const char *name, const char *file)
{
  return g_build_filename (cache, "machines", name, file, NULL);
}

int
run_machine_status (const char *cache, const char *name)
{
  g_autofree char *file = run_machine_file (cache, name, "status");
  g_autofree char *text = NULL;
  gint64 status;

  if (!g_file_get_contents (file, &text, NULL, NULL) || !g_str_has_prefix (text, "exit "))
    return -1;
  status = g_ascii_strtoll (text + strlen ("exit "), NULL, 10);
  return status >= 0 && status <= STATUS_MAX ? (int)status : -1;
}

void
run_machine_remove_files (const char *cache, const char *name)
{
  g_autofree char *directory = g_build_filename (cache, "machines", name, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *file = g_build_filename (directory, files[i], NULL);

    g_unlink (file);
  }
  g_rmdir (directory);
}

/* Files. */

static char *
find_mke2fs (void)
{
  static const char *const places[] = { "/usr/sbin/mke2fs", "/sbin/mke2fs" };

  for (guint i = 0; i < G_N_ELEMENTS (places); i++) {
    if (g_file_test (places[i], G_FILE_TEST_IS_EXECUTABLE))
      return g_strdup (places[i]);
  }
  return g_find_program_in_path ("mke2fs");
}

static gboolean
make_layer (const char *file, GError **error)
{
  g_autofree char *mke2fs = find_mke2fs ();
  g_autofree char *said = NULL;
  const char *argv[] = { mke2fs,   "-q",          "-F",
                         "-t",     "ext4",        "-J",
                         "size=4", "-E",          "lazy_itable_init=1,nodiscard",
                         file,     RUN_DISK_SIZE, NULL };
  int status;

  if (mke2fs == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "there is no 'mke2fs', which makes the machine's disk: install e2fsprogs");
    return FALSE;
  }
  if (!g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said, &status,
                     error))
    return FALSE;
  if (g_spawn_check_wait_status (status, NULL))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "mke2fs cannot make '%s': %s", file, g_strstrip (said));
  return FALSE;
}

gboolean
run_machine_make_files (RunMachine *machine, GError **error)
{
  g_autofree char *layer = g_build_filename (machine->directory, "layer.ext4", NULL);
  g_autofree char *output = g_build_filename (machine->directory, "output", NULL);
  g_autofree char *status = g_build_filename (machine->directory, "status", NULL);
  g_autofree char *image = g_build_filename (machine->directory, "image", NULL);
  g_autofree char *parent = g_path_get_dirname (machine->directory);

  if (g_mkdir_with_parents (parent, 0755) < 0 || g_mkdir (machine->directory, 0700) < 0) {
    if (errno == EEXIST)
      virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                      "there is a machine '%s' that ran an image: remove it with 'domctl rm %s', or choose "
                      "another --name",
                      machine->name, machine->name);
    else
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", machine->directory,
                      g_strerror (errno));
    return FALSE;
  }
  return make_layer (layer, error) && g_file_set_contents_full (output, "", 0, 0, 0600, error)
         && g_file_set_contents_full (status, "", 0, 0, 0600, error)
         && g_file_set_contents_full (image, machine->reference, -1, 0, 0600, error);
}

/* The document. */

static void G_GNUC_PRINTF (2, 3) put (GString *text, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_markup_vprintf_escaped (format, arguments);
  va_end (arguments);
  g_string_append_printf (text, "%s\n", line);
}

static void
put_head (GString *text, const RunMachine *machine)
{
  put (text, "<domain type='%s'>", machine->kvm ? "kvm" : "qemu");
  put (text, "  <name>%s</name>", machine->name);
  put (text, "  <metadata>");
  put (text, "    <image xmlns='" RUN_NAMESPACE "' reference='%s' digest='%s'/>", machine->reference,
       machine->image->digest);
  put (text, "  </metadata>");
  put (text, "  <memory unit='KiB'>%" G_GUINT64_FORMAT "</memory>", machine->memory / 1024);
  put (text, "  <vcpu>1</vcpu>");
  put (text, "  <sysinfo type='fwcfg'>");
  put (text, "    <entry name='" GUEST_PLAN_NAME "'>%s</entry>", machine->plan->str);
  put (text, "  </sysinfo>");
  put (text, "  <os>");
  put (text, "    <type arch='x86_64' machine='microvm'>hvm</type>");
  put (text, "    <kernel>%s</kernel>", machine->kernel->kernel);
  put (text, "    <initrd>%s</initrd>", machine->kernel->initrd);
  put (text, "    <cmdline>" COMMAND_LINE "</cmdline>");
  put (text, "  </os>");
  put (text, "  <features><acpi/></features>");
  put (text, "  <cpu mode='%s'/>", machine->kvm ? "host-passthrough" : "maximum");
  put (text, "  <on_reboot>destroy</on_reboot>");
  put (text, "  <on_crash>destroy</on_crash>");
}

static void
put_disk (GString *text, const char *file, const char *target, const char *serial, gboolean readonly)
{
  put (text, "    <disk type='file' device='disk'>");
  put (text, "      <driver name='qemu' type='raw'/>");
  put (text, "      <source file='%s'/>", file);
  put (text, "      <target dev='%s' bus='virtio'/>", target);
  if (readonly)
    put (text, "      <readonly/>");
  put (text, "      <serial>%s</serial>", serial);
  put (text, "    </disk>");
}

/* @file: NULL for a socket of the daemon's. */
static void
put_channel (GString *text, const char *name, const char *file)
{
  put (text, "    <channel type='%s'>", file != NULL ? "file" : "unix");
  if (file != NULL)
    put (text, "      <source path='%s' append='on'/>", file);
  put (text, "      <target type='virtio' name='%s'/>", name);
  put (text, "    </channel>");
}

static void
put_channels (GString *text, const RunMachine *machine)
{
  g_autofree char *output = g_build_filename (machine->directory, "output", NULL);
  g_autofree char *status = g_build_filename (machine->directory, "status", NULL);

  put_channel (text, GUEST_MAIN_PORT, NULL);
  put_channel (text, GUEST_LOG_PORT, output);
  put_channel (text, GUEST_STATUS_PORT, status);
  for (guint i = 0; i < GUEST_EXEC_PORTS; i++) {
    g_autofree char *name = g_strdup_printf (GUEST_EXEC_PORT "%u", i);

    put_channel (text, name, NULL);
  }
}

/* Ports. */

static gboolean
parse_port (const char *text, guint *ret)
{
  char *end;
  guint64 port = g_ascii_strtoull (text, &end, 10);

  *ret = (guint)port;
  return g_ascii_isdigit (*text) && *end == '\0' && port > 0 && port <= PORT_MAX;
}

/* "[ADDRESS:]HOST:GUEST[/tcp|udp]" */
static gboolean
put_port (GString *text, const char *word, GError **error)
{
  g_auto (GStrv) halves = g_strsplit (word, "/", 2);
  g_auto (GStrv) parts = g_strsplit (halves[0] != NULL ? halves[0] : "", ":", 3);
  const char *protocol = halves[0] != NULL && halves[1] != NULL ? halves[1] : "tcp";
  guint count = g_strv_length (parts);
  guint host = 0, guest = 0;

  if (count < 2 || !parse_port (parts[count - 2], &host) || !parse_port (parts[count - 1], &guest)
      || (!g_str_equal (protocol, "tcp") && !g_str_equal (protocol, "udp"))) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "'%s' are no ports: expected [ADDRESS:]HOST:GUEST, and /udp behind it for UDP", word);
    return FALSE;
  }
  if (count == 3)
    put (text, "      <portForward proto='%s' address='%s'>", protocol, parts[0]);
  else
    put (text, "      <portForward proto='%s'>", protocol);
  put (text, "        <range start='%u' to='%u'/>", host, guest);
  put (text, "      </portForward>");
  return TRUE;
}

static gboolean
put_interface (GString *text, const RunMachine *machine, GError **error)
{
  gboolean good = TRUE;

  if (machine->network != NULL && machine->ports != NULL && machine->ports[0] != NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "ports are forwarded by passt, and not with --network");
    return FALSE;
  }
  if (g_strcmp0 (machine->network, "none") == 0)
    return TRUE;
  if (machine->network != NULL) {
    put (text, "    <interface type='network'><source network='%s'/><model type='virtio'/></interface>",
         machine->network);
    return TRUE;
  }
  put (text, "    <interface type='user'>");
  put (text, "      <backend type='passt'/>");
  for (guint i = 0; good && machine->ports != NULL && machine->ports[i] != NULL; i++)
    good = put_port (text, machine->ports[i], error);
  put (text, "      <model type='virtio'/>");
  put (text, "    </interface>");
  return good;
}

/* Volumes. */

/* virtiofs needs a daemon that is root, or Rust's; 9p a kernel that has it. */
static const char *
volume_type (const RunMachine *machine, GError **error)
{
  if (machine->kernel->has_9p)
    return "9p";
  if (machine->kernel->has_virtiofs)
    return "virtiofs";
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "the kernel '%s' has neither 9p nor virtiofs, by which volumes are mounted",
                  machine->kernel->kernel);
  return NULL;
}

static gboolean
put_volume (GString *text, RunMachine *machine, guint number, GError **error)
{
  const char *word = machine->volumes[number];
  g_auto (GStrv) parts = g_strsplit (word, ":", 3);
  const char *type = volume_type (machine, error);
  guint count = g_strv_length (parts);
  gboolean readonly = count == 3 && g_str_equal (parts[2], "ro");
  g_autofree char *tag = g_strdup_printf ("volume%u", number);
  g_autofree char *path = NULL, *said = NULL;

  if (type == NULL)
    return FALSE;
  if (count < 2 || *parts[0] == '\0' || parts[1][0] != '/'
      || (count == 3 && !readonly && !g_str_equal (parts[2], "rw"))) {
    virt_error_set (
        error, VIR_ERR_INVALID_ARG,
        "'%s' is no volume: expected DIR:DIR, the second absolute, and :ro behind it when it is only read",
        word);
    return FALSE;
  }
  path = g_canonicalize_filename (parts[0], NULL);
  if (!g_file_test (path, G_FILE_TEST_IS_DIR)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "there is no directory '%s' for the volume '%s'", path, word);
    return FALSE;
  }
  put (text, "    <filesystem type='mount' accessmode='passthrough'>");
  if (g_str_equal (type, "virtiofs"))
    put (text, "      <driver type='virtiofs'/>");
  put (text, "      <source dir='%s'/>", path);
  put (text, "      <target dir='%s'/>", tag);
  if (readonly && g_str_equal (type, "9p"))
    put (text, "      <readonly/>");
  put (text, "    </filesystem>");
  said = g_strdup_printf ("%s:%s:%s:%s", type, tag, readonly ? "ro" : "rw", parts[1]);
  guest_plan_add (machine->plan, "volume", said);
  return TRUE;
}

static gboolean
put_volumes (GString *text, RunMachine *machine, GError **error)
{
  for (guint i = 0; machine->volumes != NULL && machine->volumes[i] != NULL; i++) {
    if (!put_volume (text, machine, i, error))
      return FALSE;
  }
  return TRUE;
}

char *
run_machine_document (RunMachine *machine, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GString) volumes = g_string_new (NULL);
  g_autofree char *layer = g_build_filename (machine->directory, "layer.ext4", NULL);

  if (!put_volumes (volumes, machine, error)) /* first: the plan has them as well */
    return NULL;
  if (machine->plan->len > GUEST_PLAN_MAX) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the program's arguments and environment are too long: at most %d bytes, with others "
                    "than letters and digits counted as three",
                    GUEST_PLAN_MAX);
    return NULL;
  }
  put_head (text, machine);
  if (volumes->len > 0 && !machine->kernel->has_9p)
    put (text, "  <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>");
  put (text, "  <devices>");
  put_disk (text, machine->image->file, "vda", GUEST_IMAGE_SERIAL, TRUE);
  put_disk (text, layer, "vdb", GUEST_LAYER_SERIAL, FALSE);
  g_string_append (text, volumes->str);
  if (!put_interface (text, machine, error))
    return NULL;
  put (text, "    <serial type='pty'/>");
  put_channels (text, machine);
  put (text, "    <controller type='usb' model='none'/>");
  put (text, "    <memballoon model='none'/>");
  put (text, "  </devices>");
  put (text, "</domain>");
  return g_string_free (g_steal_pointer (&text), FALSE);
}
