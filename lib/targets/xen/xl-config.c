/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The xl.cfg of a machine: what stands outside of its devices. Names and their order are those that libvirt's
 * driver for Xen writes, so that a file in a repository does not change with the program that wrote it; where
 * libvirt is silent and xl has a word for it, xl's is used.
 */
#include "targets/xen/xen-private.h"

#include "base/xml-document.h"
#include "domain/vcpus.h"

#include <string.h>

#define MIB_IN_KIB 1024

void
xl_add_text (XlWriter *writer, const char *name, const char *value)
{
  g_autofree char *quoted = value != NULL ? xl_quote (value) : NULL;

  if (value != NULL)
    g_string_append_printf (writer->text, "%s = %s\n", name, quoted);
}

void
xl_add_number (XlWriter *writer, const char *name, gint64 value)
{
  g_string_append_printf (writer->text, "%s = %" G_GINT64_FORMAT "\n", name, value);
}

void
xl_add_flag (XlWriter *writer, const char *name, gboolean value)
{
  xl_add_number (writer, name, value ? 1 : 0);
}

void
xl_add_list (XlWriter *writer, const char *name, GPtrArray *items)
{
  for (guint i = 0; i < items->len; i++) {
    g_autofree char *quoted = xl_quote (g_ptr_array_index (items, i));

    if (i == 0)
      g_string_append_printf (writer->text, "%s = [ ", name);
    g_string_append_printf (writer->text, "%s%s", quoted, i + 1 < items->len ? ", " : " ]\n");
  }
  g_ptr_array_unref (items);
}

void
xl_append_option (XlWriter *writer, GString *text, const Device *device, const char *key, const char *value)
{
  if (value == NULL)
    return;
  if (strchr (value, ',') != NULL)
    target_refuse (writer->losses, device, NULL, "divides %s= at commas, and '%s' has one", key, value);
  g_string_append_printf (text, "%s%s=%s", text->len > 0 ? "," : "", key, value);
}

char *
xl_verbatim_text (const char *element)
{
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = element != NULL ? xml_document_parse (element, -1, ignored) : NULL;

  return document != NULL ? xml_node_text (xml_document_root (document)) : NULL;
}

char *
xl_verbatim_attribute (const char *element, const char *name)
{
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = element != NULL ? xml_document_parse (element, -1, ignored) : NULL;

  return document != NULL ? xml_node_attribute (xml_document_root (document), name) : NULL;
}

static XenMode
mode_of (const DomainDef *def)
{
  if (def->os.type == OS_TYPE_XENPVH || g_strcmp0 (def->os.machine, "xenpvh") == 0)
    return XEN_PVH;
  return def->os.type == OS_TYPE_XEN || def->os.type == OS_TYPE_LINUX ? XEN_PV : XEN_HVM;
}

static gint64
round_up_mib (guint64 kib)
{
  return (gint64)(kib / MIB_IN_KIB + (kib % MIB_IN_KIB != 0));
}

/* Every processor's own, where the document pins them one by one. */
static void
add_pins (XlWriter *writer)
{
  const DomainDef *def = writer->def;
  GPtrArray *pins = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < domain_vcpus_maximum (def); i++) {
    const char *set = cputune_find_pin (def->cputune.vcpu_pins, i);

    if (set == NULL)
      set = def->vcpu_cpuset != NULL ? def->vcpu_cpuset : "all";
    g_ptr_array_add (pins, g_strdup (set));
  }
  xl_add_list (writer, "cpus", pins);
}

static void
add_general (XlWriter *writer)
{
  const DomainDef *def = writer->def;
  guint maximum = domain_vcpus_maximum (def), online = domain_vcpus_online (def);
  guint64 memory = def->current_memory.set ? def->current_memory.value : def->memory.value;

  xl_add_text (writer, "name", def->name);
  xl_add_text (writer, "uuid", def->uuid);
  xl_add_number (writer, "maxmem", round_up_mib (def->memory.value));
  xl_add_number (writer, "memory", round_up_mib (memory));
  if (online < maximum)
    xl_add_number (writer, "maxvcpus", maximum);
  xl_add_number (writer, "vcpus", online);
  if (def->cputune.vcpu_pins != NULL)
    add_pins (writer);
  else
    xl_add_text (writer, "cpus", def->vcpu_cpuset);
  if (def->vcpu_placement == VCPU_PLACEMENT_AUTO)
    target_lose (writer->losses, NULL,
                 "vcpu placement=", "asks no daemon of NUMA where processors should run");
}

