/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One writer behind all of GLib's logging: it drops what is below the chosen level, and writes the rest to
 * the journal with its fields, or as "TIME LEVEL message" lines on stderr with one write a line, so that
 * lines of several threads do not mix.
 */
#include "daemon/core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_MAX_LINE 4096 /* bytes of one message; the rest is cut */
#define LOG_KEPT_SIZE \
  (1024 * 1024) /* bytes of a log file that a start goes on with; a larger one begins anew */

static gint log_shown; /* GLogLevelFlags; read and written atomically */
static gboolean log_to_journal;

static const char *
level_name (GLogLevelFlags level)
{
  if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL))
    return "error";
  if (level & G_LOG_LEVEL_WARNING)
    return "warning";
  return level & G_LOG_LEVEL_DEBUG ? "debug" : "info";
}

static GLogLevelFlags
levels_down_to (const char *name)
{
  GLogLevelFlags levels = G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL;

  if (g_str_equal (name, "error"))
    return levels;
  levels |= G_LOG_LEVEL_WARNING;
  if (g_str_equal (name, "warning"))
    return levels;
  levels |= G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO;
  return g_str_equal (name, "debug") ? levels | G_LOG_LEVEL_DEBUG : levels;
}

/* Newlines are kept as an indented next line; other control characters are shown as \xNN. */
static void
append_printable (GString *line, const char *message, gsize length)
{
  for (gsize i = 0; i < MIN (length, LOG_MAX_LINE); i++)
    if (message[i] == '\n')
      g_string_append (line, i + 1 < length ? "\n    " : "");
    else if (g_ascii_iscntrl (message[i]))
      g_string_append_printf (line, "\\x%02x", (guint8)message[i]);
    else
      g_string_append_c (line, message[i]);
  if (length > LOG_MAX_LINE)
    g_string_append (line, "...");
}

static const GLogField *
find_field (const GLogField *fields, gsize count, const char *key)
{
  for (gsize i = 0; i < count; i++)
    if (g_str_equal (fields[i].key, key))
      return &fields[i];
  return NULL;
}

static void
write_line (GLogLevelFlags level, const GLogField *fields, gsize count)
{
  const GLogField *field = find_field (fields, count, "MESSAGE");
  gint64 now = g_get_real_time ();
  time_t seconds = now / G_USEC_PER_SEC;
  char when[sizeof "-2147483648-12-31T23:59:60"] = "";
  struct tm parts;
  g_autoptr (GString) line = g_string_new (NULL);

  if (field == NULL)
    return;
  if (localtime_r (&seconds, &parts) != NULL)
    strftime (when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
  g_string_printf (line, "%s.%03d %s ", when, (int)(now % G_USEC_PER_SEC / 1000), level_name (level));
  append_printable (line, field->value, field->length < 0 ? strlen (field->value) : (gsize)field->length);
  g_string_append_c (line, '\n');
  /* Where stderr is full or gone there is nobody left to tell. */
  if (write (STDERR_FILENO, line->str, line->len) < 0)
    return;
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize count, G_GNUC_UNUSED gpointer data)
{
  if (((gint)level & g_atomic_int_get (&log_shown)) == 0)
    return G_LOG_WRITER_HANDLED;
  if (!log_to_journal || g_log_writer_journald (level, fields, count, NULL) != G_LOG_WRITER_HANDLED)
    write_line (level, fields, count);
  return G_LOG_WRITER_HANDLED;
}

void
log_set_level (const char *level)
{
  g_atomic_int_set (&log_shown, (gint)levels_down_to (level));
}

void
log_leave_foreign_terminal (const char *path)
{
  g_autofree char *directory = g_path_get_dirname (path);
  struct stat old;
  int fd;

  if (g_getenv ("DBUS_STARTER_ADDRESS") == NULL || !isatty (STDERR_FILENO))
    return;
  fd = g_mkdir_with_parents (directory, 0755) == 0
           ? open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
           : -1;
  if (fd < 0) {
    g_warning ("cannot log to '%s': %s", path, g_strerror (errno));
    return;
  }
  if (fstat (fd, &old) == 0 && old.st_size > LOG_KEPT_SIZE && ftruncate (fd, 0) < 0)
    g_debug ("%s: %s", path, g_strerror (errno));
  dup2 (fd, STDERR_FILENO);
  dup2 (fd, STDOUT_FILENO);
  close (fd);
}

void
log_start (const char *level, const char *format)
{
  tzset (); /* which localtime_r need not do */
  log_set_level (level);
  log_to_journal = g_str_equal (format, "journal")
                   || (g_str_equal (format, "auto") && g_log_writer_is_journald (STDERR_FILENO));
  g_log_set_writer_func (write_log, NULL, NULL);
}
