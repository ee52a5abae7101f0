/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * domctl's side of a conversation with a program in a machine that runs an image. What the guest says is
 * bounded by the frame's length, and a frame that is none ends the conversation: the guest is not trusted to
 * mean well.
 */
#include "cli/guest-session.h"

#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_CHARACTER 0x1d /* Ctrl+], as domctl's console */
#define INPUT_BYTES      16384
#define IN_MAX           (GUEST_HEADER_BYTES + GUEST_FRAME_MAX)
#define PLAIN_CHARACTERS "-._~/:"

typedef struct {
  const GuestSession *session;
  int port, signals;
  guint8 hello[GUEST_HELLO_BYTES];
  gboolean greeted, ended;
  GByteArray *in;
  int status;
} Talk;

GString *
guest_plan_new (void)
{
  return g_string_new (NULL);
}

void
guest_plan_add (GString *plan, const char *key, const char *value)
{
  if (plan->len > 0)
    g_string_append_c (plan, ' ');
  g_string_append_printf (plan, "%s=", key);
  for (; *value != '\0'; value++) {
    if (g_ascii_isalnum (*value) || strchr (PLAIN_CHARACTERS, *value) != NULL)
      g_string_append_c (plan, *value);
    else
      g_string_append_printf (plan, "%%%02X", (guint)(guchar)*value);
  }
}

/* To the guest. */

static gboolean
write_all (int fd, const void *data, gsize length)
{
  const char *bytes = data;

  while (length > 0) {
    ssize_t written = write (fd, bytes, length);
    struct pollfd room = { .fd = fd, .events = POLLOUT };

    if (written < 0 && errno == EAGAIN && poll (&room, 1, -1) >= 0)
      continue;
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return FALSE;
    bytes += written;
    length -= (gsize)written;
  }
  return TRUE;
}

static gboolean
send_frame (Talk *talk, GuestFrame type, const void *bytes, gsize length)
{
  const guint8 header[GUEST_HEADER_BYTES] = {
    type, 0, 0, 0, (guint8)length, (guint8)(length >> 8), (guint8)(length >> 16), (guint8)(length >> 24),
  };

  return write_all (talk->port, header, sizeof header) && write_all (talk->port, bytes, length);
}

static void
send_size (Talk *talk)
{
  struct winsize size;

  if (talk->session->terminal && ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    const guint8 bytes[] = { (guint8)size.ws_row, (guint8)(size.ws_row >> 8), (guint8)size.ws_col,
                             (guint8)(size.ws_col >> 8) };

    send_frame (talk, GUEST_SIZE, bytes, sizeof bytes);
  }
}

static void
begin (Talk *talk)
{
  if (talk->session->plan != NULL)
    send_frame (talk, GUEST_START, talk->session->plan, strlen (talk->session->plan));
  send_size (talk);
}

/* FALSE: the user left. */
static gboolean
pass_input (Talk *talk, struct pollfd *input)
{
  char bytes[INPUT_BYTES];
  ssize_t count = read (STDIN_FILENO, bytes, sizeof bytes);
  const char *escape =
      talk->session->terminal && count > 0 ? memchr (bytes, ESCAPE_CHARACTER, (gsize)count) : NULL;

  if (escape != NULL)
    return FALSE;
  if (count > 0)
    send_frame (talk, GUEST_INPUT, bytes, (gsize)count);
  else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
    send_frame (talk, GUEST_INPUT_END, "", 0);
    input->fd = -1;
  }
  return TRUE;
}

static void
pass_signals (Talk *talk)
{
  guint8 number;

  while (read (talk->signals, &number, 1) == 1) {
    if (number == SIGWINCH)
      send_size (talk);
    else
      send_frame (talk, GUEST_SIGNAL, &number, 1);
  }
}

/* From the guest. */

/* Looks for the answer to our greeting: what is before it was for somebody else. */
static void
find_hello (Talk *talk)
{
  guint8 wanted[GUEST_HEADER_BYTES + GUEST_HELLO_BYTES] = { GUEST_HELLO, 0, 0, 0, GUEST_HELLO_BYTES };
  const guint8 *found;

  memcpy (wanted + GUEST_HEADER_BYTES, talk->hello, GUEST_HELLO_BYTES);
  found = talk->in->len > 0 ? memmem (talk->in->data, talk->in->len, wanted, sizeof wanted) : NULL;
  if (found != NULL) {
    g_byte_array_remove_range (talk->in, 0, (guint)(found - talk->in->data) + sizeof wanted);
    talk->greeted = TRUE;
    begin (talk);
  } else if (talk->in->len > sizeof wanted) {
    g_byte_array_remove_range (talk->in, 0, talk->in->len - sizeof wanted);
  }
}

static void
show_failure (const guint8 *bytes, gsize length)
{
  g_autofree char *text = g_strndup ((const char *)bytes, length);

  command_error ("%s", text);
}

static void
hear_frame (Talk *talk, GuestFrame type, const guint8 *bytes, gsize length)
{
  if (type == GUEST_OUTPUT)
    write_all (STDOUT_FILENO, bytes, length);
  else if (type == GUEST_ERROR_OUTPUT)
    write_all (STDERR_FILENO, bytes, length);
  else if (type == GUEST_FAILED)
    show_failure (bytes, length);
  else if (type == GUEST_EXIT && length == 1) {
    talk->status = bytes[0];
    talk->ended = TRUE;
  }
}

