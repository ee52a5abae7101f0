/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From a machine's end to its next start. The policy is that of the stored definition, which may be newer
 * than the machine was; it is read when the machine has ended, and again counts when the restart is made: by
 * then somebody may have started it, changed it or removed it. A restart that fails is a failure like any
 * other, and is tried again until the limit is reached.
 */
#include "daemon/domain/restart-policy.h"

#include "daemon/core/file.h"
#include "daemon/core/main-loop.h"
#include "daemon/core/service.h"
#include "daemon/domain/definition.h"
#include "daemon/domain/machine.h"
#include "daemon/domain/own-call.h"
#include "daemon/domain/restart-history.h"

#include <string.h>
#include <unistd.h>

#define DIRECTORY   "restarts"
#define SUFFIX      ".json"
#define RECORDS_MAX 100000

/* One in a process, as the manager; NULL: not started. */
static struct {
  Manager *manager;
  GHashTable *machines; /* UUID to Restart */
  guint subscription;   /* to the domains' events */
  gboolean begun, host_ends;
} policies;

/* One machine that has ended by itself since somebody last started or stopped it. */
typedef struct {
  char *uuid;
  RestartHistory *history;
  EndedHow how;
  gboolean reading; /* its definition is being read */
  guint source;     /* it is due */
} Restart;

static void
restart_free (gpointer data)
{
  Restart *restart = data;

  g_clear_handle_id (&restart->source, g_source_remove);
  restart_history_free (restart->history);
  g_free (restart->uuid);
  g_free (restart);
}

/* Files. */

static char *
directory_of (void)
{
  return g_build_filename (policies.manager->settings->run_directory, DIRECTORY, NULL);
}

static char *
path_of (const char *uuid)
{
  g_autofree char *directory = directory_of (), *name = g_strconcat (uuid, SUFFIX, NULL);

  return g_build_filename (directory, name, NULL);
}

