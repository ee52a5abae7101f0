/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A QMP client as a small state machine: greeting, capabilities, then commands and events until the end.
 *
 * The socket, both buffers and the handlers belong to the main loop. Jobs share one thing with it, the
 * mailbox under the lock: commands that wait, whether the greeting is done, and why the conversation ended.
 * One condition wakes every waiter; there are never many.
 *
 * A command whose waiter has given up stays in the mailbox, so that its late answer is recognised, and counts
 * against QMP_MAX_WAITING: a silent QEMU cannot be asked for ever. Commands are written as tersely as QMP
 * allows, because QEMU reads its monitor a byte at a time.
 */
#include "daemon/qemu/qmp.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QMP_READ_CHUNK   (64 * 1024)
#define QMP_READS_A_TURN 16 /* then other sources of the main loop have their turn */

typedef enum { QMP_GREETING, QMP_NEGOTIATING, QMP_READY, QMP_CLOSED } QmpState;

typedef struct {
  guint id;
  char *name;
  gboolean done, abandoned;
  JsonNode *answer;
  GError *error;
  /* Of qmp_ask: */
  QmpReply reply;
  gpointer data;
  guint timer;
  Qmp *qmp; /* for the timer; not a reference */
} QmpCommand;

typedef struct {
  char *text;
  gsize length, sent;
  int fd; /* to be passed with the first byte; -1 */
} QmpOutgoing;

/* Something the handlers have not been told yet, as there were none. */
typedef struct {
  char *event; /* NULL: ready */
  JsonObject *arguments;
  gint64 microseconds;
} QmpNotice;

struct Qmp {
  gint ref_count;

  /* Main loop. */
  int fd;
  guint input, output; /* sources */
  const QmpHandlers *handlers;
  gpointer data;
  GQueue notices; /* QmpNotice */
  gboolean closed_told;
  GByteArray *buffer; /* read and not yet a whole line */
  gsize scanned;      /* of the buffer, without a line's end */
  GQueue outgoing;    /* QmpOutgoing */

  /* The mailbox. */
  GMutex lock;
  GCond changed;
  QmpState state;
  guint last_id;
  GHashTable *commands; /* id → QmpCommand */
  GError *end;          /* why it is closed */
};

static void
command_free (gpointer data)
{
  QmpCommand *command = data;

  if (command->timer != 0)
    g_source_remove (command->timer);
  g_clear_error (&command->error);
  g_clear_pointer (&command->answer, json_node_unref);
  g_free (command->name);
  g_free (command);
}

static void
outgoing_free (gpointer data)
{
  QmpOutgoing *outgoing = data;

  if (outgoing->fd >= 0)
    close (outgoing->fd);
  g_free (outgoing->text);
  g_free (outgoing);
}

static void
notice_free (gpointer data)
{
  QmpNotice *notice = data;

  g_free (notice->event);
  g_clear_pointer (&notice->arguments, json_object_unref);
  g_free (notice);
}

Qmp *
qmp_ref (Qmp *qmp)
{
  g_atomic_int_inc (&qmp->ref_count);
  return qmp;
}

void
qmp_unref (Qmp *qmp)
{
  if (qmp == NULL || !g_atomic_int_dec_and_test (&qmp->ref_count))
    return;

  /* While it is open its sources hold a reference, so it is closed by now. */
  g_queue_clear_full (&qmp->notices, notice_free);
  g_queue_clear_full (&qmp->outgoing, outgoing_free);
  g_byte_array_unref (qmp->buffer);
  g_hash_table_unref (qmp->commands);
  g_clear_error (&qmp->end);
  g_cond_clear (&qmp->changed);
  g_mutex_clear (&qmp->lock);
  g_free (qmp);
}

gboolean
qmp_is_ready (const Qmp *qmp)
{
  Qmp *self = (Qmp *)qmp;

  g_mutex_lock (&self->lock);
  gboolean ready = self->state == QMP_READY;
  g_mutex_unlock (&self->lock);
  return ready;
}

/* Telling the handlers. */

static void
qmp_tell_closed (Qmp *qmp)
{
  if (qmp->handlers == NULL || qmp->closed_told || qmp->state != QMP_CLOSED)
    return;
  qmp->closed_told = TRUE;
  if (qmp->handlers->closed != NULL)
    qmp->handlers->closed (qmp, qmp->end, qmp->data);
}

