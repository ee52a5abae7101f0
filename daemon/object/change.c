/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of what is defined, one after the other: asked, written, committed. The queue is the lock: nothing
 * else alters names and UUIDs between a change's check and its commit.
 */
#include "daemon/object/change.h"

#include "daemon/core/main-loop.h"

typedef struct {
  Manager *manager;
  const ChangeKind *kind;
  gpointer data;
  GDestroyNotify free_data;
} Change;

static void run_next (Manager *manager);

static void
change_finish (Change *change, const GError *error)
{
  Manager *manager = change->manager;

  manager->changing = FALSE;
  change->kind->done (manager, change->data, error);
  if (change->free_data != NULL)
    change->free_data (change->data);
  g_free (change);
  manager_trim_soon (manager);
  run_next (manager);
}

static gpointer
write_job (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  Change *change = input;

  return change->kind->write (change->manager->store, change->data, error) ? JOB_OK : NULL;
}

static void
write_done (G_GNUC_UNUSED gpointer result, const GError *error, gpointer data)
{
  change_finish (data, error);
}

static void
run_next (Manager *manager)
{
  g_autoptr (GError) error = NULL;
  Change *change;

  if (manager->changing || (change = g_queue_pop_head (&manager->changes)) == NULL)
    return;
  manager->changing = TRUE;
  if (!change->kind->check (manager, change->data, &error) || change->kind->write == NULL)
    change_finish (change, error);
  else
    job_start (change->kind->name, write_job, change, NULL, 0, write_done, change);
}

void
change_start (Manager *manager, const ChangeKind *kind, gpointer data, GDestroyNotify free_data)
{
  MAIN_LOOP_ONLY ();

  Change *change = g_new0 (Change, 1);

  change->manager = manager;
  change->kind = kind;
  change->data = data;
  change->free_data = free_data;
  g_queue_push_tail (&manager->changes, change);
  run_next (manager);
}
