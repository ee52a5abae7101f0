/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Steps of an apply that are a client's calls: start, stop, mark, remove. A machine that is to stop is asked
 * to, and ended when it has not by its time; what it was asked for meanwhile (a restart, its removal) comes
 * after that.
 */
#include "daemon/domain/machine.h"
#include "daemon/ops/apply/apply-run.h"
#include "daemon/ops/apply/inner-call.h"
#include "daemon/storage/pools.h"

#include <string.h>

/* Numbers of remote_protocol, as in daemon/call/operations.c. */
#define SHUTDOWN_PROCEDURE 33

static void
step_done (const GError *error, gpointer data)
{
  apply_step_over (data, error);
}

/* A machine on its way to its end. */
typedef struct {
  ApplyStep *step;
  void (*then) (ApplyStep *step, const GError *error);
} Stopping;

static Domain *
domain_of (ApplyStep *step)
{
  return (Domain *)apply_object (step->run, step->item, NULL);
}

static void
stopping_over (Stopping *stopping, const GError *error)
{
  ApplyStep *step = stopping->step;
  void (*then) (ApplyStep * step, const GError *error) = stopping->then;

  g_free (stopping);
  then (step, error);
}

/* Destroyed, or gone by itself meanwhile. */
static void
destroyed (const GError *error, gpointer data)
{
  Stopping *stopping = data;
  const Domain *domain = domain_of (stopping->step);

  stopping_over (stopping, domain != NULL && domain_is_active (domain) ? error : NULL);
}

static void
ended (const GError *error, gpointer data)
{
  Stopping *stopping = data;
  const Domain *domain = domain_of (stopping->step);

  if (error == NULL || domain == NULL || !domain_is_active (domain))
    stopping_over (stopping, NULL);
  else
    inner_call (stopping->step->run->call, stopping->step->item->row->stop, &domain->object, NULL, destroyed,
                stopping);
}

static guint
seconds_to_stop (const ApplyStep *step)
{
  const Policy *policy = step->item->policy;

  return policy != NULL && policy->shutdown.timeout.set
             ? (guint)policy->shutdown.timeout.value
             : step->run->call->manager->settings->host_shutdown_timeout;
}

static void
asked (const GError *error, gpointer data)
{
  Stopping *stopping = data;
  Domain *domain = domain_of (stopping->step);
  Call *call;

  if (error != NULL || domain == NULL || domain->machine == NULL) {
    ended (error, stopping);
    return;
  }
  call = inner_call_new (stopping->step->run->call, ended, stopping);
  machine_answer_at_end (domain->machine, call, seconds_to_stop (stopping->step));
}

static void
stop_machine (ApplyStep *step, void (*then) (ApplyStep *step, const GError *error))
{
  Stopping *stopping = g_new0 (Stopping, 1);
  const Domain *domain = domain_of (step);

  *stopping = (Stopping){ step, then };
  if (domain == NULL || !domain_is_active (domain))
    stopping_over (stopping, NULL);
  else
    inner_call (step->run->call, SHUTDOWN_PROCEDURE, &domain->object, NULL, asked, stopping);
}

/* Is it a pool whose directory is to be made? Also one whose first apply was cut short before it was marked:
 * of one that has been there a missing directory is one that is not mounted. */
static gboolean
is_new_directory (const PlanItem *item, const Object *object)
{
  return item->row->kind == &storage_pool_kind && (item->action == PLAN_CREATE || item->autostart == TRUE)
         && ((const StoragePool *)object)->def->type == STORAGE_POOL_DIR;
}

static void
start (ApplyStep *step, const GError *error)
{
  const PlanItem *item = step->item;
  g_autoptr (GError) gone = NULL;
  const Object *object = error == NULL ? apply_object (step->run, item, &gone) : NULL;
  guint flags = item->row->start_flags;

  if (object == NULL || object->active) {
    apply_step_over (step, error != NULL ? error : gone);
    return;
  }
  if (is_new_directory (item, object))
    flags |= VIR_STORAGE_POOL_CREATE_WITH_BUILD;
  inner_call (step->run->call, item->row->start, object,
              item->row->start_has_flags ? g_variant_new ("(u)", flags) : NULL, step_done, step);
}

static void
stopped (ApplyStep *step, const GError *error)
{
  apply_step_over (step, error);
}

void
apply_start_or_stop (ApplyStep *step)
{
  g_autoptr (GError) error = NULL;
  const Object *object;

  if (step->item->run == PLAN_START) {
    start (step, NULL);
  } else if (plan_item_is_machine (step->item)) {
    stop_machine (step, step->item->run == PLAN_STOP ? stopped : start);
  } else {
    object = apply_object (step->run, step->item, &error);
    if (object != NULL)
      inner_call (step->run->call, step->item->row->stop, object, NULL, step_done, step);
    else
      apply_step_over (step, error);
  }
}

void
apply_mark (ApplyStep *step)
{
  g_autoptr (GError) error = NULL;
  const Object *object = apply_object (step->run, step->item, &error);

  if (object == NULL)
    apply_step_over (step, error);
  else
    inner_call (step->run->call, step->item->row->set_autostart, object,
                g_variant_new ("(i)", step->item->autostart), step_done, step);
}

/* To the trash, with all that is the object's alone; disks stay. What has gone meanwhile is gone. */
static void
discard (ApplyStep *step, const GError *error)
{
  const Object *object = apply_object (step->run, step->item, NULL);

  if (error != NULL || object == NULL)
    apply_step_over (step, error);
  else
    inner_discard (step->run->call, object, step_done, step);
}

static void
stopped_to_remove (const GError *error, gpointer data)
{
  discard (data, error);
}

void
apply_remove (ApplyStep *step)
{
  const Object *object = apply_object (step->run, step->item, NULL);

  if (plan_item_is_machine (step->item))
    stop_machine (step, discard);
  else if (object != NULL && object->active && step->item->row->stop != 0)
    inner_call (step->run->call, step->item->row->stop, object, NULL, stopped_to_remove, step);
  else
    discard (step, NULL);
}
