/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The document of a .vmx, as libvirt makes it: what stands outside of its devices. VMware writes hundreds of
 * settings of its own into these files, about windows, tools and PCI slots: those are passed over by their
 * prefixes, and what is left that nobody asked for is told.
 */
#include "targets/vmware/vmware-private.h"

#include "base/scalars.h"

#include <string.h>

#define KIB_IN_MIB      1024
#define MEMORY_MAX_MIB  (64 * (guint64)1024 * 1024) /* 64 TiB */
#define MEMORY_STEP_MIB 4
#define VCPUS_MAX       4096
#define SHARES_MAX      262144
#define SHARES_PER_CPU  1000
#define HARDWARE_MAX    64

static char *print_name (const char *format, va_list arguments) G_GNUC_PRINTF (1, 0);
static void report (VmxImport *import, DiagnosticSeverity severity, const char *name, const char *format,
                    va_list arguments) G_GNUC_PRINTF (4, 0);

static char *
print_name (const char *format, va_list arguments)
{
  return g_strdup_vprintf (format, arguments);
}

const char *
vmx_find (VmxImport *import, const char *name, ...)
{
  g_autofree char *full = NULL;
  const VmxSetting *setting;
  va_list arguments;

  va_start (arguments, name);
  full = print_name (name, arguments);
  va_end (arguments);
  setting = vmx_file_find (import->file, full);
  return setting != NULL && setting->value[0] != '\0' ? setting->value : NULL;
}

gboolean
vmx_find_flag (VmxImport *import, gboolean otherwise, const char *name, ...)
{
  g_autofree char *full = NULL;
  const char *value;
  va_list arguments;

  va_start (arguments, name);
  full = print_name (name, arguments);
  va_end (arguments);
  value = vmx_find (import, "%s", full);
  if (value == NULL)
    return otherwise;
  if (g_ascii_strcasecmp (value, "true") == 0 || g_str_equal (value, "1"))
    return TRUE;
  if (g_ascii_strcasecmp (value, "false") != 0 && !g_str_equal (value, "0"))
    vmx_mistake (import, full, "'%s' is none: expected \"TRUE\" or \"FALSE\"", value);
  return FALSE;
}

gboolean
vmx_find_number (VmxImport *import, guint64 maximum, guint64 *ret, const char *name, ...)
{
  g_autofree char *full = NULL;
  const char *value;
  va_list arguments;

  va_start (arguments, name);
  full = print_name (name, arguments);
  va_end (arguments);
  value = vmx_find (import, "%s", full);
  if (value == NULL || g_ascii_strcasecmp (value, "unlimited") == 0)
    return FALSE;
  if (parse_uint (value, maximum, ret))
    return TRUE;
  vmx_mistake (import, full, "'%s': expected a number up to %" G_GUINT64_FORMAT, value, maximum);
  return FALSE;
}

/* "NAME: ...", where the setting of that name stands, or at the file's beginning. */
static void
report (VmxImport *import, DiagnosticSeverity severity, const char *name, const char *format,
        va_list arguments)
{
  const VmxSetting *setting = vmx_file_find (import->file, name);
  Position where = setting != NULL ? setting->where : (Position){ 1, 1 };
  g_autofree char *text = g_strdup_vprintf (format, arguments);

  if (severity == DIAGNOSTIC_ERROR)
    diagnostics_error (import->diagnostics, where, VIR_ERR_CONF_SYNTAX, "%s: %s", name, text);
  else
    diagnostics_warning (import->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s: %s", name, text);
}

void
vmx_mistake (VmxImport *import, const char *name, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report (import, DIAGNOSTIC_ERROR, name, format, arguments);
  va_end (arguments);
}

void
vmx_without_place (VmxImport *import, const char *name, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  report (import, DIAGNOSTIC_WARNING, name, format, arguments);
  va_end (arguments);
}

void
vmx_check_path (VmxImport *import, const char *name, const char *path)
{
  g_auto (GStrv) words = g_strsplit_set (path, "/\\", -1);

  if (g_str_has_prefix (path, "/vmfs/volumes/") || path[0] == '[')
    return;
  if (path[0] == '/' || path[0] == '\\' || g_strv_contains ((const char *const *)words, ".."))
    vmx_without_place (import, name,
                       "'%s' lies outside of the folder of this file: look whether that is meant", path);
}

static void
add_text (XmlElement *parent, const char *name, const char *text)
{
  if (text != NULL)
    xml_element_set_text (xml_element_add (parent, name), text);
}

static void
add_kib (VmxImport *import, const char *element, guint64 kib)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, kib);
  XmlElement *memory = xml_element_add (import->domain, element);

  xml_element_set (memory, "unit", "KiB");
  xml_element_set_text (memory, text);
}

