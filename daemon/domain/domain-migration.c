/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a migration is between its calls. Whose a machine is follows from the phases of both sides: the
 * target's machine runs nothing before its phase is "finish", and the source's is sent away only after that
 * was answered. A source that does not know the answer keeps its machine, standing still; it does not run it.
 */
#include "daemon/domain/domain-migration.h"

#include "daemon/call/operation.h"
#include "daemon/core/main-loop.h"
#include "daemon/drivers/qemu/machine-tpm.h"
#include "daemon/object/change.h"

static guint count; /* of all domains */

static const char *const phase_words[MIGRATION_PHASES] = {
  [MIGRATION_BEGUN] = "begun",     [MIGRATION_PERFORM] = "perform",     [MIGRATION_PERFORMED] = "performed",
  [MIGRATION_CONFIRM] = "confirm", [MIGRATION_TAKE_BACK] = "take-back", [MIGRATION_PREPARED] = "prepared",
  [MIGRATION_FINISH] = "finish",
};

const char *
migration_phase_word (MigrationPhase phase)
{
  return phase_words[phase];
}

gboolean
migration_is_incoming (const Migration *migration)
{
  return migration->phase >= MIGRATION_PREPARED;
}

static void
write_down (const Migration *migration)
{
  if (migration->domain->machine != NULL)
    machine_save_status (migration->domain->machine);
}

Migration *
migration_new (Domain *domain, gconstpointer holder, MigrationPhase phase, guint64 flags)
{
  MAIN_LOOP_ONLY ();

  Migration *migration = g_new0 (Migration, 1);

  migration->domain = domain;
  migration->phase = phase;
  migration->flags = flags;
  migration->ran = domain->state == VIR_DOMAIN_RUNNING;
  domain->migration = migration;
  count++;
  if (holder != NULL)
    lock_pass (domain->lock, holder, migration, "migration");
  write_down (migration);
  return migration;
}

void
migration_bind (Migration *migration, Client *client)
{
  g_free (migration->client);
  migration->client = g_strdup (client->id);
  if (client->watch != NULL)
    client->watch (client);
}

void
migration_set_phase (Migration *migration, MigrationPhase phase)
{
  MAIN_LOOP_ONLY ();

  g_debug ("domain '%s': migration: %s", migration->domain->name, phase_words[phase]);
  migration->phase = phase;
  write_down (migration);
}

