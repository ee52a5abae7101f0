/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A migration that a client manages, on the source: begin, perform, confirm, each in libvirt's newer form
 * with typed parameters and in the older one. Between them the migration holds the domain's lock, if the
 * client asked to be protected against changes; else from perform on.
 */
#include "daemon/ops/domain/migrate-source.h"
#include "daemon/ops/domain/migrate.h"
#include "daemon/ops/ops.h"

/* Begin. */

static void
begun (MigrateSource *source)
{
  Call *call = source->call;
  g_autoptr (GVariant) cookie = g_variant_ref_sink (migrate_cookie_value (source->cookie));

  if (source->arguments.flags & VIR_MIGRATE_CHANGE_PROTECTION) {
    Migration *migration = migration_new (call->domain, call, MIGRATION_BEGUN, source->arguments.flags);

    migration->ran = source->running;
    migration_bind (migration, call->client);
  }
  call_answer (call, g_variant_new ("(@ays)", cookie, source->document));
}

static void
begin (Call *call, gboolean read, MigrateArguments *arguments, GError *error)
{
  if (read)
    migrate_source_begin (migrate_source_new (call, arguments), begun);
  else
    call_fail (call, error);
  migrate_arguments_clear (arguments);
}

/* The typed parameters in argument @index. */
static gboolean
read_parameters (Call *call, guint index, guint64 flags, MigrateArguments *ret, GError **error)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, index);

  return migrate_arguments_read (ret, parameters, flags, call->manager->settings, error);
}

void
op_domain_migrate_begin3_params (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read = read_parameters (call, 1, call_uint (call, 2), &arguments, &error);

  begin (call, read, &arguments, error);
}

void
op_domain_migrate_begin3 (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read = migrate_arguments_read_plain (&arguments, call_maybe_string (call, 3), NULL,
                                                call_maybe_string (call, 1), call_ulong (call, 2),
                                                call_ulong (call, 4), call->manager->settings, &error);

  begin (call, read, &arguments, error);
}

/* Perform. */

static gpointer
perform_job (Job *job, gpointer data, GError **error)
{
  MigrateSource *source = data;
  g_autoptr (GError) bad = NULL;
  g_autoptr (MigrationCookie) cookie = migrate_cookie_of_value (source->answered, &bad);

  if (bad != NULL) {
    g_propagate_error (error, g_steal_pointer (&bad));
    return NULL;
  }
  source->out->disks_port = cookie != NULL ? cookie->nbd_port : 0;
  return migrate_out_perform (source->out, job, error) ? JOB_OK : NULL;
}

/* The machine stands here as it did. A client that was protected confirms that it knows. */
static void
perform_failed (Domain *domain, Migration *migration, const GError *error)
{
  domain_end_progress (domain, error);
  if ((migration->flags & VIR_MIGRATE_CHANGE_PROTECTION) && migration->client != NULL)
    migration_set_phase (migration, MIGRATION_BEGUN);
  else
    migration_end (migration);
}

static void
performed (gpointer result, const GError *error, gpointer data)
{
  MigrateSource *source = data;
  Call *call = source->call;
  Domain *domain = manager_find_uuid (source->manager, source->uuid, NULL);
  Migration *migration = domain != NULL ? domain->migration : NULL;

  if (domain != NULL)
    domain->job = NULL;
  if (migration != NULL)
    migration->busy = FALSE;
  if (migration == NULL) {
    g_autoptr (GError) ended = NULL;

    virt_error_set (&ended, VIR_ERR_OPERATION_FAILED, "domain is not running");
    if (domain != NULL)
      domain_end_progress (domain, ended);
    call_fail (call, g_steal_pointer (&ended));
  } else if (result == NULL) {
    perform_failed (domain, migration, error);
    call_fail (call, g_error_copy (error));
  } else {
    g_autoptr (MigrationCookie) cookie = migrate_source_last_cookie (source);

    migration_set_phase (migration, MIGRATION_PERFORMED);
    if (source->out->postcopy)
      domain_set_state (domain, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, -1, 0);
    call_answer (call, g_variant_new ("(@ay)", migrate_cookie_value (cookie)));
    if (migration->client == NULL) /* it has gone when all was over, and too late to give up */
      migration_abandoned (migration);
  }
}

