/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * <cpu>, the CPU features among <features>, and the count and topology of the virtual CPUs.
 *
 * host-model is a named model with features where it is known what QEMU can give a guest at most. Where it is
 * not, the guest gets that most itself: with KVM the host's CPU without what cannot migrate.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/panic.h"
#include "domain/machines/machine-kind.h"
#include "domain/vcpus.h"
#include "targets/qemu/cpu-guest.h"

#include <string.h>

/* What QEMU calls the CPU: NULL with @error set, "" for the machine's own. */
static const char *
cpu_name (const Recipe *recipe, const DomainCpu *cpu, GError **error)
{
  gboolean kvm = recipe_def (recipe)->type == VIRT_TYPE_KVM;

  switch (cpu != NULL ? cpu->mode : CPU_MODE_NONE) {
    case CPU_MODE_HOST_PASSTHROUGH:
      if (kvm)
        return "host";
      qemu_unsupported (
          NULL, error,
          "CPU mode 'host-passthrough' for %s qemu domain on %s host is not supported by hypervisor; "
          "domain type 'kvm', or the mode 'maximum', can be used",
          qemu_caps_arch (recipe_caps (recipe)), qemu_caps_arch (recipe_caps (recipe)));
      return NULL;
    case CPU_MODE_HOST_MODEL:
      if (!kvm && !machine_kind_of (recipe_def (recipe))->has_maximum_cpu) {
        qemu_unsupported (
            NULL, error,
            "CPU mode 'host-model' for %s qemu domain on this host is not supported by hypervisor",
            recipe_def (recipe)->os.arch);
        return NULL;
      }
      return kvm ? "host" : "max";
    case CPU_MODE_MAXIMUM:
      return "max";
    default:
      if (cpu == NULL || cpu->model == NULL)
        return "";
      return cpu->model;
  }
}

static void
append_features (GString *text, const DomainCpu *cpu)
{
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (feature->policy == CPU_POLICY_DISABLE || feature->policy == CPU_POLICY_FORBID)
      g_string_append_printf (text, ",%s=off", cpu_feature_qemu_name (feature->name));
    else if (feature->policy != CPU_POLICY_OPTIONAL)
      g_string_append_printf (text, ",%s=on", cpu_feature_qemu_name (feature->name));
  }
}

static void
append_cpu_details (GString *text, const DomainCpu *cpu)
{
  if (cpu->mode == CPU_MODE_HOST_MODEL)
    g_string_append (text, strcmp (text->str, "host") == 0 ? ",migratable=on" : "");
  else if (cpu->migratable != TRISTATE_ABSENT && cpu->mode != CPU_MODE_CUSTOM)
    g_string_append_printf (text, ",migratable=%s", cpu->migratable == TRISTATE_YES ? "on" : "off");
  append_features (text, cpu);
  if (cpu->vendor_id != NULL)
    g_string_append_printf (text, ",vendor=%s", cpu->vendor_id);
  if (cpu->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH)
    g_string_append (text, ",host-phys-bits=on");
  else if (cpu->maxphysaddr_bits.set)
    g_string_append_printf (text, ",phys-bits=%" G_GUINT64_FORMAT, cpu->maxphysaddr_bits.value);
  if (cpu->maxphysaddr_limit.set)
    g_string_append_printf (text, ",host-phys-bits-limit=%" G_GUINT64_FORMAT, cpu->maxphysaddr_limit.value);
}

static void
append_switch (GString *text, const char *name, int state)
{
  if (state != TRISTATE_ABSENT)
    g_string_append_printf (text, ",%s=%s", name, state == TRISTATE_YES ? "on" : "off");
}

/* A feature that is only ever switched on: its absence is QEMU's default. */
static void
append_if_on (GString *text, const char *name, int state)
{
  if (state == TRISTATE_YES)
    g_string_append_printf (text, ",%s=on", name);
}

static void
append_hyperv (GString *text, const FeaturesHyperv *hyperv)
{
  const struct {
    const char *name;
    int state;
  } plain[] = {
    { "hv-relaxed", hyperv->relaxed },
    { "hv-vapic", hyperv->vapic },
    { "hv-spinlocks", hyperv->spinlocks },
    { "hv-vpindex", hyperv->vpindex },
    { "hv-runtime", hyperv->runtime },
    { "hv-synic", hyperv->synic },
    { "hv-stimer", hyperv->stimer },
    { "hv-stimer-direct", hyperv->stimer_direct },
    { "hv-reset", hyperv->reset },
    { "hv-vendor-id", hyperv->vendor_id },
    { "hv-frequencies", hyperv->frequencies },
    { "hv-reenlightenment", hyperv->reenlightenment },
    { "hv-tlbflush", hyperv->tlbflush },
    { "hv-tlbflush-direct", hyperv->tlbflush_direct },
    { "hv-tlbflush-ext", hyperv->tlbflush_extended },
    { "hv-ipi", hyperv->ipi },
    { "hv-evmcs", hyperv->evmcs },
    { "hv-avic", hyperv->avic },
    { "hv-emsr-bitmap", hyperv->emsr_bitmap },
    { "hv-xmm-input", hyperv->xmm_input },
  };

  if (hyperv->mode == HYPERV_MODE_PASSTHROUGH)
    g_string_append (text, ",hv-passthrough=on");
  for (guint i = 0; i < G_N_ELEMENTS (plain); i++) {
    if (plain[i].state != TRISTATE_YES)
      continue;
    g_string_append_printf (text, ",%s=", plain[i].name);
    if (g_str_equal (plain[i].name, "hv-spinlocks"))
      g_string_append_printf (text, "0x%" G_GINT64_MODIFIER "x", hyperv->spinlocks_retries.value);
    else if (g_str_equal (plain[i].name, "hv-vendor-id"))
      g_string_append (text, hyperv->vendor_id_value);
    else
      g_string_append (text, "on");
  }
}

