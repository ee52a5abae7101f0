/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The document of an xl.cfg, as libvirt's driver for Xen makes it: what stands outside of its devices, and
 * what a guest of Xen has without being asked for (a console, a mouse and a keyboard, a balloon). What the
 * format has no place for is told as a warning with its place, and so is every name that nobody asked for.
 */
#include "targets/xen/xen-private.h"

#include "base/scalars.h"
#include "domain/domain-def.h"

#include <string.h>

#define KIB_IN_MIB     1024
#define MEMORY_MAX_MIB (64 * (gint64)1024 * 1024) /* 64 TiB */
#define VCPUS_MAX      4096
#define NAME_MAX_BYTES 255
#define HVM_LOADER     "/usr/lib/xen/boot/hvmloader" /* what starts the firmware of Xen's HVM guests */

void
xl_mistake (XlImport *import, Position where, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (import->diagnostics, where, VIR_ERR_CONF_SYNTAX, "%s", text);
}

void
xl_without_place (XlImport *import, Position where, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_warning (import->diagnostics, where, VIR_ERR_CONFIG_UNSUPPORTED, "%s", text);
}

const char *
xl_find_text (XlImport *import, const char *name)
{
  const XlValue *value = xl_file_find (import->file, name);

  if (value == NULL)
    return NULL;
  if (value->kind == XL_LIST) {
    xl_mistake (import, value->where, "%s: expected a string", name);
    return NULL;
  }
  return value->text;
}

gboolean
xl_find_number (XlImport *import, const char *name, gint64 minimum, gint64 maximum, gint64 *ret)
{
  const XlValue *value = xl_file_find (import->file, name);
  char *end = NULL;
  gint64 number;

  if (value == NULL)
    return FALSE;
  number = value->kind == XL_STRING ? g_ascii_strtoll (value->text, &end, 0) : value->number;
  if (value->kind == XL_LIST || (end != NULL && (end == value->text || *end != '\0')) || number < minimum
      || number > maximum) {
    xl_mistake (import, value->where, "%s: expected a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                name, minimum, maximum);
    return FALSE;
  }
  *ret = number;
  return TRUE;
}

gboolean
xl_find_flag (XlImport *import, const char *name, gboolean otherwise)
{
  const XlValue *value = xl_file_find (import->file, name);

  if (value == NULL)
    return otherwise;
  if (value->kind == XL_LIST)
    xl_mistake (import, value->where, "%s: expected 0 or 1", name);
  return value->kind == XL_NUMBER ? value->number != 0
                                  : value->kind == XL_STRING && !g_str_equal (value->text, "0");
}

GPtrArray *
xl_find_texts (XlImport *import, const char *name)
{
  const XlValue *value = xl_file_find (import->file, name);
  GPtrArray *texts;

  if (value == NULL)
    return NULL;
  texts = g_ptr_array_new ();
  if (value->kind != XL_LIST)
    g_ptr_array_add (texts, (gpointer)value);
  for (guint i = 0; value->kind == XL_LIST && i < value->items->len; i++) {
    const XlValue *item = g_ptr_array_index (value->items, i);

    if (item->kind == XL_LIST)
      xl_mistake (import, item->where, "%s: expected a string", name);
    else
      g_ptr_array_add (texts, (gpointer)item);
  }
  return texts;
}

GHashTable *
xl_split_options (const char *text)
{
  GHashTable *options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) words = g_strsplit (text, ",", -1);

  for (guint i = 0; words[i] != NULL; i++) {
    char *equals = strchr (g_strstrip (words[i]), '=');

    if (words[i][0] == '\0')
      continue;
    if (equals != NULL)
      *equals++ = '\0';
    g_hash_table_insert (options, g_strdup (g_strstrip (words[i])),
                         g_strdup (equals != NULL ? g_strstrip (equals) : ""));
  }
  return options;
}

static void
add_text (XmlElement *parent, const char *name, const char *text)
{
  if (text != NULL)
    xml_element_set_text (xml_element_add (parent, name), text);
}

static void
read_mode (XlImport *import)
{
  const char *type = xl_find_text (import, "type"), *builder = xl_find_text (import, "builder");
  const XlValue *value = xl_file_find (import->file, type != NULL ? "type" : "builder");

  import->mode = XEN_PV;
  if (g_strcmp0 (type, "hvm") == 0 || (type == NULL && g_strcmp0 (builder, "hvm") == 0))
    import->mode = XEN_HVM;
  else if (g_strcmp0 (type, "pvh") == 0)
    import->mode = XEN_PVH;
  else if (type != NULL && !g_str_equal (type, "pv"))
    xl_mistake (import, value->where, "type: '%s' is no kind of guest: expected 'pv', 'pvh' or 'hvm'", type);
  else if (type == NULL && builder != NULL && !g_str_equal (builder, "generic")
           && !g_str_equal (builder, "linux"))
    xl_mistake (import, value->where, "builder: '%s' is none: expected 'generic' or 'hvm'", builder);
}

