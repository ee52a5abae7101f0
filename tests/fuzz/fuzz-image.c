/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any bytes as an image file, as a pool's refresh reads it: a format always, and what is told beside it fits.
 * Nothing that the header names is opened. */
#include "daemon/host/image.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int fd = memfd_create ("image", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, data, size), ==, (gssize)size);
  g_autoptr (ImageHeader) header = image_header_read (fd, "/nowhere/image", NULL);
  close (fd);

  g_assert_nonnull (header);
  g_assert_nonnull (header->format);
  g_assert_cmpuint (header->virtual_size, <=, G_MAXINT64);
  g_assert_true (header->backing == NULL || *header->backing != '\0');
  g_assert_true (header->backing_format == NULL || header->backing != NULL);
  return 0;
}
