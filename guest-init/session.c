/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Conversations: the image's program with whoever is at the main port, and one of each exec port's client.
 * One loop reads programs and ports. Nobody is waited for: a program whose reader is slow is not read until
 * there is room, one whose reader is gone is read and forgotten, but for the log, which has all that the
 * image's program said. When that program ends, so does the machine.
 */
#include "init.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define SESSIONS        (1 + GUEST_EXEC_PORTS)
#define READ_BYTES      16384
#define WAIT_PATIENCE   30000 /* ms in which whoever started the machine comes to its main port */
#define FINISH_PATIENCE 5000  /* ms in which the last words must be taken */
#define BUTTONS_MAX     8
#define POLLS_MAX       (2 + BUTTONS_MAX + SESSIONS * 4)

typedef struct {
  Port port;
  Plan *plan; /* NULL: nothing runs */
  Process process;
  uint8_t *input; /* what the program has not taken yet */
  size_t input_start, input_length;
  bool input_ended, is_main;
} Session;

static struct {
  Session sessions[SESSIONS];
  Port log, status;
  int signals;
  int buttons[BUTTONS_MAX];
  int button_count;
  bool waits; /* the program starts when somebody comes */
} all;

/* Ends. */

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
close_process (Session *session)
{
  Process *process = &session->process;

  if (process->input == process->output)
    process->input = -1; /* a terminal */
  close_fd (&process->input);
  close_fd (&process->output);
  close_fd (&process->errors);
  free (session->input);
  session->input = NULL;
  session->input_start = session->input_length = 0;
  session->input_ended = false;
}

static void
switch_off (Session *session, int status)
{
  char line[32];

  snprintf (line, sizeof line, "exit %d\n", status);
  port_send_raw (&all.status, line, strlen (line));
  port_finish (&all.log, FINISH_PATIENCE);
  port_finish (&all.status, FINISH_PATIENCE);
  port_finish (&session->port, FINISH_PATIENCE);
  kill (-1, SIGKILL);
  setup_power_off ();
}

static void
end_session (Session *session, int status)
{
  uint8_t byte = (uint8_t)status;

  close_process (session);
  port_send (&session->port, GUEST_EXIT, &byte, 1);
  if (session->is_main)
    switch_off (session, status);
  free (session->plan);
  session->plan = NULL;
}

/* Programs. */

static void
show (Session *session, GuestFrame type, const void *bytes, size_t length)
{
  port_send (&session->port, type, bytes, length);
  if (session->is_main)
    port_send_raw (&all.log, bytes, length);
}

static void
unblock (int fd)
{
  if (fd >= 0)
    fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
}

static void
start (Session *session)
{
  process_start (session->plan, &session->process);
  if (session->process.why != NULL) {
    say ("%s", session->process.why);
    port_send (&session->port, GUEST_FAILED, session->process.why, strlen (session->process.why));
    end_session (session, session->process.status);
    return;
  }
  if (!session->plan->input && !session->plan->terminal)
    close_fd (&session->process.input);
  unblock (session->process.input);
  unblock (session->process.output);
  unblock (session->process.errors);
}

/* TRUE: there may be more. */
static bool
read_from (Session *session, int *fd, GuestFrame type)
{
  uint8_t bytes[READ_BYTES];
  ssize_t count = *fd >= 0 ? read (*fd, bytes, sizeof bytes) : -1;

  if (count > 0)
    show (session, type, bytes, (size_t)count);
  else if (*fd >= 0 && (count == 0 || errno != EAGAIN)) {
    if (session->process.input == *fd)
      session->process.input = -1;
    close_fd (fd);
  }
  return count > 0;
}

/* What it said before it ended, bounded by what pipes hold. */
static void
read_rest (Session *session)
{
  for (int i = 0; i < 64 && read_from (session, &session->process.output, GUEST_OUTPUT); i++)
    ;
  for (int i = 0; i < 64 && read_from (session, &session->process.errors, GUEST_ERROR_OUTPUT); i++)
    ;
}

static void
feed (Session *session)
{
  Process *process = &session->process;

  while (process->input >= 0 && session->input_length > 0) {
    ssize_t count = write (process->input, session->input + session->input_start, session->input_length);

    if (count < 0 && errno == EAGAIN)
      return;
    if (count < 0) { /* it closed its input */
      session->input_length = 0;
      if (process->input != process->output)
        close_fd (&process->input);
      return;
    }
    session->input_start += (size_t)count;
    session->input_length -= (size_t)count;
  }
  if (session->input_ended && session->input_length == 0 && process->input >= 0
      && process->input != process->output)
    close_fd (&process->input);
}

