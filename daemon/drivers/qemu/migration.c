/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * QEMU's migration, with a file at the other end. It is asked how far it is, often at first (a small machine
 * takes a tenth of a second) and then less so; each answer buys the job more time.
 */
#include "daemon/drivers/qemu/migration.h"

#include "targets/qemu/recipe.h"

#define MIGRATION_DESCRIPTOR "domaind-state"
#define FIRST_QUESTION       10  /* ms */
#define LAST_QUESTION        250 /* ms between two questions, in the end */
#define REASONS_MAX          16  /* that are told */
#define MOST_MEGABITS        1e9 /* a second; whoever says more is not believed */

static gboolean
tell (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, command, arguments, error);

  return answer != NULL;
}

gboolean
give_descriptor (Qmp *qmp, Job *job, int fd, const char *name, GError **error)
{
  g_autoptr (JsonNode) answer =
      qmp_call_with_fd (qmp, job, "getfd", props ("fdname", "s", name, NULL), fd, error);

  return answer != NULL;
}

/* Of megabits, as QEMU says it. */
static guint64
bytes_per_second (JsonObject *ram)
{
  JsonNode *node = ram != NULL ? json_object_get_member (ram, "mbps") : NULL;
  double megabits = 0;

  if (node != NULL && JSON_NODE_HOLDS_VALUE (node))
    megabits = json_node_get_double (node);
  return megabits > 0 && megabits < MOST_MEGABITS ? (guint64)(megabits * (1000 * 1000 / 8)) : 0;
}

static void
read_figures (JsonObject *answer, Progress *progress)
{
  JsonObject *ram = untrusted_object (answer, "ram");
  ProgressFigures figures = {
    .total = untrusted_count (ram, "total"),
    .processed = untrusted_count (ram, "transferred"),
    .remaining = untrusted_count (ram, "remaining"),
    .constant = untrusted_count (ram, "duplicate"),
    .normal = untrusted_count (ram, "normal"),
    .normal_bytes = untrusted_count (ram, "normal-bytes"),
    .page_size = untrusted_count (ram, "page-size"),
    .iteration = untrusted_count (ram, "dirty-sync-count"),
    .dirty_pages_per_second = untrusted_count (ram, "dirty-pages-rate"),
    .postcopy_requests = untrusted_count (ram, "postcopy-requests"),
    .downtime = untrusted_count (answer, "downtime"),
    .setup_time = untrusted_count (answer, "setup-time"),
    .is_memory = TRUE,
  };

  if (ram == NULL)
    return;
  figures.bytes_per_second = bytes_per_second (ram);
  progress_set (progress, &figures);
}

char *
migration_ask (Qmp *qmp, Job *job, Progress *progress, char **ret_reason, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-migrate", NULL, error);

  if (answer == NULL)
    return NULL;
  JsonObject *object = untrusted_object_of (answer);
  const char *status = untrusted_text (object, "status");
  if (object != NULL && progress != NULL)
    read_figures (object, progress);
  if (ret_reason != NULL && *ret_reason == NULL)
    *ret_reason = g_strdup (untrusted_text (object, "error-desc"));
  return g_strdup (status != NULL ? status : "none");
}

gboolean
migration_is_over (const char *status)
{
  static const char *const over[] = { "none", "completed", "failed", "cancelled", NULL };

  return g_strv_contains (over, status);
}

gboolean
migration_was_given_up (Progress *progress, GError **error)
{
  if (!progress_is_given_up (progress))
    return FALSE;
  virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the job was canceled by client");
  return TRUE;
}

guint
migration_next_pause (guint pause)
{
  return pause == 0 ? FIRST_QUESTION : MIN (pause * 2, LAST_QUESTION);
}

