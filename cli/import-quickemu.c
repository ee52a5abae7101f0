/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl import` of a machine of quickemu's: a .conf with its image beside it. The file is a piece of shell,
 * of which only assignments are read, and nothing is run. It says how QEMU is started and not what the guest
 * sees, so that the machine is one such as quickemu starts; what of the file has no meaning here is told.
 */
#include "cli/import-quickemu.h"

#include "base/scalars.h"
#include "cli/import-document.h"
#include "targets/target.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_SUFFIX        ".conf"
#define CONF_MAX           (64 * 1024) /* bytes */
#define MEMORY_DEFAULT_MIB 4096        /* quickemu takes what the host has to spare */
#define CORES_DEFAULT      "2"
#define MEMORY_MAX_MIB     (16 * 1024 * 1024)

/* NAME="VALUE", NAME='VALUE', NAME=VALUE, and NAME=(...), without anything that a shell would replace. */
#define ASSIGNMENT                                                                                      \
  "^([A-Za-z_][A-Za-z0-9_]*)=(?:\"([^\"$`\\\\]*)\"|'([^']*)'|(\\([^$`]*\\))|([^\\s\"'$`\\\\();&|<>]*))" \
  "\\s*(?:#.*)?$"

static const char *const used[] = { "guest_os",  "disk_img", "disk_format", "iso", "fixed_iso",
                                    "floppy",    "boot",     "secureboot",  "tpm", "ram",
                                    "cpu_cores", "macaddr",  "network",     NULL };

typedef struct {
  const char *file;
  char *directory;
  GHashTable *values; /* char * to char * */
  GPtrArray *changes; /* char *: what is told */
  GString *text;      /* the document */
} Conf;

static void
conf_clear (Conf *conf)
{
  g_free (conf->directory);
  g_hash_table_unref (conf->values);
  g_ptr_array_unref (conf->changes);
  g_string_free (conf->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Conf, conf_clear)

/* NULL: it says nothing of it. */
static const char *
value_of (const Conf *conf, const char *name)
{
  const char *value = g_hash_table_lookup (conf->values, name);

  return value != NULL && value[0] != '\0' ? value : NULL;
}

static gboolean
take_line (Conf *conf, const GRegex *assignment, const char *line, guint number, GError **error)
{
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *name = NULL, *value = NULL;

  if (line[0] == '\0' || line[0] == '#')
    return TRUE;
  if (!g_regex_match (assignment, line, 0, &match)) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
        _ ("%s:%u: '%s' is not understood: expected NAME=\"VALUE\", without anything that a shell replaces"),
        conf->file, number, line);
    return FALSE;
  }
  name = g_match_info_fetch (match, 1);
  for (int i = 2; i <= 5 && (value == NULL || value[0] == '\0'); i++) {
    g_free (value);
    value = g_match_info_fetch (match, i);
  }
  if (value != NULL && value[0] != '\0' && !g_str_equal (value, "()") && !g_strv_contains (used, name))
    g_ptr_array_add (conf->changes, g_strdup_printf ("'%s' is left out", line));
  g_hash_table_insert (conf->values, g_steal_pointer (&name), g_steal_pointer (&value));
  return TRUE;
}

/* Others call their files .conf as well: whose it is helps more than its first line that quickemu would not
 * write. */
static void
say_whose (const Conf *conf, const char *text, GError **error)
{
  g_autofree char *base = g_path_get_basename (conf->file);
  const Target *target = g_utf8_validate (text, -1, NULL) ? target_recognize (base, text) : NULL;

  if (target == NULL)
    return;
  g_clear_error (error);
  g_set_error (
      error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
      _ ("'%s' is a config of %s, and none of quickemu's: 'domctl import-config' makes a document of it"),
      conf->file, target->title);
}

static gboolean
read_conf (Conf *conf, GError **error)
{
  g_autoptr (GRegex) assignment = g_regex_new (ASSIGNMENT, 0, 0, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  struct stat status;

  if (stat (conf->file, &status) == 0 && status.st_size > CONF_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("'%s' has more than %d bytes"), conf->file,
                 CONF_MAX);
    return FALSE;
  }
  if (!g_file_get_contents (conf->file, &text, NULL, error))
    return FALSE;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (!take_line (conf, assignment, g_strstrip (lines[i]), i + 1, error)) {
      say_whose (conf, text, error);
      return FALSE;
    }
  return TRUE;
}

static void G_GNUC_PRINTF (2, 3) put (Conf *conf, const char *format, ...)
{
  g_autofree char *line = NULL;
  va_list arguments;

  va_start (arguments, format);
  line = g_markup_vprintf_escaped (format, arguments);
  va_end (arguments);
  g_string_append_printf (conf->text, "%s\n", line);
}

