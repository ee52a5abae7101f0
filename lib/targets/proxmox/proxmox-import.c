/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The document of a machine of Proxmox VE: its file, and what stands outside of its devices. Comments at the
 * beginning are the description, and what stands behind a "[NAME]" is of a snapshot, which stays there. What
 * is not said is what Proxmox takes for it, and no choice of ours: its default processor is kvm64, its
 * default machine pc.
 */
#include "targets/proxmox/proxmox-import.h"

#include "base/scalars.h"
#include "base/translate-mark.h"
#include "targets/proxmox/proxmox-target.h"

#include <string.h>

#define MEMORY_DEFAULT   512                         /* MiB */
#define MEMORY_MAX       ((guint64)64 * 1024 * 1024) /* MiB */
#define VCPUS_MAX        4096
#define SOCKETS_MAX      64
#define CPU_UNITS_MAX    262144
#define CPU_PERIOD       100000 /* microseconds */
#define CPU_LIMIT_MAX    4096.0 /* processors */
#define SPINLOCK_RETRIES "8191"
#define HUGE_PAGE_MAX    1024 /* MiB */

/*
 * The file.
 */
static void
setting_free (gpointer data)
{
  ProxmoxSetting *setting = data;

  g_clear_pointer (&setting->options, g_hash_table_unref);
  g_clear_pointer (&setting->asked, g_hash_table_unref);
  g_strfreev (setting->words);
  g_free (setting);
}

ProxmoxSetting *
proxmox_find (ProxmoxImport *import, const char *key)
{
  ProxmoxSetting *setting = g_hash_table_lookup (import->settings, key);

  if (setting != NULL)
    setting->used = TRUE;
  return setting;
}

const char *
proxmox_value (ProxmoxImport *import, const char *key)
{
  const ProxmoxSetting *setting = proxmox_find (import, key);

  return setting != NULL ? setting->line->value : NULL;
}

static gboolean
read_flag (const char *value, gboolean *ret)
{
  static const char *const yes[] = { "1", "on", "yes", "true", NULL }, *const no[] = { "0", "off", "no",
                                                                                       "false", NULL };

  *ret = g_strv_contains (yes, value);
  return *ret || g_strv_contains (no, value);
}

gboolean
proxmox_flag (ProxmoxImport *import, const char *key, gboolean otherwise)
{
  const ProxmoxSetting *setting = proxmox_find (import, key);
  gboolean flag;

  if (setting == NULL)
    return otherwise;
  if (!read_flag (setting->line->value, &flag))
    PROXMOX_MISTAKE (import, setting, "'%s' of '%s': expected 1 or 0", setting->line->value, key);
  return flag;
}

gboolean
proxmox_number (ProxmoxImport *import, const char *key, guint64 max, guint64 *ret)
{
  const ProxmoxSetting *setting = proxmox_find (import, key);

  if (setting == NULL)
    return FALSE;
  if (parse_uint (setting->line->value, max, ret))
    return TRUE;
  PROXMOX_MISTAKE (import, setting, "'%s' of '%s': expected a number up to %" G_GUINT64_FORMAT,
                   setting->line->value, key, max);
  return FALSE;
}

static void
read_options (ProxmoxSetting *setting, const char *primary)
{
  setting->words = g_strsplit (setting->line->value, ",", -1);
  setting->options = g_hash_table_new (g_str_hash, g_str_equal);
  setting->asked = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; setting->words[i] != NULL; i++) {
    char *word = setting->words[i], *equals = strchr (word, '=');

    if (equals != NULL)
      *equals = '\0';
    if (*word != '\0')
      g_hash_table_insert (setting->options, equals != NULL ? word : (char *)primary,
                           equals != NULL ? equals + 1 : word);
  }
}

const char *
proxmox_option (ProxmoxSetting *setting, const char *primary, const char *name)
{
  if (setting->options == NULL)
    read_options (setting, primary);
  g_hash_table_add (setting->asked, (char *)name);
  return g_hash_table_lookup (setting->options, name);
}

gboolean
proxmox_option_flag (ProxmoxSetting *setting, const char *primary, const char *name, gboolean otherwise)
{
  const char *value = proxmox_option (setting, primary, name);
  gboolean flag;

  return value != NULL && read_flag (value, &flag) ? flag : otherwise;
}

