/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/complete-parts.h"

/* <cpu><numa><cell><cache>. */
typedef struct {
  Number level;      /* from 1 */
  int associativity; /* place in numa_cache_associativities */
  int policy;        /* place in numa_cache_policies */
  Number size, line; /* KiB, bytes */
  char *size_unit, *line_unit;
} NumaCache;

/* <interconnects><latency> and <bandwidth>. */
typedef struct {
  Number initiator, target; /* nodes */
  Number cache;             /* of the target; 0 and not set: its memory */
  int access;               /* place in numa_accesses */
  Number value;             /* ns, or KiB per second once completed */
  char *unit;               /* of a bandwidth */
  gboolean is_bandwidth;
} NumaLink;

extern const EnumTable numa_cache_associativities, numa_cache_policies, numa_accesses;
extern const FieldTable numa_cache_table;
/* Both fill one GPtrArray of NumaLink; the fields of a struct must name the same member. */
extern const FieldType field_numa_latency, field_numa_bandwidth;

/* FALSE after reporting a mistake. */
gboolean complete_numa_speeds (Completion *completion, CpuNuma *numa);
void validate_numa_speeds (Validation *validation, const CpuNuma *numa); /* with at least one node */
/* Is the guest told of its memory's speed? */
gboolean numa_has_speeds (const CpuNuma *numa);
