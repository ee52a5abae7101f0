/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A processor's features as a named model and the differences to it. Which model is the nearest decides what
 * guests see with mode 'host-model' and what management programs compute for a cluster, so the choice is
 * libvirt's: newest first, its own vendor's, the one the processor was sold as if there is one, and else the
 * shortest list of differences. Of what is taken away, half counts as much as what is added and the other
 * half more and more; that odd measure decides between close models and is kept to the letter.
 */
#include "cpu/cpu-database.h"

#include "base/virt-error.h"

#include <string.h>

/* Intel's erratum HSD136: these processors lose hle and rtm by microcode, some only later. */
static gboolean
has_broken_tsx (const CpuData *data)
{
  const CpuSignature *signature = &data->signature;

  if (g_strcmp0 (data->vendor, "Intel") != 0 || signature->family != 6)
    return FALSE;
  return signature->model == 60 || signature->model == 69 || signature->model == 70
         || (signature->model == 63 && signature->stepping < 4);
}

void
cpu_set_feature (DomainCpu *cpu, const char *name, int policy)
{
  CpuFeature *feature;

  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    feature = g_ptr_array_index (cpu->features, i);
    if (g_strcmp0 (feature->name, name) == 0) {
      feature->policy = policy;
      return;
    }
  }
  if (cpu->features == NULL)
    cpu->features = g_ptr_array_new ();
  feature = field_new (&domain_cpu_feature_table);
  feature->name = g_strdup (name);
  feature->policy = policy;
  g_ptr_array_add (cpu->features, feature);
}

static void
add_features (DomainCpu *cpu, const CpuFeatureSet *set, int policy)
{
  for (guint i = 0; i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_set_has (set, i))
      cpu_set_feature (cpu, cpu_feature_name (i), policy);
}

/* One model that could describe the processor. */
typedef struct {
  const CpuModelFact *fact;
  CpuFeatureSet more, less;
  gboolean is_removed_said; /* that it lacks what the model once had is said beside the others */
  gboolean is_sold_as;
  guint weight, penalty; /* of the differences; and of those taken away, the part that counts more */
} Candidate;

static guint
count (const CpuFeatureSet *set)
{
  guint result = 0;

  for (guint i = 0; i < CPU_FEATURE_WORDS; i++)
    result += (guint)__builtin_popcount (set->words[i]);
  return result;
}

static gboolean
says_removed (const CpuModelFact *fact, const CpuFeatureSet *features)
{
  return fact->removed != NULL && !cpu_feature_set_has (features, (guint)cpu_feature_find (fact->removed));
}

/* The penalties are 2, 3, 4 and so on. */
static void
weigh (Candidate *candidate, gboolean is_host)
{
  guint disabled = count (&candidate->less) + (candidate->is_removed_said ? 1 : 0);
  guint penalized = is_host ? 0 : (disabled + 1) / 2;

  candidate->penalty = penalized * (penalized + 3) / 2;
  candidate->weight = count (&candidate->more) + disabled - penalized + candidate->penalty;
}

/* FALSE: it does not come into question. */
static gboolean
consider (const CpuDecode *request, const CpuData *data, const CpuModelFact *fact, Candidate *ret)
{
  const QemuCpuModel *told = qemu_caps_cpu_model (request->caps, fact->name);

  if ((fact->use & (request->is_host ? CPU_MODEL_FOR_HOST : CPU_MODEL_FOR_GUEST)) == 0
      || (request->accel != NULL && told == NULL)
      || (data->vendor != NULL && fact->vendor != NULL && strcmp (fact->vendor, data->vendor) != 0)
      || !cpu_model_features (fact, request->caps, &ret->less))
    return FALSE;
  ret->fact = fact;
  ret->more = data->features;
  cpu_feature_set_subtract (&ret->more, &ret->less);
  cpu_feature_set_subtract (&ret->less, &data->features);
  if (request->accel != NULL) {
    /* What QEMU's model has beyond the database's and cannot give has to be taken away by name. */
    CpuFeatureSet blockers = told->blockers[*request->accel];

    cpu_feature_set_subtract (&blockers, &ret->more);
    cpu_feature_set_unite (&ret->less, &blockers);
  }
  if (request->is_host && !cpu_feature_set_is_empty (&ret->less))
    return FALSE;
  ret->is_removed_said = !request->is_host && says_removed (fact, &data->features);
  ret->is_sold_as = data->signature.family != 0 && cpu_model_has_signature (fact, &data->signature);
  weigh (ret, request->is_host);
  return TRUE;
}