/* With an empty cookie, where one is wanted. */
static void
answer (Call *call)
{
  if (g_str_equal (call->operation->out, "-"))
    call_answer_nothing (call);
  else
    call_answer (call, g_variant_new ("(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, NULL, 0, 1)));
}

void
migration_free (Migration *migration)
{
  if (migration == NULL)
    return;
  count--;
  migrate_in_free (migration->in);
  g_clear_pointer (&migration->offline, domain_def_unref);
  if (migration->waiting != NULL)
    answer (migration->waiting);
  g_free (migration->name_there);
  g_free (migration->peer);
  g_free (migration->client);
  g_free (migration);
}

void
migration_end (Migration *migration)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = migration->domain;

  domain->migration = NULL;
  if (domain->machine != NULL)
    machine_save_status (domain->machine);
  lock_release (domain->lock, migration);
  migration_free (migration);
}

/* The definition goes with its machine. */

typedef struct {
  char *uuid, *name;
} Leaving;

static void
leaving_free (gpointer data)
{
  Leaving *leaving = data;

  g_free (leaving->uuid);
  g_free (leaving->name);
  g_free (leaving);
}

static gboolean
leaving_check (Manager *manager, gpointer data, GError **error)
{
  return manager_find_uuid (manager, ((Leaving *)data)->uuid, error) != NULL;
}

static gboolean
leaving_write (Store *store, gpointer data, GError **error)
{
  const Leaving *leaving = data;

  return store_remove (store, leaving->uuid, leaving->name, error);
}

static void
leaving_done (Manager *manager, gpointer data, const GError *error)
{
  const Leaving *leaving = data;
  Domain *domain = manager_find_uuid (manager, leaving->uuid, NULL);

  if (error != NULL)
    g_warning ("domain '%s' has left, and its definition cannot be removed: %s", leaving->name,
               error->message);
  if (domain == NULL)
    return;
  if (error == NULL) {
    Migration *migration = g_steal_pointer (&domain->migration);

    manager_commit_undefine (manager, domain); /* which forgets it, unless it runs */
    domain = manager_find_uuid (manager, leaving->uuid, NULL);
    if (domain == NULL) {
      migration_free (migration);
      return;
    }
    domain->migration = migration;
  }
  if (domain->migration != NULL)
    migration_end (domain->migration);
}

static const ChangeKind leaving_change = { "migrated", leaving_check, leaving_write, leaving_done };

static void
remove_definition (Domain *domain)
{
  Leaving *leaving = g_new0 (Leaving, 1);

  leaving->uuid = g_strdup (domain->uuid);
  leaving->name = g_strdup (domain->name);
  change_start (domain->manager, &leaving_change, leaving, leaving_free);
}

void
migration_machine_ended (Domain *domain)
{
  Migration *migration = domain->migration;

  if (migration == NULL)
    return;
  if (!migration->busy && domain->progress != NULL)
    progress_end (domain->progress, VIR_DOMAIN_JOB_FAILED);
  if (!migration->busy)
    g_clear_pointer (&domain->progress, progress_unref);
  if (domain->persistent
      && ((migration->phase == MIGRATION_CONFIRM && (migration->flags & VIR_MIGRATE_UNDEFINE_SOURCE) != 0)
          || (migration_is_incoming (migration) && migration->defined)))
    remove_definition (domain);
  else
    migration_end (migration);
}

void
migration_let_go (Migration *migration, Call *call)
{
  Domain *domain = migration->domain;

  migration->waiting = call;
  migration_set_phase (migration, MIGRATION_CONFIRM);
  if (domain->machine == NULL || (migration->flags & VIR_MIGRATE_OFFLINE) != 0) {
    if (domain->persistent && (migration->flags & VIR_MIGRATE_UNDEFINE_SOURCE) != 0)
      remove_definition (domain);
    else
      migration_end (migration);
    return;
  }
  machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_MIGRATED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED);
}

Migration *
migration_found (Domain *domain, const MachineStatus *status)
{
  Migration *migration;
  int phase = -1;

  for (int i = 0; status->migration_phase != NULL && i < MIGRATION_PHASES; i++)
    if (g_str_equal (phase_words[i], status->migration_phase))
      phase = i;
  if (phase < 0)
    return NULL;
  migration = g_new0 (Migration, 1);
  count++;
  migration->domain = domain;
  migration->phase = (MigrationPhase)phase;
  migration->flags = (guint64)status->migration_flags;
  migration->ran = status->migration_ran;
  migration->defined = status->migration_ran;
  migration->peer = g_strdup (status->migration_peer);
  domain->migration = migration;
  return migration;
}

void
migration_abandoned (Migration *migration)
{
  MAIN_LOOP_ONLY ();

  Domain *domain = migration->domain;

  g_clear_pointer (&migration->client, g_free);
  if (migration->phase == MIGRATION_PERFORM && domain->progress != NULL) {
    progress_give_up (domain->progress);
    return;
  }
  if (migration->busy || migration->phase == MIGRATION_CONFIRM || migration->phase == MIGRATION_TAKE_BACK)
    return;
  if (migration->phase == MIGRATION_PERFORMED)
    g_warning (
        "domain '%s' was migrated, and its client has gone before it said whether it runs on the target: "
        "it stays paused here; resume it if it does not, destroy it if it does",
        domain->name);
  if (migration->phase == MIGRATION_PREPARED && domain->machine != NULL)
    machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
  else if (migration->offline != NULL && !domain->persistent && domain->machine == NULL) {
    migration_end (migration);
    manager_remove (domain->manager, domain);
  } else
    migration_end (migration);
}

void
migration_client_ended (Manager *manager, const char *id)
{
  g_autoptr (GPtrArray) domains = count > 0 ? manager_list (manager) : g_ptr_array_new ();

  for (guint i = 0; i < domains->len; i++) {
    Migration *migration = ((Domain *)g_ptr_array_index (domains, i))->migration;

    if (migration != NULL && g_strcmp0 (migration->client, id) == 0)
      migration_abandoned (migration);
  }
}