/* A processor made after the host's has the host's cache unless that is taken away. */
static void
append_cache (GString *text, const DomainCpu *cpu)
{
  gboolean has_hosts = cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM;

  if (cpu->cache_mode == CPU_CACHE_EMULATE)
    g_string_append (text, ",l3-cache=on");
  if (cpu->cache_mode == CPU_CACHE_PASSTHROUGH)
    g_string_append (text, ",host-cache-info=on");
  else if (cpu->cache_mode != CPU_CACHE_NONE && has_hosts)
    g_string_append (text, ",host-cache-info=off");
  if (cpu->cache_mode == CPU_CACHE_PASSTHROUGH || cpu->cache_mode == CPU_CACHE_DISABLE)
    g_string_append (text, ",l3-cache=off");
}

static void
append_platform_features (GString *text, const Recipe *recipe)
{
  const DomainFeatures *features = &recipe_def (recipe)->features;
  const DomainCpu *cpu = recipe_def (recipe)->cpu;

  clock_cpu_options (recipe, text);
  append_switch (text, "kvm-pv-eoi", features->apic_eoi);
  append_switch (text, "kvm-pv-unhalt", features->pvspinlock);
  if (features->hyperv != NULL)
    append_hyperv (text, features->hyperv);
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), panic_kind, DevicePanic, panic) {
    if (panic->model == PANIC_HYPERV)
      g_string_append (text, ",hv-crash");
  }
  if (features->kvm != NULL) {
    if (features->kvm->hidden == TRISTATE_YES)
      g_string_append (text, ",kvm=off");
    append_if_on (text, "kvm-hint-dedicated", features->kvm->hint_dedicated);
    append_if_on (text, "kvm-poll-control", features->kvm->poll_control);
    append_switch (text, "kvm-pv-ipi", features->kvm->pv_ipi);
  }
  append_switch (text, "pmu", features->pmu);
  if (cpu != NULL)
    append_cache (text, cpu);
}

/* The document's <cpu> as this QEMU can be told it, a copy in @ret; NULL for none. A running machine's is
 * resolved already. */
static gboolean
resolve (const Recipe *recipe, DomainCpu **ret, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  CpuGuest guest = { .caps = recipe_caps (recipe),
                     .accel = def->type == VIRT_TYPE_KVM ? QEMU_ACCEL_KVM : QEMU_ACCEL_TCG };

  *ret = def->cpu != NULL ? field_copy (&domain_cpu_table, def->cpu) : NULL;
  return *ret == NULL || cpu_resolve (&guest, *ret, error);
}

static gboolean
add_cpu (Recipe *recipe, const DomainCpu *cpu, GError **error)
{
  const QemuMachine *machine = qemu_caps_machine (recipe_caps (recipe), recipe_def (recipe)->os.machine);
  const char *name = cpu_name (recipe, cpu, error);
  g_autoptr (GString) text = NULL, extra = g_string_new (NULL);

  if (name == NULL)
    return FALSE;
  append_platform_features (extra, recipe);
  text = g_string_new (name);
  if (cpu != NULL)
    append_cpu_details (text, cpu);
  if (text->len == 0 && extra->len == 0)
    return TRUE;
  if (*name == '\0') { /* features alone: they need the machine's own model to hang on */
    const char *own =
        machine != NULL && machine->default_cpu != NULL ? machine->default_cpu : "qemu64-x86_64-cpu";
    const char *end = strchr (own, '-');

    g_string_prepend_len (text, own, end != NULL ? end - own : (gssize)strlen (own));
  }
  g_string_append (text, extra->str);
  recipe_option (recipe, "-cpu", "%s", text->str);
  return TRUE;
}

gboolean
recipe_add_cpu (Recipe *recipe, GError **error)
{
  DomainCpu *cpu = NULL;
  gboolean done = resolve (recipe, &cpu, error) && add_cpu (recipe, cpu, error);

  field_free (&domain_cpu_table, cpu);
  return done;
}

void
recipe_add_topology (Recipe *recipe)
{
  const DomainDef *def = recipe_def (recipe);
  const CpuTopology *topology = def->cpu != NULL ? def->cpu->topology : NULL;
  guint most = domain_vcpus_maximum (def), now = domain_vcpus_fixed (def);
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "%u", now);
  if (now < most)
    g_string_append_printf (text, ",maxcpus=%u", most);
  if (topology == NULL)
    g_string_append_printf (text, ",sockets=%u,cores=1,threads=1", most);
  else {
    g_string_append_printf (text, ",sockets=%" G_GUINT64_FORMAT, topology->sockets.value);
    if (topology->dies.set)
      g_string_append_printf (text, ",dies=%" G_GUINT64_FORMAT, topology->dies.value);
    if (topology->clusters.set)
      g_string_append_printf (text, ",clusters=%" G_GUINT64_FORMAT, topology->clusters.value);
    g_string_append_printf (text, ",cores=%" G_GUINT64_FORMAT ",threads=%" G_GUINT64_FORMAT,
                            topology->cores.value, topology->threads.value);
  }
  recipe_option (recipe, "-smp", "%s", text->str);
}
