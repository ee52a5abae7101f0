/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * QEMU connects one client at a time to a channel, so a conversation is a connection: made, used and closed.
 * Answers carry no number, and an agent may still be busy answering somebody who has gone: so each
 * conversation begins with "guest-sync-delimited", whose answer comes behind a byte that no JSON has, and all
 * before it is passed over.
 */
#include "daemon/drivers/qemu/agent.h"

#include "daemon/host/endpoint.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DELIMITER   '\xff'
#define READ_BYTES  (64 * 1024)
#define LARGE_BYTES (256 * 1024) /* an answer after which memory is given back */

struct Agent {
  char *path;
  Job *job;
  int timeout;
  int fd;
  GByteArray *input; /* read, and not yet a whole line */
  gsize largest;     /* of the answers */
};

/* Paths of the agents that somebody talks to. */
static GMutex turn_lock;
static GCond turn_over;
static GHashTable *talking;

static gboolean
unresponsive (GError **error, const char *why)
{
  virt_error_set (error, VIR_ERR_AGENT_UNRESPONSIVE, "%s", why);
  return FALSE;
}

/* When @seconds from now are over, or the job's time is. */
static gint64
deadline_in (const Agent *agent, int seconds)
{
  gint64 deadline = g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC;

  return MIN (deadline, job_deadline (agent->job));
}

static gint64
answer_deadline (const Agent *agent)
{
  if (agent->timeout == VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK)
    return job_deadline (agent->job);
  return deadline_in (agent, agent->timeout >= 0 ? agent->timeout : AGENT_SYNC_SECONDS);
}

static gboolean
begin_conversation (const Agent *agent, GError **error)
{
  gint64 deadline = deadline_in (agent, AGENT_SYNC_SECONDS);
  gboolean taken = FALSE;

  g_mutex_lock (&turn_lock);
  if (talking == NULL)
    talking = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  while (!(taken = !g_hash_table_contains (talking, agent->path)))
    if (!g_cond_wait_until (&turn_over, &turn_lock, deadline))
      break;
  if (taken)
    g_hash_table_add (talking, g_strdup (agent->path));
  g_mutex_unlock (&turn_lock);
  return taken || unresponsive (error, "another command waits for the guest agent's answer");
}

static void
end_conversation (const Agent *agent)
{
  g_mutex_lock (&turn_lock);
  g_hash_table_remove (talking, agent->path);
  if (g_hash_table_size (talking) == 0)
    g_clear_pointer (&talking, g_hash_table_unref);
  g_cond_broadcast (&turn_over);
  g_mutex_unlock (&turn_lock);
}

/* Until the socket is ready for @events, the deadline or the job's end. */
static gboolean
wait_for (const Agent *agent, short events, gint64 deadline, GError **error)
{
  GPollFD cancelled = { .fd = -1 };
  struct pollfd polled[2] = { { agent->fd, events, 0 }, { -1, POLLIN, 0 } };
  gint64 left = deadline == G_MAXINT64 ? -1 : MAX (deadline - g_get_monotonic_time (), 0) / 1000;
  int count;

  if (!job_check (agent->job, error))
    return FALSE;
  if (g_cancellable_make_pollfd (job_cancellable (agent->job), &cancelled))
    polled[1].fd = cancelled.fd;
  do
    count = poll (polled, 2, (int)MIN (left, G_MAXINT));
  while (count < 0 && errno == EINTR);
  if (cancelled.fd >= 0)
    g_cancellable_release_fd (job_cancellable (agent->job));
  if (polled[0].revents != 0)
    return TRUE;
  return job_check (agent->job, error) && unresponsive (error, "Guest agent not available for now");
}