static void
read_identity (XlImport *import)
{
  const char *name = xl_find_text (import, "name"), *uuid = xl_find_text (import, "uuid");
  guint8 bytes[UUID_BYTES];
  char text[UUID_TEXT];

  if (name == NULL || name[0] == '\0' || strlen (name) > NAME_MAX_BYTES || strpbrk (name, "/\n") != NULL)
    xl_mistake (import, name != NULL ? xl_file_find (import->file, "name")->where : (Position){ 1, 1 },
                "name: expected 1 to %d bytes without '/'", NAME_MAX_BYTES);
  else
    add_text (import->domain, "name", name);
  if (uuid == NULL)
    return;
  if (!uuid_parse (uuid, bytes)) {
    xl_mistake (import, xl_file_find (import->file, "uuid")->where, "uuid: '%s' is none", uuid);
    return;
  }
  uuid_format (bytes, text);
  add_text (import->domain, "uuid", text);
}

static void
add_memory (XlImport *import, const char *element, gint64 mib)
{
  XmlElement *memory = xml_element_add (import->domain, element);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, mib * KIB_IN_MIB);

  xml_element_set (memory, "unit", "KiB");
  xml_element_set_text (memory, text);
}

static void
read_memory (XlImport *import)
{
  gint64 memory = 0, maximum;

  if (!xl_find_number (import, "memory", 1, MEMORY_MAX_MIB, &memory)
      && xl_file_find (import->file, "memory") == NULL)
    xl_mistake (import, (Position){ 1, 1 }, "memory: expected the MiB the guest begins with");
  maximum = memory;
  xl_find_number (import, "maxmem", 1, MEMORY_MAX_MIB, &maximum);
  if (maximum < memory)
    xl_mistake (import, xl_file_find (import->file, "maxmem")->where, "maxmem: less than memory");
  add_memory (import, "memory", maximum);
  add_memory (import, "currentMemory", memory);
}

/* One set for all, or in a list one for each. NULL: none for all. */
static const char *
read_pins (XlImport *import, gint64 vcpus)
{
  const XlValue *value = xl_file_find (import->file, "cpus");
  g_autoptr (GPtrArray) sets = xl_find_texts (import, "cpus");
  const char *mistake = NULL;

  for (guint i = 0; sets != NULL && i < sets->len; i++) {
    const XlValue *set = g_ptr_array_index (sets, i);
    g_autoptr (CpuSet) parsed = g_str_equal (set->text, "all") ? NULL : cpu_set_parse (set->text, &mistake);
    g_autofree char *number = g_strdup_printf ("%u", i);
    XmlElement *pin;

    if (g_str_equal (set->text, "all"))
      continue;
    if (parsed == NULL) {
      xl_without_place (import, set->where, "cpus: '%s' is no set of the host's processors: it is left out",
                        set->text);
      continue;
    }
    if (value->kind != XL_LIST)
      return set->text;
    if (i >= vcpus)
      break;
    pin = xml_element_add (xml_element_ensure (import->domain, "cputune"), "vcpupin");
    xml_element_set (pin, "vcpu", number);
    xml_element_set (pin, "cpuset", set->text);
  }
  return NULL;
}

static void
read_vcpus (XlImport *import)
{
  gint64 vcpus = 1, maximum;
  XmlElement *vcpu = xml_element_add (import->domain, "vcpu");
  g_autofree char *online = NULL, *all = NULL;
  const char *set;

  xl_find_number (import, "vcpus", 1, VCPUS_MAX, &vcpus);
  maximum = vcpus;
  xl_find_number (import, "maxvcpus", 1, VCPUS_MAX, &maximum);
  maximum = MAX (maximum, vcpus);
  online = g_strdup_printf ("%" G_GINT64_FORMAT, vcpus);
  all = g_strdup_printf ("%" G_GINT64_FORMAT, maximum);
  set = read_pins (import, maximum);
  xml_element_set (vcpu, "placement", "static");
  if (set != NULL)
    xml_element_set (vcpu, "cpuset", set);
  if (vcpus < maximum)
    xml_element_set (vcpu, "current", online);
  xml_element_set_text (vcpu, all);
}

