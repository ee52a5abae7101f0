/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An HTTP client as small as the servers it speaks to: Firecracker's and Cloud Hypervisor's take a request
 * with a body of known length and answer the same way. So there is no chunked body, no redirect, no keeping
 * alive; what is anything else is refused. libsoup would be a large library for this, and has no bounds on a
 * lying server.
 *
 * The socket is non-blocking and each wait is for the socket, the job's end and the deadline at once.
 */
#include "daemon/drivers/api-client.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include "daemon/host/endpoint.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_SIZE        4096
#define CONNECT_PATIENCE 5   /* seconds in which it takes a connection */
#define WORDS_MAX        512 /* bytes of what it says that are shown */
#define VALUES_MAX       65536
#define STATUS_END       "\r\n\r\n"

typedef struct {
  const ApiPlace *place;
  Job *job;
  int fd;
  gint64 deadline; /* g_get_monotonic_time */
  const char *path;
} Conversation;

gboolean
api_listens (const char *path)
{
  int fd = endpoint_connect (path, 0, 0, NULL);

  if (fd < 0)
    return FALSE;
  close (fd);
  return TRUE;
}

static gboolean
fail_silent (const Conversation *conversation, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_TIMEOUT, "%s does not answer '%s'", conversation->place->title,
                  conversation->path);
  return FALSE;
}

static gboolean
fail_hung_up (const Conversation *conversation, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s hung up at '%s'", conversation->place->title,
                  conversation->path);
  return FALSE;
}

static gboolean
fail_nonsense (const Conversation *conversation, const char *what, GError **error)
{
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "what %s answers to '%s' %s", conversation->place->title,
                  conversation->path, what);
  return FALSE;
}

/* Until the socket is ready for @events. */
static gboolean
wait_for (const Conversation *conversation, short events, GError **error)
{
  GPollFD cancel;
  gboolean has_cancel = g_cancellable_make_pollfd (job_cancellable (conversation->job), &cancel);
  struct pollfd fds[2] = { { .fd = conversation->fd, .events = events },
                           { .fd = has_cancel ? cancel.fd : -1, .events = POLLIN } };
  gint64 left = (conversation->deadline - g_get_monotonic_time ()) / 1000;
  int ready = poll (fds, 2, (int)CLAMP (left, 0, G_MAXINT));

  if (has_cancel)
    g_cancellable_release_fd (job_cancellable (conversation->job));
  if (!job_check (conversation->job, error))
    return FALSE;
  if (ready == 0)
    return fail_silent (conversation, error);
  return ready > 0 || errno == EINTR || fail_hung_up (conversation, error);
}

static gboolean
send_all (const Conversation *conversation, const GString *text, GError **error)
{
  for (gsize sent = 0; sent < text->len;) {
    ssize_t count = send (conversation->fd, text->str + sent, text->len - sent, MSG_NOSIGNAL);

    if (count > 0)
      sent += (gsize)count;
    else if (count < 0 && errno != EAGAIN && errno != EINTR)
      return fail_hung_up (conversation, error);
    else if (!wait_for (conversation, POLLOUT, error))
      return FALSE;
  }
  return TRUE;
}

/* More of the answer behind what is there; *@ret_end at its end. */
static gboolean
receive_more (const Conversation *conversation, GString *answer, gboolean *ret_end, GError **error)
{
  char bytes[READ_SIZE];

  for (;;) {
    ssize_t count = recv (conversation->fd, bytes, sizeof bytes, 0);

    if (count > 0)
      g_string_append_len (answer, bytes, count);
    *ret_end = count == 0;
    if (count >= 0)
      return TRUE;
    if (errno != EAGAIN && errno != EINTR)
      return fail_hung_up (conversation, error);
    if (!wait_for (conversation, POLLIN, error))
      return FALSE;
  }
}

/* *@ret_length: where the body begins. */
static gboolean
receive_head (const Conversation *conversation, GString *answer, gsize *ret_length, GError **error)
{
  gboolean end = FALSE;
  const char *found;

  while ((found = memmem (answer->str, answer->len, STATUS_END, strlen (STATUS_END))) == NULL) {
    if (end)
      return fail_hung_up (conversation, error);
    if (answer->len > API_HEAD_MAX)
      return fail_nonsense (conversation, "has too long a head", error);
    if (!receive_more (conversation, answer, &end, error))
      return FALSE;
  }
  *ret_length = (gsize)(found - answer->str) + strlen (STATUS_END);
  return *ret_length <= API_HEAD_MAX || fail_nonsense (conversation, "has too long a head", error);
}

