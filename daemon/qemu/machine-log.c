/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine's log, in the form libvirt's users know: time, what is started, the command line by options. */
#include "daemon/qemu/machine-log.h"

#include "config.h"
#include "daemon/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_all (int fd, const char *text, gsize length)
{
  while (length > 0) {
    ssize_t done = write (fd, text, length);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return; /* a full disk silences the log and stops no machine */
    text += done;
    length -= (gsize)done;
  }
}

gboolean
machine_log_open (MachineLog *ret, const Settings *settings, const char *name, GError **error)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *file = g_strconcat (encoded, ".log", NULL);

  ret->path = g_build_filename (settings->log_directory, file, NULL);
  g_mkdir_with_parents (settings->log_directory, 0711);
  ret->fd = open (ret->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (ret->fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open the machine's log '%s': %s", ret->path,
                    g_strerror (errno));
    return FALSE;
  }
  ret->begin = lseek (ret->fd, 0, SEEK_END);
  return TRUE;
}

static char *
timestamp (void)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();

  return g_date_time_format (now, "%Y-%m-%d %H:%M:%S.%f%z");
}

void
machine_log_line (MachineLog *log, const char *text)
{
  g_autofree char *when = timestamp ();
  g_autofree char *line = g_strdup_printf ("%s: %s\n", when, text);

  write_all (log->fd, line, strlen (line));
}

void
machine_log_banner (MachineLog *log, const char *qemu_version, char **environment, char **argv)
{
  g_autofree char *head = g_strdup_printf ("starting up domaind version: %s, qemu version: %s, hostname: %s",
                                           PACKAGE_VERSION, qemu_version, g_get_host_name ());
  g_autoptr (GString) text = g_string_new (NULL);

  machine_log_line (log, head);
  for (guint i = 0; environment != NULL && environment[i] != NULL; i++)
    g_string_append_printf (text, "%s \\\n", environment[i]);
  for (guint i = 0; argv[i] != NULL; i++) {
    g_autofree char *quoted =
        strpbrk (argv[i], " '\"\\{}[]$&;*?()<>|`") != NULL ? g_shell_quote (argv[i]) : g_strdup (argv[i]);
    gboolean begins_line = argv[i + 1] != NULL && argv[i + 1][0] == '-';
    g_string_append (text, quoted);
    g_string_append (text, argv[i + 1] == NULL ? "\n" : begins_line ? " \\\n" : " ");
  }
  write_all (log->fd, text->str, text->len);
  log->begin = lseek (log->fd, 0, SEEK_END);
}

char *
machine_log_last_words (const MachineLog *log)
{
  char text[MACHINE_LOG_LAST_WORDS + 1];
  struct stat status;

  if (fstat (log->fd, &status) != 0)
    return g_strdup ("");
  goffset from = MAX (log->begin, status.st_size - MACHINE_LOG_LAST_WORDS);
  ssize_t got = pread (log->fd, text, MACHINE_LOG_LAST_WORDS, from);
  if (got <= 0)
    return g_strdup ("");
  text[got] = '\0';
  return g_strstrip (g_utf8_make_valid (text, got));
}

void
machine_log_clear (MachineLog *log)
{
  if (log->path != NULL && log->fd >= 0)
    close (log->fd);
  g_clear_pointer (&log->path, g_free);
  log->fd = -1;
}
