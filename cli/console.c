/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The guest's console on this terminal. The daemon opens the console and passes the descriptor, so that no
 * right on the pty itself is needed; from then on bytes go between it and the terminal, which is raw, until
 * the escape key, the end of the console, or the end of standard input when that is no terminal.
 */

#include "cli/command.h"
#include "cli/connection.h"

#include <errno.h>
#include <glib-unix.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_CHARACTER 0x1d /* Ctrl+], as virsh's */
#define BUFFER_BYTES     4096

static char *device;
static gboolean force;

static struct termios terminal_before;

static gboolean
make_raw (void)
{
  struct termios raw;

  if (tcgetattr (STDIN_FILENO, &terminal_before) < 0)
    return FALSE;
  raw = terminal_before;
  cfmakeraw (&raw);
  return tcsetattr (STDIN_FILENO, TCSANOW, &raw) == 0;
}

static gboolean
write_all (int fd, const char *bytes, gsize length)
{
  while (length > 0) {
    ssize_t written = write (fd, bytes, length);

    if (written < 0 && errno == EAGAIN) {
      struct pollfd room = { .fd = fd, .events = POLLOUT };

      poll (&room, 1, -1);
      continue;
    }
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return FALSE;
    bytes += written;
    length -= written;
  }
  return TRUE;
}

typedef enum { COPIED, ENDED, ESCAPED } CopyResult;

static CopyResult
copy (int from, int to, gboolean look_for_escape)
{
  char buffer[BUFFER_BYTES];
  ssize_t count = read (from, buffer, sizeof buffer);

  if (count < 0 && (errno == EAGAIN || errno == EINTR))
    return COPIED;
  if (count <= 0)
    return ENDED;
  for (ssize_t i = 0; look_for_escape && i < count; i++) {
    if (buffer[i] == ESCAPE_CHARACTER) {
      write_all (to, buffer, i);
      return ESCAPED;
    }
  }
  return write_all (to, buffer, count) ? COPIED : ENDED;
}

/* Until the console ends or the user leaves. When standard input ends first, what the guest says is still
 * shown. */
static void
converse (int console, gboolean is_terminal)
{
  struct pollfd sources[] = {
    { .fd = console, .events = POLLIN },
    { .fd = STDIN_FILENO, .events = POLLIN },
  };

  for (;;) {
    if (poll (sources, G_N_ELEMENTS (sources), -1) < 0 && errno != EINTR)
      return;
    if (sources[0].revents != 0 && copy (console, STDOUT_FILENO, FALSE) != COPIED)
      return;
    if (sources[1].revents != 0) {
      switch (copy (STDIN_FILENO, console, is_terminal)) {
        case COPIED:
          break;
        case ENDED:
          sources[1].fd = -1;
          break;
        case ESCAPED:
          return;
      }
    }
  }
}

static int
console_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  g_autofree char *name = NULL;
  gboolean is_terminal = isatty (STDIN_FILENO);
  int console;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), line->arguments[0]);
    return command_error ("%s", error->message);
  }
  name = connection_domain_name (line->connection, path, NULL);
  console = connection_call_for_fd (
      line->connection, path, OWN_DOMAIN_INTERFACE, "OpenConsole",
      g_variant_new ("(su)", device != NULL ? device : "", force ? VIR_DOMAIN_CONSOLE_FORCE : 0), &error);
  if (console < 0)
    return command_error ("%s", error->message);

  fprintf (stderr, _ ("Connected to domain '%s'\n"), name);
  if (is_terminal) {
    fprintf (stderr, _ ("Escape character is ^] (Ctrl + ])\n"));
    is_terminal = make_raw ();
  }
  g_unix_set_fd_nonblocking (console, TRUE, NULL);
  converse (console, is_terminal);
  if (is_terminal)
    tcsetattr (STDIN_FILENO, TCSANOW, &terminal_before);
  close (console);
  return EXIT_OK;
}

static const GOptionEntry console_options[] = {
  { "devname", 0, 0, G_OPTION_ARG_STRING, &device, N_ ("Alias of the console, serial or channel device"),
    N_ ("ALIAS") },
  { "force", 0, 0, G_OPTION_ARG_NONE, &force, N_ ("Take the console over from another client"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command console_commands[] = {
  { "console", "DOMAIN", N_ ("The guest's console on this terminal"), 1, 1, console_options, console_run },
  { NULL },
};