static void
read_boot_order (XlImport *import, XmlElement *os)
{
  static const struct {
    char letter;
    const char *device;
  } letters[] = { { 'a', "fd" }, { 'b', "fd" }, { 'c', "hd" }, { 'd', "cdrom" }, { 'n', "network" } };
  const char *boot = xl_find_text (import, "boot");

  for (const char *at = boot != NULL ? boot : "c"; *at != '\0'; at++) {
    guint row = 0;

    while (row < G_N_ELEMENTS (letters) && letters[row].letter != *at)
      row++;
    if (row < G_N_ELEMENTS (letters)) {
      xml_element_set (xml_element_add (os, "boot"), "dev", letters[row].device);
      continue;
    }
    xl_mistake (import, xl_file_find (import->file, "boot")->where,
                "boot: '%s': expected the letters 'c' (disk), 'd' (CD), 'n' (network)", boot);
    return;
  }
}

static void
read_loader (XlImport *import, XmlElement *os)
{
  const char *path = xl_find_text (import, "bios_path_override"), *bios = xl_find_text (import, "bios");
  const char *firmware = xl_find_text (import, "firmware");
  XmlElement *loader;

  if (g_strcmp0 (bios, "ovmf") != 0 && g_strcmp0 (firmware, "ovmf") != 0
      && g_strcmp0 (firmware, "uefi") != 0) {
    if (bios != NULL && !g_str_equal (bios, "seabios") && !g_str_equal (bios, "rombios"))
      xl_without_place (import, xl_file_find (import->file, "bios")->where,
                        "bios: '%s' has no place in the format", bios);
    loader = xml_element_add (os, "loader");
    xml_element_set (loader, "type", "rom");
    xml_element_set_text (loader, HVM_LOADER);
    return;
  }
  if (path == NULL) {
    xml_element_set (os, "firmware", "efi");
    return;
  }
  loader = xml_element_add (os, "loader");
  xml_element_set (loader, "readonly", "yes");
  xml_element_set (loader, "type", "pflash");
  xml_element_set_text (loader, path);
}

/* `cmdline` is the whole of it; without it root= and extra= are. */
static char *
command_line (XlImport *import)
{
  const char *whole = xl_find_text (import, "cmdline"), *root = xl_find_text (import, "root");
  const char *extra = xl_find_text (import, "extra");

  if (whole != NULL)
    return g_strdup (whole);
  if (root == NULL)
    return g_strdup (extra);
  return g_strdup_printf ("root=%s%s%s", root, extra != NULL ? " " : "", extra != NULL ? extra : "");
}

static void
read_os (XlImport *import)
{
  static const struct {
    const char *machine, *type;
  } names[] = {
    [XEN_PV] = { "xenpv", "linux" }, [XEN_PVH] = { "xenpvh", "xenpvh" }, [XEN_HVM] = { "xenfv", "hvm" }
  };
  XmlElement *os, *type;
  g_autofree char *cmdline = command_line (import);

  if (import->mode != XEN_HVM) {
    add_text (import->domain, "bootloader", xl_find_text (import, "bootloader"));
    add_text (import->domain, "bootloader_args", xl_find_text (import, "bootargs"));
  }
  os = xml_element_add (import->domain, "os");
  type = xml_element_add (os, "type");
  xml_element_set (type, "arch", "x86_64");
  xml_element_set (type, "machine", names[import->mode].machine);
  xml_element_set_text (type, names[import->mode].type);
  if (import->mode == XEN_HVM)
    read_loader (import, os);
  add_text (os, "kernel", xl_find_text (import, "kernel"));
  add_text (os, "initrd", xl_find_text (import, "ramdisk"));
  add_text (os, "cmdline", cmdline);
  if (import->mode == XEN_HVM)
    read_boot_order (import, os);
}

static void
read_xen_features (XlImport *import, XmlElement *features)
{
  const char *passthrough = xl_find_text (import, "passthrough");
  XmlElement *element;

  if (xl_find_flag (import, "e820_host", FALSE))
    xml_element_set (xml_element_add (xml_element_ensure (features, "xen"), "e820_host"), "state", "on");
  if (passthrough == NULL || g_str_equal (passthrough, "default"))
    return;
  element = xml_element_add (xml_element_ensure (features, "xen"), "passthrough");
  xml_element_set (element, "state", g_str_equal (passthrough, "disabled") ? "off" : "on");
  if (g_str_equal (passthrough, "sync_pt") || g_str_equal (passthrough, "share_pt"))
    xml_element_set (element, "mode", passthrough);
}

