/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A migration from peer to peer: the daemon does all that a client would, speaking to the target's daemon
 * itself, in one job that reads from top to bottom. What must be known at a next start is written down by the
 * main loop between the steps. If the target's last answer does not come, the machine stands still here, and
 * the target is asked until it says whose the machine is.
 */
#include "daemon/ops/domain/migrate.h"
#include "daemon/ops/ops.h"
#include "daemon/rpc/remote.h"

#define ASK_FIRST_PAUSE 200   /* ms between two questions whose a machine is, at first */
#define ASK_LAST_PAUSE  10000 /* and in the end */

enum { FEATURE_V3 = 6, FEATURE_OFFLINE = 12, FEATURE_PARAMETERS = 13 }; /* VIR_DRV_FEATURE_MIGRATION_* */
enum { PREPARE3_PARAMS = 303, FINISH3_PARAMS = 306, LOOKUP_BY_UUID = 24, GET_STATE = 212 };

typedef enum { TARGET_HAS_NOT, TARGET_HAS, TARGET_UNKNOWN } TargetAnswer;

typedef struct {
  MigrateSource *source;
  Job *job;
  Remote *remote;
  guint64 flags;             /* for the target */
  MigrationCookie *answered; /* its cookie */
  GVariant *last;            /* our last cookie, ay */
  gboolean prepared;
  MigrationPhase phase; /* to be written down */
  TargetAnswer outcome;
} Peer;

static GVariant *
cookie_value (const MigrationCookie *cookie)
{
  return g_variant_ref_sink (migrate_cookie_value (cookie));
}

/* In the main loop. */

static void
write_phase (gpointer data)
{
  Peer *peer = data;
  Domain *domain = manager_find_uuid (peer->source->manager, peer->source->uuid, NULL);

  if (domain != NULL && domain->migration != NULL)
    migration_set_phase (domain->migration, peer->phase);
}

static void
begin_transfer (gpointer data)
{
  Peer *peer = data;
  Domain *domain = manager_find_uuid (peer->source->manager, peer->source->uuid, NULL);

  if (domain == NULL || domain->migration == NULL || domain->machine == NULL)
    return;
  migrate_source_set_out (peer->source, domain);
  peer->source->out->disks_port = peer->answered != NULL ? peer->answered->nbd_port : 0;
  migration_set_phase (domain->migration, MIGRATION_PERFORM);
}

static void
set_phase (Peer *peer, MigrationPhase phase)
{
  peer->phase = phase;
  job_in_main_loop (peer->job, write_phase, peer);
}

/* The steps. */

static gboolean
check_target (Peer *peer, GError **error)
{
  gboolean offline = (peer->source->arguments.flags & VIR_MIGRATE_OFFLINE) != 0;

  if (!remote_supports (peer->remote, peer->job, FEATURE_V3)
      || !remote_supports (peer->remote, peer->job, FEATURE_PARAMETERS)
      || (offline && !remote_supports (peer->remote, peer->job, FEATURE_OFFLINE))) {
    virt_error_set (error, VIR_ERR_ARGUMENT_UNSUPPORTED,
                    "the daemon at '%s' does not know %smigration with parameters (version 3)",
                    peer->source->arguments.peer, offline ? "offline " : "");
    return FALSE;
  }
  return TRUE;
}