static void
add_input (Session *session, const uint8_t *bytes, size_t length)
{
  free (session->input); /* read only when it was empty */
  session->input = take (length + 1);
  memcpy (session->input, bytes, length);
  session->input_start = 0;
  session->input_length = length;
  feed (session);
}

static void
send_signal (const Session *session, int number)
{
  if (session->plan != NULL && session->process.pid > 0)
    kill (session->process.pid, number);
}

/* What clients say. */

static void
begin_exec (Session *session, const uint8_t *bytes, size_t length)
{
  char *text = take (length + 1);

  memcpy (text, bytes, length);
  session->plan = plan_read (text);
  if (session->plan != NULL) {
    plan_inherit (session->plan, all.sessions[0].plan);
    start (session);
  } else
    port_send (&session->port, GUEST_EXIT, &(uint8_t){ 125 }, 1);
}

/* Its client went and the next one came before that was seen. */
static void
drop_exec (Session *session)
{
  kill (-session->process.pid, SIGHUP);
  close_process (session);
  free (session->plan);
  session->plan = NULL;
}

static void
set_size (Session *session, const uint8_t *bytes)
{
  struct winsize size = { .ws_row = (unsigned short)(bytes[0] | bytes[1] << 8),
                          .ws_col = (unsigned short)(bytes[2] | bytes[3] << 8) };

  if (session->process.output >= 0)
    ioctl (session->process.output, TIOCSWINSZ, &size);
}

static void
hear_frame (Session *session, GuestFrame type, const uint8_t *bytes, size_t length)
{
  bool runs = session->plan != NULL && session->process.pid > 0;

  if (type == GUEST_HELLO) {
    if (runs && !session->is_main)
      drop_exec (session);
    port_send (&session->port, GUEST_HELLO, bytes, length);
    if (session->is_main && all.waits) {
      all.waits = false;
      start (session);
    }
  } else if (type == GUEST_START && !session->is_main && session->plan == NULL) {
    begin_exec (session, bytes, length);
  } else if (type == GUEST_INPUT && runs && length > 0) {
    add_input (session, bytes, length);
  } else if (type == GUEST_INPUT_END && runs) {
    session->input_ended = true;
    feed (session);
  } else if (type == GUEST_SIGNAL && length == 1) {
    send_signal (session, bytes[0]);
  } else if (type == GUEST_SIZE && length == 4 && runs) {
    set_size (session, bytes);
  }
}

/* While the program takes its input: the rest waits in the port, and at last at the client. */
static void
hear_port (Session *session)
{
  GuestFrame type;
  const uint8_t *bytes;
  size_t length;

  while (session->input_length == 0 && port_next (&session->port, &type, &bytes, &length))
    hear_frame (session, type, bytes, length);
}

/* Somebody came or left. What an exec's client leaves behind is told so, as by a terminal that is closed. */
static void
check_ports (void)
{
  for (int i = 0; i < SESSIONS; i++) {
    Session *session = &all.sessions[i];

    if (port_check (&session->port) && !session->port.connected && !session->is_main && session->plan != NULL)
      kill (-session->process.pid, SIGHUP);
  }
  port_check (&all.log);
  port_check (&all.status);
}

/* Signals, and the power button. */

static void
reap (void)
{
  int status;

  for (pid_t pid; (pid = waitpid (-1, &status, WNOHANG)) > 0;) {
    for (int i = 0; i < SESSIONS; i++) {
      Session *session = &all.sessions[i];

      if (session->plan == NULL || session->process.pid != pid)
        continue;
      read_rest (session);
      end_session (session, WIFSIGNALED (status) ? 128 + WTERMSIG (status) : WEXITSTATUS (status));
    }
  }
}

static void
hear_signals (void)
{
  struct signalfd_siginfo information;

  while (read (all.signals, &information, sizeof information) > 0)
    ;
  check_ports ();
  reap ();
}

static void
hear_button (int button, Session *session)
{
  struct input_event event;

  while (read (button, &event, sizeof event) == sizeof event) {
    if (event.type != EV_KEY || event.code != KEY_POWER || event.value != 1)
      continue;
    if (all.waits)
      setup_power_off ();
    send_signal (session, session->plan->stop_signal);
  }
}