/* <xen> is kept as it stands. */
static void
add_xen_features (XlWriter *writer)
{
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  const char *text = writer->def->features.xen;
  g_autoptr (XmlDocument) document = text != NULL ? xml_document_parse (text, -1, ignored) : NULL;

  for (xmlNode *child = document != NULL ? xml_document_root (document)->children : NULL; child != NULL;
       child = child->next) {
    g_autofree char *state = child->type == XML_ELEMENT_NODE ? xml_node_attribute (child, "state") : NULL;
    g_autofree char *mode = child->type == XML_ELEMENT_NODE ? xml_node_attribute (child, "mode") : NULL;
    gboolean on = g_strcmp0 (state, "on") == 0;

    if (state == NULL)
      continue;
    if (g_str_equal ((const char *)child->name, "passthrough"))
      xl_add_text (writer, "passthrough", !on ? "disabled" : mode != NULL ? mode : "enabled");
    else if (writer->mode == XEN_PV)
      xl_add_flag (writer, "e820_host", on);
    else
      target_lose (writer->losses, NULL, "features/xen/e820_host",
                   "gives the host's memory map to PV guests only");
  }
}

static void
add_features (XlWriter *writer)
{
  const DomainFeatures *features = &writer->def->features;

  if (writer->mode == XEN_HVM) {
    xl_add_flag (writer, "pae", features->pae || g_strcmp0 (writer->def->os.arch, "x86_64") == 0);
    xl_add_flag (writer, "acpi", features->acpi);
    xl_add_flag (writer, "apic", features->apic);
    if (features->hap == TRISTATE_NO)
      xl_add_flag (writer, "hap", FALSE);
    xl_add_flag (writer, "viridian", features->viridian);
  }
  if (features->apic_eoi != TRISTATE_ABSENT)
    target_lose (writer->losses, NULL, "features/apic", "chooses the end of interrupts by itself");
  add_xen_features (writer);
}

static const struct {
  TscMode mode;
  const char *word;
} tsc_modes[] = {
  { TSC_NATIVE, "native" },
  { TSC_PARAVIRT, "native_paravirt" },
  { TSC_EMULATE, "always_emulate" },
  { TSC_AUTO, "default" },
};

static void
add_timer (XlWriter *writer, const ClockTimer *timer)
{
  if (timer->name == TIMER_HPET && writer->mode == XEN_HVM) {
    xl_add_flag (writer, "hpet", timer->present != TRISTATE_NO);
    return;
  }
  for (guint i = 0; timer->name == TIMER_TSC && i < G_N_ELEMENTS (tsc_modes); i++)
    if (timer->mode == (int)tsc_modes[i].mode) {
      xl_add_text (writer, "tsc_mode", tsc_modes[i].word);
      return;
    }
  if (timer->name == TIMER_TSC && timer->mode == TSC_NONE)
    return;
  target_lose (writer->losses, NULL, "clock/timer",
               timer->name == TIMER_TSC ? "has no such mode of the TSC"
                                        : "sets the timers 'tsc', and of HVM "
                                          "guests 'hpet', and no others");
}

/* A PV guest's clock is the host's; what an HVM guest's differs from it by is in seconds. */
static void
add_clock (XlWriter *writer)
{
  const DomainClock *clock = &writer->def->clock;
  gboolean local = clock->offset == CLOCK_LOCALTIME
                   || (clock->offset == CLOCK_VARIABLE && clock->basis == CLOCK_BASIS_LOCALTIME);
  gint64 seconds = 0;

  for (guint i = 0; clock->timers != NULL && i < clock->timers->len; i++)
    add_timer (writer, g_ptr_array_index (clock->timers, i));
  if (clock->adjustment != NULL && !g_str_equal (clock->adjustment, "reset"))
    seconds = g_ascii_strtoll (clock->adjustment, NULL, 10);
  if (clock->offset == CLOCK_TIMEZONE || clock->offset == CLOCK_ABSOLUTE)
    target_lose (writer->losses, NULL, "clock offset=", "knows the clocks 'utc', 'localtime' and 'variable'");
  if (writer->mode == XEN_HVM)
    xl_add_number (writer, "rtc_timeoffset", seconds);
  else if (seconds != 0)
    target_lose (writer->losses, NULL, "clock adjustment=", "moves the clock of HVM guests only");
  xl_add_flag (writer, "localtime", local);
}