/* "HTTP/1.1 204 No Content" and the headers behind it. */
static gboolean
read_head (const Conversation *conversation, const char *head, guint *ret_status, guint64 *ret_length,
           GError **error)
{
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0], " ", 3);
  guint64 status;

  if (g_strv_length (words) < 2 || !g_str_has_prefix (words[0], "HTTP/1.")
      || !parse_uint (words[1], 599, &status) || status < 200)
    return fail_nonsense (conversation, "is no HTTP", error);
  *ret_status = (guint)status;
  *ret_length = 0;
  for (guint i = 1; lines[i] != NULL; i++) {
    const char *colon = strchr (lines[i], ':');
    g_autofree char *name = colon != NULL ? g_ascii_strdown (lines[i], colon - lines[i]) : NULL;
    g_autofree char *value = colon != NULL ? g_strstrip (g_strdup (colon + 1)) : NULL;

    if (g_strcmp0 (name, "transfer-encoding") == 0)
      return fail_nonsense (conversation, "comes in an encoding of its own", error);
    if (g_strcmp0 (name, "content-length") == 0 && !parse_uint (value, G_MAXINT64, ret_length))
      return fail_nonsense (conversation, "has no length that is a number", error);
  }
  return *ret_length <= API_BODY_MAX || fail_nonsense (conversation, "is too long", error);
}

static gboolean
receive_body (const Conversation *conversation, GString *answer, gsize whole, GError **error)
{
  gboolean end = FALSE;

  while (answer->len < whole) {
    if (end)
      return fail_hung_up (conversation, error);
    if (!receive_more (conversation, answer, &end, error))
      return FALSE;
  }
  return TRUE;
}

/* Its words for a refusal: Firecracker's are in an object, Cloud Hypervisor's a text or a list of texts. */
static void
fail_refused (const Conversation *conversation, guint status, const char *body, gsize length, GError **error)
{
  g_autoptr (JsonObject) object = untrusted_json_object_of (body, length, VALUES_MAX);
  const char *fault = object != NULL ? untrusted_text (object, "fault_message") : NULL;
  g_autofree char *text =
      g_utf8_make_valid (fault != NULL ? fault : body, fault != NULL ? -1 : (gssize)MIN (length, WORDS_MAX));

  for (char *byte = text; *byte != '\0'; byte++)
    if (g_ascii_iscntrl (*byte))
      *byte = ' ';
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "%s refuses '%s' (%u)%s%.*s", conversation->place->title,
                  conversation->path, status, *text != '\0' ? ": " : "", WORDS_MAX, text);
}

static gboolean
take_answer (const Conversation *conversation, JsonObject **ret, GError **error)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *head = NULL;
  gsize begin;
  guint64 length;
  guint status;

  if (!receive_head (conversation, answer, &begin, error))
    return FALSE;
  head = g_strndup (answer->str, begin - strlen (STATUS_END));
  if (!read_head (conversation, head, &status, &length, error)
      || !receive_body (conversation, answer, begin + length, error))
    return FALSE;
  if (status >= 300) {
    fail_refused (conversation, status, answer->str + begin, length, error);
    return FALSE;
  }
  if (ret == NULL || length == 0)
    return TRUE;
  *ret = untrusted_json_object_of (answer->str + begin, length, VALUES_MAX);
  return *ret != NULL || fail_nonsense (conversation, "is no JSON object", error);
}

static GString *
request_text (const char *method, const char *path, JsonObject *body)
{
  g_autofree char *text = body != NULL ? json_object_text (body) : NULL;
  GString *request = g_string_new (NULL);

  g_string_append_printf (request, "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n",
                          method, path);
  if (text != NULL)
    g_string_append_printf (request, "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                            strlen (text), text);
  else
    g_string_append (request, "\r\n");
  return request;
}

gboolean
api_ask (const ApiPlace *place, Job *job, const char *method, const char *path, JsonObject *body,
         JsonObject **ret, GError **error)
{
  guint seconds = place->seconds != 0 ? place->seconds : API_SECONDS;
  Conversation conversation = { .place = place,
                                .job = job,
                                .fd = -1,
                                .deadline = MIN (g_get_monotonic_time () + (gint64)seconds * G_USEC_PER_SEC,
                                                 job_deadline (job)),
                                .path = path };
  g_autoptr (GString) request = request_text (method, path, body);
  g_autoptr (GError) problem = NULL;
  gboolean answered;

  g_clear_pointer (&body, json_object_unref);
  if (ret != NULL)
    *ret = NULL;
  conversation.fd = endpoint_connect (place->socket, 0, CONNECT_PATIENCE, &problem);
  if (conversation.fd < 0) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot connect to %s at '%s': %s", place->title,
                    place->socket, virt_error_detail (problem));
    return FALSE;
  }
  answered = send_all (&conversation, request, error) && take_answer (&conversation, ret, error);
  close (conversation.fd);
  return answered;
}