static gboolean
prepare (Peer *peer, GError **error)
{
  MigrateSource *source = peer->source;
  g_autoptr (GVariant) cookie = cookie_value (source->cookie), answer = NULL, bytes = NULL;
  g_autoptr (GError) bad = NULL;
  g_autofree char *uri = NULL;

  job_extend_deadline (peer->job, start_job_seconds (source->manager->settings)
                                      + source->manager->settings->call_timeout);
  answer = remote_call (peer->remote, peer->job, PREPARE3_PARAMS, "aP{64}ay{4194304}u", "ay{4194304}ms",
                        g_variant_new ("(@a{sv}@ayu)",
                                       migrate_arguments_write (&source->arguments, source->document), cookie,
                                       (guint32)peer->flags),
                        error);
  if (answer == NULL)
    return FALSE;
  peer->prepared = TRUE;
  g_variant_get (answer, "(@ayms)", &bytes, &uri);
  peer->answered = migrate_cookie_of_value (bytes, &bad);
  if (bad != NULL) {
    g_propagate_error (error, g_steal_pointer (&bad));
    return FALSE;
  }
  if (uri != NULL) {
    g_free (source->arguments.uri);
    source->arguments.uri = g_steal_pointer (&uri);
  }
  if (source->arguments.uri != NULL || (peer->flags & VIR_MIGRATE_OFFLINE))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "domainMigratePrepare3 did not set uri");
  return FALSE;
}

static gboolean
perform (Peer *peer, GError **error)
{
  MigrateSource *source = peer->source;
  g_autoptr (MigrationCookie) cookie = NULL;

  if (peer->flags & VIR_MIGRATE_OFFLINE) {
    cookie = migrate_source_last_cookie (source);
    peer->last = cookie_value (cookie);
    return TRUE;
  }
  job_in_main_loop (peer->job, begin_transfer, peer);
  if (source->out == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "domain is not running");
    return FALSE;
  }
  if (!migrate_out_perform (source->out, peer->job, error))
    return FALSE;
  cookie = migrate_source_last_cookie (source);
  peer->last = cookie_value (cookie);
  set_phase (peer, MIGRATION_PERFORMED);
  return TRUE;
}

/* What it answers decides; where it does not answer, nothing is decided. */
static void
finish (Peer *peer, gboolean cancelled, GError **error)
{
  MigrateSource *source = peer->source;
  const char *name = source->arguments.name != NULL ? source->arguments.name : source->name;
  g_autoptr (GVariant) answer = NULL, cookie = NULL;
  GVariantBuilder parameters = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{sv}"));

  g_variant_builder_add (&parameters, "{sv}", VIR_MIGRATE_PARAM_DEST_NAME, g_variant_new_string (name));
  cookie = peer->last != NULL ? g_variant_ref (peer->last) : cookie_value (NULL);
  /* The rest of the memory follows in post-copy, which takes its time. */
  job_extend_deadline (peer->job, source->out != NULL && source->out->postcopy
                                      ? G_MAXINT
                                      : 2 * source->manager->settings->call_timeout);
  answer = remote_call (peer->remote, peer->job, FINISH3_PARAMS, "aP{64}ay{4194304}ui", "Day{4194304}",
                        g_variant_new ("(@a{sv}@ayui)", g_variant_builder_end (&parameters), cookie,
                                       (guint32)peer->flags, cancelled ? 1 : 0),
                        error);
  peer->outcome = answer != NULL                  ? TARGET_HAS
                  : remote_is_lost (peer->remote) ? TARGET_UNKNOWN
                                                  : TARGET_HAS_NOT;
  job_extend_deadline (peer->job, source->manager->settings->call_timeout);
}

/* What became of it is settled here as far as QEMU is concerned. */
static gboolean
settle (Peer *peer, GError **error)
{
  MigrateOut *out = peer->source->out;

  if (peer->outcome == TARGET_HAS)
    return out == NULL || !out->postcopy || migrate_out_wait (out, peer->job, error);
  if (peer->outcome == TARGET_HAS_NOT && out != NULL && peer->last != NULL) {
    set_phase (peer, MIGRATION_TAKE_BACK);
    migrate_out_take_back (out, peer->job, NULL);
  }
  return FALSE;
}