void
proxmox_ignore (ProxmoxSetting *setting, const char *primary, const char *const *names)
{
  if (setting->options == NULL)
    read_options (setting, primary);
  for (; *names != NULL; names++)
    g_hash_table_add (setting->asked, (char *)*names);
}

void
proxmox_report_options (const ProxmoxImport *import, const ProxmoxSetting *setting)
{
  for (guint i = 0; setting->words != NULL && setting->words[i] != NULL; i++) {
    const char *name = setting->words[i];

    if (g_hash_table_contains (setting->options, name) && !g_hash_table_contains (setting->asked, name))
      PROXMOX_LOST (import, setting, "'%s' of '%s' has no place in the format and is left out", name,
                    setting->line->key);
  }
}

/* "%0A" is a line's end. */
static char *
read_description (const char *text)
{
  g_autoptr (GString) all = g_string_new (NULL);

  for (; *text == '#'; text += *text == '\n') {
    gsize length = strcspn (++text, "\n");
    g_autofree char *line = g_strndup (text, length);
    g_autofree char *plain = g_uri_unescape_string (g_strchomp (line), NULL);

    g_string_append_printf (all, "%s%s", all->len > 0 ? "\n" : "",
                            plain != NULL && import_is_text (plain) ? plain : line);
    text += length;
  }
  return all->len > 0 ? g_string_free (g_steal_pointer (&all), FALSE) : NULL;
}

/* Those of the machine as it is. */
static void
take_settings (ProxmoxImport *import, const GPtrArray *lines)
{
  for (guint i = 0; i < lines->len; i++) {
    const ImportLine *line = g_ptr_array_index (lines, i);
    ProxmoxSetting *setting;

    if (g_str_equal (line->key, "[")) {
      diagnostics_warning (
          import->diagnostics, line->where, VIR_ERR_CONFIG_UNSUPPORTED,
          "'%s' and what follows is left out: snapshots and pending changes stay with Proxmox", line->value);
      return;
    }
    setting = g_new0 (ProxmoxSetting, 1);
    setting->line = line;
    g_ptr_array_add (import->order, setting);
    g_hash_table_replace (import->settings, line->key, setting);
  }
}

/* Of Proxmox's own life with the machine, or told elsewhere. */
static const char *const needless[] = {
  "meta",   "digest",  "parent",        "snaptime",         "vmstate",       "bootdisk",
  "lock",   "tdf",     "keephugepages", "migrate_downtime", "migrate_speed", "vmstatestorage",
  "citype", "hotplug", "ciupgrade",     "runningmachine",   "runningcpu",    "template",
  NULL
};

static void
report_unused (const ProxmoxImport *import)
{
  for (guint i = 0; i < import->order->len; i++) {
    const ProxmoxSetting *setting = g_ptr_array_index (import->order, i);

    if (!setting->used && !g_strv_contains (needless, setting->line->key)
        && g_hash_table_lookup (import->settings, setting->line->key) == setting)
      PROXMOX_LOST (import, setting, "'%s' has no place in the format and is left out", setting->line->key);
  }
}

/*
 * The document.
 */
static void
add_identity (ProxmoxImport *import)
{
  ProxmoxSetting *smbios = proxmox_find (import, "smbios1");
  const char *name = proxmox_value (import, "name"),
             *uuid = smbios != NULL ? proxmox_option (smbios, "uuid", "uuid") : NULL;
  const char *genid = proxmox_value (import, "vmgenid");
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  import_add_text (import->domain, "name", "%s", name != NULL ? name : "unnamed");
  if (uuid != NULL && uuid_parse (uuid, bytes)) {
    uuid_format (bytes, text);
    import_add_text (import->domain, "uuid", "%s", text);
  } else if (uuid != NULL)
    PROXMOX_MISTAKE (import, smbios, "'%s' is no UUID", uuid);
  if (genid != NULL && uuid_parse (genid, bytes)) {
    uuid_format (bytes, text);
    import_add_text (import->domain, "genid", "%s", text);
  } else if (genid != NULL && g_str_equal (genid, "1"))
    xml_element_add (import->domain, "genid");
  if (import->description != NULL)
    import_add_text (import->domain, "description", "%s", import->description);
}

