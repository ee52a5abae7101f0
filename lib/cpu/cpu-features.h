/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The features an x86 processor may have: bits of CPUID leaves and of two model-specific registers. A feature
 * is known by its index, which is the place of its bit; a set of features is the bits themselves. Names are
 * libvirt's; QEMU's are understood as well.
 */
#define CPU_FEATURE_WORDS 20
#define CPU_FEATURE_COUNT (CPU_FEATURE_WORDS * 32) /* indexes; most name no feature */

typedef enum { CPU_WORD_CPUID, CPU_WORD_MSR } CpuWordKind;
typedef enum { CPU_REGISTER_EAX, CPU_REGISTER_EBX, CPU_REGISTER_ECX, CPU_REGISTER_EDX } CpuRegister;

/* Where the 32 bits of one word of a set are read from. */
typedef struct {
  CpuWordKind kind;
  guint32 leaf; /* of CPUID; the register's number for CPU_WORD_MSR */
  guint32 subleaf;
  CpuRegister result;    /* EAX for CPU_WORD_MSR: the low half */
  const char *names[32]; /* NULL: a bit nobody names */
} CpuWord;
extern const CpuWord cpu_words[CPU_FEATURE_WORDS];

typedef struct {
  guint32 words[CPU_FEATURE_WORDS];
} CpuFeatureSet;

/* The index of a feature by libvirt's name or QEMU's; -1 when there is none. */
int cpu_feature_find (const char *name);
/* libvirt's name; NULL for an index that is no feature. */
const char *cpu_feature_name (guint index);
/* What QEMU calls the feature libvirt calls @name: @name itself when it is unknown. Static or @name. */
const char *cpu_feature_qemu_name (const char *name);
/* A guest with it cannot be moved to another host. */
gboolean cpu_feature_stays_here (guint index);
/* The feature that @name, which is none, is likely to mean; NULL when none is near. */
const char *cpu_feature_nearest (const char *name);

void cpu_feature_set_add (CpuFeatureSet *set, guint index);
void cpu_feature_set_remove (CpuFeatureSet *set, guint index);
gboolean cpu_feature_set_has (const CpuFeatureSet *set, guint index);
gboolean cpu_feature_set_is_empty (const CpuFeatureSet *set);
gboolean cpu_feature_set_is_subset (const CpuFeatureSet *set, const CpuFeatureSet *of);
void cpu_feature_set_intersect (CpuFeatureSet *set, const CpuFeatureSet *with);
void cpu_feature_set_unite (CpuFeatureSet *set, const CpuFeatureSet *with);
void cpu_feature_set_subtract (CpuFeatureSet *set, const CpuFeatureSet *what);
/* Bits that are no feature are dropped. */
void cpu_feature_set_keep_named (CpuFeatureSet *set);
/* "vme, ht": the names in the order of the bits, with @separator between. (transfer full) */
char *cpu_feature_set_names (const CpuFeatureSet *set, const char *separator);
/* Names separated by spaces are added, "-NAME" is removed; names that are no feature are passed over. */
void cpu_feature_set_apply (CpuFeatureSet *set, const char *names);