static void
read_versions (VmxImport *import)
{
  const char *version = vmx_find (import, "config.version");
  guint64 hardware;

  if (version == NULL || !g_str_equal (version, "8"))
    vmx_mistake (import, "config.version", "expected \"8\"");
  if (vmx_find (import, "virtualHW.version") == NULL)
    vmx_mistake (import, "virtualHW.version", "expected the version of the virtual hardware");
  vmx_find_number (import, HARDWARE_MAX, &hardware, "virtualHW.version");
}

static void
read_uuid (VmxImport *import)
{
  const char *value = vmx_find (import, "uuid.bios");
  g_autoptr (GString) digits = g_string_new (NULL);
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  if (value == NULL)
    return;
  for (; *value != '\0'; value++)
    if (strchr (" -", *value) == NULL)
      g_string_append_c (digits, *value);
  if (!uuid_parse (digits->str, bytes)) {
    vmx_mistake (import, "uuid.bios", "expected 16 bytes of two hexadecimal digits each");
    return;
  }
  uuid_format (bytes, text);
  add_text (import->domain, "uuid", text);
}

static void
read_identity (VmxImport *import)
{
  const char *name = vmx_find (import, "displayName");
  g_autofree char *plain = name != NULL ? g_strdelimit (g_strdup (name), "/\n", '_') : NULL;

  if (plain == NULL)
    vmx_mistake (import, "displayName", "expected the machine's name");
  else if (!g_str_equal (plain, name))
    vmx_without_place (import, "displayName", "a name has no '/': '%s' is taken", plain);
  add_text (import->domain, "name", plain);
  read_uuid (import);
  add_text (import->domain, "description", vmx_find (import, "annotation"));
}

static void
read_memory (VmxImport *import)
{
  guint64 memory = 32, balloon, least;

  vmx_find_number (import, MEMORY_MAX_MIB, &memory, "memsize");
  if (memory % MEMORY_STEP_MIB != 0 || memory == 0)
    vmx_mistake (import, "memsize", "expected a multiple of 4 MiB");
  balloon = memory;
  vmx_find_number (import, MEMORY_MAX_MIB, &balloon, "sched.mem.max");
  add_kib (import, "memory", memory * KIB_IN_MIB);
  add_kib (import, "currentMemory", MIN (balloon, memory) * KIB_IN_MIB);
  if (vmx_find_number (import, MEMORY_MAX_MIB, &least, "sched.mem.minsize") && least > 0) {
    g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, least * KIB_IN_MIB);
    XmlElement *guarantee = xml_element_add (xml_element_add (import->domain, "memtune"), "min_guarantee");

    xml_element_set (guarantee, "unit", "KiB");
    xml_element_set_text (guarantee, text);
  }
}

/* "0,1,2,5" as a set. NULL: all. (transfer full) */
static char *
read_affinity (VmxImport *import)
{
  const char *value = vmx_find (import, "sched.cpu.affinity"), *mistake = NULL;
  g_autoptr (CpuSet) set = NULL;

  if (value == NULL || g_ascii_strcasecmp (value, "all") == 0)
    return NULL;
  set = cpu_set_parse (value, &mistake);
  if (set != NULL)
    return cpu_set_to_string (set);
  vmx_mistake (import, "sched.cpu.affinity", "'%s' is no list of the host's processors", value);
  return NULL;
}

static void
read_shares (VmxImport *import, guint64 vcpus)
{
  const char *value = vmx_find (import, "sched.cpu.shares");
  guint64 shares = SHARES_PER_CPU * vcpus;
  g_autofree char *text = NULL;

  if (value == NULL)
    return;
  if (g_ascii_strcasecmp (value, "low") == 0)
    shares /= 2;
  else if (g_ascii_strcasecmp (value, "high") == 0)
    shares *= 2;
  else if (g_ascii_strcasecmp (value, "normal") != 0
           && !vmx_find_number (import, SHARES_MAX, &shares, "sched.cpu.shares"))
    return;
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, shares);
  add_text (xml_element_add (import->domain, "cputune"), "shares", text);
}

static void
read_topology (VmxImport *import, guint64 vcpus)
{
  guint64 cores;
  XmlElement *topology;
  g_autofree char *sockets = NULL, *text = NULL;

  if (!vmx_find_number (import, VCPUS_MAX, &cores, "cpuid.coresPerSocket") || cores == 0)
    return;
  if (vcpus % cores != 0) {
    vmx_mistake (import, "cpuid.coresPerSocket", "%" G_GUINT64_FORMAT " processors are no whole sockets",
                 vcpus);
    return;
  }
  sockets = g_strdup_printf ("%" G_GUINT64_FORMAT, vcpus / cores);
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, cores);
  topology = xml_element_add (xml_element_add (import->domain, "cpu"), "topology");
  xml_element_set (topology, "sockets", sockets);
  xml_element_set (topology, "dies", "1");
  xml_element_set (topology, "cores", text);
  xml_element_set (topology, "threads", "1");
}