static void
add_memory (ProxmoxImport *import)
{
  ProxmoxSetting *memory = proxmox_find (import, "memory");
  const char *said = memory != NULL ? proxmox_option (memory, "current", "current") : NULL,
             *pages = proxmox_value (import, "hugepages");
  guint64 size = MEMORY_DEFAULT, balloon = 0, page = 0;
  XmlElement *element;

  if (said != NULL && (!parse_uint (said, MEMORY_MAX, &size) || size == 0))
    PROXMOX_MISTAKE (import, memory, "'%s': expected the memory in MiB", said);
  proxmox_number (import, "balloon", MEMORY_MAX, &balloon);
  import_add_text (import->domain, "memory", "%" G_GUINT64_FORMAT, size);
  xml_element_set (xml_element_ensure (import->domain, "memory"), "unit", "MiB");
  if (balloon > 0 && balloon < size) {
    import_add_text (import->domain, "currentMemory", "%" G_GUINT64_FORMAT, balloon);
    xml_element_set (xml_element_ensure (import->domain, "currentMemory"), "unit", "MiB");
  }
  if (pages == NULL || g_str_equal (pages, "0"))
    return;
  element = xml_element_add (xml_element_add (import->domain, "memoryBacking"), "hugepages");
  if (!g_str_equal (pages, "any") && proxmox_number (import, "hugepages", HUGE_PAGE_MAX, &page))
    import_add (element, "page", "size", pages, "unit", "MiB", NULL);
}

/* "1.5" processors of all that the machine has. */
static void
add_cpu_tuning (ProxmoxImport *import)
{
  const ProxmoxSetting *setting = proxmox_find (import, "cpulimit");
  guint64 units;
  gboolean has_units = proxmox_number (import, "cpuunits", CPU_UNITS_MAX, &units) && units > 0;
  char *end = NULL;
  double limit = setting != NULL ? g_ascii_strtod (setting->line->value, &end) : 0;

  if (setting != NULL && (*end != '\0' || !(limit >= 0) || limit > CPU_LIMIT_MAX)) {
    PROXMOX_MISTAKE (import, setting, "'%s': expected a number of processors", setting->line->value);
    return;
  }
  if (has_units)
    import_add_text (xml_element_ensure (import->domain, "cputune"), "shares", "%" G_GUINT64_FORMAT, units);
  if (limit > 0) {
    import_add_text (xml_element_ensure (import->domain, "cputune"), "global_period", "%d", CPU_PERIOD);
    import_add_text (xml_element_ensure (import->domain, "cputune"), "global_quota", "%.0f",
                     limit * CPU_PERIOD);
  }
}

static void
add_vcpus (ProxmoxImport *import, guint64 *ret_sockets, guint64 *ret_cores)
{
  ProxmoxSetting *affinity = proxmox_find (import, "affinity");
  const char *mistake = NULL;
  g_autoptr (CpuSet) set = affinity != NULL ? cpu_set_parse (affinity->line->value, &mistake) : NULL;
  g_autofree char *cpus = set != NULL ? cpu_set_to_string (set) : NULL;
  guint64 cores = 1, sockets = 1, online = 0;
  XmlElement *vcpu;

  proxmox_number (import, "cores", VCPUS_MAX / SOCKETS_MAX, &cores);
  proxmox_number (import, "sockets", SOCKETS_MAX, &sockets);
  *ret_cores = MAX (cores, 1);
  *ret_sockets = MAX (sockets, 1);
  if (affinity != NULL && set == NULL)
    PROXMOX_MISTAKE (import, affinity, "'%s' is no list of processors: %s", affinity->line->value, mistake);
  import_add_text (import->domain, "vcpu", "%" G_GUINT64_FORMAT, *ret_cores * *ret_sockets);
  vcpu = xml_element_ensure (import->domain, "vcpu");
  if (cpus != NULL)
    xml_element_set (vcpu, "cpuset", cpus);
  if (proxmox_number (import, "vcpus", *ret_cores * *ret_sockets, &online) && online > 0)
    xml_element_set (vcpu, "current", proxmox_value (import, "vcpus"));
}