static void
add_events (XlWriter *writer)
{
  static const char *const words[] = {
    NULL, "destroy", "restart", "preserve", "rename-restart", "coredump-destroy", "coredump-restart"
  };
  const DomainDef *def = writer->def;

  xl_add_text (writer, "on_poweroff", def->on_poweroff != 0 ? words[def->on_poweroff] : "destroy");
  xl_add_text (writer, "on_reboot", def->on_reboot != 0 ? words[def->on_reboot] : "restart");
  xl_add_text (writer, "on_crash", def->on_crash != 0 ? words[def->on_crash] : "destroy");
  if (def->type == VIRT_TYPE_XEN)
    xl_add_text (writer, "device_model_override", def->emulator);
}

/* Xen's name of a feature of processors, where it has one of its own. */
static const struct {
  const char *name, *xen;
} cpu_features[] = {
  { "cx16", "cmpxchg16" },
  { "cid", "cntxid" },
  { "ds_cpl", "dscpl" },
  { "pclmuldq", "pclmulqdq" },
  { "pni", "sse3" },
  { "ht", "htt" },
  { "pn", "psn" },
  { "clflush", "clfsh" },
  { "sep", "sysenter" },
  { "cx8", "cmpxchg8" },
  { "nodeid_msr", "nodeid" },
  { "cr8legacy", "altmovcr8" },
  { "lahf_lm", "lahfsahf" },
  { "cmp_legacy", "cmplegacy" },
  { "fxsr_opt", "ffxsr" },
  { "pdpe1gb", "page1gb" },
  { "spec-ctrl", "ibrsb" },
};

const char *
xen_cpu_feature (const char *name, gboolean to_xen)
{
  for (guint i = 0; i < G_N_ELEMENTS (cpu_features); i++)
    if (g_str_equal (name, to_xen ? cpu_features[i].name : cpu_features[i].xen))
      return to_xen ? cpu_features[i].xen : cpu_features[i].name;
  return name;
}

static const char *
feature_state (int policy)
{
  if (policy == CPU_POLICY_DISABLE || policy == CPU_POLICY_FORBID)
    return "0";
  return policy == CPU_POLICY_OPTIONAL ? "x" : "1";
}

/* A guest may run guests unless both of the processor's ways to it are taken away. */
static void
add_processor (XlWriter *writer)
{
  const DomainCpu *cpu = writer->def->cpu;
  g_autoptr (GString) features = g_string_new ("host");
  gboolean nested = TRUE;

  if (cpu == NULL || (cpu->mode == CPU_MODE_NONE && cpu->numa.cells != NULL))
    return;
  if (cpu->mode == CPU_MODE_HOST_MODEL || cpu->mode == CPU_MODE_MAXIMUM)
    target_lose (writer->losses, NULL,
                 "cpu mode=", "shows guests the host's own processor: expected 'host-passthrough'");
  if (cpu->mode != CPU_MODE_HOST_PASSTHROUGH)
    return;
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (g_str_equal (feature->name, "vmx") || g_str_equal (feature->name, "svm"))
      nested = nested && feature->policy != CPU_POLICY_DISABLE && feature->policy != CPU_POLICY_FORBID;
    else
      g_string_append_printf (features, ",%s=%s", xen_cpu_feature (feature->name, TRUE),
                              feature_state (feature->policy));
  }
  if (writer->mode == XEN_HVM)
    xl_add_flag (writer, "nestedhvm", nested);
  if (strchr (features->str, ',') != NULL)
    xl_add_text (writer, "cpuid", features->str);
}

static guint64
distance (const GPtrArray *cells, guint from, guint to)
{
  const NumaCell *cell = g_ptr_array_index (cells, from);

  for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++) {
    const NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);

    if (sibling->cell.value == to)
      return sibling->value.value;
  }
  cell = g_ptr_array_index (cells, to); /* said from the other side only */
  for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++) {
    const NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);

    if (sibling->cell.value == from)
      return sibling->value.value;
  }
  return from == to ? NUMA_DISTANCE_SELF : NUMA_DISTANCE_OTHERS;
}