static void
perform_prepared (MigrateSource *source)
{
  Call *call = source->call;
  Domain *domain = call->domain;
  Migration *migration = domain->migration;

  if (migration == NULL) {
    migration = migration_new (domain, call, MIGRATION_BEGUN, source->arguments.flags);
    migration_bind (migration, call->client);
  }
  migration->flags = source->arguments.flags;
  migration->ran = source->running;
  migrate_source_set_out (source, domain);
  source->answered =
      g_variant_get_child_value (call->arguments, g_variant_n_children (call->arguments) == 5 ? 3 : 2);
  migration->busy = TRUE;
  migration_set_phase (migration, MIGRATION_PERFORM);
  domain->job = job_start ("migrate", perform_job, source, NULL, call->manager->settings->call_timeout,
                           performed, source);
}

/* From peer to peer, or one step of a client's. */
static void
perform (Call *call, gboolean read, MigrateArguments *arguments, GError *error)
{
  Migration *migration = call->domain->migration;
  MigrateSource *source;

  if (!read) {
    call_fail (call, error);
    migrate_arguments_clear (arguments);
    return;
  }
  source = migrate_source_new (call, arguments);
  if (source->arguments.flags & VIR_MIGRATE_PEER2PEER) {
    migrate_peer (source);
    return;
  }
  if (source->arguments.uri == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "no URI of the target's QEMU is given (parameter '%s')",
                    VIR_MIGRATE_PARAM_URI);
  else if (migration == NULL)
    migrate_source_begin (source, perform_prepared);
  else if (migration->phase != MIGRATION_BEGUN || migration->busy
           || g_strcmp0 (migration->client, call->client->id) != 0)
    call_fail_with (call, VIR_ERR_OPERATION_INVALID,
                    "domain '%s' is being migrated by another client, or is gone already",
                    call->domain->name);
  else
    migrate_source_prepare (source, perform_prepared);
}

void
op_domain_migrate_perform3_params (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read = read_parameters (call, 2, call_uint (call, 4), &arguments, &error);

  arguments.peer = g_strdup (call_maybe_string (call, 1));
  perform (call, read, &arguments, error);
}

void
op_domain_migrate_perform3 (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  gboolean read = migrate_arguments_read_plain (
      &arguments, call_maybe_string (call, 6), call_maybe_string (call, 4), call_maybe_string (call, 1),
      call_ulong (call, 5), call_ulong (call, 7), call->manager->settings, &error);

  arguments.peer = g_strdup (call_maybe_string (call, 3));
  perform (call, read, &arguments, error);
}

/* The whole, from peer to peer. */
void
op_domain_migrate_to_uri3 (Call *call)
{
  MigrateArguments arguments = { 0 };
  GError *error = NULL;
  guint64 flags = call_uint (call, 3);
  gboolean read = read_parameters (call, 2, flags, &arguments, &error);

  if (!(flags & VIR_MIGRATE_PEER2PEER) && read) {
    virt_error_set (&error, VIR_ERR_INVALID_ARG,
                    "use virDomainMigrate3 for a migration that is not from peer to "
                    "peer (VIR_MIGRATE_PEER2PEER)");
    read = FALSE;
  }
  arguments.peer = g_strdup (call_maybe_string (call, 1));
  perform (call, read, &arguments, error);
}

/* Confirm. */

typedef struct {
  Call *call;
  Manager *manager;
  char *uuid;
  MigrateOut *out;
  gboolean cancelled;
} Confirmation;

static void
confirmation_free (gpointer data)
{
  Confirmation *confirmation = data;

  g_free (confirmation->uuid);
  migrate_out_free (confirmation->out);
  g_free (confirmation);
}

static gpointer
confirm_job (Job *job, gpointer data, GError **error)
{
  Confirmation *confirmation = data;

  if (confirmation->cancelled)
    return migrate_out_take_back (confirmation->out, job, error) ? JOB_OK : NULL;
  return migrate_out_wait (confirmation->out, job, error) ? JOB_OK : NULL;
}