static gboolean
is_better (const Candidate *candidate, const Candidate *best)
{
  if (best->fact == NULL)
    return TRUE;
  if (candidate->is_sold_as != best->is_sold_as)
    return candidate->is_sold_as;
  return candidate->weight < best->weight
         || (candidate->weight == best->weight && candidate->penalty < best->penalty);
}

static gboolean
choose (const CpuDecode *request, const CpuData *data, Candidate *ret, GError **error)
{
  guint facts = 0;

  while (cpu_model_facts[facts].name != NULL)
    facts++;
  for (guint i = facts; i-- > 0;) {
    Candidate candidate = { 0 };
    const char *name = cpu_model_facts[i].name;

    if (!consider (request, data, &cpu_model_facts[i], &candidate))
      continue;
    if (g_strcmp0 (name, request->preferred) == 0) {
      *ret = candidate;
      return TRUE;
    }
    if (is_better (&candidate, ret))
      *ret = candidate;
  }
  if (ret->fact == NULL)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Cannot find suitable CPU model for given data");
  return ret->fact != NULL;
}

static void
drop_unmigratable (CpuFeatureSet *set)
{
  for (guint i = 0; i < CPU_FEATURE_COUNT; i++)
    if (cpu_feature_stays_here (i))
      cpu_feature_set_remove (set, i);
}

DomainCpu *
cpu_decode (const CpuDecode *request, GError **error)
{
  CpuData data = *request->data;
  Candidate best = { 0 };
  DomainCpu *cpu;

  if (has_broken_tsx (&data))
    cpu_feature_set_apply (&data.features, "-hle -rtm");
  if (!choose (request, &data, &best, error))
    return NULL;
  if (request->migratable) {
    drop_unmigratable (&best.more);
    drop_unmigratable (&best.less);
  }
  cpu = field_new (&domain_cpu_table);
  cpu->model = g_strdup (best.fact->name);
  cpu->vendor = g_strdup (data.vendor);
  add_features (cpu, &best.more, request->is_host ? CPU_POLICY_NONE : CPU_POLICY_REQUIRE);
  add_features (cpu, &best.less, CPU_POLICY_DISABLE);
  if (best.is_removed_said)
    cpu_set_feature (cpu, best.fact->removed, CPU_POLICY_DISABLE);
  return cpu;
}

DomainCpu *
cpu_host_model (const QemuCaps *caps, QemuAccel accel, gboolean migratable, GError **error)
{
  const QemuHostCpu *most = qemu_caps_host_cpu (caps, accel);
  CpuData data = {
    .features = migratable ? most->migratable : most->features,
    .vendor = cpu_vendor_from_id (most->vendor),
    .signature = { most->family, most->model, most->stepping },
  };
  CpuDecode request = { .caps = caps, .data = &data, .accel = &accel, .migratable = migratable };
  DomainCpu *cpu;

  if (!most->is_known) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "QEMU '%s' does not support reporting CPU model for virttype '%s'",
                    qemu_caps_binary (caps), accel == QEMU_ACCEL_KVM ? "kvm" : "qemu");
    return NULL;
  }
  cpu = cpu_decode (&request, error);
  if (cpu != NULL)
    cpu->fallback = CPU_FALLBACK_FORBID;
  return cpu;
}
