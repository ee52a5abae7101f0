/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A machine's log, in the form libvirt's users know: time, what is started, the command line by options. */
#include "daemon/drivers/qemu/machine-log.h"

#include "config.h"
#include "daemon/core/file.h"
#include "daemon/object/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

static char *
backup_path (const char *path, guint number)
{
  return g_strdup_printf ("%s.%u", path, number);
}

/* Room for a new first backup; what it is, is left to the caller. (transfer full) */
static char *
shift_backups (const char *path)
{
  for (guint i = MACHINE_LOG_BACKUPS - 1; i > 0; i--) {
    g_autofree char *newer = backup_path (path, i - 1);
    g_autofree char *older = backup_path (path, i);

    rename (newer, older);
  }
  return backup_path (path, 0);
}

/* The newest backup's inode; 0: there is none. */
static guint64
backup_of (const char *path)
{
  g_autofree char *backup = backup_path (path, 0);
  struct stat status;

  return stat (backup, &status) == 0 ? status.st_ino : 0;
}

static gboolean
is_too_large (const char *path)
{
  struct stat status;

  return lstat (path, &status) == 0 && S_ISREG (status.st_mode) && status.st_size > MACHINE_LOG_MAX;
}

/* The end of the log of a running machine: what it writes goes to the end of the file, wherever that is. */
static void
copy_and_empty (const char *path)
{
  int from = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  g_autofree char *text = g_malloc (MACHINE_LOG_MAX);
  g_autofree char *backup = NULL;
  struct stat status;
  ssize_t got = -1;

  if (from >= 0 && fstat (from, &status) == 0)
    got = pread (from, text, MACHINE_LOG_MAX, MAX (status.st_size - MACHINE_LOG_MAX, 0));
  if (got > 0) {
    int to;

    backup = shift_backups (path);
    to = open (backup, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (to >= 0) {
      write_all (to, text, (gsize)got);
      close (to);
    }
    if (ftruncate (from, 0) != 0)
      g_warning ("%s: %s", path, g_strerror (errno));
  }
  if (from >= 0)
    close (from);
}

void
machine_logs_rotate (const char *directory)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    if (g_str_has_suffix (name, ".log") && is_too_large (path))
      copy_and_empty (path);
  }
}

/* Nobody has it open: the machine is about to start. */
static void
rotate_before_start (const char *path)
{
  g_autofree char *backup = is_too_large (path) ? shift_backups (path) : NULL;

  if (backup != NULL)
    rename (path, backup);
}

gboolean
machine_log_open (MachineLog *ret, const Settings *settings, const char *name, GError **error)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *file = g_strconcat (encoded, ".log", NULL);

  ret->path = g_build_filename (settings->log_directory, file, NULL);
  g_mkdir_with_parents (settings->log_directory, 0711);
  rotate_before_start (ret->path);
  ret->fd = open (ret->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  ret->reader = ret->fd >= 0 ? open (ret->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
  if (ret->reader < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open the machine's log '%s': %s", ret->path,
                    g_strerror (errno));
    return FALSE;
  }
  ret->begin = lseek (ret->fd, 0, SEEK_END);
  ret->backup = backup_of (ret->path);
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
  /* A log that was emptied meanwhile holds nothing but this QEMU's words. */
  goffset begin = backup_of (log->path) == log->backup ? log->begin : 0;
  goffset from = MAX (begin, status.st_size - MACHINE_LOG_LAST_WORDS);
  ssize_t got = pread (log->reader, text, MACHINE_LOG_LAST_WORDS, from);
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
  if (log->path != NULL && log->reader >= 0)
    close (log->reader);
  g_clear_pointer (&log->path, g_free);
  log->fd = log->reader = -1;
}
