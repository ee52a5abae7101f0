/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client's descriptor may be a pipe that nobody reads: no read or write of ours stands in the kernel. A
 * pipe is opened anew through /proc, so that it can be made non-blocking without the client's own end of it
 * becoming so, too.
 */
#include "daemon/bundle/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK 500 /* ms between two looks whether it is given up */

void
stream_init (Stream *stream, int fd, gboolean writing, Job *job, Progress *progress)
{
  struct stat status;

  *stream = (Stream){ .fd = fd, .job = job, .progress = progress };
  if (fstat (fd, &status) == 0 && S_ISFIFO (status.st_mode)) {
    g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
    int own = open (path, (writing ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);

    if (own >= 0) {
      close (fd);
      stream->fd = own;
    }
  }
}

void
stream_clear (Stream *stream)
{
  if (stream->fd >= 0)
    close (stream->fd);
  stream->fd = -1;
  g_clear_error (&stream->error);
}

gboolean
stream_check (Stream *stream)
{
  if (stream->error != NULL)
    return FALSE;
  if (progress_is_given_up (stream->progress))
    virt_error_set (&stream->error, VIR_ERR_OPERATION_ABORTED, "given up by client");
  else if (stream->job != NULL)
    job_check (stream->job, &stream->error);
  return stream->error == NULL;
}

/* Until it can be read or written; FALSE: given up. */
static gboolean
wait_for (Stream *stream, short events)
{
  GCancellable *cancellable = stream->job != NULL ? job_cancellable (stream->job) : NULL;
  GPollFD cancelled;
  gboolean has_cancelled = g_cancellable_make_pollfd (cancellable, &cancelled);
  struct pollfd fds[] = { { stream->fd, events, 0 }, { has_cancelled ? cancelled.fd : -1, POLLIN, 0 } };
  int ready = 0;

  while (stream_check (stream) && (ready = poll (fds, G_N_ELEMENTS (fds), TICK)) == 0)
    ;
  if (has_cancelled)
    g_cancellable_release_fd (cancellable);
  return stream->error == NULL && (ready >= 0 || errno == EINTR);
}

static gssize
fail (Stream *stream, const char *what)
{
  if (stream->error == NULL)
    virt_error_set (&stream->error, errno == EPIPE ? VIR_ERR_OPERATION_ABORTED : VIR_ERR_SYSTEM_ERROR,
                    "cannot %s the archive: %s", what, g_strerror (errno));
  return -1;
}

gssize
stream_write (Stream *stream, const void *bytes, gsize length)
{
  gsize done = 0;

  while (done < length) {
    gssize written;

    if (!wait_for (stream, POLLOUT))
      return fail (stream, "write");
    written = send (stream->fd, (const char *)bytes + done, length - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (written < 0 && errno == ENOTSOCK)
      written = write (stream->fd, (const char *)bytes + done, length - done);
    if (written < 0 && errno != EAGAIN && errno != EINTR)
      return fail (stream, "write");
    done += written > 0 ? (gsize)written : 0;
  }
  stream->bytes += length;
  return (gssize)length;
}

gssize
stream_read (Stream *stream, void *bytes, gsize room)
{
  gssize got = -1;

  while (got < 0) {
    if (!wait_for (stream, POLLIN))
      return fail (stream, "read");
    got = read (stream->fd, bytes, room);
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      return fail (stream, "read");
  }
  stream->bytes += (guint64)got;
  return got;
}