/* What an HVM guest has where the file is silent is what xl takes. */
static void
read_features (XlImport *import)
{
  static const struct {
    const char *setting, *element;
    gboolean otherwise;
  } switches[] = { { "acpi", "acpi", TRUE }, { "apic", "apic", TRUE }, { "pae", "pae", TRUE } };
  XmlElement *features = xml_element_new ("features");

  for (guint i = 0; i < G_N_ELEMENTS (switches); i++)
    if (xl_find_flag (import, switches[i].setting, switches[i].otherwise) && import->mode == XEN_HVM)
      xml_element_add (features, switches[i].element);
  if (import->mode == XEN_HVM && !xl_find_flag (import, "hap", TRUE))
    xml_element_set (xml_element_add (features, "hap"), "state", "off");
  if (import->mode == XEN_HVM && xl_find_flag (import, "viridian", FALSE))
    xml_element_add (features, "viridian");
  read_xen_features (import, features);
  if (!xml_element_is_empty (features)) {
    g_autofree char *text = xml_element_to_string (features);

    xml_element_add_parsed (import->domain, text);
  }
  xml_element_free (features);
}

static void
add_cpu_feature (XlImport *import, XmlElement *cpu, const char *name, const char *state, Position where)
{
  XmlElement *feature;

  if (g_str_equal (name, "host") || name[0] == '\0')
    return;
  if (state == NULL || strlen (state) != 1 || strchr ("01xks", state[0]) == NULL) {
    xl_without_place (import, where, "cpuid: '%s=%s' has no place in the format", name,
                      state != NULL ? state : "");
    return;
  }
  feature = xml_element_add (cpu, "feature");
  xml_element_set (feature, "policy", state[0] == '0' ? "disable" : state[0] == '1' ? "require" : "optional");
  xml_element_set (feature, "name", xen_cpu_feature (name, FALSE));
}

/* libxl's own form, in which a text names single features. */
static void
read_processor (XlImport *import)
{
  const XlValue *value = xl_file_find (import->file, "cpuid");
  gint64 nested = -1;
  gboolean says_nested = xl_find_number (import, "nestedhvm", 0, 1, &nested);
  XmlElement *cpu;

  if (value != NULL && (value->kind != XL_STRING || !g_str_has_prefix (value->text, "host"))) {
    xl_without_place (import, value->where,
                      "cpuid: only the form \"host,FEATURE=0,...\" has a place in the format");
    value = NULL;
  }
  if (import->mode != XEN_HVM || (value == NULL && !says_nested))
    return;
  cpu = xml_element_add (import->domain, "cpu");
  xml_element_set (cpu, "mode", "host-passthrough");
  if (says_nested && nested == 0)
    add_cpu_feature (import, cpu, "vmx", "0", (Position){ 0, 0 });
  if (value != NULL) {
    g_autofree char *text = g_strdelimit (g_strdup (value->text), ":", ','); /* "host:a=0" is an old form */
    g_auto (GStrv) words = g_strsplit (text, ",", -1);

    for (guint i = 0; words[i] != NULL; i++) {
      char *equals = strchr (words[i], '=');

      if (equals != NULL)
        *equals++ = '\0';
      add_cpu_feature (import, cpu, words[i], equals, value->where);
    }
  }
}

static const char *
tsc_mode (const char *word)
{
  static const char *const words[][2] = { { "native", "native" },
                                          { "native_paravirt", "paravirt" },
                                          { "always_emulate", "emulate" },
                                          { "2", "native" },
                                          { "3", "paravirt" },
                                          { "1", "emulate" } };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_strcmp0 (word, words[i][0]) == 0)
      return words[i][1];
  return NULL;
}

static void
add_timer (XmlElement *clock, const char *name, const char *present, const char *mode)
{
  XmlElement *timer = xml_element_add (clock, "timer");

  xml_element_set (timer, "name", name);
  if (present != NULL)
    xml_element_set (timer, "present", present);
  if (mode != NULL)
    xml_element_set (timer, "mode", mode);
}