/* "pc-q35-8.1+pve0": the last is of Proxmox's own QEMU. */
static void
add_os (ProxmoxImport *import)
{
  static const char *const of_variables[] = { "efitype", "ms-cert", "size", NULL };
  ProxmoxSetting *machine = proxmox_find (import, "machine"), *variables = proxmox_find (import, "efidisk0");
  const char *type = machine != NULL ? proxmox_option (machine, "type", "type") : NULL,
             *arch = proxmox_value (import, "arch"), *bios = proxmox_value (import, "bios"),
             *iommu = machine != NULL ? proxmox_option (machine, "type", "viommu") : NULL;
  g_autofree char *name = g_strdup (type != NULL ? type : g_strcmp0 (arch, "aarch64") == 0 ? "virt" : "pc");
  XmlElement *os = xml_element_add (import->domain, "os");
  gboolean is_secure =
      variables != NULL && proxmox_option_flag (variables, "file", "pre-enrolled-keys", FALSE);

  name[strcspn (name, "+")] = '\0';
  import->is_q35 = strstr (name, "q35") != NULL;
  if (g_strcmp0 (bios, "ovmf") == 0) {
    xml_element_set (os, "firmware", "efi");
    import_add_text (os, "type", "hvm");
    for (guint i = 0; i < 2; i++)
      import_add (xml_element_ensure (os, "firmware"), "feature", "enabled", is_secure ? "yes" : "no", "name",
                  i == 0 ? "enrolled-keys" : "secure-boot", NULL);
  } else
    import_add_text (os, "type", "hvm");
  if (bios != NULL && !g_str_equal (bios, "ovmf") && !g_str_equal (bios, "seabios"))
    PROXMOX_MISTAKE (import, proxmox_find (import, "bios"), "'%s' is no firmware: expected seabios or ovmf",
                     bios);
  xml_element_set (xml_element_ensure (os, "type"), "arch", arch != NULL ? arch : "x86_64");
  xml_element_set (xml_element_ensure (os, "type"), "machine", name);
  if (variables != NULL) {
    proxmox_ignore (variables, "file", of_variables);
    PROXMOX_LOST (import, variables,
                  "the firmware's variables in '%s' are not taken: the machine begins with new ones",
                  proxmox_option (variables, "file", "file"));
  }
  if (iommu != NULL)
    PROXMOX_LOST (import, machine, "'viommu' of 'machine' is left out: write an <iommu> for it");
}

/* "order=scsi0;ide2;net0", or of older ones letters: "cdn". */
static void
read_boot (ProxmoxImport *import)
{
  static const struct {
    char letter;
    const char *device;
  } letters[] = { { 'a', "fd" }, { 'c', "hd" }, { 'd', "cdrom" }, { 'n', "network" } };
  ProxmoxSetting *boot = proxmox_find (import, "boot");
  const char *order = boot != NULL ? proxmox_option (boot, "legacy", "order") : NULL,
             *legacy = boot != NULL ? proxmox_option (boot, "legacy", "legacy") : NULL;
  g_auto (GStrv) names = g_strsplit (order != NULL ? order : "", ";", -1);
  guint count = 0;

  for (guint i = 0; names[i] != NULL; i++)
    if (*names[i] != '\0' && g_hash_table_lookup (import->settings, names[i]) != NULL
        && !g_hash_table_contains (import->boot, names[i]))
      g_hash_table_insert (import->boot, g_strdup (names[i]), GUINT_TO_POINTER (++count));
  for (; order == NULL && legacy != NULL && *legacy != '\0'; legacy++)
    for (guint i = 0; i < G_N_ELEMENTS (letters); i++)
      if (letters[i].letter == *legacy)
        import_add (xml_element_ensure (import->domain, "os"), "boot", "dev", letters[i].device, NULL);
}

void
proxmox_add_boot (const ProxmoxImport *import, const char *key, XmlElement *device)
{
  guint place = GPOINTER_TO_UINT (g_hash_table_lookup (import->boot, key));

  if (place > 0) {
    g_autofree char *text = g_strdup_printf ("%u", place);

    import_add (device, "boot", "order", text, NULL);
  }
}