static gpointer
peer_job (Job *job, gpointer data, GError **error)
{
  Peer *peer = data;
  MigrateSource *source = peer->source;
  GError *problem = NULL;

  peer->job = job;
  peer->flags = source->arguments.flags & ~(guint64)(VIR_MIGRATE_ABORT_ON_ERROR | VIR_MIGRATE_AUTO_CONVERGE);
  if (source->active && !source->running)
    peer->flags |= VIR_MIGRATE_PAUSED;
  job_extend_deadline (job, 2 * source->manager->settings->call_timeout); /* remote_open has its own limit */
  peer->remote = remote_open (source->arguments.peer, source->manager->settings->call_timeout, job, error);
  if (peer->remote == NULL || !check_target (peer, error))
    return NULL;
  if (!prepare (peer, &problem) || !perform (peer, &problem)) {
    if (peer->prepared && !remote_is_lost (peer->remote))
      finish (peer, TRUE, NULL);
    peer->outcome = TARGET_HAS_NOT;
    g_propagate_error (error, problem);
    return NULL;
  }
  finish (peer, FALSE, error);
  return settle (peer, error) ? JOB_OK : NULL;
}

static void
peer_free (gpointer data)
{
  Peer *peer = data;

  remote_free (peer->remote);
  migration_cookie_free (peer->answered);
  g_clear_pointer (&peer->last, g_variant_unref);
  g_free (peer);
}

static void
peer_done (gpointer result, const GError *error, gpointer data)
{
  const Peer *peer = data;
  Call *call = peer->source->call;
  Domain *domain = manager_find_uuid (peer->source->manager, peer->source->uuid, NULL);
  Migration *migration = domain != NULL ? domain->migration : NULL;

  if (domain != NULL) {
    domain->job = NULL;
    domain_end_progress (domain, error);
  }
  if (migration != NULL)
    migration->busy = FALSE;
  if (result != NULL && migration != NULL) {
    migration_let_go (migration, call);
    return;
  } else if (migration != NULL && peer->outcome == TARGET_UNKNOWN) {
    migrate_resolve (domain);
  } else if (migration != NULL) {
    migration_end (migration);
  }
  if (error != NULL)
    call_fail (call, g_error_copy (error));
  else
    call_answer (call, g_str_equal (call->operation->out, "-")
                           ? g_variant_new ("()")
                           : g_variant_new ("(@ay)", migrate_cookie_value (NULL)));
}

static void
begun (MigrateSource *source)
{
  Call *call = source->call;
  Domain *domain = call->domain;
  Migration *migration = migration_new (domain, call, MIGRATION_BEGUN, source->arguments.flags);
  Peer *peer = g_new0 (Peer, 1);

  migration->ran = source->running;
  migration->busy = TRUE;
  migration->peer = g_strdup (source->arguments.peer);
  peer->source = source;
  domain->job = job_start ("migrate-peer", peer_job, peer, peer_free, 0, peer_done, peer);
}

void
migrate_peer (MigrateSource *source)
{
  if (source->arguments.peer == NULL)
    call_fail_with (source->call, VIR_ERR_INVALID_ARG,
                    "a migration from peer to peer needs the URI of the target's daemon");
  else
    migrate_source_begin (source, begun);
}

/* Whose is it? */

typedef struct {
  Manager *manager;
  char *uuid, *peer;
  int id;
  MigrateOut *out;
  TargetAnswer answer;
} Question;

static void
question_free (gpointer data)
{
  Question *question = data;

  g_free (question->uuid);
  g_free (question->peer);
  migrate_out_free (question->out);
  g_free (question);
}

/* A machine that came and was not finished has failed there, or was destroyed with its client; one that has
 * ended otherwise has run. */
static TargetAnswer
read_state (int state, int reason)
{
  if (state == VIR_DOMAIN_PAUSED
      && (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_STARTING_UP))
    return TARGET_UNKNOWN; /* not yet */
  if (state == VIR_DOMAIN_SHUTOFF
      && (reason == VIR_DOMAIN_SHUTOFF_FAILED || reason == VIR_DOMAIN_SHUTOFF_DESTROYED
          || reason == VIR_DOMAIN_SHUTOFF_UNKNOWN))
    return TARGET_HAS_NOT;
  return TARGET_HAS;
}

