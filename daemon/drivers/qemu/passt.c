/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * passt: a network for the guest without any right on the host's. It has one end of a pair of sockets and
 * QEMU the other: nobody else can connect, and it ends by itself when QEMU's is closed. So it goes with its
 * machine, also when the daemon is away. QEMU 7.2 does not close its end when the card is taken out, so that
 * passt is written down in the machine's run directory, and ended with its card. What it says goes into
 * memory of a fixed size, which is read when it ends at once.
 */
#include "daemon/drivers/qemu/passt.h"

#include "base/virt-error.h"
#include "daemon/core/file.h"
#include "daemon/host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define PASST_FD_TEXT   "3"   /* PASST_FD */
#define PASST_EARLY_END 200   /* ms in which it finds what it cannot do */
#define PASST_NOBODY    65534 /* whoever the machine is, passt is not root */
#define PASST_WORDS_MAX 4096  /* bytes kept of what it says */
#define PASST_NOTE_MAX  64    /* bytes of its note: two numbers */

static void
add (GPtrArray *arguments, const char *option, const char *value)
{
  g_ptr_array_add (arguments, g_strdup (option));
  if (value != NULL)
    g_ptr_array_add (arguments, g_strdup (value));
}

/* "22:2022", "1000-1050", "~1020" */
static void
append_range (GString *text, const InterfacePortRange *range)
{
  guint start = (guint)range->start.value, end = (guint)range->end.value, to = (guint)range->to.value;

  if (text->len > 0 && text->str[text->len - 1] != '/')
    g_string_append_c (text, ',');
  if (range->exclude == TRISTATE_YES)
    g_string_append_c (text, '~');
  g_string_append_printf (text, "%u", start);
  if (range->end.set)
    g_string_append_printf (text, "-%u", end);
  if (range->to.set)
    g_string_append_printf (text, ":%u", to);
  if (range->to.set && range->end.set && end > start)
    g_string_append_printf (text, "-%u", to + end - start);
}

static void
add_forward (GPtrArray *arguments, const InterfacePortForward *forward)
{
  g_autoptr (GString) text = g_string_new (forward->address);

  if (forward->dev != NULL)
    g_string_append_printf (text, "%%%s", forward->dev);
  if (text->len > 0)
    g_string_append_c (text, '/');
  for (guint i = 0; forward->ranges != NULL && i < forward->ranges->len; i++)
    append_range (text, g_ptr_array_index (forward->ranges, i));
  if (forward->ranges == NULL || forward->ranges->len == 0)
    g_string_append (text, "all");
  add (arguments, forward->protocol == 1 ? "--tcp-ports" : "--udp-ports", text->str);
}

char **
passt_arguments (const char *program, const DeviceInterface *interface)
{
  GPtrArray *arguments = g_ptr_array_new ();

  add (arguments, program, NULL);
  add (arguments, "--foreground", NULL);
  add (arguments, "--one-off", NULL);
  add (arguments, "--fd", PASST_FD_TEXT);
  if (interface->source_dev != NULL)
    add (arguments, "--interface", interface->source_dev);
  if (interface->backend_log_file != NULL)
    add (arguments, "--log-file", interface->backend_log_file);
  for (guint i = 0; interface->ips != NULL && i < interface->ips->len; i++) {
    const InterfaceIp *ip = g_ptr_array_index (interface->ips, i);
    g_autofree char *prefix = g_strdup_printf ("%u", (guint)ip->prefix.value);

    add (arguments, "--address", ip->address);
    if (ip->prefix.set && ip->prefix.value != 0 && strchr (ip->address, ':') == NULL)
      add (arguments, "--netmask", prefix);
  }
  for (guint i = 0; interface->port_forwards != NULL && i < interface->port_forwards->len; i++)
    add_forward (arguments, g_ptr_array_index (interface->port_forwards, i));
  g_ptr_array_add (arguments, NULL);
  return (char **)g_ptr_array_free (arguments, FALSE);
}

