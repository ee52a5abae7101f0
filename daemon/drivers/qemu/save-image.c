/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The format of saved machines. Reading goes from the outside in: each number is looked at before anything is
 * done with it, and the sums tell a damaged file from one that was made to look whole.
 */
#include "daemon/drivers/qemu/save-image.h"

#include "base/scalars.h"
#include "daemon/drivers/qemu/libvirt-image.h"
#include "daemon/host/named-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_VERSION  1
#define IMAGE_RUNNING  (1U << 0) /* flag: was_running */
#define IMAGE_HEADERS  2
#define SUM_BYTES      32
#define DOCUMENT_START (IMAGE_HEADERS * SAVE_IMAGE_BLOCK)

/* Offsets in the header. */
enum {
  AT_MAGIC = 0,
  AT_VERSION = 16,
  AT_FLAGS = 20,
  AT_SEQUENCE = 24,
  AT_XML_OFFSET = 32,
  AT_XML_LENGTH = 40,
  AT_ROOM = 44,
  AT_STREAM_OFFSET = 48,
  AT_STREAM_LENGTH = 56,
  AT_ID = 64,
  AT_XML_SUM = 80,
  AT_SUM = AT_XML_SUM + SUM_BYTES,
  HEADER_BYTES = AT_SUM + SUM_BYTES,
};

static const char image_magic[16] = "domaind saved\n\x1a";

static void
put32 (guint8 *block, gsize at, guint32 value)
{
  value = GUINT32_TO_LE (value);
  memcpy (block + at, &value, sizeof value);
}

static void
put64 (guint8 *block, gsize at, guint64 value)
{
  value = GUINT64_TO_LE (value);
  memcpy (block + at, &value, sizeof value);
}

static guint32
get32 (const guint8 *block, gsize at)
{
  guint32 value;

  memcpy (&value, block + at, sizeof value);
  return GUINT32_FROM_LE (value);
}

static guint64
get64 (const guint8 *block, gsize at)
{
  guint64 value;

  memcpy (&value, block + at, sizeof value);
  return GUINT64_FROM_LE (value);
}

static void
sum_of (const void *bytes, gsize length, guint8 *ret)
{
  GChecksum *checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize size = SUM_BYTES;

  g_checksum_update (checksum, bytes, (gssize)length);
  g_checksum_get_digest (checksum, ret, &size);
  g_checksum_free (checksum);
}

static gboolean
write_all (int fd, const void *bytes, gsize length, guint64 offset)
{
  const guint8 *from = bytes;

  while (length > 0) {
    ssize_t written = pwrite (fd, from, length, (off_t)offset);
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return FALSE;
    from += written;
    offset += (guint64)written;
    length -= (gsize)written;
  }
  return TRUE;
}

static gboolean
read_all (int fd, void *bytes, gsize length, guint64 offset)
{
  guint8 *to = bytes;

  while (length > 0) {
    ssize_t got = pread (fd, to, length, (off_t)offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return FALSE;
    to += got;
    offset += (guint64)got;
    length -= (gsize)got;
  }
  return TRUE;
}

static gboolean
cannot_write (const SaveImage *image, GError **error)
{
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot write the saved machine '%s': %s", image->path,
                  g_strerror (errno));
  return FALSE;
}

/* Writing. */

static void
make_header (const SaveImage *image, guint8 *block)
{
  memset (block, 0, HEADER_BYTES);
  memcpy (block + AT_MAGIC, image_magic, sizeof image_magic);
  put32 (block, AT_VERSION, IMAGE_VERSION);
  put32 (block, AT_FLAGS, image->was_running ? IMAGE_RUNNING : 0);
  put64 (block, AT_SEQUENCE, image->sequence);
  put64 (block, AT_XML_OFFSET, image->xml_offset);
  put32 (block, AT_XML_LENGTH, (guint32)strlen (image->xml));
  put32 (block, AT_ROOM, image->room);
  put64 (block, AT_STREAM_OFFSET, image->stream_offset);
  put64 (block, AT_STREAM_LENGTH, image->stream_length);
  uuid_parse (image->id, block + AT_ID);
  sum_of (image->xml, strlen (image->xml), block + AT_XML_SUM);
  sum_of (block, AT_SUM, block + AT_SUM);
}

static gboolean
write_header (const SaveImage *image, guint number, GError **error)
{
  guint8 block[HEADER_BYTES];

  make_header (image, block);
  return (write_all (image->fd, block, sizeof block, (guint64)number * SAVE_IMAGE_BLOCK)
          && fsync (image->fd) == 0)
         || cannot_write (image, error);
}

