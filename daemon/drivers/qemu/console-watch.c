/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The pipe is a FIFO in the machine's run directory, so that a later daemon can open its end again; while
 * nobody reads, what QEMU writes there is lost and QEMU goes on. Its reader is there before the guest's first
 * instruction, and in the main loop, so that a guest which writes more than a pipe holds cannot stop its own
 * start. A log is a file of anybody's: it is read in a job.
 */
#include "daemon/drivers/qemu/console-watch.h"

#include "daemon/core/blocking.h"
#include "daemon/core/main-loop.h"
#include "daemon/core/text-finder.h"
#include "domain/devices/console.h"
#include "domain/devices/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIFO "console"

typedef struct {
  char *uuid;
  TextFinder *finder;
  int fd;       /* of the pipe; -1: it is a log, or QEMU has ended */
  char *log;    /* or NULL */
  gint64 at;    /* bytes of the log that have been read */
  guint source; /* readable, or time to look at the log */
  gboolean reading, over;
} ConsoleWatch;

static GHashTable *watches; /* UUID to ConsoleWatch */
static void (*handler) (const char *uuid);

/* The log is read in a job, which may outlive the rest. */
static void
watch_end (gpointer data)
{
  ConsoleWatch *watch = data;

  g_clear_handle_id (&watch->source, g_source_remove);
  if (watch->fd >= 0)
    close (watch->fd);
  watch->fd = -1;
  watch->over = TRUE;
  if (watch->reading)
    return;
  text_finder_free (watch->finder);
  g_free (watch->log);
  g_free (watch->uuid);
  g_free (watch);
}

static ConsoleWatch *
watch_new (const DomainDef *def)
{
  ConsoleWatch *watch = g_new0 (ConsoleWatch, 1);

  watch->uuid = g_strdup (def->uuid);
  watch->finder = text_finder_new (def->policy->ready.console);
  watch->fd = -1;
  return watch;
}

static ConsoleWatch *
find (const char *uuid)
{
  return watches != NULL ? g_hash_table_lookup (watches, uuid) : NULL;
}

static void
feed (ConsoleWatch *watch, const char *bytes, gsize length)
{
  g_autofree char *uuid = g_strdup (watch->uuid);

  if (text_finder_feed (watch->finder, bytes, length) && handler != NULL)
    handler (uuid);
}

/* The pipe. */

static gboolean
pipe_readable (int fd, G_GNUC_UNUSED GIOCondition condition, gpointer data)
{
  ConsoleWatch *watch = data;
  char piece[CONSOLE_WATCH_PIECE];
  gssize length = read (fd, piece, sizeof piece);

  if (length < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (length > 0) {
    feed (watch, piece, (gsize)length);
    return G_SOURCE_CONTINUE; /* where it is over, the source is gone already */
  }
  watch->source = 0;
  close (fd);
  watch->fd = -1;
  return G_SOURCE_REMOVE;
}

/* The log. */

typedef struct {
  char *path;
  gint64 at; /* LOG_END: where it ends, which others wrote */
  gsize length;
  char bytes[CONSOLE_WATCH_PIECE];
} LogPiece;
#define LOG_END -1

static void
log_piece_free (gpointer data)
{
  LogPiece *piece = data;

  g_free (piece->path);
  g_free (piece);
}

static LogPiece *
log_piece_new (const char *path, gint64 at)
{
  LogPiece *piece = g_new0 (LogPiece, 1);

  piece->path = g_strdup (path);
  piece->at = at;
  return piece;
}

/* Another one, that has been read; one that is not there is empty. */
static gpointer
read_piece (gpointer input, GError **error)
{
  const LogPiece *wanted = input;
  LogPiece *piece = log_piece_new (wanted->path, wanted->at);
  int fd = open (piece->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status = { 0 };
  gssize length = 0;

  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode) && piece->at != LOG_END)
    length = pread (fd, piece->bytes, sizeof piece->bytes, piece->at);
  else if (piece->at == LOG_END)
    piece->at = status.st_size;
  if (fd >= 0)
    close (fd);
  if (length >= 0) {
    piece->length = (gsize)length;
    return piece;
  }
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read '%s': %s", piece->path, g_strerror (errno));
  log_piece_free (piece);
  return NULL;
}

static gpointer
read_log (G_GNUC_UNUSED Job *job, gpointer input, GError **error)
{
  const LogPiece *piece = input;

  return blocking_run (read_piece, log_piece_new (piece->path, piece->at), log_piece_free, log_piece_free,
                       error);
}

static gboolean look_at_log (gpointer data);

static void
log_read (gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  LogPiece *piece = result;
  ConsoleWatch *watch = data;
  gboolean more = piece != NULL && piece->length > 0;

  watch->reading = FALSE;
  if (watch->over) {
    watch_end (watch);
  } else {
    watch->at = piece != NULL ? piece->at + (gint64)piece->length : watch->at;
    watch->source = g_timeout_add (more ? 0 : CONSOLE_WATCH_POLL, look_at_log, watch);
    if (more)
      feed (watch, piece->bytes, piece->length);
  }
  g_clear_pointer (&piece, log_piece_free);
}

