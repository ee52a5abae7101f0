/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A machine that has come: its state is whole, it is defined where that was asked for, and then it runs; from
 * that instant on it is this side's. What fails before leaves nothing here, and the source goes on.
 */
#include "daemon/domain/domain-migration.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/object/change.h"
#include "daemon/ops/domain/migrate-arguments.h"
#include "daemon/ops/ops.h"

typedef struct {
  Call *call;
  Manager *manager;
  char *uuid, *name;
  guint64 flags;
  GVariant *cookie_bytes;  /* the source's last cookie */
  MigrationCookie *cookie; /* the same, once it is read */
  MigrateIn *in;
  Qmp *qmp; /* NULL: there is no machine */
  DomainDef *live;
  DomainDef *def; /* what is to be defined; or NULL */
  char *text, *completed;
  Author *author;
  gboolean postcopy;
  gboolean runs; /* its CPUs were told to run */
} Finish;

static void
finish_free (gpointer data)
{
  Finish *finish = data;

  migration_cookie_free (finish->cookie);
  g_clear_pointer (&finish->cookie_bytes, g_variant_unref);
  g_clear_pointer (&finish->qmp, qmp_unref);
  g_clear_pointer (&finish->live, domain_def_unref);
  g_clear_pointer (&finish->def, domain_def_unref);
  migrate_in_free (finish->in);
  g_free (finish->uuid);
  g_free (finish->name);
  g_free (finish->text);
  g_free (finish->completed);
  author_free (finish->author);
  g_free (finish);
}

static Migration *
migration_of (const Finish *finish)
{
  Domain *domain = manager_find_uuid (finish->manager, finish->uuid, NULL);

  return domain != NULL ? domain->migration : NULL;
}

/* The machine is not ours: it ends, and with it the call. */
static void
fail (Finish *finish, const GError *error)
{
  Call *call = finish->call;
  Migration *migration = migration_of (finish);
  Domain *domain = migration != NULL ? migration->domain : NULL;

  g_warning ("domain '%s' could not be migrated to here: %s", finish->name, error->message);
  if (domain != NULL) {
    domain->job = NULL;
    migration->busy = FALSE;
    domain_end_progress (domain, error);
  }
  if (domain != NULL && domain->machine != NULL)
    machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
  else if (domain != NULL) {
    migration_end (migration);
    if (!domain->persistent)
      manager_remove (finish->manager, domain);
  }
  call_fail (call, g_error_copy (error));
}

/* What it has come with, as the source said it; what clients ask for afterwards. */
static void
tell_statistics (Domain *domain, const MigrationCookie *cookie)
{
  const guint64 *said = cookie != NULL ? cookie->statistics : NULL;

  if (domain->progress == NULL)
    return;
  if (said != NULL && cookie->has_statistics)
    progress_set (domain->progress,
                  &(ProgressFigures){ .total = said[MIGRATION_MEMORY_TOTAL],
                                      .processed = said[MIGRATION_MEMORY_PROCESSED],
                                      .remaining = said[MIGRATION_MEMORY_REMAINING],
                                      .constant = said[MIGRATION_MEMORY_CONSTANT],
                                      .normal = said[MIGRATION_MEMORY_NORMAL],
                                      .normal_bytes = said[MIGRATION_MEMORY_NORMAL_BYTES],
                                      .page_size = said[MIGRATION_MEMORY_PAGE_SIZE],
                                      .iteration = said[MIGRATION_MEMORY_ITERATION],
                                      .bytes_per_second = said[MIGRATION_MEMORY_BPS],
                                      .dirty_pages_per_second = said[MIGRATION_MEMORY_DIRTY_RATE],
                                      .postcopy_requests = said[MIGRATION_MEMORY_POSTCOPY_REQS],
                                      .downtime = said[MIGRATION_DOWNTIME],
                                      .setup_time = said[MIGRATION_SETUP_TIME],
                                      .is_memory = TRUE });
  progress_end (domain->progress, VIR_DOMAIN_JOB_COMPLETED);
  progress_unref (domain->completed);
  domain->completed = g_steal_pointer (&domain->progress);
}

