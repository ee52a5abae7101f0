/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A run of starts. Every policy is read before anything starts, as what one machine requires may bring more
 * of them. Then whatever has nobody before it starts, and each machine that has become ready (readiness.h),
 * or has not in its time, lets others begin; what waits for itself, or requires what failed, fails with the
 * reason, which is its record's (last-end.h) as that of any start.
 */
#include "daemon/domain/start-run.h"

#include "daemon/core/file.h"
#include "daemon/core/main-loop.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/last-end-record.h"
#include "daemon/domain/own-call.h"
#include "daemon/domain/readiness.h"
#include "domain/start-order.h"

#include <unistd.h>

#define LEFT_FILE "autostart"
#define LEFT_MAX  (8 * 1024 * 1024) /* bytes */

typedef struct {
  Manager *manager;
  const char *who;
  GHashTable *starts; /* name to Start */
  guint reading;      /* definitions */
  guint pending;      /* starts that have begun and are not over */
  gboolean changed;   /* what is left */
  ReadinessSubscription *ready;
} StartRun;

typedef enum { START_WAITS, START_DELAYED, START_BEGUN, START_OVER, START_FAILED } StartState;

typedef struct {
  StartRun *run;
  char *uuid, *name;
  Policy *policy; /* NULL: none */
  StartState state;
} Start;

static void
start_free (gpointer data)
{
  Start *start = data;

  policy_unref (start->policy);
  g_free (start->uuid);
  g_free (start->name);
  g_free (start);
}

/* What is left, one UUID a line. */

static char *
left_path (const Manager *manager)
{
  return g_build_filename (manager->settings->run_directory, LEFT_FILE, NULL);
}

static void
save_left (const StartRun *run)
{
  g_autofree char *path = left_path (run->manager);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (PreparedFile) file = NULL;
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, run->starts);
  while (g_hash_table_iter_next (&iter, NULL, &found)) {
    const Start *start = found;

    if (start->state == START_WAITS || start->state == START_DELAYED)
      g_string_append_printf (text, "%s\n", start->uuid);
  }
  if (text->len == 0) {
    unlink (path);
    return;
  }
  file = prepared_file_new (path, text->str, -1, 0600, FALSE, &error);
  if (file == NULL || !prepared_file_commit (file, &error))
    g_warning ("%s: %s", path, error->message);
}

GPtrArray *
start_run_left (const Manager *manager)
{
  g_autofree char *path = left_path (manager), *text = store_read_file (path, LEFT_MAX, NULL, NULL);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  GPtrArray *uuids = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      g_ptr_array_add (uuids, g_strdup (lines[i]));
  return uuids;
}

/* Starts. */

static void advance (StartRun *run);

static void
fail (Start *start, const GError *error)
{
  const Manager *manager = start->run->manager;

  start->state = START_FAILED;
  start->run->changed = TRUE;
  g_warning ("%s: %s", start->run->who, error->message);
  last_end_record_failed_start (manager->settings, start->uuid, start->name, error);
}

static void
started (G_GNUC_UNUSED GVariant *answer, const GError *error, gpointer data)
{
  Start *start = data;
  StartRun *run = start->run;
  const Domain *domain = manager_find_uuid (run->manager, start->uuid, NULL);
  gboolean runs = error == NULL || (domain != NULL && domain_is_active (domain));

  start->state = runs ? START_OVER : START_FAILED;
  if (!runs)
    g_warning ("%s: %s", run->who, error->message);
  run->pending--;
  advance (run);
}

static gboolean
begin_start (gpointer data)
{
  Start *start = data;
  Domain *domain = manager_find_uuid (start->run->manager, start->uuid, NULL);

  if (domain != NULL && !domain_is_active (domain)) {
    own_call (domain, start->run->who, OWN_CALL_START, NULL, started, start);
  } else {
    start->state = domain != NULL ? START_OVER : START_FAILED;
    start->run->pending--;
    advance (start->run);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
delay_over (gpointer data)
{
  Start *start = data;

  start->state = START_BEGUN;
  save_left (start->run);
  return begin_start (start);
}

/* Does one of them run, and may still become ready? Whoever started it. */
static gboolean
wait_for_ready (const StartRun *run, const GPtrArray *names)
{
  for (guint i = 0; names != NULL && i < names->len; i++) {
    const Domain *domain = manager_find_name (run->manager, g_ptr_array_index (names, i), NULL);

    if (domain != NULL && readiness_state (domain) == READY_WAITING)
      return TRUE;
  }
  return FALSE;
}

/* Is anything before it still to start, or to become ready? */
static gboolean
must_wait (const Start *start)
{
  g_autoptr (GPtrArray) before = start_order_before (start->policy, start->run->starts);

  if (start->policy != NULL
      && (wait_for_ready (start->run, start->policy->start.after)
          || wait_for_ready (start->run, start->policy->start.requires)))
    return TRUE;
  for (guint i = 0; i < before->len; i++) {
    const Start *other = g_hash_table_lookup (start->run->starts, g_ptr_array_index (before, i));

    if (other->state != START_OVER && other->state != START_FAILED)
      return TRUE;
  }
  return FALSE;
}

/* Why one that it requires is of no use to it; NULL: it has all. (transfer full) */
static char *
missing_requirement (const Start *start)
{
  const GPtrArray *requires = start->policy != NULL ? start->policy->start.requires : NULL;

  for (guint i = 0; requires != NULL && i < requires->len; i++) {
    const char *name = g_ptr_array_index (requires, i);
    const Domain *domain = manager_find_name (start->run->manager, name, NULL);

    if (domain == NULL)
      return g_strdup_printf ("'%s', which is not defined", name);
    if (!domain_is_active (domain))
      return g_strdup_printf ("'%s', which does not run", name);
    if (readiness_state (domain) == READY_LATE) {
      g_autofree char *late = readiness_missing (domain);

      return g_strdup_printf ("'%s', which is %s", name, late);
    }
  }
  return NULL;
}

/* Its turn has come. */
static void
take (Start *start)
{
  g_autofree char *missing = missing_requirement (start);
  g_autoptr (GError) error = NULL;

  if (missing != NULL) {
    virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "domain '%s' is not started: it requires %s",
                    start->name, missing);
    fail (start, error);
    return;
  }
  start->run->pending++;
  start->run->changed = TRUE;
  if (policy_start_delay (start->policy) > 0) {
    start->state = START_DELAYED;
    g_timeout_add_seconds (policy_start_delay (start->policy), delay_over, start);
  } else {
    start->state = START_BEGUN;
    g_idle_add (begin_start, start);
  }
}

/* FALSE: nobody's turn has come. */
static gboolean
take_those_next (StartRun *run)
{
  gboolean any = FALSE;
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, run->starts);
  while (g_hash_table_iter_next (&iter, NULL, &found))
    if (((Start *)found)->state == START_WAITS && !must_wait (found)) {
      take (found);
      any = TRUE;
    }
  return any;
}

