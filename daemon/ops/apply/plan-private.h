/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/apply/plan.h"

/* What is wrong with the documents of a plan, in the order in which it is found: lines, so many bytes of them
 * kept, and the code of the first. */
typedef struct {
  GString *lines;
  guint count;
  virErrorNumber code;
} PlanMistakes;

void plan_mistakes_add (PlanMistakes *mistakes, const Diagnostics *diagnostics);
void plan_mistake (PlanMistakes *mistakes, const char *shown, Position where, virErrorNumber code,
                   const char *format, ...) G_GNUC_PRINTF (5, 6);

/* plan-read.c: an item of @document, with its kind, name, UUID and policy. NULL, with mistakes, or with a
 * reason in @ignored when it is no document of a kind that is applied. */
PlanItem *plan_read_document (const PlanDocument *document, PlanMistakes *mistakes, GPtrArray *ignored);
/* Read it whole: what is to be defined, and what of it differs from what there is (@object, or NULL). */
void plan_read_definition (PlanItem *item, const PlanObject *object, const Platform *platform,
                           PlanMistakes *mistakes);
/* Would the running machine differ from its own definition in what the document says? */
gboolean plan_is_pending (const PlanObject *object);
/* plan-volume.c: the pool of a volume, which its name says from then on. FALSE after a mistake. */
gboolean plan_place_volume (const Plan *plan, PlanItem *item, PlanMistakes *mistakes);
/* Read it whole, and compare it with what its pool has (NULL: nothing of its name). */
void plan_read_volume (PlanItem *item, const StorageVolumeDef *there, PlanMistakes *mistakes);
/* Why the volume that is there cannot be the one that is wanted; NULL: it can. (transfer full) */
char *plan_volume_conflict (const StorageVolumeDef *wanted, const StorageVolumeDef *there);
gboolean plan_volume_grows (const StorageVolumeDef *wanted, const StorageVolumeDef *there);
#define VOLUME_ROUNDING (64 * 1024) /* bytes: an image may be that much larger than it was asked to be */

/* plan-order.c: nothing waits for itself, and what is required is there. */
void plan_check_order (const Plan *plan, PlanMistakes *mistakes);
