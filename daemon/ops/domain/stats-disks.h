/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "daemon/domain/summary.h"

/* The disks' part of a domain's statistics: see domain-stats.c. */

/* One figure more, under a formatted name; sinks @value. */
void stats_add (GVariantBuilder *list, GVariant *value, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Of a running machine, from what it last said. @backing: the images below too. */
void stats_add_disks (GVariantBuilder *list, const Machine *machine, const DomainDef *def, gboolean backing);
/* Of a machine that does not run. @sizes: path → ImageSizes, or NULL. */
void stats_add_images (GVariantBuilder *list, const DefinitionSummary *summary, GHashTable *sizes);

/* Job: path → format in, path → ImageSizes out, of those that can be read. */
gpointer stats_sizes_job (Job *job, gpointer formats, GError **error);
