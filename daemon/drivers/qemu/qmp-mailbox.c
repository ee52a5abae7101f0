/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Asking QEMU: from a job's thread, which waits, and from the main loop, which is called back. Jobs share one
 * thing with the socket's half, the mailbox under the lock: commands that wait, whether the greeting is done,
 * and why the conversation ended. One condition wakes every waiter; there are never many.
 *
 * A command whose waiter has given up stays in the mailbox, so that its late answer is recognised, and counts
 * against QMP_MAX_WAITING: a silent QEMU cannot be asked for ever.
 */
#include "daemon/drivers/qemu/qmp-private.h"

#include "daemon/core/main-loop.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

void
qmp_command_free (gpointer data)
{
  QmpCommand *command = data;

  if (command->timer != 0)
    g_source_remove (command->timer);
  g_clear_error (&command->error);
  g_clear_pointer (&command->answer, json_node_unref);
  g_free (command->name);
  g_free (command);
}

QmpCommand *
qmp_command_settle (Qmp *qmp, QmpCommand *command, JsonNode *answer, GError *error)
{
  command->answer = answer;
  command->error = error;
  command->done = TRUE;
  if (command->reply != NULL) {
    g_hash_table_steal (qmp->commands, GUINT_TO_POINTER (command->id));
    return command;
  }
  if (command->abandoned)
    g_hash_table_remove (qmp->commands, GUINT_TO_POINTER (command->id));
  else
    g_cond_broadcast (&qmp->changed);
  return NULL;
}

void
qmp_command_notify (QmpCommand *command)
{
  if (command == NULL)
    return;
  if (!command->abandoned)
    command->reply (command->answer, command->error, command->data);
  qmp_command_free (command);
}

GError *
qmp_hung_up_error (const Qmp *qmp, const char *command)
{
  GError *error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "QEMU did not answer '%s': %s", command,
                  qmp->end != NULL ? qmp->end->message : "its monitor was closed");
  return error;
}

/* Commands. */

/* Takes @arguments. */
static char *
command_text (const char *command, JsonObject *arguments, guint id)
{
  g_autoptr (JsonObject) owned = arguments;
  g_autofree char *text = NULL;

  if (owned == NULL)
    return g_strdup_printf ("{\"execute\":\"%s\",\"id\":%u}\n", command, id);
  text = json_object_text (owned);
  return g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":%s,\"id\":%u}\n", command, text, id);
}

/* Put a command into the mailbox; called with the lock held. */
static QmpCommand *
command_add (Qmp *qmp, const char *name, GError **error)
{
  if (qmp->state == QMP_CLOSED) {
    g_propagate_error (error, qmp_hung_up_error (qmp, name));
    return NULL;
  }
  if (g_hash_table_size (qmp->commands) >= QMP_MAX_WAITING) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "QEMU has left %d commands unanswered; '%s' is not sent to it", QMP_MAX_WAITING, name);
    return NULL;
  }

  QmpCommand *command = g_new0 (QmpCommand, 1);
  do
    command->id = ++qmp->last_id;
  while (command->id == 0 || g_hash_table_contains (qmp->commands, GUINT_TO_POINTER (command->id)));
  command->name = g_strdup (name);
  command->qmp = qmp;
  g_hash_table_insert (qmp->commands, GUINT_TO_POINTER (command->id), command);
  return command;
}

typedef struct {
  Qmp *qmp;
  char *text;
  int fd;
} QmpPosted;

static gboolean
posted_write (gpointer data)
{
  QmpPosted *posted = data;

  qmp_write (posted->qmp, g_steal_pointer (&posted->text), posted->fd);
  qmp_unref (posted->qmp);
  g_free (posted);
  return G_SOURCE_REMOVE;
}

/* From a job's thread to the socket's. Takes @text and @fd. */
static void
qmp_post (Qmp *qmp, char *text, int fd)
{
  QmpPosted *posted = g_new0 (QmpPosted, 1);
  g_autoptr (GSource) source = g_idle_source_new ();

  posted->qmp = qmp_ref (qmp);
  posted->text = text;
  posted->fd = fd;
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, posted_write, posted, NULL);
  g_source_attach (source, NULL);
}

