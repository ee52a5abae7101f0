/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * QEMU says what it does with an image, and what it lets others do meanwhile, by locks on single bytes of the
 * file, which belong to the open file and not to the process (docs/system/qemu-block-drivers: image locking).
 * Byte 100 + N is locked by who uses right N, byte 200 + N by who lets nobody else use it. The same questions
 * are put here that QEMU puts before it takes its own.
 */
#include "daemon/host/image-lock.h"

#include <fcntl.h>
#include <unistd.h>

#define USED_BASE     100
#define UNSHARED_BASE 200

/* The numbers of QEMU's rights on a node that a disk's are about. */
enum { RIGHT_CONSISTENT_READ = 0, RIGHT_WRITE = 1, RIGHT_RESIZE = 3 };

static gboolean
has_lock (int fd, off_t byte)
{
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

  return fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

gboolean
image_is_locked (const char *path, gboolean writes, gboolean shares)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean locked;

  if (fd < 0)
    return FALSE;
  locked =
      has_lock (fd, UNSHARED_BASE + RIGHT_CONSISTENT_READ)
      || (writes
          && (has_lock (fd, UNSHARED_BASE + RIGHT_WRITE)
              || (!shares && has_lock (fd, UNSHARED_BASE + RIGHT_RESIZE))))
      || (!shares && (has_lock (fd, USED_BASE + RIGHT_WRITE) || has_lock (fd, USED_BASE + RIGHT_RESIZE)));
  close (fd);
  return locked;
}
