/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading archives with libarchive, which knows every dialect of tar; here only one kind of entry is let
 * through. What is in a file is summed as it comes, and written where it is no zeros: a disk that was sparse
 * is so again, even if it was packed by a program that knows no holes.
 */
#include "daemon/bundle/archive-reader.h"

#include "daemon/bundle/bundle-sum.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_BYTES (256 * 1024)
#define ZERO_BLOCK (64 * 1024) /* bytes of zeros, where a block of them begins, that are left out */

struct ArchiveReader {
  struct archive *archive;
  Stream *stream;
  BundleManifest *manifest;
  char *name; /* of the file */
  guint64 size;
  guint8 *buffer;
};

static la_ssize_t
read_in (G_GNUC_UNUSED struct archive *archive, void *data, const void **ret_bytes)
{
  ArchiveReader *reader = data;

  *ret_bytes = reader->buffer;
  return stream_read (reader->stream, reader->buffer, READ_BYTES);
}

static gboolean
fail (ArchiveReader *reader, GError **error)
{
  if (reader->stream->error != NULL)
    g_propagate_error (error, g_steal_pointer (&reader->stream->error));
  else
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the archive cannot be read behind %s%s%s: %s",
                    reader->name != NULL ? "'" : "", reader->name != NULL ? reader->name : "its beginning",
                    reader->name != NULL ? "'" : "", archive_error_string (reader->archive));
  return FALSE;
}

ArchiveReader *
archive_reader_new (Stream *stream, GError **error)
{
  g_autoptr (ArchiveReader) reader = g_new0 (ArchiveReader, 1);
  struct archive *archive = reader->archive = archive_read_new ();

  reader->stream = stream;
  reader->manifest = bundle_manifest_new ();
  reader->buffer = g_malloc (READ_BYTES);
  /* What is behind the end of the first tar is read as well: nothing can hide there. */
  if (archive_read_support_filter_zstd (archive) != ARCHIVE_OK
      || archive_read_support_format_tar (archive) != ARCHIVE_OK
      || archive_read_set_format_option (archive, "tar", "read_concatenated_archives", "1") != ARCHIVE_OK
      || archive_read_open (archive, reader, NULL, read_in, NULL) != ARCHIVE_OK) {
    fail (reader, error);
    return NULL;
  }
  return g_steal_pointer (&reader);
}

void
archive_reader_free (ArchiveReader *reader)
{
  if (reader == NULL)
    return;
  archive_read_free (reader->archive);
  bundle_manifest_free (reader->manifest);
  g_free (reader->name);
  g_free (reader->buffer);
  g_free (reader);
}

BundleManifest *
archive_reader_take_manifest (ArchiveReader *reader)
{
  BundleManifest *manifest = reader->manifest;

  reader->manifest = bundle_manifest_new ();
  return manifest;
}

static gboolean
refuse (ArchiveReader *reader, const char *why, GError **error)
{
  g_autofree char *shown = reader->name != NULL ? g_strescape (reader->name, NULL) : NULL;

  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' in the archive %s", shown != NULL ? shown : "a file",
                  why);
  return FALSE;
}

gboolean
archive_reader_next (ArchiveReader *reader, const char **ret_name, guint64 *ret_size, GError **error)
{
  struct archive_entry *entry;
  int status = archive_read_next_header (reader->archive, &entry);

  *ret_name = NULL;
  if (status == ARCHIVE_EOF)
    return TRUE;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
    return fail (reader, error);
  g_free (reader->name);
  reader->name = g_strdup (archive_entry_pathname (entry));
  if (reader->name == NULL)
    return refuse (reader, "has no name that can be read", error);
  if (archive_entry_filetype (entry) != AE_IFREG || archive_entry_hardlink (entry) != NULL
      || archive_entry_symlink (entry) != NULL)
    return refuse (reader, "is no regular file", error);
  if (!archive_entry_size_is_set (entry) || archive_entry_size (entry) < 0)
    return refuse (reader, "has no size", error);
  reader->size = (guint64)archive_entry_size (entry);
  *ret_name = reader->name;
  *ret_size = reader->size;
  return TRUE;
}