static void
add_nodes (XlWriter *writer)
{
  const GPtrArray *cells = writer->def->cpu != NULL ? writer->def->cpu->numa.cells : NULL;

  for (guint i = 0; cells != NULL && i < cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (cells, i);

    g_string_append_printf (writer->text,
                            "%s[ \"pnode=%u\", \"size=%" G_GINT64_FORMAT "\", \"vcpus=%s\", \"vdistances=",
                            i == 0 ? "vnuma = [ " : ", ", i, (gint64)(cell->memory.value / MIB_IN_KIB),
                            cell->cpus != NULL ? cell->cpus : "");
    for (guint to = 0; to < cells->len; to++)
      g_string_append_printf (writer->text, "%s%" G_GUINT64_FORMAT, to > 0 ? "," : "",
                              distance (cells, i, to));
    g_string_append (writer->text, "\" ]");
  }
  if (cells != NULL)
    g_string_append (writer->text, " ]\n");
}

static void
add_boot_order (XlWriter *writer)
{
  static const char letters[] = "?adcn"; /* BootDevice; xl has no floppy drive, and its letter is libvirt's */
  const GPtrArray *boots = writer->def->os.boots;
  g_autoptr (GString) order = g_string_new (NULL);

  for (guint i = 0; boots != NULL && i < boots->len; i++)
    g_string_append_c (order, letters[((const OsBoot *)g_ptr_array_index (boots, i))->device]);
  if (order->len == 0)
    g_string_append (order, "c");
  xl_add_text (writer, "boot", order->str);
}

static void
add_firmware (XlWriter *writer)
{
  const DomainOs *os = &writer->def->os;
  gboolean chosen = writer->def->type != VIRT_TYPE_XEN; /* what QEMU on this host would take */

  if (os->loader_type == LOADER_TYPE_PFLASH || os->firmware == FIRMWARE_EFI) {
    xl_add_text (writer, "bios", "ovmf");
    if (os->loader != NULL && !chosen)
      xl_add_text (writer, "bios_path_override", os->loader);
  }
}

static void
add_kernel (XlWriter *writer)
{
  const DomainOs *os = &writer->def->os;

  xl_add_text (writer, "kernel", os->kernel);
  xl_add_text (writer, "ramdisk", os->initrd);
  xl_add_text (writer, "cmdline", os->cmdline);
}

static void
add_os (XlWriter *writer)
{
  g_autofree char *bootloader = xl_verbatim_text (writer->def->verbatim.bootloader);
  g_autofree char *arguments = xl_verbatim_text (writer->def->verbatim.bootloader_arguments);

  if (writer->mode == XEN_HVM) {
    xl_add_text (writer, "builder", "hvm");
    add_firmware (writer);
    add_kernel (writer);
    add_boot_order (writer);
    return;
  }
  if (writer->mode == XEN_PVH)
    xl_add_text (writer, "type", "pvh");
  xl_add_text (writer, "bootloader", bootloader);
  xl_add_text (writer, "bootargs", arguments);
  add_kernel (writer);
  if (os_wants_firmware (&writer->def->os) && writer->def->type == VIRT_TYPE_XEN)
    target_lose (writer->losses, NULL, "os/loader", "starts PV and PVH guests without firmware");
}

gboolean
xl_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses,
              G_GNUC_UNUSED GError **error)
{
  XlWriter writer = { request->def, mode_of (request->def), losses, g_string_new (NULL) };
  const char *arch = request->def->os.arch;

  if (arch != NULL && !g_str_equal (arch, "x86_64") && !g_str_equal (arch, "i686"))
    target_refuse (losses, NULL, "os/type",
                   "is written here for the architectures 'x86_64' and 'i686', not '%s'", arch);
  add_general (&writer);
  add_features (&writer);
  add_clock (&writer);
  add_events (&writer);
  xl_add_displays (&writer);
  xl_add_interfaces (&writer);
  xl_add_pci_devices (&writer);
  if (writer.mode == XEN_HVM)
    xl_add_ports (&writer);
  add_os (&writer);
  add_processor (&writer);
  add_nodes (&writer);
  xl_add_disks (&writer);
  xl_add_usb (&writer);
  xl_add_channels (&writer);
  target_config_add_file (config, "xl.cfg", g_string_free (writer.text, FALSE));
  return TRUE;
}