/* Until it is over; how it ended. (transfer full) */
static char *
wait_for_end (Qmp *qmp, Job *job, Progress *progress, gboolean may_give_up, guint patience, char **ret_reason,
              GError **error)
{
  guint pause = migration_next_pause (0);

  for (;;) {
    g_autofree char *status = NULL;

    job_extend_deadline (job, patience);
    status = migration_ask (qmp, job, progress, ret_reason, error);
    if (status == NULL || migration_is_over (status))
      return g_steal_pointer (&status);
    if (may_give_up && migration_was_given_up (progress, error))
      return NULL;
    if (may_give_up)
      progress_wait (progress, pause);
    else
      g_usleep ((gulong)pause * 1000);
    pause = migration_next_pause (pause);
  }
}

static gboolean
wait_for_success (Qmp *qmp, Job *job, Progress *progress, guint patience, GError **error)
{
  g_autofree char *reason = NULL, *end = wait_for_end (qmp, job, progress, TRUE, patience, &reason, error);

  if (end == NULL)
    return FALSE;
  if (g_str_equal (end, "completed"))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU could not transfer the machine's state: %s%s%s", end,
                  reason != NULL ? ": " : "", reason != NULL ? reason : "");
  return FALSE;
}

gboolean
migration_stop (Qmp *qmp, Job *job, guint patience, GError **error)
{
  g_autofree char *end = NULL;

  job_extend_deadline (job, patience);
  if (!tell (qmp, job, "migrate_cancel", NULL, error))
    return FALSE;
  end = wait_for_end (qmp, job, NULL, FALSE, patience, NULL, error);
  return end != NULL;
}

/* That QEMU tells of each pass over the memory (machine-events.c). */
static gboolean
ask_for_events (Qmp *qmp, Job *job, GError **error)
{
  JsonArray *list = json_array_new ();

  json_array_add_object_element (list, props ("capability", "s", "events", "state", "b", TRUE, NULL));
  return tell (qmp, job, "migrate-set-capabilities", props ("capabilities", "a", list, NULL), error);
}

/* query-migrate: { "blocked-reasons": ["non-migratable device: ..."] } */
gboolean
migration_check (Qmp *qmp, Job *job, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, "query-migrate", NULL, error);
  JsonArray *reasons =
      answer != NULL ? untrusted_list (untrusted_object_of (answer), "blocked-reasons") : NULL;
  g_autoptr (GString) text = g_string_new (NULL);

  if (answer == NULL || reasons == NULL)
    return answer != NULL;
  for (guint i = 0; i < MIN (json_array_get_length (reasons), REASONS_MAX); i++) {
    const char *reason = untrusted_text_of (json_array_get_element (reasons, i));

    g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", reason != NULL ? reason : "");
  }
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "cannot migrate domain: %s", text->str);
  return FALSE;
}

gboolean
migration_write (Qmp *qmp, Job *job, int fd, Progress *progress, guint patience, GError **error)
{
  GError *problem = NULL;

  job_extend_deadline (job, patience);
  if (migration_was_given_up (progress, error))
    return FALSE;
  /* QEMU's own limit is meant for networks. */
  if (!tell (qmp, job, "migrate-set-parameters", props ("max-bandwidth", "t", (guint64)G_MAXINT64, NULL),
             error)
      || !ask_for_events (qmp, job, error) || !give_descriptor (qmp, job, fd, MIGRATION_DESCRIPTOR, error)
      || !tell (qmp, job, "migrate", props ("uri", "s", "fd:" MIGRATION_DESCRIPTOR, NULL), error))
    return FALSE;
  if (wait_for_success (qmp, job, progress, patience, &problem))
    return TRUE;
  migration_stop (qmp, job, patience, NULL);
  g_propagate_error (error, problem);
  return FALSE;
}

gboolean
migration_read (Qmp *qmp, Job *job, int fd, Progress *progress, guint patience, GError **error)
{
  job_extend_deadline (job, patience);
  return give_descriptor (qmp, job, fd, MIGRATION_DESCRIPTOR, error)
         && tell (qmp, job, "migrate-incoming", props ("uri", "s", "fd:" MIGRATION_DESCRIPTOR, NULL), error)
         && wait_for_success (qmp, job, progress, patience, error);
}