static void
save (const Restart *restart)
{
  g_autofree char *directory = directory_of (), *path = path_of (restart->uuid),
                  *json = restart_history_to_json (restart->history);
  g_autoptr (PreparedFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (store_make_directory (directory, 0700, &error))
    file = prepared_file_new (path, json, -1, 0600, FALSE, &error);
  if (file == NULL || !prepared_file_commit (file, &error))
    g_warning ("%s: %s", path, error->message);
}

static void
forget (const char *uuid)
{
  g_autofree char *path = NULL;

  MAIN_LOOP_ONLY ();
  if (policies.machines == NULL)
    return;
  path = path_of (uuid);
  if (g_hash_table_remove (policies.machines, uuid) || !policies.begun)
    unlink (path);
}

/* NULL: there is none, or nothing has been started. */
static Restart *
find (const char *uuid)
{
  return policies.machines != NULL ? g_hash_table_lookup (policies.machines, uuid) : NULL;
}

static Restart *
find_or_add (const char *uuid)
{
  Restart *restart = find (uuid);

  if (restart != NULL)
    return restart;
  restart = g_new0 (Restart, 1);
  *restart = (Restart){ g_strdup (uuid), restart_history_new (), ENDED_WANTED, FALSE, 0 };
  g_hash_table_insert (policies.machines, restart->uuid, restart);
  return restart;
}

/* The restart. */

static void look_at_policy (Restart *restart);

static void
started (G_GNUC_UNUSED GVariant *answer, const GError *error, gpointer data)
{
  g_autofree char *uuid = data;
  Restart *restart = find (uuid);
  const Domain *domain = manager_find_uuid (policies.manager, uuid, NULL);

  if (error == NULL || restart == NULL)
    return;
  if (domain != NULL && !domain_is_active (domain) && virt_error_code (error) != VIR_ERR_OPERATION_ABORTED) {
    restart->how = ENDED_FAILURE;
    look_at_policy (restart);
  } else if (domain == NULL || !domain_is_active (domain)) {
    forget (uuid); /* it was destroyed meanwhile */
  }
}

static gboolean
due (gpointer data)
{
  Restart *restart = data;
  Domain *domain = manager_find_uuid (policies.manager, restart->uuid, NULL);

  restart->source = 0;
  if (domain == NULL || !domain->persistent) {
    forget (restart->uuid);
    return G_SOURCE_REMOVE;
  }
  restart->history->due = 0;
  if (!domain_is_active (domain) && !policies.host_ends) {
    restart_history_made (restart->history, g_get_monotonic_time ());
    g_message ("domain '%s' is started again by its policy: restart %u of at most %u within %u seconds",
               domain->name, restart->history->counted, restart->history->limit, restart->history->interval);
    save (restart);
    own_call (domain, RESTART_POLICY_WHO, OWN_CALL_START, NULL, started, g_strdup (restart->uuid));
  } else {
    save (restart);
  }
  return G_SOURCE_REMOVE;
}

static void
wait_until_due (Restart *restart)
{
  gint64 wait = MAX (restart->history->due - g_get_monotonic_time (), 0) / 1000;

  g_clear_handle_id (&restart->source, g_source_remove);
  if (restart->history->due != 0)
    restart->source =
        g_timeout_add ((guint)MIN (wait, POLICY_SECONDS_MAX * G_GINT64_CONSTANT (1000)), due, restart);
}

/* What the policy says, and since when it has ended. */
static void
policy_read_again (Domain *domain, DomainDef *def, const GError *error, gpointer data)
{
  g_autofree char *uuid = data;
  Restart *restart = find (uuid);

  if (restart == NULL)
    return;
  restart->reading = FALSE;
  if (error != NULL)
    g_warning ("domain %s is not started again: %s", uuid, error->message);
  if (def == NULL || !domain->persistent || !restart_is_wanted (def->policy, restart->how)) {
    forget (uuid);
    return;
  }
  if (domain_is_active (domain))
    return;
  restart_history_plan (restart->history, def->policy, g_get_monotonic_time ());
  if (restart->history->given_up)
    g_warning ("domain '%s' is not started again: its policy's limit is %u restarts within %u seconds",
               domain->name, restart->history->limit, restart->history->interval);
  save (restart);
  wait_until_due (restart);
}

static void
look_at_policy (Restart *restart)
{
  Domain *domain = manager_find_uuid (policies.manager, restart->uuid, NULL);

  if (restart->reading || domain == NULL)
    return;
  g_clear_handle_id (&restart->source, g_source_remove);
  restart->reading = TRUE;
  definition_request (domain, DEFINITION_CONFIG, policy_read_again, g_strdup (restart->uuid));
}

void
restart_policies_started (const Domain *domain, const char *who)
{
  if (g_strcmp0 (who, RESTART_POLICY_WHO) != 0)
    forget (domain->uuid);
}

/* Ends. */

static EndedHow
how_it_ended (const Machine *machine)
{
  if (machine->asked.wire != NULL)
    return ENDED_WANTED;
  if (machine->end_reason == VIR_DOMAIN_SHUTOFF_CRASHED)
    return ENDED_FAILURE;
  if (machine->end_reason == VIR_DOMAIN_SHUTOFF_SHUTDOWN)
    return machine->panicked ? ENDED_FAILURE : ENDED_SHUTDOWN;
  return ENDED_WANTED;
}

/* Its domain may be gone. */
static void
ended (Machine *machine)
{
  const char *uuid = machine->def->uuid;
  const Domain *domain = manager_find_uuid (policies.manager, uuid, NULL);
  EndedHow how = policies.host_ends ? ENDED_WANTED : how_it_ended (machine);
  Restart *restart;

  if (domain == NULL || !domain->persistent || how == ENDED_WANTED) {
    forget (uuid);
    return;
  }
  restart = find_or_add (uuid);
  restart->how = how;
  if (policies.begun)
    look_at_policy (restart);
}

static const MachineWatcher watcher = { .ended = ended };

void
restart_policies_ended_unseen (const Domain *domain)
{
  find_or_add (domain->uuid)->how = ENDED_FAILURE;
}

gboolean
restart_policies_cancel (const Domain *domain)
{
  const Restart *restart = find (domain->uuid);

  if (restart == NULL || (restart->history->due == 0 && !restart->reading))
    return FALSE;
  g_message ("domain '%s' is not started again by its policy: that is called off", domain->name);
  forget (domain->uuid);
  return TRUE;
}

/* The beginning, and the end. */

static void
domain_event (const Event *event, G_GNUC_UNUSED gpointer data)
{
  int what, detail;

  if (event->family != EVENT_DOMAIN || event->number != EVENT_LIFECYCLE)
    return;
  g_variant_get (event->payload, "(ii)", &what, &detail);
  if (what == VIR_DOMAIN_EVENT_UNDEFINED && detail != VIR_DOMAIN_EVENT_UNDEFINED_RENAMED)
    forget (event->uuid);
}

void
restart_policies_start (Manager *manager)
{
  MAIN_LOOP_ONLY ();
  policies.manager = manager;
  policies.machines = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, restart_free);
  policies.subscription = events_subscribe (manager->events, domain_event, NULL);
  machine_add_watcher (&watcher);
}

