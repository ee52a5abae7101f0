/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <cpu>: the processor the guest sees. Its completion matters more than most: a guest that was installed with
 * one CPU may not boot with another, so what libvirt 9 would have chosen is chosen here, word for word.
 */

#include "domain/complete-parts.h"

#include "domain/machines/machine-kind.h"

#define VENDOR_ID_LENGTH 12 /* bytes of the CPUID vendor string */

static const EnumTable cpu_modes = { "CPU mode",
                                     { NULL, "custom", "host-model", "host-passthrough", "maximum" } };
static const EnumTable cpu_matches = { "CPU match", { NULL, "minimum", "exact", "strict" } };
static const EnumTable cpu_checks = { "CPU check", { NULL, "none", "partial", "full" } };
static const EnumTable cpu_fallbacks = { "CPU model fallback", { NULL, "allow", "forbid" } };
static const EnumTable cpu_policies = { "CPU feature policy",
                                        { NULL, "force", "require", "optional", "disable", "forbid" } };
static const EnumTable cache_modes = { "CPU cache mode", { NULL, "emulate", "passthrough", "disable" } };
static const EnumTable maxphysaddr_modes = { "maxphysaddr mode", { NULL, "emulate", "passthrough" } };

static const FieldRange at_least_one = { 1, G_MAXUINT32 };
static const FieldRange cache_levels = { 1, 3 };
static const FieldRange address_bits = { 1, 64 };

static const FieldTable topology_table = {
  sizeof (CpuTopology),
  (const Field[]){
      FIELD_WITH (CpuTopology, sockets, "@sockets", field_number, &at_least_one, FIELD_REQUIRED),
      FIELD (CpuTopology, dies, "@dies", field_number, &at_least_one),
      FIELD (CpuTopology, clusters, "@clusters", field_number, &at_least_one),
      FIELD_WITH (CpuTopology, cores, "@cores", field_number, &at_least_one, FIELD_REQUIRED),
      FIELD_WITH (CpuTopology, threads, "@threads", field_number, &at_least_one, FIELD_REQUIRED),
      FIELD_END,
  },
};

