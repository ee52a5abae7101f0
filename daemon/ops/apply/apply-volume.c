/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes of an apply, made or grown once their pools are active. Only then is it known what is in a pool
 * that was not: a volume that is there already, and is the one that the document says, is as it should be.
 */
#include "daemon/ops/apply/apply-run.h"
#include "daemon/ops/apply/inner-call.h"
#include "daemon/ops/apply/plan-private.h"
#include "daemon/storage/pools.h"

/* Numbers of remote_protocol, as in daemon/call/operations.c. */
#define CREATE_PROCEDURE 93
#define RESIZE_PROCEDURE 260

static void
step_done (const GError *error, gpointer data)
{
  apply_step_over (data, error);
}

/* One that is there. */
static void
grow (ApplyStep *step, const StoragePool *pool, const StorageVolumeDef *there)
{
  const StorageVolumeDef *wanted = step->item->volume;
  g_autofree char *conflict = plan_volume_conflict (wanted, there);
  g_autoptr (GError) error = NULL;

  if (conflict != NULL)
    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "the volume '%s' is there: %s", step->item->name,
                    conflict);
  if (error != NULL || !plan_volume_grows (wanted, there))
    apply_step_over (step, error);
  else
    inner_call_about (step->run->call, RESIZE_PROCEDURE, storage_volume_value (pool, there),
                      g_variant_new ("(tu)", wanted->capacity.value, 0), step_done, step);
}

void
apply_volume (ApplyStep *step)
{
  const PlanItem *item = step->item;
  g_autoptr (GError) error = NULL;
  const StoragePool *pool = storage_pool_find_name (step->run->call->manager, item->pool, &error);
  const StorageVolumeDef *there;

  if (pool == NULL || !storage_pool_check_active (pool, &error)) {
    apply_step_over (step, error);
    return;
  }
  there = storage_pool_find_volume (pool, item->volume->name, NULL);
  if (there != NULL)
    grow (step, pool, there);
  else
    inner_call (step->run->call, CREATE_PROCEDURE, &pool->object,
                g_variant_new ("(su)", item->document->text, 0), step_done, step);
}