static void
wake_waiters (GCancellable *cancellable G_GNUC_UNUSED, gpointer data)
{
  Qmp *qmp = data;

  g_mutex_lock (&qmp->lock);
  g_cond_broadcast (&qmp->changed);
  g_mutex_unlock (&qmp->lock);
}

/* Called with the lock held: until @condition, the job's end or the conversation's. */
static void
qmp_wait (Qmp *qmp, Job *job, const gboolean *condition, QmpState until)
{
  while (!*condition && qmp->state < until && !g_cancellable_is_cancelled (job_cancellable (job)))
    if (job_deadline (job) == G_MAXINT64)
      g_cond_wait (&qmp->changed, &qmp->lock);
    else if (!g_cond_wait_until (&qmp->changed, &qmp->lock, job_deadline (job)))
      break;
}

/* Called with the lock held: what the wait for @command has come to. */
static JsonNode *
command_take (Qmp *qmp, QmpCommand *command, GError **error)
{
  if (!command->done) {
    command->abandoned = TRUE;
    return NULL;
  }
  JsonNode *answer = g_steal_pointer (&command->answer);
  if (answer == NULL)
    g_propagate_error (error, g_steal_pointer (&command->error));
  g_hash_table_remove (qmp->commands, GUINT_TO_POINTER (command->id));
  return answer;
}

static gboolean
was_cancelled (Job *job, GError **error)
{
  return g_cancellable_is_cancelled (job_cancellable (job)) && !job_check (job, error);
}

/* A command of ours: in the mailbox, not sent yet. */
static QmpCommand *
job_command (Qmp *qmp, Job *job, const char *name, gboolean whole, guint *ret_id, GError **error)
{
  QmpCommand *command;

  g_mutex_lock (&qmp->lock);
  command = job_check (job, error) ? command_add (qmp, name, error) : NULL;
  if (command != NULL) {
    command->whole = whole;
    *ret_id = command->id;
  }
  g_mutex_unlock (&qmp->lock);
  return command;
}

JsonNode *
qmp_await (Qmp *qmp, Job *job, QmpQuestion *command, GError **error)
{
  GError *problem = NULL;
  JsonNode *answer = NULL;
  g_autofree char *name = NULL;

  gulong handler = g_cancellable_connect (job_cancellable (job), G_CALLBACK (wake_waiters), qmp, NULL);
  g_mutex_lock (&qmp->lock);
  name = g_strdup (command->name);
  qmp_wait (qmp, job, &command->done, QMP_CLOSED + 1);
  answer = command_take (qmp, command, &problem);
  g_mutex_unlock (&qmp->lock);
  g_cancellable_disconnect (job_cancellable (job), handler);

  if (answer == NULL && problem == NULL && !was_cancelled (job, &problem))
    virt_error_set (&problem, VIR_ERR_OPERATION_TIMEOUT, "QEMU has not answered '%s' in time", name);
  if (problem != NULL)
    g_propagate_error (error, problem);
  return answer;
}

/* Send it and wait for what comes. Takes @text. */
static JsonNode *
send_and_wait (Qmp *qmp, Job *job, QmpCommand *command, char *text, int fd, GError **error)
{
  qmp_post (qmp, text, fd >= 0 ? fcntl (fd, F_DUPFD_CLOEXEC, 0) : -1);
  return qmp_await (qmp, job, command, error);
}

QmpQuestion *
qmp_send (Qmp *qmp, Job *job, const char *name, JsonObject *arguments, GError **error)
{
  guint id;
  QmpCommand *command = job_command (qmp, job, name, FALSE, &id, error);

  if (command == NULL)
    g_clear_pointer (&arguments, json_object_unref);
  else
    qmp_post (qmp, command_text (name, arguments, id), -1);
  return command;
}

JsonNode *
qmp_call_with_fd (Qmp *qmp, Job *job, const char *name, JsonObject *arguments, int fd, GError **error)
{
  guint id;
  QmpCommand *command = job_command (qmp, job, name, FALSE, &id, error);

  if (command == NULL) {
    g_clear_pointer (&arguments, json_object_unref);
    return NULL;
  }
  return send_and_wait (qmp, job, command, command_text (name, arguments, id), fd, error);
}