static void
qmp_tell (Qmp *qmp, const QmpNotice *notice)
{
  if (notice->event == NULL) {
    if (qmp->handlers->ready != NULL)
      qmp->handlers->ready (qmp, qmp->data);
  } else if (qmp->handlers->event != NULL) {
    qmp->handlers->event (qmp, notice->event, notice->arguments, notice->microseconds, qmp->data);
  }
}

/* Takes @arguments. */
static void
qmp_notice (Qmp *qmp, const char *event, JsonObject *arguments, gint64 microseconds)
{
  QmpNotice *notice = g_new0 (QmpNotice, 1);

  notice->event = g_strdup (event);
  notice->arguments = arguments;
  notice->microseconds = microseconds;

  if (qmp->handlers == NULL && g_queue_get_length (&qmp->notices) < QMP_MAX_EVENTS) {
    g_queue_push_tail (&qmp->notices, notice);
    return;
  }
  if (qmp->handlers != NULL)
    qmp_tell (qmp, notice);
  notice_free (notice);
}

void
qmp_set_handlers (Qmp *qmp, const QmpHandlers *handlers, gpointer data)
{
  QmpNotice *notice;

  qmp_ref (qmp);
  qmp->handlers = handlers;
  qmp->data = data;
  while (qmp->handlers != NULL && (notice = g_queue_pop_head (&qmp->notices)) != NULL) {
    qmp_tell (qmp, notice);
    notice_free (notice);
  }
  qmp_tell_closed (qmp);
  qmp_unref (qmp);
}

/* The mailbox. */

/* Called with the lock held; takes @answer and @error. A job's command wakes its job; an asked one is taken
 * out, to be told by the caller when the lock is free again: (transfer full). */
static QmpCommand *
command_settle (Qmp *qmp, QmpCommand *command, JsonNode *answer, GError *error)
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

static void
command_tell (QmpCommand *command)
{
  if (command == NULL)
    return;
  if (!command->abandoned)
    command->reply (command->answer, command->error, command->data);
  command_free (command);
}

static GError *
hung_up_error (const Qmp *qmp, const char *command)
{
  GError *error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "QEMU did not answer '%s': %s", command,
                  qmp->end != NULL ? qmp->end->message : "its monitor was closed");
  return error;
}

/* The one way to the end. Takes @why. */
static void
qmp_end (Qmp *qmp, GError *why)
{
  g_autoptr (GPtrArray) told = g_ptr_array_new ();
  g_autoptr (GList) commands = NULL;

  if (qmp->fd < 0) {
    g_clear_error (&why);
    return;
  }

  g_mutex_lock (&qmp->lock);
  qmp->state = QMP_CLOSED;
  qmp->end = why;
  commands = g_hash_table_get_values (qmp->commands);
  for (GList *each = commands; each != NULL; each = each->next) {
    QmpCommand *command = each->data;
    if (!command->done) {
      QmpCommand *asked = command_settle (qmp, command, NULL, hung_up_error (qmp, command->name));
      if (asked != NULL)
        g_ptr_array_add (told, asked);
    }
  }
  g_cond_broadcast (&qmp->changed);
  g_mutex_unlock (&qmp->lock);

  if (qmp->output != 0)
    g_source_remove (qmp->output);
  qmp->output = 0;
  g_queue_clear_full (&qmp->outgoing, outgoing_free);
  close (qmp->fd);
  qmp->fd = -1;
  for (guint i = 0; i < told->len; i++)
    command_tell (told->pdata[i]);
  qmp_tell_closed (qmp);
  if (qmp->input != 0)
    g_source_remove (qmp->input); /* drops the reference of the open socket */
}

static void qmp_fail (Qmp *qmp, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
qmp_fail (Qmp *qmp, const char *format, ...)
{
  va_list arguments;
  GError *error = NULL;

  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "%s", text);
  qmp_end (qmp, error);
}

void
qmp_close (Qmp *qmp)
{
  if (qmp == NULL)
    return;
  qmp_ref (qmp);
  qmp->handlers = NULL;
  qmp_fail (qmp, "the monitor was closed by the daemon");
  qmp_unref (qmp);
}

