/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a saved machine. A first byte that is even: the file as it stands. Odd: a header, whose sum is
 * made right here, as whoever writes such a file can do it, and behind it what follows; with its second bit,
 * the header says where the document is.
 */
#include "daemon/drivers/qemu/save-image.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEADER_FIELDS 112 /* bytes in front of the header's sum */
#define SUM_BYTES     32
#define AT_XML_OFFSET 32 /* little-endian, as all numbers */
#define AT_XML_LENGTH 40
#define AT_XML_SUM    80

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
put (int fd, const void *bytes, gsize length, goffset where)
{
  g_assert_cmpint (pwrite (fd, bytes, length, where), ==, (gssize)length);
}

static void
put_sum (guint8 *where, const guint8 *bytes, gsize size)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = SUM_BYTES;

  g_checksum_update (checksum, bytes, (gssize)size);
  g_checksum_get_digest (checksum, where, &length);
  g_checksum_free (checksum);
}

/* What follows is the document, if the header is to say so. */
static void
put_image (int fd, gboolean has_document, const guint8 *fields, const guint8 *rest, gsize size)
{
  guint8 header[HEADER_FIELDS + SUM_BYTES];
  guint64 offset = GUINT64_TO_LE (2 * SAVE_IMAGE_BLOCK);
  guint32 length = GUINT32_TO_LE ((guint32)size);

  memcpy (header, fields, HEADER_FIELDS);
  if (has_document) {
    memcpy (header + AT_XML_OFFSET, &offset, sizeof offset);
    memcpy (header + AT_XML_LENGTH, &length, sizeof length);
    put_sum (header + AT_XML_SUM, rest, size);
  }
  put_sum (header + HEADER_FIELDS, header, HEADER_FIELDS);
  for (guint i = 0; i < 2; i++) /* twice, as a whole image has it */
    put (fd, header, sizeof header, (goffset)i * SAVE_IMAGE_BLOCK);
  put (fd, rest, size, 2 * SAVE_IMAGE_BLOCK);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  int fd = memfd_create ("save", MFD_CLOEXEC);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  g_autoptr (SaveImage) image = NULL;

  if (size > 1 + HEADER_FIELDS && (data[0] & 1)) {
    put_image (fd, (data[0] & 2) != 0, data + 1, data + 1 + HEADER_FIELDS, size - 1 - HEADER_FIELDS);
  } else if (size > 1) {
    put (fd, data + 1, size - 1, 0);
  }
  image = save_image_open (path, TRUE, NULL);
  if (image != NULL) {
    g_assert_true (g_utf8_validate (image->xml, -1, NULL));
    g_assert_cmpuint (image->room, <=, SAVE_IMAGE_MAX_ROOM);
    g_assert_cmpuint (strlen (image->xml), <=, image->room);
    save_image_rewind (image, NULL);
    save_image_replace (image, "<domain/>", FALSE, NULL);
  }
  close (fd);
  return 0;
}