static gboolean
check_document (const char *xml, gsize room, GError **error)
{
  if (strlen (xml) <= room)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "the document has %" G_GSIZE_FORMAT
                  " bytes, and a saved machine has room for %" G_GSIZE_FORMAT,
                  strlen (xml), room);
  return FALSE;
}

SaveImage *
save_image_begin (int fd, const char *path, const char *id, gboolean was_running, const char *xml,
                  GError **error)
{
  g_autoptr (SaveImage) image = g_new0 (SaveImage, 1);
  static const guint8 nothing[HEADER_BYTES];
  gsize room = (2 * strlen (xml) + SAVE_IMAGE_MIN_ROOM - 1) / SAVE_IMAGE_MIN_ROOM * SAVE_IMAGE_MIN_ROOM;

  image->fd = -1; /* until it is a whole one, which its caller has */
  image->path = g_strdup (path);
  g_strlcpy (image->id, id, sizeof image->id);
  image->was_running = was_running;
  image->sequence = 1;
  image->xml = g_strdup (xml);
  if (!check_document (xml, SAVE_IMAGE_MAX_ROOM / 2, error))
    return NULL;
  image->room = (guint32)MAX (room, SAVE_IMAGE_MIN_ROOM);
  image->xml_offset = DOCUMENT_START;
  image->stream_offset = DOCUMENT_START + 2 * (guint64)image->room;
  /* A device may hold another one, which is over now. */
  if (!write_all (fd, nothing, sizeof nothing, 0)
      || !write_all (fd, nothing, sizeof nothing, SAVE_IMAGE_BLOCK)
      || !write_all (fd, xml, strlen (xml), image->xml_offset)
      || lseek (fd, (off_t)image->stream_offset, SEEK_SET) < 0) {
    cannot_write (image, error);
    return NULL;
  }
  image->fd = dup (fd);
  if (image->fd < 0) {
    cannot_write (image, error);
    return NULL;
  }
  return g_steal_pointer (&image);
}

gboolean
save_image_finish (SaveImage *image, GError **error)
{
  struct stat status;
  off_t end;

  if (fstat (image->fd, &status) != 0)
    return cannot_write (image, error);
  /* QEMU wrote through the same open file: its place is the stream's end, where a device has no other. */
  end = S_ISBLK (status.st_mode) ? lseek (image->fd, 0, SEEK_CUR) : status.st_size;
  if (end < 0 || (guint64)end <= image->stream_offset) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU has written nothing to '%s'", image->path);
    return FALSE;
  }
  image->stream_length = (guint64)end - image->stream_offset;
  if (fsync (image->fd) != 0) /* what the header vouches for is there before it */
    return cannot_write (image, error);
  return write_header (image, 0, error) && write_header (image, 1, error);
}

/* Reading. */

/* What is wrong with it, or NULL. */
static const char *
read_header (const guint8 *block, guint64 file_size, gboolean is_device, SaveImage *ret)
{
  guint8 sum[SUM_BYTES];

  sum_of (block, AT_SUM, sum);
  if (memcmp (block + AT_MAGIC, image_magic, sizeof image_magic) != 0)
    return "image magic is incorrect: it is no saved machine of this daemon's or libvirt's";
  if (get32 (block, AT_VERSION) != IMAGE_VERSION)
    return "image version is not supported: it was made by another version of this daemon";
  if (memcmp (block + AT_SUM, sum, SUM_BYTES) != 0)
    return "the header is damaged: its checksum is wrong";

  ret->was_running = (get32 (block, AT_FLAGS) & IMAGE_RUNNING) != 0;
  ret->sequence = get64 (block, AT_SEQUENCE);
  ret->room = get32 (block, AT_ROOM);
  ret->xml_offset = get64 (block, AT_XML_OFFSET);
  ret->stream_offset = get64 (block, AT_STREAM_OFFSET);
  ret->stream_length = get64 (block, AT_STREAM_LENGTH);
  uuid_format (block + AT_ID, ret->id);
  if (ret->room < SAVE_IMAGE_MIN_ROOM || ret->room > SAVE_IMAGE_MAX_ROOM)
    return "the header is damaged: the room for the document is out of range";
  if (get32 (block, AT_XML_LENGTH) == 0 || get32 (block, AT_XML_LENGTH) > ret->room
      || (ret->xml_offset != DOCUMENT_START && ret->xml_offset != DOCUMENT_START + (guint64)ret->room))
    return "the header is damaged: the document lies outside its room";
  if (ret->stream_offset != DOCUMENT_START + 2 * (guint64)ret->room || ret->stream_length == 0
      || ret->stream_offset > file_size
      || (is_device ? file_size - ret->stream_offset < ret->stream_length
                    : file_size - ret->stream_offset != ret->stream_length))
    return "it is incomplete: the machine's memory does not have the length it was written with";
  return NULL;
}