/* Writing. */

static ssize_t
send_some (int socket, QmpOutgoing *outgoing)
{
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  struct iovec vector = { outgoing->text + outgoing->sent, outgoing->length - outgoing->sent };
  struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };

  if (outgoing->fd >= 0) {
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    struct cmsghdr *header = CMSG_FIRSTHDR (&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN (sizeof (int));
    memcpy (CMSG_DATA (header), &outgoing->fd, sizeof (int));
  }
  return sendmsg (socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static gboolean
qmp_on_writable (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Qmp *qmp = data;
  QmpOutgoing *outgoing;

  while ((outgoing = g_queue_peek_head (&qmp->outgoing)) != NULL) {
    ssize_t sent = send_some (fd, outgoing);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      return G_SOURCE_CONTINUE;
    if (sent < 0)
      break; /* the reading side will see why */

    outgoing->sent += (gsize)sent;
    if (outgoing->fd >= 0)
      close (outgoing->fd);
    outgoing->fd = -1;
    if (outgoing->sent == outgoing->length)
      outgoing_free (g_queue_pop_head (&qmp->outgoing));
  }
  qmp->output = 0;
  return G_SOURCE_REMOVE;
}

static void
qmp_flush (Qmp *qmp)
{
  if (qmp->fd < 0 || qmp->output != 0 || g_queue_is_empty (&qmp->outgoing))
    return;
  if (qmp_on_writable (qmp->fd, G_IO_OUT, qmp) == G_SOURCE_CONTINUE)
    qmp->output = g_unix_fd_add (qmp->fd, G_IO_OUT, qmp_on_writable, qmp);
}

/* Takes @text and @fd. Commands wait for the greeting to be done. */
static void
qmp_write (Qmp *qmp, char *text, int fd)
{
  QmpOutgoing *outgoing = g_new0 (QmpOutgoing, 1);

  outgoing->text = text;
  outgoing->length = strlen (text);
  outgoing->fd = fd;
  if (qmp->fd < 0) {
    outgoing_free (outgoing);
    return;
  }
  g_queue_push_tail (&qmp->outgoing, outgoing);
  if (qmp->state != QMP_GREETING)
    qmp_flush (qmp);
}

/* Reading. */

static gboolean
is_nested_too_deep (const char *text, gsize length)
{
  guint depth = 0;
  gboolean in_string = FALSE;

  for (gsize i = 0; i < length; i++) {
    if (in_string && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      in_string = !in_string;
    else if (!in_string && (text[i] == '{' || text[i] == '['))
      depth++;
    else if (!in_string && (text[i] == '}' || text[i] == ']'))
      depth -= depth > 0;
    if (depth > QMP_MAX_DEPTH)
      return TRUE;
  }
  return FALSE;
}

static const char *
member_string (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}

static gint64
member_int (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_INT64 ? json_node_get_int (node) : 0;
}

static JsonObject *
member_object (JsonObject *object, const char *name)
{
  JsonNode *node = json_object_get_member (object, name);

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
qmp_take_event (Qmp *qmp, JsonObject *message, const char *name)
{
  JsonObject *arguments = member_object (message, "data");
  JsonObject *timestamp = member_object (message, "timestamp");
  gint64 seconds = CLAMP (member_int (timestamp, "seconds"), 0, G_MAXINT64 / G_USEC_PER_SEC - 1);
  gint64 microseconds = CLAMP (member_int (timestamp, "microseconds"), 0, G_USEC_PER_SEC - 1);

  qmp_notice (qmp, name, arguments != NULL ? json_object_ref (arguments) : NULL,
              seconds * G_USEC_PER_SEC + microseconds);
}

static GError *
error_from_qemu (JsonObject *message, const char *command)
{
  JsonObject *said = member_object (message, "error");
  const char *text = member_string (said, "desc");
  GError *error = NULL;

  virt_error_set (&error, VIR_ERR_OPERATION_FAILED, "unable to execute QEMU command '%s': %s", command,
                  text != NULL ? text : "QEMU gave no reason");
  return error;
}

static void
qmp_become_ready (Qmp *qmp)
{
  g_mutex_lock (&qmp->lock);
  qmp->state = QMP_READY;
  g_cond_broadcast (&qmp->changed);
  g_mutex_unlock (&qmp->lock);
  qmp_notice (qmp, NULL, NULL, 0);
}

static void
qmp_take_answer (Qmp *qmp, JsonObject *message)
{
  gboolean failed = json_object_has_member (message, "error");

  if (qmp->state == QMP_NEGOTIATING) {
    if (failed)
      qmp_fail (qmp, "QEMU's monitor refused to begin");
    else
      qmp_become_ready (qmp);
    return;
  }

  guint id = (guint)CLAMP (member_int (message, "id"), 0, G_MAXUINT);
  g_mutex_lock (&qmp->lock);
  QmpCommand *command = g_hash_table_lookup (qmp->commands, GUINT_TO_POINTER (id));
  if (command == NULL || command->done) {
    g_mutex_unlock (&qmp->lock);
    g_debug ("QEMU answered a command nobody gave (id %u)", id);
    return;
  }
  JsonNode *answer = failed ? NULL : json_object_dup_member (message, "return");
  if (!failed) /* the contents are shared with the copy, and belong to the waiter's thread from here on */
    json_object_remove_member (message, "return");
  GError *error = failed ? error_from_qemu (message, command->name) : NULL;
  QmpCommand *asked = command_settle (qmp, command, answer, error);
  g_mutex_unlock (&qmp->lock);
  command_tell (asked);
}

static void
qmp_take_message (Qmp *qmp, JsonObject *message)
{
  const char *event = member_string (message, "event");

  if (qmp->state == QMP_GREETING) {
    if (member_object (message, "QMP") == NULL) {
      qmp_fail (qmp, "what answers on the monitor is not QEMU");
      return;
    }
    qmp->state = QMP_NEGOTIATING;
    QmpOutgoing *hello = g_new0 (QmpOutgoing, 1);
    hello->text = g_strdup ("{\"execute\":\"qmp_capabilities\"}\n");
    hello->length = strlen (hello->text);
    hello->fd = -1;
    g_queue_push_head (&qmp->outgoing, hello);
    qmp_flush (qmp); /* with what waits behind it: QEMU takes commands in turn */
  } else if (event != NULL) {
    qmp_take_event (qmp, message, event);
  } else if (json_object_has_member (message, "return") || json_object_has_member (message, "error")) {
    qmp_take_answer (qmp, message);
  } else {
    qmp_fail (qmp, "QEMU's monitor said something that is no answer and no event");
  }
}

static void
qmp_take_line (Qmp *qmp, const char *line, gsize length)
{
  g_autoptr (JsonParser) parser = NULL;

  if (length == 0 || (length == 1 && line[0] == '\r'))
    return;
  if (!g_utf8_validate (line, (gssize)length, NULL) || is_nested_too_deep (line, length)) {
    qmp_fail (qmp, "QEMU's monitor sent what is no JSON, or nested deeper than %d", QMP_MAX_DEPTH);
    return;
  }
  parser = json_parser_new ();
  if (!json_parser_load_from_data (parser, line, (gssize)length, NULL)
      || json_parser_get_root (parser) == NULL || !JSON_NODE_HOLDS_OBJECT (json_parser_get_root (parser))) {
    qmp_fail (qmp, "QEMU's monitor sent what is no JSON object");
    return;
  }
  qmp_take_message (qmp, json_node_get_object (json_parser_get_root (parser)));
}

/* Every whole line in the buffer. FALSE: it was closed meanwhile. */
static gboolean
qmp_take_lines (Qmp *qmp)
{
  gsize start = 0;

  for (;;) {
    guint8 *from = qmp->buffer->data + qmp->scanned;
    guint8 *end =
        qmp->buffer->len > qmp->scanned ? memchr (from, '\n', qmp->buffer->len - qmp->scanned) : NULL;
    if (end == NULL)
      break;

    gsize next = (gsize)(end - qmp->buffer->data) + 1;
    qmp->scanned = next;
    qmp_take_line (qmp, (const char *)qmp->buffer->data + start, next - 1 - start);
    start = next;
    if (qmp->fd < 0)
      return FALSE;
  }
  if (start > 0)
    g_byte_array_remove_range (qmp->buffer, 0, (guint)start);
  qmp->scanned = qmp->buffer->len;
  if (qmp->buffer->len > QMP_MAX_LINE) {
    qmp_fail (qmp, "QEMU's monitor sent a message of more than %d bytes", QMP_MAX_LINE);
    return FALSE;
  }
  return TRUE;
}

static gboolean
qmp_on_readable (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Qmp *qmp = data;
  static guint8 chunk[QMP_READ_CHUNK]; /* main loop only */

  for (guint turn = 0; turn < QMP_READS_A_TURN; turn++) {
    ssize_t got = recv (fd, chunk, sizeof chunk, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      break;
    if (got <= 0) {
      qmp_fail (qmp, "QEMU closed its monitor");
      break;
    }
    g_byte_array_append (qmp->buffer, chunk, (guint)got);
    if (!qmp_take_lines (qmp) || (gsize)got < sizeof chunk)
      break;
  }
  return G_SOURCE_CONTINUE; /* closing removes the source by itself */
}

static void
qmp_input_gone (gpointer data)
{
  qmp_unref (data);
}

Qmp *
qmp_new (int connected_fd, const QmpHandlers *handlers, gpointer data)
{
  Qmp *qmp = g_new0 (Qmp, 1);

  qmp->ref_count = 1;
  qmp->fd = connected_fd;
  qmp->handlers = handlers;
  qmp->data = data;
  qmp->buffer = g_byte_array_new ();
  g_queue_init (&qmp->notices);
  g_queue_init (&qmp->outgoing);
  g_mutex_init (&qmp->lock);
  g_cond_init (&qmp->changed);
  qmp->commands = g_hash_table_new_full (NULL, NULL, NULL, command_free);
  qmp->input = g_unix_fd_add_full (G_PRIORITY_DEFAULT, connected_fd, G_IO_IN | G_IO_HUP | G_IO_ERR,
                                   qmp_on_readable, qmp_ref (qmp), qmp_input_gone);
  return qmp;
}

/* Commands. */

static char *
command_text (const char *command, JsonObject *arguments, guint id)
{
  g_autofree char *text = NULL;

  if (arguments == NULL)
    return g_strdup_printf ("{\"execute\":\"%s\",\"id\":%u}\n", command, id);

  JsonNode *node = json_node_init_object (json_node_alloc (), arguments);
  text = json_to_string (node, FALSE);
  json_node_unref (node);
  return g_strdup_printf ("{\"execute\":\"%s\",\"arguments\":%s,\"id\":%u}\n", command, text, id);
}

/* Put a command into the mailbox; called with the lock held. */
static QmpCommand *
command_add (Qmp *qmp, const char *name, GError **error)
{
  if (qmp->state == QMP_CLOSED) {
    g_propagate_error (error, hung_up_error (qmp, name));
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

JsonNode *
qmp_call_with_fd (Qmp *qmp, Job *job, const char *name, JsonObject *arguments, int fd, GError **error)
{
  GError *problem = NULL;
  JsonNode *answer = NULL;

  g_mutex_lock (&qmp->lock);
  QmpCommand *command = job_check (job, &problem) ? command_add (qmp, name, &problem) : NULL;
  guint id = command != NULL ? command->id : 0;
  g_mutex_unlock (&qmp->lock);
  if (command == NULL) {
    g_clear_pointer (&arguments, json_object_unref);
    g_propagate_error (error, problem);
    return NULL;
  }

  qmp_post (qmp, command_text (name, arguments, id), fd >= 0 ? dup (fd) : -1);
  gulong handler = g_cancellable_connect (job_cancellable (job), G_CALLBACK (wake_waiters), qmp, NULL);
  g_mutex_lock (&qmp->lock);
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

JsonNode *
qmp_call (Qmp *qmp, Job *job, const char *command, JsonObject *arguments, GError **error)
{
  return qmp_call_with_fd (qmp, job, command, arguments, -1, error);
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
qmp_ask (Qmp *qmp, const char *name, JsonObject *arguments, guint timeout_seconds, QmpReply reply,
         gpointer data)
{
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
