/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the <cpu> of a document to the processor of a guest, and back. A running machine's document names a
 * model and every feature it has beyond it or lacks, so that it can be given the same processor again, here
 * or elsewhere.
 */
#include "targets/qemu/cpu-guest.h"

#include "base/virt-error.h"

#include <string.h>

static CpuFeature *
feature_at (const DomainCpu *cpu, guint index)
{
  return cpu->features != NULL && index < cpu->features->len ? g_ptr_array_index (cpu->features, index)
                                                             : NULL;
}

static gboolean
has_feature (const DomainCpu *cpu, const char *name)
{
  const CpuFeature *feature;

  for (guint i = 0; (feature = feature_at (cpu, i)) != NULL; i++)
    if (strcmp (feature->name, name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
cpu_is_named (const DomainCpu *cpu)
{
  return cpu != NULL && cpu->model != NULL
         && (cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM || cpu->mode == CPU_MODE_HOST_MODEL);
}

/* A feature may be one that only this QEMU knows. */
static gboolean
check_features (const CpuGuest *guest, const DomainCpu *cpu, GError **error)
{
  const CpuFeature *feature;

  for (guint i = 0; (feature = feature_at (cpu, i)) != NULL; i++) {
    const char *near;

    if (cpu_feature_find (feature->name) >= 0
        || qemu_caps_has_property (guest->caps, QEMU_CAPS_CPU_PROPERTIES, feature->name))
      continue;
    near = cpu_feature_nearest (feature->name);
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown CPU feature: %s%s%s%s", feature->name,
                    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
    return FALSE;
  }
  return TRUE;
}

/* The host has what QEMU emulates, and with KVM what its processor has. */
static gboolean
full_host (const CpuGuest *guest, DomainCpu **ret, GError **error)
{
  CpuDecode request = { .caps = guest->caps, .data = guest->physical, .is_host = TRUE };
  DomainCpu *reported = cpu_host_model (guest->caps, guest->accel, FALSE, error), *physical;
  CpuFeature *feature;

  *ret = reported;
  if (reported == NULL || guest->accel != QEMU_ACCEL_KVM)
    return reported != NULL;
  physical = cpu_decode (&request, NULL);
  if (physical == NULL)
    return TRUE;
  for (guint i = 0; (feature = feature_at (reported, i)) != NULL; i++)
    if (feature->policy == CPU_POLICY_REQUIRE)
      cpu_set_feature (physical, feature->name, CPU_POLICY_REQUIRE);
  field_free (&domain_cpu_table, reported);
  *ret = physical;
  return TRUE;
}

static gboolean
check_host (const CpuGuest *guest, DomainCpu *cpu, GError **error)
{
  CpuDocument document = { .cpu = cpu };
  g_autofree char *reason = NULL;
  DomainCpu *host;
  int result;

  if (cpu->check != CPU_CHECK_PARTIAL || guest->physical == NULL)
    return TRUE;
  if (!full_host (guest, &host, error))
    return FALSE;
  result = cpu_compare (guest->caps, host, &document, &reason, error);
  field_free (&domain_cpu_table, host);
  if (result == VIR_CPU_COMPARE_INCOMPATIBLE)
    virt_error_set (error, VIR_ERR_CPU_INCOMPATIBLE, "%s", reason);
  return result == VIR_CPU_COMPARE_SUPERSET || result == VIR_CPU_COMPARE_IDENTICAL;
}

/* Features the model once had are said to be off, or a newer QEMU's model would bring them back. */
static void
disable_removed (DomainCpu *cpu)
{
  const CpuModelFact *fact = cpu_model_find (cpu->model);

  if (fact != NULL && fact->removed != NULL && !has_feature (cpu, fact->removed))
    cpu_set_feature (cpu, fact->removed, CPU_POLICY_DISABLE);
}

/* The model and the features of @from, under those that @cpu has of its own. */
static void
take_model (DomainCpu *cpu, const DomainCpu *from)
{
  GPtrArray *own = g_steal_pointer (&cpu->features);
  const CpuFeature *feature;

  g_free (cpu->model);
  cpu->model = g_strdup (from->model);
  for (guint i = 0; (feature = feature_at (from, i)) != NULL; i++)
    cpu_set_feature (cpu, feature->name, feature->policy);
  for (guint i = 0; own != NULL && i < own->len; i++) {
    CpuFeature *kept = g_ptr_array_index (own, i);

    cpu_set_feature (cpu, kept->name, kept->policy);
    field_free (&domain_cpu_feature_table, kept);
  }
  if (own != NULL)
    g_ptr_array_unref (own);
}

static gboolean
has_optional (const DomainCpu *cpu)
{
  const CpuFeature *feature;

  for (guint i = 0; (feature = feature_at (cpu, i)) != NULL; i++)
    if (feature->policy == CPU_POLICY_OPTIONAL)
      return TRUE;
  return FALSE;
}

/* An optional feature is there when the host has it. */
static gboolean
settle_optional (const CpuGuest *guest, DomainCpu *cpu, const DomainCpu *host, GError **error)
{
  CpuFeatureSet available;
  CpuFeature *feature;

  if (!cpu_all_features (guest->caps, host, &available, error))
    return FALSE;
  for (guint i = 0; (feature = feature_at (cpu, i)) != NULL; i++) {
    int index = cpu_feature_find (feature->name);

    if (feature->policy == CPU_POLICY_OPTIONAL)
      feature->policy = index >= 0 && cpu_feature_set_has (&available, (guint)index) ? CPU_POLICY_REQUIRE
                                                                                     : CPU_POLICY_DISABLE;
  }
  return TRUE;
}

/* What depends on the host: mode host-model, match minimum, optional features. */
static gboolean
settle (const CpuGuest *guest, DomainCpu *cpu, GError **error)
{
  gboolean follows_host = cpu->mode == CPU_MODE_HOST_MODEL || cpu->match == CPU_MATCH_MINIMUM;
  DomainCpu *host;
  gboolean good;

  if (!follows_host && !has_optional (cpu))
    return TRUE;
  host = cpu_host_model (guest->caps, guest->accel, TRUE, error);
  if (host == NULL)
    return FALSE;
  good = settle_optional (guest, cpu, host, error);
  if (good && follows_host)
    take_model (cpu, host);
  if (good && cpu->mode == CPU_MODE_HOST_MODEL) {
    g_free (cpu->vendor);
    cpu->vendor = g_strdup (host->vendor);
  }
  if (follows_host) {
    cpu->mode = CPU_MODE_CUSTOM;
    cpu->match = CPU_MATCH_EXACT;
  }
  field_free (&domain_cpu_table, host);
  return good;
}

/* A model that libvirt's clients know and this QEMU does not. */
static gboolean
translate (const CpuGuest *guest, DomainCpu *cpu, const CpuModelFact *fact, GError **error)
{
  CpuData data = { .vendor = fact->vendor };
  CpuDecode request = { .caps = guest->caps, .data = &data, .accel = &guest->accel };
  DomainCpu *nearest = NULL;

  if (cpu->fallback == CPU_FALLBACK_FORBID || !cpu_model_features (fact, guest->caps, &data.features)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "CPU model %s is not supported by hypervisor",
                    cpu->model);
    return FALSE;
  }
  nearest = cpu_decode (&request, error);
  if (nearest != NULL)
    take_model (cpu, nearest);
  field_free (&domain_cpu_table, nearest);
  return nearest != NULL;
}

static gboolean
unknown_model (const CpuGuest *guest, const char *name, GError **error)
{
  g_autofree const char **names = NULL;
  const char *near;
  guint count;
  const QemuCpuModel *models = qemu_caps_cpu_models (guest->caps, &count);

  names = g_new0 (const char *, count + 1);
  for (guint i = 0; i < count; i++)
    names[i] = models[i].name;
  near = nearest_word (name, names);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown CPU model %s: %s does not know it%s%s%s", name,
                  qemu_caps_binary (guest->caps), near != NULL ? "; did you mean '" : "",
                  near != NULL ? near : "", near != NULL ? "'?" : "");
  return FALSE;
}

static gboolean
resolve_model (const CpuGuest *guest, DomainCpu *cpu, GError **error)
{
  const CpuModelFact *fact = cpu_model_find (cpu->model);
  gboolean is_qemus = cpu->model != NULL && qemu_caps_cpu_model (guest->caps, cpu->model) != NULL;

  if (cpu->model != NULL && fact == NULL && !is_qemus)
    return unknown_model (guest, cpu->model, error);
  if (fact == NULL && is_qemus) { /* one that only QEMU knows: nothing can be said of it beforehand */
    cpu->fallback = CPU_FALLBACK_FORBID;
    return TRUE;
  }
  disable_removed (cpu);
  if (!check_host (guest, cpu, error) || !settle (guest, cpu, error))
    return FALSE;
  if (qemu_caps_cpu_model (guest->caps, cpu->model) == NULL && !translate (guest, cpu, fact, error))
    return FALSE;
  cpu->fallback = CPU_FALLBACK_FORBID;
  return TRUE;
}

static gboolean
is_x86 (const QemuCaps *caps)
{
  return strcmp (qemu_caps_arch (caps), "x86_64") == 0 || strcmp (qemu_caps_arch (caps), "i386") == 0;
}

gboolean
cpu_resolve (const CpuGuest *guest, DomainCpu *cpu, GError **error)
{
  gboolean is_host_model = cpu->mode == CPU_MODE_HOST_MODEL;

  if (!is_x86 (guest->caps) || (is_host_model && !qemu_caps_host_cpu (guest->caps, guest->accel)->is_known))
    return TRUE;
  if (!check_features (guest, cpu, error))
    return FALSE;
  cpu_drop_host_only (cpu);
  if (cpu_is_named (cpu) || is_host_model)
    return resolve_model (guest, cpu, error);
  return TRUE;
}

/* What differs between the asked and the given. */
typedef struct {
  GString *added, *removed;
} Mismatch;

static gboolean
tell_mismatch (const Mismatch *mismatch, GError **error)
{
  gboolean both = mismatch->added->len > 0 && mismatch->removed->len > 0;

  if (mismatch->added->len == 0 && mismatch->removed->len == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "guest CPU doesn't match specification: %s%s%s%s%s",
                  mismatch->added->len > 0 ? "extra features: " : "", mismatch->added->str, both ? ", " : "",
                  mismatch->removed->len > 0 ? "missing features: " : "", mismatch->removed->str);
  return FALSE;
}

static void
note (DomainCpu *cpu, GString *names, guint index, int policy)
{
  if (cpu->check == CPU_CHECK_FULL)
    g_string_append_printf (names, "%s%s", names->len > 0 ? "," : "", cpu_feature_name (index));
  else
    cpu_set_feature (cpu, cpu_feature_name (index), policy);
}

/* The frequency of the time stamp counter cannot be promised by every host. */
static gboolean
check_invtsc (const DomainCpu *cpu, const CpuFeatureSet *enabled, GError **error)
{
  const CpuFeature *feature;

  for (guint i = 0; (feature = feature_at (cpu, i)) != NULL; i++) {
    if (strcmp (feature->name, "invtsc") != 0 || feature->policy != CPU_POLICY_REQUIRE
        || cpu_feature_set_has (enabled, (guint)cpu_feature_find ("invtsc")))
      continue;
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "host doesn't support invariant TSC");
    return FALSE;
  }
  return TRUE;
}

