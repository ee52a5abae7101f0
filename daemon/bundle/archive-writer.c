/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writing archives with libarchive. It wants the zeros of holes, too, and throws them away unread: so they
 * are pages of memory that nobody has touched.
 */
#include "daemon/bundle/archive-writer.h"

#include "daemon/bundle/bundle-sum.h"
#include "daemon/bundle/file-pump.h"
#include "daemon/bundle/stretches.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>

#define ZEROS_BYTES ((gsize)1 << 30) /* of address space */
#define BLOCK_BYTES (64 * 1024)      /* written at once */
#define LEVEL       "3"              /* zstd's own default */
#define MODE        0600

struct ArchiveWriter {
  struct archive *archive;
  Stream *stream;
  BundleManifest *manifest;
  void *zeros;
  gboolean discards; /* a write has failed: nothing more is written */
  gboolean ends;     /* it is being freed */
};

/* Libarchive does not free all it has once a write has failed, so it is not told of it; only when all is
 * freed, for it would fill up the file it is in with zeros, however large that is. */
static la_ssize_t
write_out (G_GNUC_UNUSED struct archive *archive, void *data, const void *bytes, size_t length)
{
  ArchiveWriter *writer = data;

  if (writer->ends)
    return -1;
  writer->discards = writer->discards || stream_write (writer->stream, bytes, length) < 0;
  return (la_ssize_t)length;
}

static gboolean
fail (ArchiveWriter *writer, GError **error)
{
  if (writer->stream->error != NULL)
    g_propagate_error (error, g_steal_pointer (&writer->stream->error));
  else
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "cannot write the archive: %s",
                    archive_error_string (writer->archive));
  return FALSE;
}

static gboolean
set_format (ArchiveWriter *writer, ArchiveKind kind)
{
  struct archive *archive = writer->archive;

  if (kind == ARCHIVE_PLAIN)
    return archive_write_set_format_ustar (archive) == ARCHIVE_OK;
  return archive_write_set_format_pax_restricted (archive) == ARCHIVE_OK
         && archive_write_add_filter_zstd (archive) == ARCHIVE_OK
         && archive_write_set_filter_option (archive, "zstd", "compression-level", LEVEL) == ARCHIVE_OK;
}