/* One line with our "id" in it. */
static char *
verbatim_text (JsonObject *object, guint id)
{
  g_autofree char *text = NULL;

  json_object_set_int_member (object, "id", id);
  text = json_object_text (object);
  return g_strconcat (text, "\n", NULL);
}

char *
qmp_call_verbatim (Qmp *qmp, Job *job, JsonObject *object, int fd, GError **error)
{
  static const char name[] = "the given command";
  g_autoptr (JsonObject) owned G_GNUC_UNUSED = object;
  g_autoptr (JsonObject) said = NULL;
  g_autoptr (JsonNode) own_id = json_object_dup_member (object, "id"), answer = NULL;
  guint id;
  QmpCommand *command = job_command (qmp, job, name, TRUE, &id, error);

  if (command == NULL)
    return NULL;
  answer = send_and_wait (qmp, job, command, verbatim_text (object, id), fd, error);
  if (answer == NULL)
    return NULL;
  said = untrusted_json_object (json_node_get_string (answer), strlen (json_node_get_string (answer)));
  if (said == NULL) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "QEMU answered %s with what is no JSON once it is written again", name);
    return NULL;
  }
  if (own_id == NULL) {
    g_autofree char *ours = g_strdup_printf ("libvirt-%u", id);

    own_id = json_node_init_string (json_node_alloc (), ours);
  }
  json_object_set_member (said, "id", g_steal_pointer (&own_id));
  return json_object_text (said);
}

JsonNode *
qmp_call (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  return qmp_call_with_fd (qmp, job, command, arguments, -1, error);
}

gboolean
qmp_run (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (qmp, job, command, arguments, error);

  return answer != NULL;
}

gboolean
qmp_wait_ready (Qmp *qmp, Job *job, GError **error)
{
  const gboolean never = FALSE;

  gulong handler = g_cancellable_connect (job_cancellable (job), G_CALLBACK (wake_waiters), qmp, NULL);
  g_mutex_lock (&qmp->lock);
  qmp_wait (qmp, job, &never, QMP_READY);
  QmpState state = qmp->state;
  GError *end = state == QMP_CLOSED ? g_error_copy (qmp->end) : NULL;
  g_mutex_unlock (&qmp->lock);
  g_cancellable_disconnect (job_cancellable (job), handler);

  if (state == QMP_READY)
    return TRUE;
  if (end != NULL)
    g_propagate_error (error, end);
  else if (!was_cancelled (job, error))
    virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "QEMU has not opened its monitor in time");
  return FALSE;
}

/* Asking from the main loop. */

static gboolean
ask_late (gpointer data)
{
  QmpCommand *command = data;
  g_autoptr (GError) error = NULL;
  QmpReply reply = command->reply;
  gpointer reply_data = command->data;

  virt_error_set (&error, VIR_ERR_OPERATION_TIMEOUT, "QEMU has not answered '%s' in time", command->name);
  command->timer = 0;
  command->abandoned = TRUE; /* its answer may still come */
  reply (NULL, error, reply_data);
  return G_SOURCE_REMOVE;
}

typedef struct {
  QmpReply reply;
  gpointer data;
  GError *error;
} QmpRefusal;

static gboolean
ask_refused (gpointer data)
{
  QmpRefusal *refusal = data;

  refusal->reply (NULL, refusal->error, refusal->data);
  g_error_free (refusal->error);
  g_free (refusal);
  return G_SOURCE_REMOVE;
}

void
qmp_query (Qmp *qmp, const char *name, JsonObject *arguments, guint timeout_seconds, QmpReply reply,
           gpointer data)
{
  MAIN_LOOP_ONLY ();

  GError *error = NULL;

  g_mutex_lock (&qmp->lock);
  QmpCommand *command = command_add (qmp, name, &error);
  if (command != NULL) {
    command->reply = reply;
    command->data = data;
    command->timer = g_timeout_add_seconds (timeout_seconds, ask_late, command);
  }
  g_mutex_unlock (&qmp->lock);

  if (command == NULL) {
    QmpRefusal *refusal = g_new0 (QmpRefusal, 1);
    *refusal = (QmpRefusal){ reply, data, error };
    g_clear_pointer (&arguments, json_object_unref);
    g_idle_add (ask_refused, refusal);
    return;
  }
  qmp_write (qmp, command_text (name, arguments, command->id), -1);
}