static gboolean
send_text (const Agent *agent, const char *text, gsize length, GError **error)
{
  gint64 deadline = deadline_in (agent, AGENT_SYNC_SECONDS);

  while (length > 0) {
    ssize_t sent = send (agent->fd, text, length, MSG_NOSIGNAL);

    if (sent < 0 && errno == EAGAIN) {
      if (!wait_for (agent, POLLOUT, deadline, error))
        return FALSE;
    } else if (sent < 0 && errno != EINTR) {
      return unresponsive (error, "Guest agent disappeared while executing command");
    } else if (sent > 0) {
      text += sent;
      length -= (gsize)sent;
    }
  }
  return TRUE;
}

static gboolean
read_more (Agent *agent, gint64 deadline, GError **error)
{
  g_autofree guint8 *bytes = g_malloc (READ_BYTES);
  ssize_t count;

  if (!wait_for (agent, POLLIN, deadline, error))
    return FALSE;
  count = recv (agent->fd, bytes, READ_BYTES, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  if (count <= 0)
    return unresponsive (error, "Guest agent disappeared while executing command");
  g_byte_array_append (agent->input, bytes, (guint)count);
  agent->largest = MAX (agent->largest, agent->input->len);
  if (agent->input->len <= AGENT_MAX_LINE)
    return TRUE;
  return unresponsive (error, "the guest agent's answer is longer than is allowed");
}

/* (transfer full) The next line, without its end. */
static GBytes *
read_line (Agent *agent, gint64 deadline, GError **error)
{
  gsize scanned = 0;
  guint8 *end;
  GBytes *line;

  while ((end = agent->input->len > scanned
                    ? memchr (agent->input->data + scanned, '\n', agent->input->len - scanned)
                    : NULL)
         == NULL) {
    scanned = agent->input->len;
    if (!read_more (agent, deadline, error))
      return NULL;
  }
  line = g_bytes_new (agent->input->data, (gsize)(end - agent->input->data));
  g_byte_array_remove_range (agent->input, 0, (guint)(end - agent->input->data) + 1);
  return line;
}

/* What stands behind the last delimiter of a line, as an object; NULL when it is none. */
static JsonObject *
line_object (GBytes *line, gboolean *ret_delimited)
{
  gsize length;
  const char *text = g_bytes_get_data (line, &length);
  const char *delimiter = length > 0 ? memrchr (text, DELIMITER, length) : NULL;

  *ret_delimited = delimiter != NULL;
  if (delimiter != NULL) {
    length -= (gsize)(delimiter + 1 - text);
    text = delimiter + 1;
  }
  return untrusted_json_object_of (text, length, AGENT_MAX_VALUES);
}

static gboolean
is_greeting (JsonObject *object, gint64 id)
{
  gint64 value;

  return untrusted_number (object, "return", &value) && value == id;
}

/* Greet, and pass over all that comes before the answer; an error among it is kept in @ret_given (may be
 * NULL). */
static gboolean
greet (Agent *agent, JsonObject **ret_given, GError **error)
{
  gint64 id = g_random_int_range (1, G_MAXINT);
  gint64 deadline = deadline_in (agent, agent->timeout >= 0 ? MIN (agent->timeout, AGENT_SYNC_SECONDS)
                                                            : AGENT_SYNC_SECONDS);
  g_autofree char *text = g_strdup_printf (
      "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":%" G_GINT64_FORMAT "}}\n", id);
  gsize passed = 0;

  if (!send_text (agent, text, strlen (text), error))
    return FALSE;
  while (passed < AGENT_MAX_PASSED) {
    g_autoptr (GBytes) line = read_line (agent, deadline, error);
    g_autoptr (JsonObject) object = NULL;
    gboolean delimited;

    if (line == NULL)
      return FALSE;
    object = line_object (line, &delimited);
    if (delimited && is_greeting (object, id))
      return TRUE;
    if (ret_given != NULL && *ret_given == NULL && object != NULL && json_object_has_member (object, "error"))
      *ret_given = g_steal_pointer (&object);
    passed += g_bytes_get_size (line);
  }
  return unresponsive (error, "the guest agent does not stop talking");
}