void
restart_policies_stop (void)
{
  events_unsubscribe (policies.manager->events, policies.subscription);
  g_clear_pointer (&policies.machines, g_hash_table_unref);
}

void
restart_policies_hold (gboolean host_ends)
{
  policies.host_ends = host_ends;
}

static void
load_one (const char *uuid)
{
  g_autofree char *path = path_of (uuid), *json = NULL;
  const Domain *domain = manager_find_uuid (policies.manager, uuid, NULL);
  Restart *restart = find (uuid);
  RestartHistory *history = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  json = store_read_file (path, RESTART_HISTORY_FILE, &length, &error);
  if (json != NULL)
    history = restart_history_from_json (json, length, &error);
  if (history == NULL)
    g_warning ("%s: %s", path, error->message);
  if (history == NULL || domain == NULL || !domain->persistent) {
    restart_history_free (history);
    unlink (path);
    return;
  }
  if (restart == NULL)
    restart = find_or_add (uuid);
  restart_history_free (restart->history);
  restart->history = history;
}

static void
load (void)
{
  g_autofree char *path = directory_of ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  store_remove_temporary (path);
  for (guint i = 0; directory != NULL && i < RECORDS_MAX && (name = g_dir_read_name (directory)) != NULL; i++)
    if (g_str_has_suffix (name, SUFFIX)) {
      g_autofree char *uuid = g_strndup (name, strlen (name) - strlen (SUFFIX));

      load_one (uuid);
    }
}

/* Times of another boot mean nothing, and what ran then starts, or not, with the host. */
static void
forget_all (void)
{
  g_autofree char *path = directory_of ();
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);

    unlink (file);
  }
  g_hash_table_remove_all (policies.machines);
}

void
restart_policies_begin (void)
{
  g_autoptr (GList) restarts = NULL;

  MAIN_LOOP_ONLY ();
  policies.begun = TRUE;
  if (service_first_since_boot (policies.manager->settings->run_directory, DIRECTORY)) {
    forget_all ();
    return;
  }
  load ();
  restarts = g_hash_table_get_values (policies.machines);
  for (GList *link = restarts; link != NULL; link = link->next) {
    Restart *restart = link->data;

    if (restart->how != ENDED_WANTED)
      look_at_policy (restart);
    else
      wait_until_due (restart);
  }
}

/* What is said of it. */

char *
restart_policies_message (const Domain *domain)
{
  const Restart *restart = find (domain->uuid);
  const RestartHistory *history = restart != NULL ? restart->history : NULL;
  gint64 in;

  if (history == NULL)
    return NULL;
  if (history->given_up)
    return g_strdup_printf ("its restart policy has given up: it was started again %u times within %u "
                            "seconds, and %u is the limit",
                            history->counted, history->interval, history->limit);
  if (history->due != 0) {
    g_autoptr (GDateTime) now = g_date_time_new_now_local (), when = NULL;
    g_autofree char *text = NULL;

    in = MAX (history->due - g_get_monotonic_time (), 0);
    when = g_date_time_add (now, in);
    text = g_date_time_format (when, "%Y-%m-%d %H:%M:%S%z");
    return g_strdup_printf (
        "its restart policy starts it again at %s: restart %u of at most %u within %u seconds", text,
        history->counted + 1, history->limit, history->interval);
  }
  return history->counted > 0 ? g_strdup_printf (
             "its restart policy has started it again: restart %u of at most %u within %u seconds",
             history->counted, history->limit, history->interval)
                              : NULL;
}
