/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Streaming a file. The main loop must not touch the disk, so a thread stands between: the stream's other
 * end is in the main loop, and the socket between them holds either of them up.
 */
#include "daemon/storage/transfer.h"

#include "daemon/core/stream-message.h"
#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
  StreamMessage header;
  guint8 bytes[STREAM_MESSAGE_DATA_MAX];
} Packet;

typedef struct {
  Job *job;
  int file, stream;
  const char *path;
  guint64 offset;
  guint64 left; /* bytes still allowed */
  GPollFD cancelled;
  Packet *packet;
} Transfer;

static gboolean
file_error (const Transfer *transfer, const char *what, GError **error)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot %s volume '%s': %s", what, transfer->path,
                  g_strerror (errno));
  return FALSE;
}

/* Until the stream can be read or written. */
static gboolean
wait_for (const Transfer *transfer, short events, GError **error)
{
  struct pollfd fds[] = { { transfer->stream, events, 0 }, { transfer->cancelled.fd, POLLIN, 0 } };

  if (!storage_job_check (transfer->job, transfer->path, error))
    return FALSE;
  if (poll (fds, G_N_ELEMENTS (fds), -1) >= 0 || errno == EINTR)
    return TRUE;
  return file_error (transfer, "stream", error);
}

/* Until the last message, which the main loop sends, will be taken at once: nobody else writes to the stream.
 */
static gboolean
wait_for_room (const Transfer *transfer, GError **error)
{
  struct pollfd room = { transfer->stream, POLLOUT, 0 };

  while (poll (&room, 1, 0) == 0)
    if (!wait_for (transfer, POLLOUT, error))
      return FALSE;
  return TRUE;
}