/* One of the words that the file may say of @name; the first where it says none. NULL with @error. */
static const char *
choose (const Conf *conf, const char *name, const char *const *words, GError **error)
{
  const char *value = value_of (conf, name);
  g_autofree char *expected = g_strjoinv (", ", (GStrv)words);

  if (value == NULL || g_strv_contains (words, value))
    return value != NULL ? value : words[0];
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("%s: the %s '%s' is none of %s"), conf->file,
               name, value, expected);
  return NULL;
}

/* "4G", "2048M". 0 with @error. */
static guint64
memory_of (const Conf *conf, GError **error)
{
  const char *said = value_of (conf, "ram");
  g_autofree char *digits = g_strdup (said != NULL ? said : "");
  gsize length = strlen (digits);
  guint64 size = MEMORY_DEFAULT_MIB, factor = 1;

  if (said == NULL)
    return size;
  if (length > 0 && strchr ("GgMm", digits[length - 1]) != NULL) {
    factor = g_ascii_toupper (digits[length - 1]) == 'G' ? 1024 : 1;
    digits[length - 1] = '\0';
  }
  if (parse_uint (digits, MEMORY_MAX_MIB / factor, &size) && size > 0)
    return size * factor;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("%s: the ram '%s' is no size such as '4G' or '2048M'"), conf->file, said);
  return 0;
}

/* An image of the file as a disk, if there is one. */
static void
put_disk (Conf *conf, const char *name, const char *device, const char *format, const char *target,
          const char *bus)
{
  const char *said = value_of (conf, name);
  g_autofree char *path = said != NULL ? g_canonicalize_filename (said, conf->directory) : NULL;

  if (path == NULL)
    return;
  if (g_str_equal (device, "cdrom") && access (path, F_OK) != 0) { /* it was for the installation */
    g_ptr_array_add (conf->changes, g_strdup_printf ("'%s' is left out: it is not there", path));
    return;
  }
  put (conf, "    <disk type='file' device='%s'>", device);
  put (conf, "      <driver name='qemu' type='%s'/>", format);
  put (conf, "      <source file='%s'/>", path);
  put (conf, "      <target dev='%s' bus='%s'/>", target, bus);
  if (g_str_equal (device, "cdrom"))
    put (conf, "      <readonly/>");
  if (g_str_equal (device, "disk"))
    put (conf, "      <boot order='1'/>");
  put (conf, "    </disk>");
}

static gboolean
put_network (Conf *conf, GError **error)
{
  const char *network = value_of (conf, "network"), *mac = value_of (conf, "macaddr");

  if (g_strcmp0 (network, "none") == 0)
    return TRUE;
  if (g_strcmp0 (network, "restrict") == 0) {
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
        _ ("%s: a network that is restricted to the machine itself is not supported: expected a bridge, "
           "'none', or no word on it"),
        conf->file);
    return FALSE;
  }
  put (conf, "    <interface type='%s'>", network != NULL ? "bridge" : "user");
  if (mac != NULL)
    put (conf, "      <mac address='%s'/>", mac);
  if (network != NULL)
    put (conf, "      <source bridge='%s'/>", network);
  put (conf, "      <model type='virtio'/>");
  put (conf, "    </interface>");
  return TRUE;
}

static void
put_firmware (Conf *conf, gboolean efi, gboolean secure)
{
  put (conf, efi ? "  <os firmware='efi'>" : "  <os>");
  put (conf, "    <type arch='x86_64' machine='q35'>hvm</type>");
  if (efi && secure) {
    put (conf, "    <firmware>");
    put (conf, "      <feature enabled='yes' name='enrolled-keys'/>");
    put (conf, "      <feature enabled='yes' name='secure-boot'/>");
    put (conf, "    </firmware>");
  }
  put (conf, "  </os>");
  if (efi)
    g_ptr_array_add (conf->changes, g_strdup ("the firmware's variables are made anew"));
}

static gboolean
put_devices (Conf *conf, gboolean tpm, GError **error)
{
  static const char *const formats[] = { "qcow2", "raw", NULL };
  const char *format = choose (conf, "disk_format", formats, error);

  if (format == NULL)
    return FALSE;
  put (conf, "  <devices>");
  put_disk (conf, "disk_img", "disk", format, "vda", "virtio");
  put_disk (conf, "iso", "cdrom", "raw", "sda", "sata");
  put_disk (conf, "fixed_iso", "cdrom", "raw", "sdb", "sata");
  put_disk (conf, "floppy", "floppy", "raw", "fda", "fdc");
  put (conf, "    <controller type='usb' model='qemu-xhci'/>");
  if (!put_network (conf, error))
    return FALSE;
  put (conf, "    <channel type='unix'>");
  put (conf, "      <target type='virtio' name='org.qemu.guest_agent.0'/>");
  put (conf, "    </channel>");
  put (conf, "    <input type='tablet' bus='usb'/>");
  if (tpm) {
    put (conf, "    <tpm model='tpm-crb'>");
    put (conf, "      <backend type='emulator' version='2.0'/>");
    put (conf, "    </tpm>");
    g_ptr_array_add (conf->changes, g_strdup ("the TPM is a new one"));
  }
  put (conf, "    <graphics type='vnc'/>");
  put (conf, "    <video>");
  put (conf, "      <model type='virtio'/>");
  put (conf, "    </video>");
  put (conf, "    <rng model='virtio'>");
  put (conf, "      <backend model='random'>/dev/urandom</backend>");
  put (conf, "    </rng>");
  put (conf, "  </devices>");
  return TRUE;
}