/* It is ours. */
static void
succeed (Finish *finish, Migration *migration)
{
  Call *call = finish->call;
  Domain *domain = migration->domain;
  Machine *machine = domain->machine;
  g_autoptr (MigrationCookie) cookie =
      migrate_cookie_new (finish->manager->settings, migration->name_there, domain->uuid);

  domain->job = NULL;
  tell_statistics (domain, finish->cookie);
  if (machine != NULL && machine->starting) {
    machine->starting = FALSE;
    if (finish->flags & VIR_MIGRATE_PAUSED)
      domain_set_state (domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VIR_DOMAIN_EVENT_SUSPENDED,
                        VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
  }
  migration_end (migration);
  call_answer (call,
               g_variant_new ("(@(sayi)@ay)", call_domain_value (domain), migrate_cookie_value (cookie)));
}

static gpointer
run_job (Job *job, gpointer data, GError **error)
{
  Finish *finish = data;

  if (!qmp_run (finish->qmp, job, "cont", NULL, error))
    return NULL;
  finish->runs = TRUE;
  return !finish->postcopy || migrate_in_wait (finish->in, FALSE, finish->qmp, job, error) ? JOB_OK : NULL;
}

static void
ran (gpointer result, const GError *error, gpointer data)
{
  Finish *finish = data;
  Migration *migration = migration_of (finish);
  g_autoptr (GError) gone = NULL;

  if (migration == NULL) {
    virt_error_set (&gone, VIR_ERR_OPERATION_FAILED, "domain '%s' has ended", finish->name);
    fail (finish, gone);
  } else if (result != NULL || finish->runs) {
    if (error != NULL)
      g_warning ("domain '%s' runs, and what is left of its memory does not come: %s", finish->name,
                 error->message);
    succeed (finish, migration);
  } else {
    fail (finish, error);
  }
}

static void
run (Finish *finish)
{
  Migration *migration = migration_of (finish);
  Domain *domain = migration->domain;
  Machine *machine = domain->machine;

  if (machine == NULL || (finish->flags & VIR_MIGRATE_PAUSED)) {
    succeed (finish, migration);
    return;
  }
  /* From here on it does not end with its client: it may run. */
  g_clear_pointer (&migration->client, g_free);
  machine_events_expect_run (
      machine->events, finish->postcopy ? VIR_DOMAIN_RUNNING_POSTCOPY : VIR_DOMAIN_RUNNING_MIGRATED,
      finish->postcopy ? VIR_DOMAIN_EVENT_RESUMED_POSTCOPY : VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
  migration_set_phase (migration, MIGRATION_FINISH);
  domain->job =
      job_start ("migrate-run", run_job, finish, NULL, finish->manager->settings->call_timeout, ran, finish);
}

/* The definition. */

static gboolean
define_check (Manager *manager, gpointer data, GError **error)
{
  const Finish *finish = data;

  return migration_of (finish) != NULL
         && manager_check_identity (manager, finish->def->name, finish->def->uuid, NULL, error);
}

static gboolean
define_write (Store *store, gpointer data, GError **error)
{
  const Finish *finish = data;

  return store_save (store, finish->def->uuid, finish->def->name, finish->text, finish->completed,
                     finish->author, error);
}

static void
defined (Manager *manager, gpointer data, const GError *error)
{
  Finish *finish = data;
  Migration *migration = migration_of (finish);
  g_autoptr (GError) gone = NULL;

  if (error != NULL) {
    fail (finish, error);
    return;
  }
  if (migration == NULL) {
    virt_error_set (&gone, VIR_ERR_OPERATION_FAILED, "domain '%s' has ended", finish->name);
    fail (finish, gone);
    return;
  }
  manager_commit_definition (manager, finish->def, g_ptr_array_new_with_free_func (g_free));
  migration->domain->updated = FALSE; /* it is what runs */
  run (finish);
}

static const ChangeKind define_change = { "migrate-define", define_check, define_write, defined };

static gboolean
make_definition (Finish *finish, GError **error)
{
  const Manager *manager = finish->manager;
  g_autofree char *own = NULL;
  const char *said = finish->cookie != NULL ? finish->cookie->document : NULL;

  if (!(finish->flags & VIR_MIGRATE_PERSIST_DEST))
    return TRUE;
  if (said == NULL)
    said = own = domain_def_to_xml (finish->live, DOMAIN_WRITE_SECURE);
  finish->def = definition_parse (manager->platform, said, FALSE, NULL, error);
  if (finish->def == NULL)
    return FALSE;
  if (g_strcmp0 (finish->def->uuid, finish->uuid) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "the definition that came with domain '%s' is of another UUID: %s", finish->name,
                    finish->def->uuid);
    return FALSE;
  }
  g_free (finish->def->name);
  finish->def->name = g_strdup (finish->name);
  finish->text = domain_def_to_xml (finish->def, DOMAIN_WRITE_SECURE);
  finish->completed = g_strdup (finish->text);
  return TRUE;
}

static gpointer
arrive_job (Job *job, gpointer data, GError **error)
{
  Finish *finish = data;
  g_autoptr (GError) bad = NULL;

  finish->cookie = migrate_cookie_of_value (finish->cookie_bytes, &bad);
  if (bad != NULL) {
    g_propagate_error (error, g_steal_pointer (&bad));
    return NULL;
  }
  if (finish->qmp != NULL) {
    gboolean came =
        migrate_in_wait (finish->in, (finish->flags & VIR_MIGRATE_POSTCOPY) != 0, finish->qmp, job, error);

    migrate_in_close (finish->in, finish->qmp, job);
    if (!came)
      return NULL;
  }
  if (finish->qmp != NULL && (finish->flags & VIR_MIGRATE_POSTCOPY)) {
    g_autofree char *status = migration_ask (finish->qmp, job, NULL, NULL, error);

    if (status == NULL)
      return NULL;
    finish->postcopy = g_str_has_prefix (status, "postcopy-");
  }
  return make_definition (finish, error) ? JOB_OK : NULL;
}

static void
arrived (gpointer result, const GError *error, gpointer data)
{
  Finish *finish = data;
  Migration *migration = migration_of (finish);
  g_autoptr (GError) gone = NULL;

  if (migration == NULL) {
    virt_error_set (&gone, VIR_ERR_OPERATION_FAILED, "domain '%s' has ended", finish->name);
    fail (finish, gone);
  } else if (result == NULL) {
    fail (finish, error);
  } else if (finish->def != NULL) {
    migration->defined = !migration->domain->persistent;
    migration_set_phase (migration, MIGRATION_PREPARED); /* for a daemon that is to undo it */
    change_start (finish->manager, &define_change, finish, NULL);
  } else {
    run (finish);
  }
}

/* Calls. */

static void
cancel (Call *call, Migration *migration)
{
  Domain *domain = migration->domain;
  g_autoptr (GError) error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_ABORTED, "the source has given up the migration of domain '%s'",
                  domain->name);
  domain_end_progress (domain, error);
  if (domain->machine != NULL) {
    machine_end (domain->machine, FALSE, VIR_DOMAIN_SHUTOFF_FAILED, VIR_DOMAIN_EVENT_STOPPED_FAILED);
  } else {
    Manager *manager = domain->manager;

    migration_end (migration);
    if (!domain->persistent)
      manager_remove (manager, domain);
  }
  call_fail (call, g_steal_pointer (&error));
}