static gboolean
send_packet (const Transfer *transfer, guint32 kind, guint64 length, GError **error)
{
  gsize size = sizeof (StreamMessage) + (kind == STREAM_MESSAGE_DATA ? length : 0);

  transfer->packet->header = (StreamMessage){ .kind = kind, .length = length };
  while (send (transfer->stream, transfer->packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the client gave up reading volume '%s'",
                      transfer->path);
      return FALSE;
    }
    if (!wait_for (transfer, POLLOUT, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
send_data (Transfer *transfer, guint64 count, GError **error)
{
  while (count > 0) {
    ssize_t got = pread (transfer->file, transfer->packet->bytes, MIN (count, STREAM_MESSAGE_DATA_MAX),
                         (off_t)transfer->offset);

    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_error (transfer, "read from", error);
    if (got == 0) { /* it has become shorter */
      transfer->left = 0;
      return TRUE;
    }
    if (!send_packet (transfer, STREAM_MESSAGE_DATA, (guint64)got, error))
      return FALSE;
    transfer->offset += (guint64)got;
    transfer->left -= (guint64)got;
    count -= (guint64)got;
  }
  return TRUE;
}

static gboolean
send_hole (Transfer *transfer, guint64 count, GError **error)
{
  transfer->offset += count;
  transfer->left -= count;
  return count == 0 || send_packet (transfer, STREAM_MESSAGE_HOLE, count, error);
}

/* How far from the offset the hole there goes, at most to the end; 0: there is data. */
static guint64
hole_here (const Transfer *transfer)
{
  off_t data = lseek (transfer->file, (off_t)transfer->offset, SEEK_DATA);

  if (data < 0)
    return errno == ENXIO ? transfer->left : 0;
  return MIN ((guint64)data - transfer->offset, transfer->left);
}

static guint64
data_here (const Transfer *transfer)
{
  off_t hole = lseek (transfer->file, (off_t)transfer->offset, SEEK_HOLE);

  return hole <= (off_t)transfer->offset ? transfer->left
                                         : MIN ((guint64)hole - transfer->offset, transfer->left);
}

static gboolean
send_all (Transfer *transfer, gboolean sparse, GError **error)
{
  while (transfer->left > 0) {
    if (sparse && !send_hole (transfer, hole_here (transfer), error))
      return FALSE;
    if (transfer->left > 0 && !send_data (transfer, sparse ? data_here (transfer) : transfer->left, error))
      return FALSE;
  }
  return wait_for_room (transfer, error);
}

static void
transfer_begin (Transfer *transfer)
{
  transfer->cancelled.fd = -1;
  g_cancellable_make_pollfd (job_cancellable (transfer->job), &transfer->cancelled);
  transfer->packet = g_new (Packet, 1);
}

static void
transfer_end (Transfer *transfer)
{
  g_cancellable_release_fd (job_cancellable (transfer->job));
  g_free (transfer->packet);
}

gboolean
storage_download (Job *job, int file, const char *path, guint64 offset, guint64 length, gboolean sparse,
                  int stream, GError **error)
{
  Transfer transfer = { .job = job, .file = file, .stream = stream, .path = path, .offset = offset };
  off_t end = lseek (file, 0, SEEK_END); /* of a block device as well */
  gboolean sent;

  if (end < 0)
    return file_error (&transfer, "read from", error);
  transfer.left = offset < (guint64)end ? (guint64)end - offset : 0;
  if (length > 0)
    transfer.left = MIN (transfer.left, length);
  shutdown (stream, SHUT_RD);
  transfer_begin (&transfer);
  sent = send_all (&transfer, sparse, error);
  transfer_end (&transfer);
  return sent;
}

/* One packet into transfer->packet. */
static gboolean
receive (const Transfer *transfer, GError **error)
{
  ssize_t count;

  while ((count = recv (transfer->stream, transfer->packet, sizeof (Packet), MSG_DONTWAIT)) < 0) {
    if (errno != EAGAIN && errno != EINTR)
      return file_error (transfer, "stream", error);
    if (!wait_for (transfer, POLLIN, error))
      return FALSE;
  }
  if (count >= (ssize_t)sizeof (StreamMessage))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_ABORTED, "the client gave up writing volume '%s'", transfer->path);
  return FALSE;
}

static gboolean
write_data (Transfer *transfer, guint64 length, GError **error)
{
  for (guint64 done = 0; done < length;) {
    ssize_t written =
        pwrite (transfer->file, transfer->packet->bytes + done, length - done, (off_t)transfer->offset);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return file_error (transfer, "write to", error);
    done += (guint64)written;
    transfer->offset += (guint64)written;
  }
  return TRUE;
}

/* Zeros without writing them; where there is no such thing, by writing them. */
static gboolean
write_hole (Transfer *transfer, guint64 length, GError **error)
{
  struct stat status;
  guint64 end = transfer->offset + length;

  if (fstat (transfer->file, &status) == 0 && S_ISREG (status.st_mode)) {
    if (end > (guint64)status.st_size && ftruncate (transfer->file, (off_t)end) < 0)
      return file_error (transfer, "extend", error);
    if (transfer->offset >= (guint64)status.st_size) {
      transfer->offset = end;
      return TRUE;
    }
  }
  if (fallocate (transfer->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)transfer->offset,
                 (off_t)length)
      == 0) {
    transfer->offset = end;
    return TRUE;
  }
  memset (transfer->packet->bytes, 0, sizeof transfer->packet->bytes);
  while (transfer->offset < end)
    if (!storage_job_check (transfer->job, transfer->path, error)
        || !write_data (transfer, MIN (end - transfer->offset, STREAM_MESSAGE_DATA_MAX), error))
      return FALSE;
  return TRUE;
}

static gboolean
check_room (Transfer *transfer, guint64 length, GError **error)
{
  if (length <= transfer->left && length <= G_MAXINT64 - transfer->offset) {
    transfer->left -= length;
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "cannot write to volume '%s': more bytes come than were announced", transfer->path);
  return FALSE;
}

static gboolean
take_all (Transfer *transfer, GError **error)
{
  for (;;) {
    guint64 length;

    if (!receive (transfer, error))
      return FALSE;
    length = transfer->packet->header.length;
    if (transfer->packet->header.kind == STREAM_MESSAGE_END)
      break;
    if (!check_room (transfer, length, error))
      return FALSE;
    if (transfer->packet->header.kind == STREAM_MESSAGE_HOLE
            ? !write_hole (transfer, length, error)
            : !write_data (transfer, MIN (length, STREAM_MESSAGE_DATA_MAX), error))
      return FALSE;
  }
  return fsync (transfer->file) == 0 || file_error (transfer, "write to", error);
}

gboolean
storage_upload (Job *job, int file, const char *path, guint64 offset, guint64 length, int stream,
                GError **error)
{
  Transfer transfer = { .job = job,
                        .file = file,
                        .stream = stream,
                        .path = path,
                        .offset = offset,
                        .left = length > 0 ? length : G_MAXUINT64 };
  gboolean taken;

  transfer_begin (&transfer);
  taken = take_all (&transfer, error);
  transfer_end (&transfer);
  return taken;
}

void
storage_stream_end (int stream, const GError *error)
{
  g_autofree Packet *packet = g_new0 (Packet, 1);
  gsize length = error != NULL ? MIN (strlen (error->message), STREAM_MESSAGE_DATA_MAX) : 0;
  guint8 discarded[1]; /* the rest of each packet goes with its first byte */

  packet->header = (StreamMessage){ .kind = STREAM_MESSAGE_END };
  if (error != NULL) {
    packet->header = (StreamMessage){ .kind = STREAM_MESSAGE_ERROR,
                                      .code = (guint32)virt_error_code (error),
                                      .length = length };
    memcpy (packet->bytes, error->message, length);
  }
  /* What nobody reads any more would make the other end see a broken stream and no message. */
  if (error != NULL)
    while (recv (stream, discarded, sizeof discarded, MSG_DONTWAIT) > 0)
      ;
  /* Whoever does not take it has gone, or has stopped listening. */
  send (stream, packet, sizeof (StreamMessage) + length, MSG_NOSIGNAL | MSG_DONTWAIT);
}