/* The document of a header that is well. */
static const char *
read_document (int fd, const guint8 *block, SaveImage *ret)
{
  gsize length = get32 (block, AT_XML_LENGTH);
  g_autofree char *xml = g_malloc (length + 1);
  guint8 sum[SUM_BYTES];

  if (!read_all (fd, xml, length, ret->xml_offset))
    return "the document cannot be read";
  xml[length] = '\0';
  sum_of (xml, length, sum);
  if (memcmp (block + AT_XML_SUM, sum, SUM_BYTES) != 0)
    return "the document is damaged: its checksum is wrong";
  if (strlen (xml) != length || !g_utf8_validate (xml, (gssize)length, NULL))
    return "the document is no UTF-8 text";
  ret->xml = g_steal_pointer (&xml);
  return NULL;
}

static const char *
read_image (int fd, guint64 size, gboolean is_device, SaveImage *ret)
{
  const char *problem = NULL;
  SaveImage best = { .fd = -1 };

  for (guint i = 0; i < IMAGE_HEADERS; i++) {
    SaveImage found = { .fd = -1 };
    guint8 block[HEADER_BYTES];
    const char *why = read_all (fd, block, sizeof block, (guint64)i * SAVE_IMAGE_BLOCK)
                          ? read_header (block, size, is_device, &found)
                          : "image magic is incorrect: it is too short to be a saved machine";

    if (why == NULL && (best.xml == NULL || found.sequence > best.sequence))
      why = read_document (fd, block, &found);
    if (problem == NULL)
      problem = why;
    if (found.xml == NULL)
      continue;
    g_free (best.xml);
    best = found;
  }
  if (best.xml == NULL)
    return problem != NULL ? problem : "it has no document";
  best.path = ret->path;
  best.fd = ret->fd;
  *ret = best;
  return NULL;
}

SaveImage *
save_image_open (const char *path, gboolean writable, GError **error)
{
  g_autoptr (SaveImage) image = g_new0 (SaveImage, 1);
  struct stat status;

  image->path = g_strdup (path);
  image->fd = named_file_open (path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
  if (image->fd < 0 || fstat (image->fd, &status) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s", path, g_strerror (errno));
    return NULL;
  }
  const char *problem = "it is no regular file and no block device";
  gboolean is_device = S_ISBLK (status.st_mode);
  off_t size = is_device ? lseek (image->fd, 0, SEEK_END) : status.st_size;
  if ((S_ISREG (status.st_mode) || is_device) && size >= 0)
    problem = libvirt_image_is (image->fd) ? libvirt_image_read (image->fd, (guint64)size, image)
                                           : read_image (image->fd, (guint64)size, is_device, image);
  if (problem == NULL)
    return g_steal_pointer (&image);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot use the saved machine '%s': %s", path, problem);
  return NULL;
}

gboolean
save_image_replace (SaveImage *image, const char *xml, gboolean was_running, GError **error)
{
  SaveImage next = *image;
  guint header = (guint)(image->sequence % IMAGE_HEADERS);

  if (image->is_libvirts) {
    virt_error_set (
        error, VIR_ERR_OPERATION_UNSUPPORTED,
        "the saved machine '%s' is libvirt's, and is not changed here: restore it with another document "
        "instead",
        image->path);
    return FALSE;
  }
  next.was_running = was_running;
  next.sequence = image->sequence + 1;
  next.xml = g_strdup (xml != NULL ? xml : image->xml);
  next.xml_offset =
      image->xml_offset == DOCUMENT_START ? DOCUMENT_START + (guint64)image->room : DOCUMENT_START;
  if (!check_document (next.xml, image->room, error)
      || !(write_all (next.fd, next.xml, strlen (next.xml), next.xml_offset) && fsync (next.fd) == 0
               ? TRUE
               : cannot_write (image, error))
      || !write_header (&next, header, error)) {
    g_free (next.xml);
    return FALSE;
  }
  g_free (image->xml);
  *image = next;
  return TRUE;
}

gboolean
save_image_rewind (SaveImage *image, GError **error)
{
  if (lseek (image->fd, (off_t)image->stream_offset, SEEK_SET) >= 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot read the saved machine '%s': %s", image->path,
                  g_strerror (errno));
  return FALSE;
}

void
save_image_free (SaveImage *image)
{
  if (image == NULL)
    return;
  if (image->fd >= 0)
    close (image->fd);
  g_free (image->path);
  g_free (image->xml);
  g_free (image->cookie);
  g_free (image);
}
