/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/registry.h"
#include "nwfilter/filter-document.h"

/* Network filters: what is defined. What follows from it for the host's devices is in filter-rules.h. Main
 * loop only. */
typedef struct {
  union {
    Object object;
    struct {
      OBJECT_MEMBERS
    };
  };
  FilterDef *def;
} Filter;

extern const ObjectKind filter_kind;

/* The kind's row: the filters that a host begins with are defined once, the bindings of a daemon before are
 * found. */
void filters_loaded (Registry *registry, RegistrySettled settled, gpointer data);