gboolean
cpu_update_live (const QemuCaps *caps, DomainCpu *cpu, const CpuFeatureSet *enabled,
                 const CpuFeatureSet *filtered, GError **error)
{
  g_autoptr (GString) added = g_string_new (NULL), removed = g_string_new (NULL);
  const Mismatch mismatch = { added, removed };
  CpuFeatureSet expected;

  if (!cpu_is_named (cpu) || cpu_model_find (cpu->model) == NULL)
    return TRUE;
  if (!check_invtsc (cpu, enabled, error) || !cpu_all_features (caps, cpu, &expected, error))
    return FALSE;
  for (guint i = 0; i < CPU_FEATURE_COUNT; i++) {
    gboolean is_expected = cpu_feature_set_has (&expected, i), is_there = cpu_feature_set_has (enabled, i);

    if (cpu_feature_name (i) == NULL)
      continue;
    if (!is_expected && is_there)
      note (cpu, added, i, CPU_POLICY_REQUIRE);
    if (cpu_feature_set_has (filtered, i) || (is_expected && !is_there))
      note (cpu, removed, i, CPU_POLICY_DISABLE);
  }
  if (!tell_mismatch (&mismatch, error))
    return FALSE;
  cpu->check = CPU_CHECK_FULL;
  return TRUE;
}