/* "win11", "w2k8", "wxp" and "wvista". */
static gboolean
is_windows (ProxmoxImport *import)
{
  const char *type = proxmox_value (import, "ostype");

  return type != NULL && type[0] == 'w';
}

static void
add_features (ProxmoxImport *import, gboolean is_hidden)
{
  XmlElement *features = xml_element_add (import->domain, "features");

  if (proxmox_flag (import, "acpi", TRUE))
    xml_element_add (features, "acpi");
  xml_element_add (features, "apic");
  if (is_windows (import)) {
    XmlElement *hyperv = import_add (features, "hyperv", "mode", "custom", NULL);

    import_add (hyperv, "relaxed", "state", "on", NULL);
    import_add (hyperv, "vapic", "state", "on", NULL);
    import_add (hyperv, "spinlocks", "state", "on", "retries", SPINLOCK_RETRIES, NULL);
  }
  if (is_hidden)
    import_add (xml_element_add (features, "kvm"), "hidden", "state", "on", NULL);
}

/* Models of Proxmox's own: QEMU's qemu64 and what it lacks of a level of the x86-64 ABI. */
static const struct {
  const char *model, *features;
} levels[] = {
  { "x86-64-v2", "cx16 lahf_lm popcnt sse4.1 sse4.2 ssse3" },
  { "x86-64-v2-AES", "aes cx16 lahf_lm popcnt sse4.1 sse4.2 ssse3" },
  { "x86-64-v3", "abm aes avx avx2 bmi1 bmi2 cx16 f16c fma lahf_lm movbe popcnt sse4.1 sse4.2 ssse3 xsave" },
  { "x86-64-v4", "abm aes avx avx2 avx512bw avx512cd avx512dq avx512f avx512vl bmi1 bmi2 cx16 f16c fma "
                 "lahf_lm movbe popcnt "
                 "sse4.1 sse4.2 ssse3 xsave" },
};

static void
add_cpu_model (XmlElement *cpu, const char *model)
{
  const char *features = NULL;
  g_auto (GStrv) names = NULL;

  if (g_str_equal (model, "host") || g_str_equal (model, "max")) {
    xml_element_set (cpu, "mode", model[0] == 'h' ? "host-passthrough" : "maximum");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (levels[i].model, model))
      features = levels[i].features;
  xml_element_set (cpu, "mode", "custom");
  xml_element_set (cpu, "match", "exact");
  import_add_text (cpu, "model", "%s", features != NULL ? "qemu64" : model);
  names = g_strsplit (features != NULL ? features : "", " ", -1);
  for (guint i = 0; names[i] != NULL; i++)
    import_add (cpu, "feature", "policy", "require", "name", names[i], NULL);
}

/* "+aes;-pcid" */
static void
add_cpu_flags (ProxmoxImport *import, const ProxmoxSetting *setting, XmlElement *cpu, const char *flags)
{
  g_auto (GStrv) words = g_strsplit (flags != NULL ? flags : "", ";", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    const char *word = words[i];

    if (*word == '\0')
      continue;
    if ((*word != '+' && *word != '-') || word[1] == '\0')
      PROXMOX_MISTAKE (import, setting, "'%s' is no flag: expected one such as '+aes' or '-pcid'", word);
    else if (g_str_has_prefix (word + 1, "hv-") || g_str_has_prefix (word + 1, "nested-"))
      PROXMOX_LOST (import, setting, "'%s' of 'cpu' is left out", word);
    else
      import_add (cpu, "feature", "policy", *word == '+' ? "require" : "disable", "name", word + 1, NULL);
  }
}