static void
open_buttons (void)
{
  DIR *inputs = opendir ("/dev/input");

  for (struct dirent *entry; inputs != NULL && (entry = readdir (inputs)) != NULL;) {
    char path[300];
    int button;

    snprintf (path, sizeof path, "/dev/input/%.255s", entry->d_name);
    if (strncmp (entry->d_name, "event", 5) != 0 || all.button_count == BUTTONS_MAX)
      continue;
    button = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (button >= 0)
      all.buttons[all.button_count++] = button;
  }
  if (inputs != NULL)
    closedir (inputs);
}

static void
open_signals (void)
{
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGCHLD);
  sigaddset (&set, SIGIO);
  signal (SIGPIPE, SIG_IGN);
  sigprocmask (SIG_BLOCK, &set, NULL);
  all.signals = signalfd (-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

/* The loop. */

static struct pollfd polls[POLLS_MAX];
static int poll_count;

static struct pollfd *
poll_for (int fd, short events)
{
  struct pollfd *one = &polls[poll_count++];

  *one = (struct pollfd){ .fd = events != 0 ? fd : -1, .events = events };
  return one;
}

typedef struct {
  struct pollfd *port, *input, *output, *errors;
} SessionPolls;

static SessionPolls
poll_for_session (const Session *session)
{
  bool room =
      session->port.out_length < PORT_OUT_HIGH && (!session->is_main || all.log.out_length < PORT_OUT_HIGH);
  bool runs = session->plan != NULL && (!session->is_main || !all.waits);
  bool listens = session->port.fd >= 0 && session->port.connected;

  return (SessionPolls){
    .port = poll_for (session->port.fd, (short)(listens ? (session->input_length == 0 ? POLLIN : 0)
                                                              | (session->port.out_length > 0 ? POLLOUT : 0)
                                                        : 0)),
    .input = poll_for (session->process.input, runs && session->input_length > 0 ? POLLOUT : 0),
    .output = poll_for (session->process.output, runs && room ? POLLIN : 0),
    .errors = poll_for (session->process.errors, runs && room ? POLLIN : 0),
  };
}

static void
serve (Session *session, const SessionPolls *ready)
{
  if ((ready->port->revents & POLLOUT) != 0)
    port_flush (&session->port);
  if (ready->output->revents != 0)
    read_from (session, &session->process.output, GUEST_OUTPUT);
  if (ready->errors->revents != 0)
    read_from (session, &session->process.errors, GUEST_ERROR_OUTPUT);
  if (ready->input->revents != 0)
    feed (session);
  if ((ready->port->revents & POLLIN) != 0)
    port_fill (&session->port);
  if ((ready->port->revents & POLLHUP) != 0)
    check_ports ();
  if (session->port.connected)
    hear_port (session);
}

static void
turn (void)
{
  SessionPolls ready[SESSIONS];
  struct pollfd *signals, *log, *buttons[BUTTONS_MAX];

  poll_count = 0;
  signals = poll_for (all.signals, POLLIN);
  log = poll_for (all.log.fd, all.log.out_length > 0 ? POLLOUT : 0);
  for (int i = 0; i < all.button_count; i++)
    buttons[i] = poll_for (all.buttons[i], POLLIN);
  for (int i = 0; i < SESSIONS; i++)
    ready[i] = poll_for_session (&all.sessions[i]);
  if (poll (polls, (nfds_t)poll_count, all.waits ? WAIT_PATIENCE : -1) == 0 && all.waits) {
    all.waits = false;
    start (&all.sessions[0]);
  }
  if (log->revents != 0)
    port_flush (&all.log);
  for (int i = 0; i < all.button_count; i++)
    if (buttons[i]->revents != 0)
      hear_button (all.buttons[i], &all.sessions[0]);
  for (int i = 0; i < SESSIONS; i++)
    serve (&all.sessions[i], &ready[i]);
  if (signals->revents != 0)
    hear_signals ();
}

void
sessions_run (Plan *plan)
{
  Session *main_session = &all.sessions[0];

  open_signals ();
  open_buttons ();
  port_open (&all.log, GUEST_LOG_PORT);
  port_open (&all.status, GUEST_STATUS_PORT);
  for (int i = 0; i < SESSIONS; i++) {
    char name[64] = GUEST_MAIN_PORT;

    if (i > 0)
      snprintf (name, sizeof name, GUEST_EXEC_PORT "%d", i - 1);
    port_open (&all.sessions[i].port, name);
    all.sessions[i].process = (Process){ .pid = -1, .input = -1, .output = -1, .errors = -1 };
  }
  main_session->is_main = true;
  main_session->plan = plan;
  all.waits = plan->wait && main_session->port.fd >= 0;
  check_ports ();
  if (!all.waits)
    start (main_session);
  for (;;)
    turn ();
}