Agent *
agent_open (const char *path, pid_t qemu, Job *job, int timeout, GError **error)
{
  g_autoptr (Agent) agent = g_new0 (Agent, 1);

  agent->path = g_strdup (path);
  agent->job = job;
  agent->timeout = timeout;
  agent->fd = -1;
  agent->input = g_byte_array_new ();
  if (!begin_conversation (agent, error)) {
    g_clear_pointer (&agent->path, g_free);
    return NULL;
  }
  agent->fd = endpoint_connect (path, qemu, AGENT_SYNC_SECONDS, NULL);
  if (agent->fd < 0) {
    unresponsive (error, "QEMU guest agent is not connected");
    return NULL;
  }
  return greet (agent, NULL, error) ? g_steal_pointer (&agent) : NULL;
}

void
agent_close (Agent *agent)
{
  gboolean was_large = agent != NULL && agent->largest >= LARGE_BYTES;

  if (agent == NULL)
    return;
  if (agent->fd >= 0)
    close (agent->fd);
  if (agent->path != NULL)
    end_conversation (agent);
  g_byte_array_unref (agent->input);
  g_free (agent->path);
  g_free (agent);
  if (was_large)
    malloc_trim (0); /* in the job's thread: nobody else waits for it */
}

/* Commands. */

/* Takes @arguments. */
static JsonObject *
command_object (const char *command, JsonObject *arguments)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "execute", command);
  if (arguments != NULL)
    json_object_set_object_member (object, "arguments", arguments);
  return object;
}

static gboolean
send_object (Agent *agent, JsonObject *object, GError **error)
{
  g_autofree char *text = json_object_text (object);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  return send_text (agent, line, strlen (line), error);
}

/* Sets @error when the agent said one. */
static gboolean
check_answer (JsonObject *answer, const char *command, GError **error)
{
  const char *text = untrusted_text (untrusted_object (answer, "error"), "desc");

  if (answer != NULL && !json_object_has_member (answer, "error")
      && json_object_has_member (answer, "return"))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU agent command '%s': %s", command,
                  text != NULL ? text : "it answered nothing that is an answer");
  return FALSE;
}

static JsonObject *
ask (Agent *agent, const char *name, JsonObject *command, GError **error)
{
  g_autoptr (GBytes) line = NULL;
  g_autoptr (JsonObject) answer = NULL;
  gboolean delimited;

  if (!send_object (agent, command, error)
      || (line = read_line (agent, answer_deadline (agent), error)) == NULL)
    return NULL;
  answer = line_object (line, &delimited);
  return check_answer (answer, name, error) ? g_steal_pointer (&answer) : NULL;
}

JsonNode *
agent_call (Agent *agent, const char *name, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonObject) command = command_object (name, arguments);
  g_autoptr (JsonObject) answer = ask (agent, name, command, error);

  return answer != NULL ? json_object_dup_member (answer, "return") : NULL;
}

static const char *
command_name (JsonObject *command)
{
  const char *name = untrusted_text (command, "execute");

  return name != NULL ? name : "?";
}

char *
agent_call_verbatim (Agent *agent, JsonObject *command, GError **error)
{
  g_autoptr (JsonObject) owned G_GNUC_UNUSED = command;
  g_autoptr (JsonObject) answer = ask (agent, command_name (command), command, error);

  return answer != NULL ? json_object_text (answer) : NULL;
}

gboolean
agent_send_verbatim (Agent *agent, JsonObject *command, GError **error)
{
  g_autoptr (JsonObject) owned G_GNUC_UNUSED = command;

  return send_object (agent, command, error);
}

gboolean
agent_order (Agent *agent, const char *name, JsonObject *arguments, GError **error)
{
  g_autoptr (JsonObject) command = command_object (name, arguments), said = NULL;
  g_autoptr (GError) silence = NULL;

  if (!send_object (agent, command, error))
    return FALSE;
  if (!greet (agent, &said, &silence) && silence->code != VIR_ERR_AGENT_UNRESPONSIVE) {
    g_propagate_error (error, g_steal_pointer (&silence));
    return FALSE;
  }
  return said == NULL || check_answer (said, name, error);
}