static void
add_cpu (ProxmoxImport *import, guint64 sockets, guint64 cores)
{
  ProxmoxSetting *setting = proxmox_find (import, "cpu");
  const char *model = setting != NULL ? proxmox_option (setting, "cputype", "cputype") : NULL,
             *flags = setting != NULL ? proxmox_option (setting, "cputype", "flags") : NULL;
  gboolean is_hidden = setting != NULL && proxmox_option_flag (setting, "cputype", "hidden", FALSE);
  g_autofree char *socket_text = g_strdup_printf ("%" G_GUINT64_FORMAT, sockets),
                  *core_text = g_strdup_printf ("%" G_GUINT64_FORMAT, cores);
  XmlElement *cpu;

  add_features (import, is_hidden);
  cpu = xml_element_add (import->domain, "cpu");
  if (model != NULL && g_str_has_prefix (model, "custom-")) {
    PROXMOX_LOST (import, setting, "the model '%s' is of a file of Proxmox's: 'kvm64' is taken", model);
    model = NULL;
  }
  add_cpu_model (cpu, model != NULL ? model : "kvm64");
  import_add (cpu, "topology", "sockets", socket_text, "dies", "1", "cores", core_text, "threads", "1", NULL);
  if (setting != NULL)
    add_cpu_flags (import, setting, cpu, flags);
}

static void
add_lifecycle (ProxmoxImport *import)
{
  gboolean local = proxmox_flag (import, "localtime", is_windows (import));

  import_add (import->domain, "clock", "offset", local ? "localtime" : "utc", NULL);
  if (!proxmox_flag (import, "reboot", TRUE))
    import_add_text (import->domain, "on_reboot", "destroy");
}

/* What does not go into the document, and is nothing where it is off. */
static void
report_switches (ProxmoxImport *import)
{
  static const struct {
    const char *key, *instead;
  } switches[] = { { "onboot", "is no part of a document: domctl autostart" },
                   { "numa", "is left out: write the nodes into <cpu><numa>" },
                   { "freeze", "is left out: domctl start --paused" },
                   { "protection", "is left out" } };

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    if (proxmox_flag (import, switches[i].key, FALSE))
      PROXMOX_LOST (import, proxmox_find (import, switches[i].key), "'%s' %s", switches[i].key,
                    switches[i].instead);
}

static char *
make_document (ProxmoxImport *import)
{
  guint64 sockets, cores;

  xml_element_set (import->domain, "type", proxmox_flag (import, "kvm", TRUE) ? "kvm" : "qemu");
  add_identity (import);
  add_memory (import);
  add_vcpus (import, &sockets, &cores);
  add_cpu_tuning (import);
  add_os (import);
  read_boot (import);
  add_cpu (import, sockets, cores);
  add_lifecycle (import);
  import->devices = xml_element_add (import->domain, "devices");
  proxmox_add_disks (import);
  proxmox_add_devices (import);
  if (import->iothreads > 0)
    import_add_text (import->domain, "iothreads", "%u", import->iothreads);
  report_switches (import);
  for (guint i = 0; i < import->order->len; i++)
    proxmox_report_options (import, g_ptr_array_index (import->order, i));
  report_unused (import);
  return diagnostics_has_errors (import->diagnostics) ? NULL : xml_element_to_string (import->domain);
}

static char *
proxmox_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) lines = import_read_lines (text, ':', diagnostics);
  ProxmoxImport import = { .diagnostics = diagnostics };
  char *document;

  if (lines == NULL)
    return NULL;
  import.settings = g_hash_table_new (g_str_hash, g_str_equal);
  import.order = g_ptr_array_new_with_free_func (setting_free);
  import.boot = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  import.description = read_description (text);
  import.domain = xml_element_new ("domain");
  take_settings (&import, lines);
  if (import.order->len == 0)
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_CONFIG_UNSUPPORTED,
                       "there is no setting of a machine: expected lines such as 'memory: 2048'");
  document = make_document (&import);
  g_hash_table_unref (import.settings);
  g_hash_table_unref (import.boot);
  g_ptr_array_unref (import.order);
  g_free (import.description);
  xml_element_free (import.domain);
  return document;
}

/* A number and ".conf", or what every file that Proxmox has written says. */
static gboolean
proxmox_recognize (const char *file_name, const char *text)
{
  gsize digits = strspn (file_name, G_CSET_DIGITS);

  return (digits > 0 && g_str_equal (file_name + digits, ".conf"))
         || (strstr (text, "\nscsihw: ") != NULL && strstr (text, "\nsmbios1: ") != NULL);
}

const Target proxmox_target = {
  .name = "proxmox",
  .title = "Proxmox VE",
  .summary = N_ ("/etc/pve/qemu-server/ID.conf of Proxmox VE"),
  .recognize = proxmox_recognize,
  .import = proxmox_import,
};
