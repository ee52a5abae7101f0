/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/caps.h"

/* The x86 CPU models that libvirt's clients know, in libvirt's order. */
typedef enum {
  CPU_MODEL_FOR_HOST = 1 << 0,  /* a host may be described by it */
  CPU_MODEL_FOR_GUEST = 1 << 1, /* a guest's processor may be */
} CpuModelUse;

typedef struct {
  guint family, model, stepping;
} CpuSignature;

typedef struct {
  const char *name;
  const char *like;       /* the model of QEMU it is described from; NULL: the one of the same name */
  const char *vendor;     /* "Intel", "AMD", "Hygon"; NULL: anybody's */
  guint use;              /* CpuModelUse */
  const char *signatures; /* "6/85/0-4 6/94": family/model[/steppings] of the processors sold under it */
  const char *difference; /* what it has more and "-less" than QEMU's */
  const char *removed;    /* a feature it once had: said to be disabled; NULL: none */
} CpuModelFact;

extern const CpuModelFact cpu_model_facts[]; /* ends with name NULL */

const CpuModelFact *cpu_model_find (const char *name);
/* The features of the model by QEMU's account of it; FALSE when this QEMU does not know it. */
gboolean cpu_model_features (const CpuModelFact *model, const QemuCaps *caps, CpuFeatureSet *ret);
/* Is it what a processor with that signature was sold as? */
gboolean cpu_model_has_signature (const CpuModelFact *model, const CpuSignature *signature);

/* libvirt's word for the vendor CPUID names ("GenuineIntel" → "Intel"); NULL when it has none. */
const char *cpu_vendor_from_id (const char *id);
gboolean cpu_vendor_is_known (const char *name);

/*
 * The names of all models of an architecture as libvirt spells it, NULL-terminated; NULL with @error set for
 * an architecture nobody knows (VIR_ERR_INVALID_ARG) or that has no models (VIR_ERR_NO_SUPPORT). Empty: any
 * name goes. (transfer container)
 */
const char **cpu_model_names (const char *arch, GError **error);