static gboolean
look_at_log (gpointer data)
{
  ConsoleWatch *watch = data;

  watch->source = 0;
  watch->reading = TRUE;
  job_start ("console", read_log, log_piece_new (watch->log, watch->at), log_piece_free, BLOCKING_SECONDS,
             log_read, watch);
  return G_SOURCE_REMOVE;
}

/* Takes @watch, which looks through what it has from now on. In the main loop. */
static void
add (gpointer data)
{
  ConsoleWatch *watch = data;

  MAIN_LOOP_ONLY ();
  if (watches == NULL)
    watches = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, watch_end);
  if (watch->fd >= 0)
    watch->source =
        g_unix_fd_add_full (G_PRIORITY_LOW, watch->fd, G_IO_IN | G_IO_HUP, pipe_readable, watch, NULL);
  else
    watch->source = g_timeout_add (CONSOLE_WATCH_POLL, look_at_log, watch);
  g_hash_table_replace (watches, watch->uuid, watch);
}

/* Starts. */

/* What the console's bytes go through; NULL: there is none. */
static Chardev *
console_of (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, serial_kind, DeviceSerial, serial)
    return &serial->source;
  DOMAIN_FOREACH_DEVICE (def, console_kind, DeviceConsole, console)
    return &console->source;
  return NULL;
}

static gboolean
is_wanted (const DomainDef *def)
{
  return def->policy != NULL && def->policy->ready.console != NULL && console_of (def) != NULL;
}

static gboolean
is_ours (const Chardev *console, const char *fifo)
{
  return console->log_file != NULL && g_str_equal (console->log_file, fifo);
}

void
console_watch_prepare (DomainDef *def, const char *run_directory)
{
  Chardev *console = is_wanted (def) ? console_of (def) : NULL;

  if (console == NULL || console->log_file != NULL)
    return;
  console->log_file = g_build_filename (run_directory, FIFO, NULL);
  console->log_append = TRISTATE_YES;
}

void
console_watch_conceal (DomainDef *def, const char *run_directory)
{
  g_autofree char *fifo = g_build_filename (run_directory, FIFO, NULL);
  Chardev *console = is_wanted (def) ? console_of (def) : NULL;

  if (console == NULL || !is_ours (console, fifo))
    return;
  g_clear_pointer (&console->log_file, g_free);
  console->log_append = TRISTATE_ABSENT;
}

/* -1: there is none. */
static int
open_fifo (const char *path)
{
  int fd = open (path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;

  if (fd < 0 || (fstat (fd, &status) == 0 && S_ISFIFO (status.st_mode)))
    return fd;
  close (fd);
  return -1;
}

/* What others had written to it before the machine is started is not the machine's. */
static gboolean
begin_log (ConsoleWatch *watch, const Chardev *console, GError **error)
{
  LogPiece *piece;

  watch->log = g_strdup (console->log_file);
  if (console->log_append != TRISTATE_YES)
    return TRUE;
  piece =
      blocking_run (read_piece, log_piece_new (watch->log, LOG_END), log_piece_free, log_piece_free, error);
  if (piece == NULL)
    return FALSE;
  watch->at = piece->at;
  log_piece_free (piece);
  return TRUE;
}

static gboolean
begin_fifo (ConsoleWatch *watch, const char *path, GError **error)
{
  unlink (path);
  if (mkfifo (path, 0600) == 0 && (watch->fd = open_fifo (path)) >= 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the pipe '%s': %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
console_watch_begin (const DomainDef *def, const char *run_directory, Job *job, GError **error)
{
  g_autofree char *fifo = g_build_filename (run_directory, FIFO, NULL);
  const Chardev *console = is_wanted (def) ? console_of (def) : NULL;
  ConsoleWatch *watch;

  if (console == NULL)
    return TRUE;
  watch = watch_new (def);
  if (!(is_ours (console, fifo) ? begin_fifo (watch, fifo, error) : begin_log (watch, console, error))) {
    watch_end (watch);
    return FALSE;
  }
  job_in_main_loop (job, add, watch);
  return TRUE;
}

void
console_watch_find (const DomainDef *def, const char *run_directory)
{
  g_autofree char *fifo = g_build_filename (run_directory, FIFO, NULL);
  const Chardev *console = is_wanted (def) ? console_of (def) : NULL;
  int fd = console != NULL && console->log_file == NULL ? open_fifo (fifo) : -1;
  ConsoleWatch *watch;

  if (console == NULL || (console->log_file == NULL && fd < 0))
    return;
  watch = watch_new (def);
  watch->fd = fd;
  watch->log = g_strdup (console->log_file);
  /* Where it had been written to before, that is not told from what it has had since. */
  watch->at = console->log_append == TRISTATE_YES ? LOG_END : 0;
  add (watch);
}

gboolean
console_watch_has (const char *uuid, guint index)
{
  const ConsoleWatch *watch = find (uuid);

  return watch != NULL && text_finder_has (watch->finder, index);
}

gboolean
console_watch_is_there (const char *uuid)
{
  return find (uuid) != NULL;
}

void
console_watch_end (const char *uuid)
{
  MAIN_LOOP_ONLY ();
  if (watches != NULL)
    g_hash_table_remove (watches, uuid);
}

void
console_watch_set_handler (void (*seen) (const char *uuid))
{
  handler = seen;
}