static void
confirmed (gpointer result, const GError *error, gpointer data)
{
  const Confirmation *confirmation = data;
  Call *call = confirmation->call;
  Domain *domain = manager_find_uuid (confirmation->manager, confirmation->uuid, NULL);
  Migration *migration = domain != NULL ? domain->migration : NULL;
  g_autoptr (GError) given_up = NULL;

  if (domain != NULL)
    domain->job = NULL;
  if (migration == NULL) {
    call_answer_nothing (call);
    return;
  }
  if (confirmation->cancelled)
    virt_error_set (&given_up, VIR_ERR_OPERATION_ABORTED, "the target has not taken the machine");
  domain_end_progress (domain, error != NULL ? error : given_up);
  if (result != NULL && !confirmation->cancelled) {
    migration_let_go (migration, call);
    return;
  }
  migration_end (migration);
  if (result != NULL)
    call_answer_nothing (call);
  else
    call_fail (call, g_error_copy (error));
}

static void
confirm_performed (Call *call, Domain *domain, Migration *migration, gboolean cancelled)
{
  Confirmation *confirmation = g_new0 (Confirmation, 1);
  MigrationSettings settings = { .flags = migration->flags };
  const Machine *machine = domain->machine;

  *confirmation = (Confirmation){ call, call->manager, g_strdup (domain->uuid), NULL, cancelled };
  if (domain->progress == NULL)
    domain->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
  confirmation->out = migrate_out_new (machine->qmp, machine->def, &settings, domain->progress,
                                       call->manager->settings->call_timeout);
  confirmation->out->ran = migration->ran;
  migration->busy = TRUE;
  if (cancelled) {
    machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_MIGRATION_CANCELED,
                               VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
    migration_set_phase (migration, MIGRATION_TAKE_BACK);
  }
  domain->job = job_start ("migrate-confirm", confirm_job, confirmation, confirmation_free,
                           call->manager->settings->call_timeout, confirmed, confirmation);
}

static void
offline_confirmed (Domain *domain, Call *call)
{
  Migration *migration = migration_new (domain, call, MIGRATION_BEGUN, *(const guint64 *)call->user_data);

  migration_let_go (migration, call);
}

static void
confirm (Call *call, guint64 flags, gboolean cancelled)
{
  Domain *domain = call->domain;
  Migration *migration = domain->migration;
  GError *error = NULL;

  if (migration == NULL && (flags & VIR_MIGRATE_OFFLINE) != 0) {
    if (cancelled || !(flags & VIR_MIGRATE_UNDEFINE_SOURCE))
      call_answer_nothing (call);
    else {
      call->user_data = g_memdup2 (&flags, sizeof flags);
      call->user_free = g_free;
      domain_lock (domain, "migration", call, offline_confirmed);
    }
  } else if (migration == NULL || migration->busy || migration_is_incoming (migration)
             || g_strcmp0 (migration->client, call->client->id) != 0) {
    call_fail_with (call, VIR_ERR_OPERATION_INVALID, "domain '%s' is not being migrated by this client",
                    domain->name);
  } else if (migration->phase == MIGRATION_PERFORMED && domain_check_monitor (domain, &error)) {
    migration->flags = flags | (migration->flags & VIR_MIGRATE_CHANGE_PROTECTION);
    confirm_performed (call, domain, migration, cancelled);
  } else if (error != NULL) {
    call_fail (call, error);
  } else if (!cancelled && (flags & VIR_MIGRATE_OFFLINE) != 0) {
    migration->flags = flags;
    migration_let_go (migration, call);
  } else {
    migration_end (migration); /* nothing has happened, or it was undone already */
    call_answer_nothing (call);
  }
}

void
op_domain_migrate_confirm3_params (Call *call)
{
  confirm (call, call_uint (call, 3), call_int (call, 4) != 0);
}

void
op_domain_migrate_confirm3 (Call *call)
{
  confirm (call, call_ulong (call, 2), call_int (call, 3) != 0);
}