static void
read_clock (XlImport *import)
{
  XmlElement *clock = xml_element_add (import->domain, "clock");
  const char *mode = tsc_mode (xl_find_text (import, "tsc_mode"));
  gboolean local = xl_find_flag (import, "localtime", FALSE);
  gint64 seconds = 0;
  g_autofree char *text = NULL;

  xl_find_number (import, "rtc_timeoffset", -G_MAXINT32, G_MAXINT32, &seconds);
  text = g_strdup_printf ("%" G_GINT64_FORMAT, seconds);
  if (import->mode == XEN_HVM) {
    xml_element_set (clock, "offset", "variable");
    xml_element_set (clock, "adjustment", text);
    xml_element_set (clock, "basis", local ? "localtime" : "utc");
  } else {
    xml_element_set (clock, "offset", local ? "localtime" : "utc");
    xml_element_set (clock, "adjustment", "reset");
  }
  if (mode != NULL)
    add_timer (clock, "tsc", "yes", mode);
  if (import->mode == XEN_HVM && xl_file_find (import->file, "hpet") != NULL)
    add_timer (clock, "hpet", xl_find_flag (import, "hpet", TRUE) ? "yes" : "no", NULL);
}

static void
read_event (XlImport *import, const char *name, const char *otherwise)
{
  static const char *const words[] = { "destroy",          "restart",          "preserve", "rename-restart",
                                       "coredump-destroy", "coredump-restart", NULL };
  const char *action = xl_find_text (import, name);

  if (action != NULL && !g_strv_contains (words, action)) {
    xl_without_place (import, xl_file_find (import->file, name)->where,
                      "%s: '%s' has no place in the format: '%s' is taken", name, action, otherwise);
    action = NULL;
  }
  add_text (import->domain, name, action != NULL ? action : otherwise);
}

/* Elements that hold a name and one attribute or two. */
static XmlElement *
add_device (XlImport *import, const char *element, const char *first, const char *value, const char *second,
            const char *second_value)
{
  XmlElement *device = xml_element_add (import->devices, element);

  xml_element_set (device, first, value);
  if (second != NULL)
    xml_element_set (device, second, second_value);
  return device;
}

/* What every guest of Xen has. */
static void
add_implied (XlImport *import)
{
  const char *bus = import->mode == XEN_HVM ? "ps2" : "xen";

  add_device (import, "input", "type", "mouse", "bus", bus);
  add_device (import, "input", "type", "keyboard", "bus", bus);
}

static void
read_bus (XlImport *import)
{
  XmlElement *controller = add_device (import, "controller", "type", "xenbus", "index", "0");
  static const char *const settings[][2] = { { "max_grant_frames", "maxGrantFrames" },
                                             { "max_event_channels", "maxEventChannels" } };

  for (guint i = 0; i < G_N_ELEMENTS (settings); i++) {
    gint64 number;

    if (xl_find_number (import, settings[i][0], 0, G_MAXINT32, &number)) {
      g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

      xml_element_set (controller, settings[i][1], text);
    }
  }
}

static void
read_devices (XlImport *import)
{
  import->devices = xml_element_add (import->domain, "devices");
  add_text (import->devices, "emulator", xl_find_text (import, "device_model_override"));
  xl_read_disks (import);
  read_bus (import);
  xl_read_usb (import);
  xl_read_interfaces (import);
  xl_read_ports (import);
  xl_read_channels (import);
  add_implied (import);
  xl_read_displays (import);
  xl_read_pci_devices (import);
  xml_element_set (xml_element_add (import->devices, "memballoon"), "model", "xen");
}

static void
report_unused (XlImport *import)
{
  for (guint i = 0; i < import->file->settings->len; i++) {
    const XlSetting *setting = g_ptr_array_index (import->file->settings, i);

    if (!setting->used)
      xl_without_place (import, setting->where, "'%s' has no place in the format", setting->name);
  }
}

char *
xl_import (const char *text, Diagnostics *diagnostics)
{
  g_autoptr (XlFile) file = xl_file_parse (text, diagnostics);
  g_autoptr (XmlElement) domain = xml_element_new ("domain");
  XlImport import = { file, diagnostics, domain, NULL, XEN_PV, 0 };

  if (file == NULL)
    return NULL;
  xml_element_set (domain, "type", "xen");
  read_mode (&import);
  read_identity (&import);
  read_memory (&import);
  read_vcpus (&import);
  read_os (&import);
  read_features (&import);
  read_processor (&import);
  xl_read_nodes (&import);
  read_clock (&import);
  read_event (&import, "on_poweroff", "destroy");
  read_event (&import, "on_reboot", "restart");
  read_event (&import, "on_crash", "restart");
  read_devices (&import);
  report_unused (&import);
  return diagnostics_has_errors (diagnostics) ? NULL : xml_element_to_string (domain);
}