const FieldTable domain_cpu_feature_table = {
  sizeof (CpuFeature),
  (const Field[]){
      FIELD (CpuFeature, policy, "@policy", field_enum, &cpu_policies),
      FIELD_WITH (CpuFeature, name, "@name", field_text, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const Field cpu_fields[] = {
  FIELD (DomainCpu, mode, "@mode", field_enum, &cpu_modes),
  FIELD (DomainCpu, match, "@match", field_enum, &cpu_matches),
  FIELD_WITH (DomainCpu, check, "@check", field_enum, &cpu_checks, FIELD_NO_ABI),
  FIELD (DomainCpu, migratable, "@migratable", field_on_off, NULL),
  FIELD (DomainCpu, deprecated_features, "@deprecated_features", field_on_off, NULL),
  FIELD_WITH (DomainCpu, fallback, "model/@fallback", field_enum, &cpu_fallbacks,
              FIELD_NO_ABI | FIELD_EMPTY_IS_NONE),
  FIELD_WITH (DomainCpu, vendor_id, "model/@vendor_id", field_text, NULL, FIELD_EMPTY_IS_NONE),
  FIELD (DomainCpu, model, "model", field_text, NULL),
  FIELD (DomainCpu, vendor, "vendor", field_text, NULL),
  FIELD (DomainCpu, topology, "topology", field_optional, &topology_table),
  FIELD (DomainCpu, cache_level, "cache/@level", field_number, &cache_levels),
  FIELD (DomainCpu, cache_mode, "cache/@mode", field_enum, &cache_modes),
  FIELD (DomainCpu, maxphysaddr_mode, "maxphysaddr/@mode", field_enum, &maxphysaddr_modes),
  FIELD (DomainCpu, maxphysaddr_bits, "maxphysaddr/@bits", field_number, &address_bits),
  FIELD (DomainCpu, maxphysaddr_limit, "maxphysaddr/@limit", field_number, &address_bits),
  FIELD (DomainCpu, features, "feature", field_list, &domain_cpu_feature_table),
  FIELD (DomainCpu, numa, "numa", field_struct, &cpu_numa_table),
  FIELD_END,
};

const FieldTable domain_cpu_table = { sizeof (DomainCpu), cpu_fields };

/* The model QEMU's own machine begins with. A 32-bit PC of a 64-bit emulator has the emulator's. */
static const char *
default_model (const Completion *completion)
{
  const Platform *platform = completion->platform;
  const DomainDef *def = completion->def;
  const char *model = NULL, *arch = def->os.arch;

  if (platform != NULL && platform->default_cpu != NULL && def->emulator != NULL && def->os.machine != NULL)
    model = platform->default_cpu (platform, def->emulator, def->os.machine);
  if (model != NULL || arch == NULL)
    return model;
  return g_str_equal (arch, "x86_64") ? "qemu64" : g_str_equal (arch, "i686") ? "qemu32" : NULL;
}

static gboolean
machine_has_cpu (const DomainDef *def)
{
  return g_strcmp0 (def->os.machine, "none") != 0;
}

static gboolean
is_without_model (const DomainCpu *cpu)
{
  return cpu == NULL || ((cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM) && cpu->model == NULL);
}

static void
choose_default_model (DomainDef *def, const char *model)
{
  if (def->cpu == NULL)
    def->cpu = field_new (&domain_cpu_table);
  def->cpu->mode = CPU_MODE_CUSTOM;
  def->cpu->match = CPU_MATCH_EXACT;
  def->cpu->check = CPU_CHECK_NONE;
  def->cpu->fallback = CPU_FALLBACK_FORBID;
  def->cpu->model = g_strdup (model);
}

/* How far the host's CPU is compared before a start. */
static CpuCheck
default_check (const DomainDef *def)
{
  switch (def->cpu->mode) {
    case CPU_MODE_HOST_MODEL:
      return CPU_CHECK_PARTIAL;
    case CPU_MODE_CUSTOM:
      return def->type == VIRT_TYPE_QEMU ? CPU_CHECK_NONE : CPU_CHECK_PARTIAL;
    default:
      return CPU_CHECK_NONE;
  }
}

static void
complete_cpu_features (DomainCpu *cpu)
{
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (feature->policy == CPU_POLICY_NONE)
      feature->policy = CPU_POLICY_REQUIRE;
  }
}

static void
forget_model (DomainCpu *cpu)
{
  g_clear_pointer (&cpu->model, g_free);
  cpu->fallback = CPU_FALLBACK_NONE;
}

/* What a mode has no use for is dropped, as libvirt drops it. */
static void
complete_mode (const MachineKind *machine, DomainCpu *cpu)
{
  switch (cpu->mode) {
    case CPU_MODE_NONE:
    case CPU_MODE_CUSTOM:
      cpu->mode = CPU_MODE_CUSTOM;
      if (cpu->match == CPU_MATCH_NONE)
        cpu->match = CPU_MATCH_EXACT;
      if (cpu->model != NULL && cpu->fallback == CPU_FALLBACK_NONE)
        cpu->fallback = CPU_FALLBACK_ALLOW;
      break;
    case CPU_MODE_HOST_PASSTHROUGH:
    case CPU_MODE_MAXIMUM:
      if (cpu->mode == CPU_MODE_HOST_PASSTHROUGH && cpu->migratable == TRISTATE_ABSENT && machine->is_x86)
        cpu->migratable = TRISTATE_YES;
      forget_model (cpu);
      cpu->match = CPU_MATCH_NONE;
      break;
    default:
      if (cpu->model == NULL)
        forget_model (cpu);
      else if (cpu->fallback == CPU_FALLBACK_NONE)
        cpu->fallback = CPU_FALLBACK_ALLOW;
      cpu->match = CPU_MATCH_NONE;
      break;
  }
}

void
complete_cpu (Completion *completion)
{
  DomainDef *def = completion->def;
  gboolean is_ours = def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM;
  const char *model = default_model (completion);

  if (!is_ours || !machine_has_cpu (def))
    return;
  if (def->cpu != NULL && g_strcmp0 (def->cpu->model, "") == 0)
    g_clear_pointer (&def->cpu->model, g_free);
  if (def->cpu != NULL && is_without_model (def->cpu) && def->cpu->features != NULL) {
    completion_error_code (completion, VIR_ERR_XML_ERROR, &def->cpu->features, def->cpu,
                           "Non-empty feature list specified without CPU model");
    return;
  }
  if (def->cpu != NULL && def->cpu->mode == CPU_MODE_MAXIMUM && !machine_kind_of (def)->has_maximum_cpu)
    completion_error (completion, &def->cpu->mode, def->cpu, "maximum CPU is not supported by QEMU binary");
  if (is_without_model (def->cpu) && model != NULL)
    choose_default_model (def, model);
  if (def->cpu == NULL)
    return;

  complete_mode (machine_kind_of (def), def->cpu);
  complete_cpu_features (def->cpu);
  if (def->cpu->check == CPU_CHECK_ABSENT && !is_without_model (def->cpu))
    def->cpu->check = default_check (def);
  if (def->cpu->topology != NULL && !def->cpu->topology->dies.set)
    def->cpu->topology->dies = NUMBER (1);
  if (def->cpu->topology != NULL && !def->cpu->topology->clusters.set)
    def->cpu->topology->clusters = NUMBER (1);
}

static void
validate_topology (Validation *validation, const CpuTopology *topology)
{
  const DomainDef *def = validation->def;
  guint64 product = 1;
  const Number *factors[] = { &topology->sockets, &topology->dies, &topology->clusters, &topology->cores,
                              &topology->threads };

  for (guint i = 0; i < G_N_ELEMENTS (factors); i++) {
    if (!factors[i]->set)
      continue;
    if (!g_uint64_checked_mul (&product, product, factors[i]->value)) {
      validation_error (validation, topology, def->cpu, "CPU topology is beyond any count of vCPUs");
      return;
    }
  }
  if (product != def->vcpus.value && !validation_may_miss (validation, &def->vcpus))
    validation_error (validation, topology, def->cpu,
                      "CPU topology doesn't match maximum vcpu count: sockets × dies × clusters × cores × "
                      "threads make %" G_GUINT64_FORMAT ", but <vcpu> says %" G_GUINT64_FORMAT,
                      product, def->vcpus.value);
}

static void
validate_cpu_features (Validation *validation, const DomainCpu *cpu)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (feature->name == NULL || feature->name[0] == '\0')
      validation_error_code (validation, VIR_ERR_XML_ERROR, &feature->name, feature,
                             "Invalid CPU feature name: it is empty");
    else if (!g_hash_table_add (seen, feature->name))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &feature->name, feature,
                             "CPU feature '%s' specified more than once", feature->name);
  }
}