static void
finish_call (Call *call, const char *name, guint cookie, guint64 flags, gboolean cancelled)
{
  GError *error = NULL;
  Domain *domain = manager_find_name (call->manager, name, &error);
  Migration *migration = domain != NULL ? domain->migration : NULL;
  Finish *finish;

  if (domain != NULL
      && (migration == NULL || migration->busy || migration->phase != MIGRATION_PREPARED
          || g_strcmp0 (migration->client, call->client->id) != 0))
    virt_error_set (&error, VIR_ERR_OPERATION_INVALID, "domain '%s' is not processing incoming migration",
                    name);
  if (error != NULL) {
    call_fail (call, error);
    return;
  }
  if (cancelled) {
    cancel (call, migration);
    return;
  }
  finish = g_new0 (Finish, 1);
  call->user_data = finish;
  call->user_free = finish_free;
  *finish = (Finish){ .call = call,
                      .manager = call->manager,
                      .uuid = g_strdup (domain->uuid),
                      .name = g_strdup (domain->name),
                      .flags = flags,
                      .cookie_bytes = g_variant_get_child_value (call->arguments, cookie),
                      .in = g_steal_pointer (&migration->in),
                      .live = domain_def_ref (domain->machine != NULL ? domain->machine->def
                                                                      : migration->offline) };
  if (domain->machine != NULL)
    finish->qmp = qmp_ref (domain->machine->qmp);
  finish->author = call_author (call);
  migration->busy = TRUE;
  migration->flags = flags;
  domain->job = job_start ("migrate-finish", arrive_job, finish, NULL, call->manager->settings->call_timeout,
                           arrived, finish);
}

void
op_domain_migrate_finish3_params (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 0);
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  guint64 flags = call_uint (call, 2);

  if (!migrate_arguments_read (&arguments, parameters, flags, call->manager->settings, &error))
    call_fail (call, error);
  else if (arguments.name == NULL)
    call_fail_with (call, VIR_ERR_INTERNAL_ERROR, "missing domain name");
  else
    finish_call (call, arguments.name, 1, flags, call_int (call, 3) != 0);
  migrate_arguments_clear (&arguments);
}

void
op_domain_migrate_finish3 (Call *call)
{
  finish_call (call, call_string (call, 0), 1, call_ulong (call, 4), call_int (call, 5) != 0);
}