static TargetAnswer
ask_target (const Question *question, Job *job)
{
  g_autoptr (Remote) remote = remote_open (question->peer, question->out->patience, job, NULL);
  g_autoptr (GVariant) uuid = g_variant_ref_sink (call_uuid_value (question->uuid)), found = NULL,
                       handle = NULL, state = NULL;
  g_autoptr (GError) error = NULL;
  gint32 number = 0, reason = 0;

  if (remote == NULL)
    return TARGET_UNKNOWN;
  found = remote_call (remote, job, LOOKUP_BY_UUID, "U", "D", g_variant_new ("(@ay)", uuid), &error);
  if (found == NULL)
    return error != NULL && virt_error_code (error) == VIR_ERR_NO_DOMAIN ? TARGET_HAS_NOT : TARGET_UNKNOWN;
  handle = g_variant_get_child_value (found, 0);
  state = remote_call (remote, job, GET_STATE, "Du", "ii", g_variant_new ("(@(sayi)u)", handle, 0), NULL);
  if (state == NULL)
    return TARGET_UNKNOWN;
  g_variant_get (state, "(ii)", &number, &reason);
  return read_state (number, reason);
}

static gpointer
resolve_job (Job *job, gpointer data, GError **error)
{
  Question *question = data;
  guint pause = ASK_FIRST_PAUSE;

  for (;;) {
    job_extend_deadline (job, question->out->patience);
    question->answer = ask_target (question, job);
    if (question->answer != TARGET_UNKNOWN)
      break;
    if (!job_check (job, error))
      return NULL;
    progress_wait (question->out->progress, pause);
    pause = MIN (pause * 2, ASK_LAST_PAUSE);
  }
  if (question->answer == TARGET_HAS)
    return JOB_OK;
  return migrate_out_take_back (question->out, job, error) ? JOB_OK : NULL;
}

static void
resolved (gpointer result, const GError *error, gpointer data)
{
  const Question *question = data;
  Domain *domain = manager_find_uuid (question->manager, question->uuid, NULL);
  Migration *migration = domain != NULL && domain->id == question->id ? domain->migration : NULL;

  if (migration == NULL)
    return;
  domain->job = NULL;
  migration->busy = FALSE;
  if (error != NULL)
    g_warning ("domain '%s' was migrated, and whether it runs on '%s' cannot be told: %s", domain->name,
               question->peer, error->message);
  else
    g_message ("domain '%s' %s", domain->name,
               question->answer == TARGET_HAS
                   ? "runs on the host it was migrated to"
                   : "was not taken by the host it was migrated to, and runs on here");
  if (result != NULL && question->answer == TARGET_HAS)
    migration_let_go (migration, NULL);
  else
    migration_end (migration);
}

void
migrate_resolve (Domain *domain)
{
  Migration *migration = domain->migration;
  const Machine *machine = domain->machine;
  g_autoptr (Progress) progress = progress_new (VIR_DOMAIN_JOB_OPERATION_MIGRATION_OUT);
  MigrationSettings settings = { .flags = migration->flags };
  Question *question;

  if (machine == NULL) {
    migration_end (migration);
    return;
  }
  g_message ("domain '%s' was migrated to '%s', which has not said whether it runs there: it is asked",
             domain->name, migration->peer);
  question = g_new0 (Question, 1);
  *question = (Question){ domain->manager,
                          g_strdup (domain->uuid),
                          g_strdup (migration->peer),
                          domain->id,
                          migrate_out_new (machine->qmp, machine->def, &settings, progress,
                                           domain->manager->settings->call_timeout),
                          TARGET_UNKNOWN };
  question->out->ran = migration->ran;
  migration->busy = TRUE;
  machine_events_expect_run (machine->events, VIR_DOMAIN_RUNNING_MIGRATION_CANCELED,
                             VIR_DOMAIN_EVENT_RESUMED_MIGRATED);
  domain->job = job_start ("migrate-ask", resolve_job, question, question_free, 0, resolved, question);
}