static void
validate_cache (Validation *validation, const DomainCpu *cpu)
{
  gboolean is_host_cpu = cpu->mode == CPU_MODE_HOST_PASSTHROUGH || cpu->mode == CPU_MODE_MAXIMUM;

  if (cpu->cache_mode == CPU_CACHE_PASSTHROUGH && !is_host_cpu)
    validation_error (
        validation, &cpu->cache_mode, cpu,
        "CPU cache mode 'passthrough' can only be used with 'host-passthrough' / 'maximum' CPUs");
  if (cpu->cache_mode == CPU_CACHE_PASSTHROUGH && cpu->cache_level.set)
    validation_error (validation, &cpu->cache_level, cpu,
                      "unsupported CPU cache level for mode 'passthrough': leave 'level' out");
  if (cpu->cache_mode == CPU_CACHE_EMULATE && cpu->cache_level.set && cpu->cache_level.value != 3)
    validation_error (validation, &cpu->cache_level, cpu,
                      "CPU cache mode 'emulate' is only for level 3, not level %" G_GUINT64_FORMAT,
                      cpu->cache_level.value);
}

static void
validate_maxphysaddr (Validation *validation, const DomainCpu *cpu)
{
  if (cpu->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH && cpu->maxphysaddr_bits.set)
    validation_error (validation, &cpu->maxphysaddr_bits, cpu,
                      "CPU maximum physical address bits number specification cannot be used with "
                      "mode='passthrough'");
  if (cpu->maxphysaddr_mode == MAXPHYSADDR_PASSTHROUGH && cpu->mode != CPU_MODE_HOST_PASSTHROUGH
      && cpu->mode != CPU_MODE_MAXIMUM)
    validation_error (validation, &cpu->maxphysaddr_mode, cpu,
                      "CPU maximum physical address mode 'passthrough' can only be used with "
                      "'host-passthrough' / 'maximum' CPUs");
  if (cpu->maxphysaddr_limit.set && cpu->maxphysaddr_mode != MAXPHYSADDR_PASSTHROUGH)
    validation_error (validation, &cpu->maxphysaddr_limit, cpu,
                      "attribute 'limit' is only supported for maxphysaddr mode 'passthrough'");
  if (cpu->maxphysaddr_mode == MAXPHYSADDR_EMULATE && !cpu->maxphysaddr_bits.set)
    validation_error (validation, &cpu->maxphysaddr_mode, cpu,
                      "if using CPU maximum physical address mode='emulate', bits= must be specified too");
}

void
validate_cpu (Validation *validation)
{
  const DomainCpu *cpu = validation->def->cpu;

  if (cpu == NULL)
    return;
  if (cpu->migratable != TRISTATE_ABSENT && cpu->mode != CPU_MODE_HOST_PASSTHROUGH
      && cpu->mode != CPU_MODE_MAXIMUM)
    validation_error (validation, &cpu->migratable, cpu,
                      "Attribute migratable is only allowed for 'host-passthrough' / 'maximum' CPU mode");
  if (cpu->vendor_id != NULL && strlen (cpu->vendor_id) != VENDOR_ID_LENGTH)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &cpu->vendor_id, cpu,
                           "vendor_id must be exactly %d characters long, not '%s'", VENDOR_ID_LENGTH,
                           cpu->vendor_id);
  if (cpu->topology != NULL)
    validate_topology (validation, cpu->topology);
  validate_cpu_features (validation, cpu);
  validate_cache (validation, cpu);
  validate_maxphysaddr (validation, cpu);
}
