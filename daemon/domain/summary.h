/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * The few figures of a stored definition that lists of domains are made of, kept for every domain once its
 * definition has been read: a client that asks about a thousand stopped machines every second must not cost a
 * thousand documents each time. Under 200 bytes a domain, and its disks' names; as much again
 * for those that statistics are asked of.
 */
typedef struct {
  char *target, *path, *format; /* each may be NULL */
} SummaryDisk;

typedef struct {
  guint64 memory, current_memory; /* KiB */
  guint vcpus, vcpus_maximum;
  int os_type;   /* OsType */
  GArray *disks; /* SummaryDisk */
  char *nvram;   /* the file of the firmware's variables, or NULL */
  /* Its record in the statistics, ready to be answered, once somebody has asked; see domain-stats.c. */
  GVariant *record;
  guint record_groups;
  int record_state, record_reason;
} DefinitionSummary;

DefinitionSummary *definition_summary_new (const DomainDef *def);
void definition_summary_free (DefinitionSummary *summary);