/* What it can write into, and no further; -1 on failure. */
static int
open_words (void)
{
  int fd = memfd_create ("passt", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd >= 0 && (ftruncate (fd, PASST_WORDS_MAX) != 0 || fcntl (fd, F_ADD_SEALS, F_SEAL_GROW) != 0)) {
    close (fd);
    return -1;
  }
  return fd;
}

/* The last line of it. (transfer full) */
static char *
last_words (int fd)
{
  char text[PASST_WORDS_MAX + 1] = "";
  const char *line;

  if (pread (fd, text, PASST_WORDS_MAX, 0) < 0)
    return g_strdup ("it said nothing");
  g_strchomp (text);
  line = strrchr (text, '\n');
  return g_strdup (line != NULL ? line + 1 : text[0] != '\0' ? text : "it said nothing");
}

static char *
note_path (const char *run_directory, const char *alias)
{
  g_autofree char *name = g_strconcat ("passt-", alias, NULL);

  return g_build_filename (run_directory, name, NULL);
}

/* Before it executes: a passt that nobody knows of cannot be. */
static gboolean
write_note (GPid pid, guint64 start_time, gpointer path, GError **error)
{
  g_autofree char *text = g_strdup_printf ("%d %" G_GUINT64_FORMAT "\n", pid, start_time);

  return store_write_file (path, text, -1, 0600, error);
}

void
passt_stop (const char *run_directory, const char *alias)
{
  g_autofree char *path = note_path (run_directory, alias);
  g_autofree char *text = store_read_file (path, PASST_NOTE_MAX, NULL, NULL);
  g_autoptr (Process) process = NULL;
  guint64 start_time;
  int pid;

  if (text != NULL && sscanf (text, "%d %" G_GUINT64_FORMAT, &pid, &start_time) == 2)
    process = process_adopt (pid, start_time);
  if (process != NULL)
    process_signal (process, SIGTERM);
  g_unlink (path);
}

static gboolean
run (const DeviceInterface *interface, const Account *account, const char *program, char *note, int socket,
     int words, GError **error)
{
  const int as = PASST_FD;
  gboolean is_root = geteuid () == 0 && (account == NULL || account->name == NULL);
  g_auto (GStrv) arguments = passt_arguments (program, interface);
  ProcessLaunch plan = {
    .argv = arguments,
    .fds = &socket,
    .fds_as = &as,
    .fd_count = 1,
    .output_fd = words,
    .created = write_note,
    .created_data = note,
    .user = account == NULL || account->own ? NULL : account->name,
    .uid = account != NULL && account->own ? account->uid
           : is_root                       ? PASST_NOBODY
                                           : 0,
  };
  g_autoptr (Process) process = process_spawn (&plan, error);
  g_autofree char *said = NULL;

  if (process == NULL)
    return FALSE;
  if (!process_wait (process, PASST_EARLY_END, NULL))
    return TRUE;
  said = last_words (words);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Could not start 'passt' for interface %s: %s",
                  interface->mac, said);
  return FALSE;
}

gboolean
passt_start (const DeviceInterface *interface, const Account *account, const char *run_directory, int *ret_fd,
             GError **error)
{
  g_autofree char *program = g_find_program_in_path ("passt");
  g_autofree char *note = note_path (run_directory, interface->device.alias);
  int pair[2], words;
  gboolean good = FALSE;

  if (program == NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                    "Cannot find 'passt' in path: No such file or directory (package passt)");
    return FALSE;
  }
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make a socket: %s", g_strerror (errno));
    return FALSE;
  }
  words = open_words ();
  if (words < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot keep what passt says: %s", g_strerror (errno));
  else
    good = run (interface, account, program, note, pair[1], words, error);
  if (words >= 0)
    close (words);
  close (pair[1]);
  if (good)
    *ret_fd = pair[0];
  else {
    close (pair[0]);
    g_unlink (note);
  }
  return good;
}