ArchiveWriter *
archive_writer_new (ArchiveKind kind, Stream *stream, GError **error)
{
  g_autoptr (ArchiveWriter) writer = g_new0 (ArchiveWriter, 1);

  writer->stream = stream;
  writer->manifest = bundle_manifest_new ();
  writer->archive = archive_write_new ();
  writer->zeros = mmap (NULL, ZEROS_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (writer->zeros == MAP_FAILED) {
    virt_error_set (error, VIR_ERR_NO_MEMORY, "no room for an archive");
    return NULL;
  }
  if (!set_format (writer, kind)
      || archive_write_set_bytes_per_block (writer->archive, BLOCK_BYTES) != ARCHIVE_OK
      || archive_write_set_bytes_in_last_block (writer->archive, 1) != ARCHIVE_OK
      || archive_write_open2 (writer->archive, writer, NULL, write_out, NULL, NULL) != ARCHIVE_OK) {
    fail (writer, error);
    return NULL;
  }
  return g_steal_pointer (&writer);
}

void
archive_writer_free (ArchiveWriter *writer)
{
  if (writer == NULL)
    return;
  writer->ends = TRUE;
  archive_write_free (writer->archive);
  bundle_manifest_free (writer->manifest);
  if (writer->zeros != MAP_FAILED)
    munmap (writer->zeros, ZEROS_BYTES);
  g_free (writer);
}

BundleManifest *
archive_writer_manifest (ArchiveWriter *writer)
{
  return writer->manifest;
}

static gboolean
write_header (ArchiveWriter *writer, const char *name, guint64 size, const GArray *stretches, GError **error)
{
  struct archive_entry *entry = archive_entry_new ();
  gboolean has_holes = stretches != NULL && stretches_total (stretches) < size;
  gboolean written;

  archive_entry_set_pathname (entry, name);
  archive_entry_set_filetype (entry, AE_IFREG);
  archive_entry_set_perm (entry, MODE);
  archive_entry_set_size (entry, (la_int64_t)size);
  archive_entry_set_mtime (entry, g_get_real_time () / G_USEC_PER_SEC, 0);
  for (guint i = 0; has_holes && i < stretches->len; i++) {
    const Stretch *stretch = &g_array_index (stretches, Stretch, i);

    archive_entry_sparse_add_entry (entry, (la_int64_t)stretch->offset, (la_int64_t)stretch->length);
  }
  if (has_holes && stretches->len == 0)
    archive_entry_sparse_add_entry (entry, 0, 0);
  written = archive_write_header (writer->archive, entry) == ARCHIVE_OK && !writer->discards;
  archive_entry_free (entry);
  return written || fail (writer, error);
}

static gboolean
write_bytes (ArchiveWriter *writer, const void *bytes, gsize length, GError **error)
{
  return (archive_write_data (writer->archive, bytes, length) == (la_ssize_t)length && !writer->discards)
         || fail (writer, error);
}

static gboolean
write_zeros (ArchiveWriter *writer, guint64 count, GError **error)
{
  while (count > 0) {
    gsize part = (gsize)MIN (count, ZEROS_BYTES);

    if (!stream_check (writer->stream))
      return fail (writer, error);
    if (!write_bytes (writer, writer->zeros, part, error))
      return FALSE;
    count -= part;
  }
  return TRUE;
}

static gboolean
end_file (ArchiveWriter *writer, const char *name, guint64 size, BundleSum *sum, GError **error)
{
  char text[BUNDLE_SUM_TEXT];
  gboolean sparse = bundle_sum_end (sum, size, text);

  bundle_manifest_add (writer->manifest, name, size, sparse, text);
  return (archive_write_finish_entry (writer->archive) == ARCHIVE_OK && !writer->discards)
         || fail (writer, error);
}

gboolean
archive_writer_text (ArchiveWriter *writer, const char *name, const char *text, gsize length, GError **error)
{
  g_autoptr (BundleSum) sum = bundle_sum_new ();

  bundle_sum_add (sum, 0, text, length);
  return write_header (writer, name, length, NULL, error) && write_bytes (writer, text, length, error)
         && end_file (writer, name, length, sum, error);
}

static void
tell_progress (ArchiveWriter *writer, gsize more)
{
  ProgressFigures figures;

  progress_get (writer->stream->progress, &figures);
  figures.processed += more;
  figures.remaining = figures.total > figures.processed ? figures.total - figures.processed : 0;
  progress_set (writer->stream->progress, &figures);
}

gboolean
archive_writer_file (ArchiveWriter *writer, const char *name, int fd, const char *path, guint64 size,
                     const GArray *stretches, GError **error)
{
  g_autoptr (BundleSum) sum = bundle_sum_new ();
  g_autoptr (FilePump) pump = NULL;
  GError *problem = NULL;
  const FilePiece *piece;
  guint64 at = 0;

  if (!write_header (writer, name, size, stretches, error))
    return FALSE;
  pump = file_pump_start (fd, path, stretches, sum);
  while ((piece = file_pump_next (pump, &problem)) != NULL) {
    if (!write_zeros (writer, piece->offset - at, error)
        || !write_bytes (writer, piece->bytes, piece->length, error))
      return FALSE;
    at = piece->offset + piece->length;
    tell_progress (writer, piece->length);
  }
  if (problem != NULL) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  return write_zeros (writer, size - at, error) && end_file (writer, name, size, sum, error);
}

gboolean
archive_writer_end (ArchiveWriter *writer, GError **error)
{
  return (archive_write_close (writer->archive) == ARCHIVE_OK && !writer->discards) || fail (writer, error);
}
