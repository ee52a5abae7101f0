/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What several processors have in common, as one <cpu> that runs on each of them.
 */
#include "cpu/cpu-database.h"

#include "base/virt-error.h"

#include <string.h>

typedef struct {
  CpuFeatureSet features;
  const char *model;        /* while all have the same one */
  const char *vendor;       /* of all that have one */
  gboolean is_vendor_known; /* every one of them says it */
} Common;

/* Of the first, the model's own vendor is not asked for: libvirt's way, by which Haswell and EPYC without
 * their vendors have something in common. */
static gboolean
join_vendor (Common *common, const DomainCpu *cpu, gboolean is_first, GError **error)
{
  const CpuModelFact *fact = is_first ? NULL : cpu_model_find (cpu->model);
  const char *own = fact != NULL ? fact->vendor : NULL, *vendor = cpu->vendor != NULL ? cpu->vendor : own;

  if (cpu->vendor == NULL)
    common->is_vendor_known = FALSE;
  if (cpu->vendor != NULL && own != NULL && strcmp (cpu->vendor, own) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "CPU vendor %s of model %s differs from vendor %s", own,
                    cpu->model, cpu->vendor);
    return FALSE;
  }
  if (vendor == NULL)
    return TRUE;
  if (common->vendor != NULL && strcmp (common->vendor, vendor) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "CPU vendors do not match");
    return FALSE;
  }
  if (!cpu_vendor_is_known (vendor)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "Unknown CPU vendor %s", vendor);
    return FALSE;
  }
  common->vendor = vendor;
  return TRUE;
}

static gboolean
join (Common *common, const QemuCaps *caps, const DomainCpu *cpu, gboolean is_first, GError **error)
{
  CpuFeatureSet features;

  if (!cpu_all_features (caps, cpu, &features, error) || !join_vendor (common, cpu, is_first, error))
    return FALSE;
  if (is_first) {
    common->features = features;
    common->model = cpu->model;
    return TRUE;
  }
  cpu_feature_set_intersect (&common->features, &features);
  if (g_strcmp0 (common->model, cpu->model) != 0)
    common->model = NULL;
  return TRUE;
}

static gboolean
check_models (const GPtrArray *cpus, GError **error)
{
  for (guint i = 0; i < cpus->len; i++) {
    const CpuDocument *document = g_ptr_array_index (cpus, i);

    if (document->cpu->model == NULL) {
      virt_error_set (error, VIR_ERR_INVALID_ARG, "no CPU model specified at index %u", i);
      return FALSE;
    }
  }
  return TRUE;
}

void
cpu_drop_host_only (DomainCpu *cpu)
{
  static const char *const names[] = { "cmt", "mbm_total", "mbm_local", "osxsave", "ospke", NULL };

  for (guint i = cpu->features != NULL ? cpu->features->len : 0; i-- > 0;) {
    CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (!g_strv_contains (names, feature->name))
      continue;
    g_ptr_array_remove_index (cpu->features, i);
    field_free (&domain_cpu_feature_table, feature);
  }
}

/* QEMU knows best what it can move. */
static void
drop_unmigratable (CpuFeatureSet *features, const QemuHostCpu *most)
{
  CpuFeatureSet staying = most->features;

  cpu_feature_set_subtract (&staying, &most->migratable);
  cpu_feature_set_subtract (features, &staying);
}

DomainCpu *
cpu_baseline (const QemuCaps *caps, const GPtrArray *cpus, const QemuAccel *accel, gboolean migratable,
              GError **error)
{
  Common common = { .is_vendor_known = TRUE };
  CpuData data = { 0 };
  CpuDecode request = {
    .caps = caps, .data = &data, .accel = accel, .migratable = migratable && accel == NULL
  };
  DomainCpu *cpu;

  if (!check_models (cpus, error))
    return NULL;
  for (guint i = 0; i < cpus->len; i++) {
    const CpuDocument *document = g_ptr_array_index (cpus, i);

    if (!join (&common, caps, document->cpu, i == 0, error))
      return NULL;
  }
  if (cpu_feature_set_is_empty (&common.features)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "CPUs are incompatible");
    return NULL;
  }
  if (accel != NULL && migratable)
    drop_unmigratable (&common.features, qemu_caps_host_cpu (caps, *accel));
  data.features = common.features;
  data.vendor = common.vendor;
  request.preferred = common.model;
  cpu = cpu_decode (&request, error);
  if (cpu == NULL)
    return NULL;
  cpu->mode = CPU_MODE_CUSTOM;
  cpu->match = CPU_MATCH_EXACT;
  if (g_strcmp0 (cpu->model, common.model) == 0 || accel != NULL)
    cpu->fallback = CPU_FALLBACK_FORBID;
  else
    cpu->fallback = CPU_FALLBACK_ALLOW;
  if (!common.is_vendor_known)
    g_clear_pointer (&cpu->vendor, g_free);
  cpu_drop_host_only (cpu);
  return cpu;
}