static gboolean
put_machine (Conf *conf, GError **error)
{
  static const char *const systems[] = { "linux",   "windows",   "windows-server", "freebsd",
                                         "openbsd", "netbsd",    "batocera",       "freedos",
                                         "haiku",   "kolibrios", "reactos",        "solaris",
                                         NULL };
  static const char *const boots[] = { "efi", "legacy", NULL }, *const switches[] = { "off", "on", NULL };
  gboolean kvm = access ("/dev/kvm", R_OK | W_OK) == 0;
  g_autofree char *base = g_path_get_basename (conf->file);
  const char *system = choose (conf, "guest_os", systems, error);
  const char *boot = system != NULL ? choose (conf, "boot", boots, error) : NULL;
  const char *secure = boot != NULL ? choose (conf, "secureboot", switches, error) : NULL;
  const char *tpm = secure != NULL ? choose (conf, "tpm", switches, error) : NULL;
  guint64 memory = tpm != NULL ? memory_of (conf, error) : 0;

  if (memory == 0)
    return FALSE;
  base[strlen (base) - strlen (CONF_SUFFIX)] = '\0';
  put (conf, "<domain type='%s'>", kvm ? "kvm" : "qemu");
  put (conf, "  <name>%s</name>", base);
  put (conf, "  <memory unit='MiB'>%" G_GUINT64_FORMAT "</memory>", memory);
  put (conf, "  <vcpu>%s</vcpu>",
       value_of (conf, "cpu_cores") != NULL ? value_of (conf, "cpu_cores") : CORES_DEFAULT);
  put_firmware (conf, g_str_equal (boot, "efi"), g_str_equal (secure, "on"));
  put (conf, "  <features>");
  put (conf, "    <acpi/>");
  put (conf, "    <apic/>");
  if (g_str_equal (secure, "on") && g_str_equal (boot, "efi"))
    put (conf, "    <smm state='on'/>");
  put (conf, "  </features>");
  put (conf, "  <cpu mode='%s'/>", kvm ? "host-passthrough" : "maximum");
  put (conf, "  <clock offset='%s'/>", g_str_has_prefix (system, "windows") ? "localtime" : "utc");
  if (!put_devices (conf, g_str_equal (tpm, "on"), error))
    return FALSE;
  put (conf, "</domain>");
  return TRUE;
}

gboolean
import_quickemu_is (const char *file)
{
  return g_str_has_suffix (file, CONF_SUFFIX) || g_file_test (file, G_FILE_TEST_IS_DIR);
}

/* The one .conf of a directory. (transfer full) */
static char *
find_conf (const char *directory, GError **error)
{
  g_autoptr (GDir) entries = g_dir_open (directory, 0, error);
  g_autofree char *found = NULL;
  const char *name;
  guint count = 0;

  if (entries == NULL)
    return NULL;
  while ((name = g_dir_read_name (entries)) != NULL) {
    if (!g_str_has_suffix (name, CONF_SUFFIX))
      continue;
    g_free (found);
    found = g_build_filename (directory, name, NULL);
    count++;
  }
  if (count == 1)
    return g_steal_pointer (&found);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("'%s' has %u files of quickemu's (*.conf): expected one, or name the file itself"),
               directory, count);
  return NULL;
}

int
import_quickemu_run (CommandLine *line, const char *file, const char *name, gboolean check)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *conf_file =
      g_file_test (file, G_FILE_TEST_IS_DIR) ? find_conf (file, &error) : g_strdup (file);
  g_autofree char *place = conf_file != NULL ? g_path_get_dirname (conf_file) : NULL;
  g_auto (Conf) conf = { .file = conf_file,
                         .directory = place != NULL ? g_canonicalize_filename (place, NULL) : NULL,
                         .values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free),
                         .changes = g_ptr_array_new_with_free_func (g_free),
                         .text = g_string_new (NULL) };

  if (conf_file == NULL || !read_conf (&conf, &error))
    return command_error ("%s", error->message);
  if (value_of (&conf, "disk_img") == NULL)
    return command_error (_ ("%s: nothing says disk_img, the machine's image"), conf_file);
  if (!put_machine (&conf, &error))
    return command_error ("%s", error->message);
  return import_text_run (line, conf_file, conf.text->str, conf.changes, name, check);
}
