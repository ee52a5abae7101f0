/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/domain.h"

/*
 * The few figures of a stored definition that lists of domains are made of, kept for every domain once its
 * definition has been read: a client that asks about a thousand stopped machines every second must not cost a
 * thousand documents each time. Under 200 bytes a domain, and its disks' names.
 */
typedef struct {
  char *target, *path; /* either may be NULL */
} SummaryDisk;

typedef struct {
  guint64 memory, current_memory; /* KiB */
  guint vcpus, vcpus_maximum;
  int os_type;   /* OsType */
  GArray *disks; /* SummaryDisk */
} DefinitionSummary;

DefinitionSummary *definition_summary_new (const DomainDef *def);
void definition_summary_free (DefinitionSummary *summary);
