/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading ahead. Compressing takes a processor; reading and summing take most of another, so they are done
 * beside it. A few pieces go round between two queues: the empty ones to the thread, the full ones back. An
 * empty piece among the full ones is the end.
 */
#include "daemon/bundle/file-pump.h"

#include "daemon/bundle/stretches.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define PIECES      4
#define PIECE_BYTES (1024 * 1024)

struct FilePump {
  int fd;
  char *path;
  const GArray *stretches;
  BundleSum *sum;
  GThread *thread;
  GAsyncQueue *empty, *full; /* FilePiece */
  FilePiece pieces[PIECES];
  FilePiece *given; /* to the reader */
  gboolean ended;   /* all pieces were given */
  int stop;         /* atomic */
  GError *error;    /* the thread's, before the last piece */
};

/* As much as there is room for; 0 with the pump's error set when it cannot be read. */
static gsize
read_piece (FilePump *pump, FilePiece *piece, guint64 offset, guint64 left)
{
  gsize wanted = (gsize)MIN (left, PIECE_BYTES);
  ssize_t got;

  do
    got = pread (pump->fd, piece->bytes, wanted, (off_t)offset);
  while (got < 0 && errno == EINTR);
  if (got < 0)
    virt_error_set (&pump->error, VIR_ERR_SYSTEM_ERROR, "cannot read '%s': %s", pump->path,
                    g_strerror (errno));
  else if (got == 0)
    virt_error_set (&pump->error, VIR_ERR_OPERATION_FAILED, "'%s' became shorter while it was read",
                    pump->path);
  piece->offset = offset;
  piece->length = got > 0 ? (gsize)got : 0;
  return piece->length;
}

static gboolean
read_stretch (FilePump *pump, const Stretch *stretch)
{
  guint64 done = 0;

  while (done < stretch->length) {
    FilePiece *piece = g_async_queue_pop (pump->empty);
    gsize length = g_atomic_int_get (&pump->stop)
                       ? 0
                       : read_piece (pump, piece, stretch->offset + done, stretch->length - done);

    if (length == 0) {
      g_async_queue_push (pump->empty, piece);
      return FALSE;
    }
    bundle_sum_add (pump->sum, piece->offset, piece->bytes, length);
    g_async_queue_push (pump->full, piece);
    done += length;
  }
  return TRUE;
}

static gpointer
read_all (gpointer data)
{
  FilePump *pump = data;
  FilePiece *last;

  for (guint i = 0; i < pump->stretches->len; i++)
    if (!read_stretch (pump, &g_array_index (pump->stretches, Stretch, i)))
      break;
  last = g_async_queue_pop (pump->empty);
  last->length = 0;
  g_async_queue_push (pump->full, last);
  return NULL;
}

FilePump *
file_pump_start (int fd, const char *path, const GArray *stretches, BundleSum *sum)
{
  FilePump *pump = g_new0 (FilePump, 1);

  pump->fd = fd;
  pump->path = g_strdup (path);
  pump->stretches = stretches;
  pump->sum = sum;
  pump->empty = g_async_queue_new ();
  pump->full = g_async_queue_new ();
  for (guint i = 0; i < PIECES; i++) {
    pump->pieces[i].bytes = g_malloc (PIECE_BYTES);
    g_async_queue_push (pump->empty, &pump->pieces[i]);
  }
  posix_fadvise (fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  pump->thread = g_thread_new ("bundle-read", read_all, pump);
  return pump;
}

const FilePiece *
file_pump_next (FilePump *pump, GError **error)
{
  if (pump->given != NULL)
    g_async_queue_push (pump->empty, g_steal_pointer (&pump->given));
  if (pump->ended)
    return NULL;
  pump->given = g_async_queue_pop (pump->full);
  if (pump->given->length > 0)
    return pump->given;
  pump->ended = TRUE;
  if (pump->error != NULL)
    g_propagate_error (error, g_steal_pointer (&pump->error));
  return NULL;
}

void
file_pump_free (FilePump *pump)
{
  if (pump == NULL)
    return;
  g_atomic_int_set (&pump->stop, TRUE);
  while (!pump->ended)
    file_pump_next (pump, NULL);
  g_thread_join (pump->thread);
  g_async_queue_unref (pump->empty);
  g_async_queue_unref (pump->full);
  for (guint i = 0; i < PIECES; i++)
    g_free (pump->pieces[i].bytes);
  g_clear_error (&pump->error);
  g_free (pump->path);
  g_free (pump);
}