/* The next piece of data that is no hole; FALSE at the end, or with @error. */
static gboolean
next_block (ArchiveReader *reader, const guint8 **ret_bytes, gsize *ret_length, guint64 *ret_offset,
            GError **error)
{
  const void *bytes;
  la_int64_t offset;
  int status;

  do {
    status = archive_read_data_block (reader->archive, &bytes, ret_length, &offset);
    if (!stream_check (reader->stream))
      return fail (reader, error);
  } while (status == ARCHIVE_OK && *ret_length == 0);
  if (status == ARCHIVE_EOF)
    return FALSE;
  if (status != ARCHIVE_OK)
    return fail (reader, error);
  if (offset < 0 || (guint64)offset > reader->size || *ret_length > reader->size - (guint64)offset)
    return refuse (reader, "has data behind its end", error);
  *ret_bytes = bytes;
  *ret_offset = (guint64)offset;
  return TRUE;
}

static void
end_file (ArchiveReader *reader, BundleSum *sum)
{
  char text[BUNDLE_SUM_TEXT];
  gboolean sparse = bundle_sum_end (sum, reader->size, text);

  bundle_manifest_add (reader->manifest, reader->name, reader->size, sparse, text);
}

char *
archive_reader_text (ArchiveReader *reader, guint64 limit, gsize *ret_length, GError **error)
{
  g_autoptr (BundleSum) sum = bundle_sum_new ();
  g_autofree char *text = NULL;
  GError *problem = NULL;
  const guint8 *bytes;
  gsize length;
  guint64 offset;

  if (reader->size > limit) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "'%s' in the archive has %" G_GUINT64_FORMAT " bytes: at most %" G_GUINT64_FORMAT
                    " are expected",
                    reader->name, reader->size, limit);
    return NULL;
  }
  text = g_malloc0 ((gsize)reader->size + 1);
  while (next_block (reader, &bytes, &length, &offset, &problem)) {
    memcpy (text + offset, bytes, length);
    bundle_sum_add (sum, offset, bytes, length);
  }
  if (problem != NULL) {
    g_propagate_error (error, problem);
    return NULL;
  }
  end_file (reader, sum);
  *ret_length = (gsize)reader->size;
  return g_steal_pointer (&text);
}

/* Writing. */

static gboolean
is_zeros (const guint8 *bytes, gsize length)
{
  return bytes[0] == 0 && memcmp (bytes, bytes + 1, length - 1) == 0;
}

static gboolean
write_at (int fd, const char *path, const guint8 *bytes, gsize length, guint64 offset, GError **error)
{
  while (length > 0) {
    ssize_t written = pwrite (fd, bytes, length, (off_t)offset);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", path, g_strerror (errno));
      return FALSE;
    }
    bytes += written;
    length -= (gsize)written;
    offset += (guint64)written;
  }
  return TRUE;
}

/* In blocks that begin at multiples of their size: one of zeros is not written, the file has them anyway. */
static gboolean
write_sparse (int fd, const char *path, const guint8 *bytes, gsize length, guint64 offset, GError **error)
{
  while (length > 0) {
    gsize part = MIN (length, ZERO_BLOCK - (gsize)(offset % ZERO_BLOCK));

    if (!is_zeros (bytes, part) && !write_at (fd, path, bytes, part, offset, error))
      return FALSE;
    bytes += part;
    length -= part;
    offset += part;
  }
  return TRUE;
}

static void
tell_progress (ArchiveReader *reader, gsize more)
{
  ProgressFigures figures;

  progress_get (reader->stream->progress, &figures);
  figures.processed += more;
  figures.remaining = figures.total > figures.processed ? figures.total - figures.processed : 0;
  progress_set (reader->stream->progress, &figures);
}

gboolean
archive_reader_file (ArchiveReader *reader, int fd, const char *path, guint64 data, GError **error)
{
  g_autoptr (BundleSum) sum = bundle_sum_new ();
  GError *problem = NULL;
  const guint8 *bytes;
  gsize length;
  guint64 offset;

  if (ftruncate (fd, (off_t)reader->size) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s' %" G_GUINT64_FORMAT " bytes long: %s",
                    path, reader->size, g_strerror (errno));
    return FALSE;
  }
  while (next_block (reader, &bytes, &length, &offset, &problem)) {
    if (length > data)
      return refuse (reader, "has more data than the archive's beginning said", error);
    data -= length;
    bundle_sum_add (sum, offset, bytes, length);
    if (!write_sparse (fd, path, bytes, length, offset, error))
      return FALSE;
    tell_progress (reader, length);
  }
  if (problem != NULL) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  end_file (reader, sum);
  return TRUE;
}