static gboolean
somebody_waits (const StartRun *run)
{
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, run->starts);
  while (g_hash_table_iter_next (&iter, NULL, &found))
    if (((const Start *)found)->state == START_WAITS)
      return TRUE;
  return FALSE;
}

static void
ready_changed (gpointer data)
{
  StartRun *run = data;

  if (run->reading == 0)
    advance (run);
}

/* One that failed may have been what others waited for. */
static void
advance (StartRun *run)
{
  while (take_those_next (run))
    ;
  if (run->changed)
    save_left (run);
  run->changed = FALSE;
  if (run->pending > 0 || somebody_waits (run))
    return;
  readiness_unsubscribe (run->ready);
  g_hash_table_unref (run->starts);
  g_free (run);
}

/* Policies. */

static void add (StartRun *run, Domain *domain);

/* Those that wait for each other. */
static void
refuse_cycles (StartRun *run)
{
  g_autoptr (GHashTable) set = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer found;

  g_hash_table_iter_init (&iter, run->starts);
  while (g_hash_table_iter_next (&iter, NULL, &found))
    g_hash_table_insert (set, ((Start *)found)->name, ((Start *)found)->policy);
  for (;;) {
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autofree char *cycle = start_order_find_cycle (set, names);

    if (cycle == NULL)
      return;
    for (guint i = 0; i < names->len; i++) {
      const char *name = g_ptr_array_index (names, i);
      g_autoptr (GError) error = NULL;

      virt_error_set (&error, VIR_ERR_CONFIG_UNSUPPORTED,
                      "domain '%s' is not started: machines wait for each other to start: %s", name, cycle);
      fail (g_hash_table_lookup (run->starts, name), error);
      g_hash_table_remove (set, name);
    }
  }
}

static void
one_read (StartRun *run)
{
  if (--run->reading > 0)
    return;
  refuse_cycles (run);
  advance (run);
}

typedef struct {
  StartRun *run;
  char *name;
} Reading;

/* One whose definition cannot be read fails by its own start. */
static void
policy_known (G_GNUC_UNUSED Domain *domain, DomainDef *def, G_GNUC_UNUSED const GError *error, gpointer data)
{
  g_autofree Reading *reading = data;
  g_autofree char *name = reading->name;
  StartRun *run = reading->run;
  Start *start = g_hash_table_lookup (run->starts, name);
  const GPtrArray *requires;

  start->policy = def != NULL && def->policy != NULL ? policy_ref (def->policy) : NULL;
  requires = start->policy != NULL ? start->policy->start.requires : NULL;
  for (guint i = 0; requires != NULL && i < requires->len; i++) {
    Domain *required = manager_find_name (run->manager, g_ptr_array_index (requires, i), NULL);

    if (required != NULL)
      add (run, required);
  }
  one_read (run);
}

static void
add (StartRun *run, Domain *domain)
{
  Reading *reading;
  Start *start;

  if (domain_is_active (domain) || g_hash_table_contains (run->starts, domain->name))
    return;
  start = g_new0 (Start, 1);
  *start = (Start){ run, g_strdup (domain->uuid), g_strdup (domain->name), NULL, START_WAITS };
  g_hash_table_insert (run->starts, start->name, start);
  reading = g_new0 (Reading, 1);
  *reading = (Reading){ run, g_strdup (domain->name) };
  run->reading++;
  definition_request (domain, DEFINITION_CONFIG, policy_known, reading);
}

void
start_run_begin (Manager *manager, const GPtrArray *uuids, const char *who)
{
  StartRun *run = g_new0 (StartRun, 1);

  MAIN_LOOP_ONLY ();
  run->manager = manager;
  run->who = who;
  run->starts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, start_free);
  run->ready = readiness_subscribe (ready_changed, run);
  run->reading++; /* one that is known at once is not the last */
  for (guint i = 0; i < uuids->len; i++) {
    Domain *domain = manager_find_uuid (manager, g_ptr_array_index (uuids, i), NULL);

    if (domain != NULL)
      add (run, domain);
  }
  save_left (run);
  one_read (run);
}
