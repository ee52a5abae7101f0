/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cpu/cpu-document.h"
#include "cpu/cpu-models.h"

/*
 * What libvirt's clients ask of CPUs: how a processor is described by a named model, whether one has what
 * another asks for, and what several have in common. Models and features are those of @caps; x86 only. All
 * functions are pure; a NULL or negative answer has @error set.
 */

/* A processor as CPUID tells it. */
typedef struct {
  CpuFeatureSet features;
  const char *vendor;     /* libvirt's word; NULL: not known */
  CpuSignature signature; /* family 0: not known */
} CpuData;

typedef struct {
  const QemuCaps *caps;
  const CpuData *data;
  gboolean is_host;       /* described for what it is: only models that take nothing away */
  const QemuAccel *accel; /* only models QEMU can run with that accelerator; NULL: all there are */
  const char *preferred;  /* the model to take when nothing speaks against it; or NULL */
  gboolean migratable;    /* features that tie a guest to its host are left out */
} CpuDecode;

/* The named model nearest to the processor, with what it has more and less. Its features have the policies
 * require and disable; a host's have none. VIR_ERR_INTERNAL_ERROR when no model fits. (transfer full:
 * field_free with domain_cpu_table) */
DomainCpu *cpu_decode (const CpuDecode *request, GError **error);

/* All features of @cpu: its model's, with those it adds and without those it disables. */
gboolean cpu_all_features (const QemuCaps *caps, const DomainCpu *cpu, CpuFeatureSet *ret, GError **error);

/* What @policy is said of, a CpuPolicy; for CPU_POLICY_REQUIRE with the model's own. */
gboolean cpu_policy_features (const QemuCaps *caps, const CpuDocument *cpu, int policy, CpuFeatureSet *ret,
                              GError **error);

/* The features of the model are spelled out, sorted by name. */
gboolean cpu_expand (const QemuCaps *caps, DomainCpu *cpu, GError **error);

/*
 * Could @host run what @cpu asks for? VIR_CPU_COMPARE_*; INCOMPATIBLE says why in @ret_reason (transfer
 * full). VIR_CPU_COMPARE_ERROR with @error set.
 */
int cpu_compare (const QemuCaps *caps, const DomainCpu *host, const CpuDocument *cpu, char **ret_reason,
                 GError **error);

/*
 * The most that all of @cpus (of CpuDocument, at least one) have. @accel, when not NULL: and that QEMU can
 * give a guest with that accelerator, by a model it can run. (transfer full, as of cpu_decode)
 */
DomainCpu *cpu_baseline (const QemuCaps *caps, const GPtrArray *cpus, const QemuAccel *accel,
                         gboolean migratable, GError **error);

/* What QEMU can give a guest at most: what mode 'host-model' stands for. NULL with @error set when that is
 * not known. (transfer full, as of cpu_decode) */
DomainCpu *cpu_host_model (const QemuCaps *caps, QemuAccel accel, gboolean migratable, GError **error);

/* Features no guest is given: they tell of the running system, or of what the kernel keeps. */
void cpu_drop_host_only (DomainCpu *cpu);

/* The feature of that name gets the policy; added at the end when it is new. */
void cpu_set_feature (DomainCpu *cpu, const char *name, int policy);