static guint64
read_vcpus (VmxImport *import)
{
  guint64 vcpus = 1;
  XmlElement *vcpu = xml_element_add (import->domain, "vcpu");
  g_autofree char *text = NULL, *affinity = read_affinity (import);

  vmx_find_number (import, VCPUS_MAX, &vcpus, "numvcpus");
  vcpus = MAX (vcpus, 1);
  text = g_strdup_printf ("%" G_GUINT64_FORMAT, vcpus);
  xml_element_set (vcpu, "placement", "static");
  if (affinity != NULL)
    xml_element_set (vcpu, "cpuset", affinity);
  xml_element_set_text (vcpu, text);
  read_shares (import, vcpus);
  return vcpus;
}

static void
read_os (VmxImport *import)
{
  const char *guest = vmx_find (import, "guestOS"), *firmware = vmx_find (import, "firmware");
  gboolean secure = vmx_find_flag (import, FALSE, "uefi.secureBoot.enabled");
  XmlElement *os = xml_element_add (import->domain, "os"), *type;
  static const char *const features[] = { "enrolled-keys", "secure-boot" };

  if (firmware != NULL && g_ascii_strcasecmp (firmware, "efi") == 0)
    xml_element_set (os, "firmware", "efi");
  else
    secure = FALSE;
  type = xml_element_add (os, "type");
  xml_element_set (type, "arch", guest != NULL && g_str_has_suffix (guest, "64") ? "x86_64" : "i686");
  xml_element_set_text (type, "hvm");
  for (guint i = 0; secure && i < G_N_ELEMENTS (features); i++) {
    XmlElement *feature = xml_element_add (xml_element_ensure (os, "firmware"), "feature");

    xml_element_set (feature, "enabled", "yes");
    xml_element_set (feature, "name", features[i]);
  }
}

/* Names and prefixes of what is about windows, tools and slots, and no part of the machine. */
static const char *const needless[] = {
  ".encoding",
  "uuid.location",
  "uuid.action",
  "vc.uuid",
  "pcibridge",
  "vmci0.",
  "hpet0.",
  "nvram",
  "extendedconfigfile",
  "powertype.",
  "tools.",
  "toolscripts.",
  "virtualhw.productcompatibility",
  "migrate.",
  "monitor.",
  "replay.",
  "vmotion.",
  "softpoweroff",
  "cleanshutdown",
  "sched.swap.derivedname",
  "scsi0.pcislotnumber",
  "gui.",
  "ethernet0.pcislotnumber",
  "checkpoint.",
  "floppy0.startconnected",
  "numa.autosize",
  "svga.present",
  "svga.autodetect",
  "mks.",
  "snapshot.",
  "sched.cpu.units",
  "sched.cpu.min",
  "sched.cpu.latencysensitivity",
  "sched.mem.min",
  "sched.mem.shares",
  "sched.scsi",
  "vmx.",
  "guestinfo.",
  "isolation.",
  "annotation",
  "disk.enableuuid",
  "guestos.",
  "evcompatibilitymode",
  "guestcpuid.",
  "hostcpuid.",
  "usercpuid.",
  "remotedisplay.maxconnections",
  "sharedfolder.maxnum",
  "toolsinstallmanager.",
};

static gboolean
is_needless (const VmxSetting *setting)
{
  for (guint i = 0; i < G_N_ELEMENTS (needless); i++)
    if (g_str_has_prefix (setting->name, needless[i]))
      return TRUE;
  if (g_str_has_suffix (setting->name, ".present"))
    return g_ascii_strcasecmp (setting->value, "true") != 0;
  return g_str_has_suffix (setting->name, ".pcislotnumber") || g_str_has_suffix (setting->name, ".redo")
         || g_str_has_suffix (setting->name, ".generatedaddressoffset");
}

static void
report_unused (VmxImport *import)
{
  for (guint i = 0; i < import->file->settings->len; i++) {
    const VmxSetting *setting = g_ptr_array_index (import->file->settings, i);

    if (!setting->used && !is_needless (setting))
      vmx_without_place (import, setting->name, "'%s' has no place in the format", setting->value);
  }
}

static void
add_lifecycle (VmxImport *import)
{
  xml_element_set (xml_element_add (import->domain, "clock"), "offset", "utc");
  add_text (import->domain, "on_poweroff", "destroy");
  add_text (import->domain, "on_reboot", "restart");
  add_text (import->domain, "on_crash", "destroy");
}

char *
vmx_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (VmxFile) file = vmx_file_parse (text, diagnostics);
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  VmxImport import = { file, diagnostics, domain, NULL, NULL };
  guint64 vcpus;

  if (file == NULL)
    return NULL;
  xml_element_set (domain, "type", "vmware");
  read_versions (&import);
  read_identity (&import);
  read_memory (&import);
  vcpus = read_vcpus (&import);
  read_os (&import);
  read_topology (&import, vcpus);
  add_lifecycle (&import);
  import.devices = xml_element_add (domain, "devices");
  vmx_read_disks (&import);
  vmx_read_devices (&import);
  report_unused (&import);
  return diagnostics_has_errors (diagnostics) ? NULL : xml_element_to_string (domain);
}
