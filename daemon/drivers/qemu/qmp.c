/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A QMP client as a small state machine: greeting, capabilities, then commands and events until the end.
 *
 * The socket, both buffers and the handlers belong to the main loop; those who ask are in qmp-mailbox.c.
 * Commands are written as tersely as QMP allows, because QEMU reads its monitor a byte at a time.
 */
#include "base/untrusted-json.h"
#include "daemon/core/main-loop.h"
#include "daemon/core/watch.h"
#include "daemon/drivers/qemu/qmp-private.h"

#include <errno.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define QMP_READ_CHUNK        (64 * 1024)
#define QMP_READS_A_TURN      16 /* then other sources of the main loop have their turn */
#define QMP_TURN_MICROSECONDS 2000
#define QMP_LARGE_BYTES       (1024 * 1024) /* a message after which memory is given back */
#define QMP_TRIM_SECONDS      2             /* after it, when it has been used */

static void
outgoing_free (gpointer data)
{
  QmpOutgoing *outgoing = data;

  if (outgoing->fd >= 0)
    close (outgoing->fd);
  g_free (outgoing->text);
  g_free (outgoing);
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
  qmp_notices_clear (qmp);
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

void
qmp_set_handlers (Qmp *qmp, const QmpHandlers *handlers, gpointer data)
{
  qmp_ref (qmp);
  qmp->handlers = handlers;
  qmp->data = data;
  qmp_notices_flush (qmp);
  qmp_tell_closed (qmp);
  qmp_unref (qmp);
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
      QmpCommand *asked = qmp_command_settle (qmp, command, NULL, qmp_hung_up_error (qmp, command->name));
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
    qmp_command_notify (told->pdata[i]);
  qmp_notices_flush (qmp); /* the last words come before the end */
  qmp_tell_closed (qmp);
  if (qmp->more != 0)
    g_source_remove (qmp->more);
  qmp->more = 0;
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
  MAIN_LOOP_ONLY ();

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

void
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

static void
qmp_take_event (Qmp *qmp, JsonObject *message, const char *name)
{
  JsonObject *arguments = untrusted_object (message, "data");
  JsonObject *timestamp = untrusted_object (message, "timestamp");
  guint64 seconds = MIN (untrusted_count (timestamp, "seconds"), G_MAXINT64 / G_USEC_PER_SEC - 1);
  guint64 microseconds = MIN (untrusted_count (timestamp, "microseconds"), G_USEC_PER_SEC - 1);

  qmp_notice (qmp, name, arguments != NULL ? json_object_ref (arguments) : NULL,
              (gint64)(seconds * G_USEC_PER_SEC + microseconds));
}

static GError *
error_from_qemu (JsonObject *message, const char *command)
{
  JsonObject *said = untrusted_object (message, "error");
  const char *text = untrusted_text (said, "desc");
  GError *error = NULL;

  virt_error_set (&error, VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU command '%s': %s", command,
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

/* What QEMU said, error or not, as text. (transfer full) */
static JsonNode *
whole_answer (JsonObject *message)
{
  g_autofree char *text = json_object_text (message);

  return json_node_init_string (json_node_alloc (), text);
}

/* The answer to qmp_capabilities. CommandNotFound: the negotiation is over already, because QEMU came only
 * now to the one of a daemon that ended in the middle of it. */
static void
qmp_take_negotiation (Qmp *qmp, JsonObject *message)
{
  JsonObject *refusal = untrusted_object (message, "error");

  if (refusal != NULL && g_strcmp0 (untrusted_text (refusal, "class"), "CommandNotFound") != 0)
    qmp_fail (qmp, "QEMU's monitor refused to begin");
  else
    qmp_become_ready (qmp);
}

static void
qmp_take_answer (Qmp *qmp, JsonObject *message)
{
  gboolean failed = json_object_has_member (message, "error");
  gint64 said = -1;

  untrusted_number (message, "id", &said);
  guint id = (guint)CLAMP (said, 0, G_MAXUINT);

  if (qmp->state == QMP_NEGOTIATING) {
    if (said == qmp->first_id)
      qmp_take_negotiation (qmp, message);
    return; /* any other is for a daemon before us */
  }

  g_mutex_lock (&qmp->lock);
  QmpCommand *command = g_hash_table_lookup (qmp->commands, GUINT_TO_POINTER (id));
  if (command == NULL || command->done) {
    g_mutex_unlock (&qmp->lock);
    g_debug ("QEMU answered a command nobody gave (id %u)", id);
    return;
  }
  JsonNode *answer = command->whole ? whole_answer (message)
                     : failed       ? NULL
                                    : json_object_dup_member (message, "return");
  if (answer
      != NULL) /* the contents are shared with the copy, and belong to the waiter's thread from here on */
    json_object_remove_member (message, "return");
  GError *error = answer == NULL ? error_from_qemu (message, command->name) : NULL;
  QmpCommand *asked = qmp_command_settle (qmp, command, answer, error);
  g_mutex_unlock (&qmp->lock);
  qmp_command_notify (asked);
}

static void
qmp_take_greeting (Qmp *qmp)
{
  g_mutex_lock (&qmp->lock);
  qmp->state = QMP_NEGOTIATING;
  g_mutex_unlock (&qmp->lock);
  QmpOutgoing *hello = g_new0 (QmpOutgoing, 1);
  hello->text = g_strdup_printf ("{\"execute\":\"qmp_capabilities\",\"id\":%u}\n", qmp->first_id);
  hello->length = strlen (hello->text);
  hello->fd = -1;
  g_queue_push_head (&qmp->outgoing, hello);
  qmp_flush (qmp); /* with what waits behind it: QEMU takes commands in turn */
}

/* What comes before the greeting, if it is QMP at all, is the end of a conversation with a daemon before us.
 */
static void
qmp_take_message (Qmp *qmp, JsonObject *message)
{
  const char *event = untrusted_text (message, "event");
  gboolean is_answer =
      json_object_has_member (message, "return") || json_object_has_member (message, "error");

  if (qmp->state == QMP_GREETING && untrusted_object (message, "QMP") != NULL)
    qmp_take_greeting (qmp);
  else if (qmp->state == QMP_GREETING && event == NULL && !is_answer)
    qmp_fail (qmp, "what answers on the monitor is not QEMU");
  else if (event != NULL)
    qmp_take_event (qmp, message, event);
  else if (is_answer && qmp->state != QMP_GREETING)
    qmp_take_answer (qmp, message);
  else if (!is_answer)
    qmp_fail (qmp, "QEMU's monitor said something that is no answer and no event");
}

static void
qmp_take_line (Qmp *qmp, const char *line, gsize length)
{
  g_autoptr (JsonObject) message = NULL;

  if (length == 0 || (length == 1 && line[0] == '\r'))
    return;
  message = untrusted_json_object (line, length);
  if (message == NULL)
    qmp_fail (qmp,
              "QEMU's monitor sent what is no JSON object, or nested deeper than %d or of too many values",
              QMP_MAX_DEPTH);
  else
    qmp_take_message (qmp, message);
}

/* The time that all monitors together may take of this turn of the main loop; each has one message at least.
 */
static gboolean
has_time_left (void)
{
  static gint64 turn, began; /* main loop only */
  GSource *source = g_main_current_source ();
  gint64 this_turn = source != NULL ? g_source_get_time (source) : 0;

  if (this_turn != turn) {
    turn = this_turn;
    began = g_get_monotonic_time ();
  }
  return g_get_monotonic_time () - began < QMP_TURN_MICROSECONDS;
}

static gboolean qmp_on_more (gpointer data);

/* A message that was large has left a large buffer, and free memory between what is kept. */
static gboolean
trim (G_GNUC_UNUSED gpointer data)
{
  malloc_trim (0);
  return G_SOURCE_REMOVE;
}

static void
drop_lines (Qmp *qmp, gsize bytes)
{
  if (bytes > 0 && bytes == qmp->buffer->len && bytes >= QMP_LARGE_BYTES) {
    g_byte_array_unref (qmp->buffer);
    qmp->buffer = g_byte_array_new ();
    g_timeout_add_seconds (QMP_TRIM_SECONDS, trim, NULL);
  } else if (bytes > 0) {
    g_byte_array_remove_range (qmp->buffer, 0, (guint)bytes);
  }
}

/* Whole lines in the buffer, as long as there is time. FALSE: no more can be taken, as it was closed
 * meanwhile, or the rest has to wait for the next turn. */
static gboolean
qmp_take_lines (Qmp *qmp)
{
  gsize start = 0;
  gboolean all = FALSE;

  do {
    guint8 *from = qmp->buffer->data + qmp->scanned;
    guint8 *end =
        qmp->buffer->len > qmp->scanned ? memchr (from, '\n', qmp->buffer->len - qmp->scanned) : NULL;
    all = end == NULL;
    if (all)
      break;

    gsize next = (gsize)(end - qmp->buffer->data) + 1;
    qmp->scanned = next;
    qmp_take_line (qmp, (const char *)qmp->buffer->data + start, next - 1 - start);
    start = next;
    if (qmp->fd < 0)
      return FALSE;
  } while (has_time_left ());
  drop_lines (qmp, start);
  qmp->scanned = all ? qmp->buffer->len : 0;
  if (!all && qmp->more == 0)
    qmp->more = g_idle_add_full (G_PRIORITY_DEFAULT, qmp_on_more, qmp, NULL);
  if (all && qmp->buffer->len > QMP_MAX_LINE) {
    qmp_fail (qmp, "QEMU's monitor sent a message of more than %d bytes", QMP_MAX_LINE);
    return FALSE;
  }
  return all;
}

static gboolean
qmp_on_more (gpointer data)
{
  Qmp *qmp = data;

  qmp->more = 0;
  qmp_ref (qmp);
  qmp_take_lines (qmp);
  qmp_unref (qmp);
  return G_SOURCE_REMOVE;
}

static gboolean
qmp_on_readable (int fd, GIOCondition condition G_GNUC_UNUSED, gpointer data)
{
  Qmp *qmp = data;
  static guint8 chunk[QMP_READ_CHUNK]; /* main loop only */

  /* What was read is handled before more is read: QEMU waits, not our memory. */
  for (guint turn = 0; turn < QMP_READS_A_TURN && qmp->more == 0; turn++) {
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

guint
qmp_any_id (void)
{
  return g_random_int ();
}

Qmp *
qmp_new (int connected_fd, guint first_id, const QmpHandlers *handlers, gpointer data)
{
  MAIN_LOOP_ONLY ();

  Qmp *qmp = g_new0 (Qmp, 1);

  qmp->ref_count = 1;
  qmp->first_id = qmp->last_id = first_id;
  qmp->fd = connected_fd;
  qmp->handlers = handlers;
  qmp->data = data;
  qmp->buffer = g_byte_array_new ();
  g_queue_init (&qmp->notices);
  g_queue_init (&qmp->outgoing);
  g_mutex_init (&qmp->lock);
  g_cond_init (&qmp->changed);
  qmp->commands = g_hash_table_new_full (NULL, NULL, NULL, qmp_command_free);
  qmp->input =
      watch_fd (connected_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, qmp_on_readable, qmp_ref (qmp), qmp_input_gone);
  return qmp;
}
