/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a <cpu> asks for against what a host has, and what several hosts have in common.
 */
#include "cpu/cpu-database.h"

#include "base/virt-error.h"

#include <string.h>

/* The model's own features; nothing without a model. */
static gboolean
model_features (const QemuCaps *caps, const DomainCpu *cpu, CpuFeatureSet *ret, GError **error)
{
  const CpuModelFact *fact = cpu_model_find (cpu->model);

  memset (ret, 0, sizeof *ret);
  if (cpu->model == NULL || (fact != NULL && cpu_model_features (fact, caps, ret)))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU model %s", cpu->model);
  return FALSE;
}

static int
find_feature (const char *name, GError **error)
{
  int index = cpu_feature_find (name);
  const char *near = index < 0 ? cpu_feature_nearest (name) : NULL;

  if (index < 0)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Unknown CPU feature %s%s%s%s", name,
                    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
  return index;
}

static int
policy_of (const CpuFeature *feature)
{
  return feature->policy == CPU_POLICY_NONE ? CPU_POLICY_REQUIRE : feature->policy;
}

gboolean
cpu_all_features (const QemuCaps *caps, const DomainCpu *cpu, CpuFeatureSet *ret, GError **error)
{
  if (!model_features (caps, cpu, ret, error))
    return FALSE;
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);
    int policy = policy_of (feature), index;

    if (policy == CPU_POLICY_OPTIONAL)
      continue;
    if ((index = find_feature (feature->name, error)) < 0)
      return FALSE;
    if (policy == CPU_POLICY_DISABLE || policy == CPU_POLICY_FORBID)
      cpu_feature_set_remove (ret, (guint)index);
    else
      cpu_feature_set_add (ret, (guint)index);
  }
  return TRUE;
}

gboolean
cpu_policy_features (const QemuCaps *caps, const CpuDocument *document, int policy, CpuFeatureSet *ret,
                     GError **error)
{
  const DomainCpu *cpu = document->cpu;

  memset (ret, 0, sizeof *ret);
  if (policy == CPU_POLICY_REQUIRE && !model_features (caps, cpu, ret, error))
    return FALSE;
  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);
    int index;

    if (policy_of (feature) != policy)
      continue;
    if ((index = find_feature (feature->name, error)) < 0)
      return FALSE;
    cpu_feature_set_add (ret, (guint)index);
  }
  return TRUE;
}

static int
compare_features (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(CpuFeature *const *)a)->name, (*(CpuFeature *const *)b)->name);
}

gboolean
cpu_expand (const QemuCaps *caps, DomainCpu *cpu, GError **error)
{
  GPtrArray *own = g_steal_pointer (&cpu->features);
  CpuFeatureSet set;
  gboolean good = model_features (caps, cpu, &set, error);

  for (guint i = 0; good && i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_set_has (&set, i))
      cpu_set_feature (cpu, cpu_feature_name (i), CPU_POLICY_REQUIRE);
  for (guint i = 0; own != NULL && i < own->len; i++) {
    CpuFeature *feature = g_ptr_array_index (own, i);

    cpu_set_feature (cpu, feature->name, feature->policy);
    field_free (&domain_cpu_feature_table, feature);
  }
  if (own != NULL)
    g_ptr_array_unref (own);
  if (cpu->features != NULL)
    g_ptr_array_sort (cpu->features, compare_features);
  return good;
}

static int
incompatible (char **ret_reason, const char *what, const CpuFeatureSet *features)
{
  g_autofree char *names = cpu_feature_set_names (features, ", ");

  *ret_reason = g_strconcat (what, ": ", names, NULL);
  return VIR_CPU_COMPARE_INCOMPATIBLE;
}

/* What a comparison is of, sorted by what the document says of each feature. */
typedef struct {
  CpuFeatureSet host, force, require, optional, disable, forbid;
} Sides;

static gboolean
sort_sides (const QemuCaps *caps, const DomainCpu *host, const CpuDocument *cpu, Sides *sides, GError **error)
{
  return cpu_all_features (caps, host, &sides->host, error)
         && cpu_policy_features (caps, cpu, CPU_POLICY_FORCE, &sides->force, error)
         && cpu_policy_features (caps, cpu, CPU_POLICY_REQUIRE, &sides->require, error)
         && cpu_policy_features (caps, cpu, CPU_POLICY_OPTIONAL, &sides->optional, error)
         && cpu_policy_features (caps, cpu, CPU_POLICY_DISABLE, &sides->disable, error)
         && cpu_policy_features (caps, cpu, CPU_POLICY_FORBID, &sides->forbid, error);
}

static int
compare_sides (Sides *sides, const CpuDocument *cpu, char **ret_reason)
{
  CpuFeatureSet missing;

  cpu_feature_set_intersect (&sides->forbid, &sides->host);
  if (!cpu_feature_set_is_empty (&sides->forbid))
    return incompatible (ret_reason, "Host CPU provides forbidden features", &sides->forbid);

  cpu_feature_set_subtract (&sides->require, &sides->force);
  cpu_feature_set_subtract (&sides->require, &sides->optional);
  cpu_feature_set_subtract (&sides->require, &sides->disable);
  missing = sides->require;
  cpu_feature_set_subtract (&missing, &sides->host);
  if (!cpu_feature_set_is_empty (&missing))
    return incompatible (ret_reason, "Host CPU does not provide required features", &missing);

  cpu_feature_set_subtract (&sides->host, &sides->optional);
  cpu_feature_set_subtract (&sides->host, &sides->require);
  cpu_feature_set_subtract (&sides->host, &sides->disable);
  cpu_feature_set_subtract (&sides->host, &sides->force);
  if (cpu_feature_set_is_empty (&sides->host))
    return VIR_CPU_COMPARE_IDENTICAL;
  if (!cpu->is_host && cpu->cpu->match == CPU_MATCH_STRICT)
    return incompatible (ret_reason, "Host CPU does not strictly match guest CPU: Extra features",
                         &sides->host);
  return VIR_CPU_COMPARE_SUPERSET;
}

static gboolean
is_x86 (const char *arch)
{
  return g_strcmp0 (arch, "x86_64") == 0 || g_strcmp0 (arch, "i686") == 0;
}

int
cpu_compare (const QemuCaps *caps, const DomainCpu *host, const CpuDocument *cpu, char **ret_reason,
             GError **error)
{
  const char *vendor = cpu->cpu->vendor;
  Sides sides;

  if (cpu->arch != NULL && !is_x86 (cpu->arch)) {
    *ret_reason = g_strdup_printf ("CPU arch %s does not match host arch", cpu->arch);
    return VIR_CPU_COMPARE_INCOMPATIBLE;
  }
  if (vendor != NULL && g_strcmp0 (vendor, host->vendor) != 0) {
    *ret_reason = g_strdup_printf ("host CPU vendor does not match required CPU vendor %s", vendor);
    return VIR_CPU_COMPARE_INCOMPATIBLE;
  }
  if (!sort_sides (caps, host, cpu, &sides, error))
    return VIR_CPU_COMPARE_ERROR;
  return compare_sides (&sides, cpu, ret_reason);
}