/* FALSE: it is no talk of ours. */
static gboolean
hear (Talk *talk)
{
  if (!talk->greeted)
    find_hello (talk);
  while (talk->greeted && !talk->ended && talk->in->len >= GUEST_HEADER_BYTES) {
    const guint8 *head = talk->in->data;
    guint32 length = head[4] | (guint32)head[5] << 8 | (guint32)head[6] << 16 | (guint32)head[7] << 24;

    if (length > GUEST_FRAME_MAX)
      return FALSE;
    if (talk->in->len < GUEST_HEADER_BYTES + length)
      return TRUE;
    hear_frame (talk, head[0], head + GUEST_HEADER_BYTES, length);
    g_byte_array_remove_range (talk->in, 0, GUEST_HEADER_BYTES + length);
  }
  return TRUE;
}

/* FALSE: the machine is gone. */
static gboolean
read_port (Talk *talk)
{
  guint8 bytes[INPUT_BYTES];
  ssize_t count = read (talk->port, bytes, sizeof bytes);

  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  if (count <= 0)
    return FALSE;
  g_byte_array_append (talk->in, bytes, (guint)count);
  return hear (talk);
}

/* The conversation. */

static GuestEnd
converse (Talk *talk)
{
  gint64 deadline = g_get_monotonic_time () + talk->session->patience * G_TIME_SPAN_MILLISECOND;
  struct pollfd polls[] = {
    { .fd = talk->port, .events = POLLIN },
    { .fd = talk->signals, .events = POLLIN },
    { .fd = -1, .events = POLLIN },
  };

  while (!talk->ended) {
    gint64 left = (deadline - g_get_monotonic_time ()) / G_TIME_SPAN_MILLISECOND;

    if (!talk->greeted && left <= 0)
      return GUEST_GONE;
    if (talk->greeted && talk->session->input && polls[2].events != 0)
      polls[2].fd = STDIN_FILENO;
    if (poll (polls, G_N_ELEMENTS (polls), talk->greeted ? -1 : (int)left) < 0 && errno != EINTR)
      return GUEST_GONE;
    if (polls[1].revents != 0)
      pass_signals (talk);
    if (polls[2].revents != 0) {
      if (!pass_input (talk, &polls[2]))
        return GUEST_LEFT;
      if (polls[2].fd == -1)
        polls[2].events = 0;
    }
    if (polls[0].revents != 0 && !read_port (talk))
      return GUEST_GONE;
  }
  return GUEST_ENDED;
}

/* Signals come through a pipe: GDBus has threads of its own, which a mask set here would not be for. */
static const int signals_passed[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };
static int signal_pipe[2] = { -1, -1 };

static void
note_signal (int number)
{
  int before = errno;
  guint8 byte = (guint8)number;

  if (write (signal_pipe[1], &byte, 1) < 0)
    errno = before; /* so many wait that one more says nothing */
  errno = before;
}

static gboolean
take_signals (struct sigaction before[])
{
  struct sigaction noting = { .sa_handler = note_signal, .sa_flags = SA_RESTART };

  if (!g_unix_open_pipe (signal_pipe, FD_CLOEXEC, NULL)
      || !g_unix_set_fd_nonblocking (signal_pipe[0], TRUE, NULL)
      || !g_unix_set_fd_nonblocking (signal_pipe[1], TRUE, NULL))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (signals_passed); i++)
    sigaction (signals_passed[i], &noting, &before[i]);
  return TRUE;
}

static void
leave_signals (const struct sigaction before[])
{
  for (guint i = 0; i < G_N_ELEMENTS (signals_passed); i++)
    sigaction (signals_passed[i], &before[i], NULL);
  close (signal_pipe[0]);
  close (signal_pipe[1]);
}

GuestEnd
guest_session_run (const GuestSession *session, int port, int *ret_status)
{
  Talk talk = { .session = session, .port = port };
  struct termios before, raw;
  gboolean is_raw = session->terminal && tcgetattr (STDIN_FILENO, &before) == 0;
  struct sigaction signals_before[G_N_ELEMENTS (signals_passed)];
  GuestEnd end = GUEST_GONE;

  fflush (stdout);
  signal (SIGPIPE, SIG_IGN);
  g_unix_set_fd_nonblocking (port, TRUE, NULL);
  if (!take_signals (signals_before))
    return GUEST_GONE;
  talk.signals = signal_pipe[0];
  talk.in = g_byte_array_sized_new (IN_MAX);
  if (is_raw) {
    raw = before;
    cfmakeraw (&raw);
    tcsetattr (STDIN_FILENO, TCSANOW, &raw);
  }
  if (getrandom (talk.hello, sizeof talk.hello, 0) == sizeof talk.hello
      && send_frame (&talk, GUEST_HELLO, talk.hello, sizeof talk.hello))
    end = converse (&talk);
  if (is_raw)
    tcsetattr (STDIN_FILENO, TCSANOW, &before);
  leave_signals (signals_before);
  g_byte_array_unref (talk.in);
  *ret_status = talk.status;
  return end;
}
