/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/object.h"

/*
 * The kinds of object that a directory of documents may hold, and the procedures of the table of operations
 * by which one is started, stopped and marked. Definitions go from the lowest rank to the highest,
 * removals the other way: what others name comes first and goes last.
 */
typedef struct {
  const ObjectKind *kind;
  guint rank;        /* below APPLY_RANKS */
  gboolean runs;     /* it is to run, and to start with the host, unless its policy says something else */
  int start;         /* procedures; 0: there is none */
  guint start_flags; /* where @start_has_flags */
  gboolean start_has_flags;
  int stop, set_autostart;
} ApplyKind;

#define APPLY_RANKS       4
#define APPLY_KINDS       6 /* rows */
#define APPLY_RANK_DOMAIN 2
#define APPLY_RANK_VOLUME 3 /* what a pool keeps: without a definition of its own */

extern const ApplyKind apply_kinds[APPLY_KINDS + 1]; /* ends with kind NULL */
/* NULL: no such kind is applied. */
const ApplyKind *apply_kind_of_root (const char *root);
