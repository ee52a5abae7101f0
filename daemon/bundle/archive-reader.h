/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/bundle-manifest.h"
#include "daemon/bundle/stream.h"

/*
 * An archive on its way from a client: tar, plain or in zstd, of regular files alone. It is whoever's: a
 * link, a device or a directory, a file that is longer than it says, and anything behind the end is refused
 * (VIR_ERR_OPERATION_FAILED). Job's thread.
 */
typedef struct ArchiveReader ArchiveReader;

/* @stream stays the caller's. */
ArchiveReader *archive_reader_new (Stream *stream, GError **error);
void archive_reader_free (ArchiveReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveReader, archive_reader_free)

/* The next file: *@ret_name (borrowed until the next call) is NULL at the end of the archive, which is the
 * end of the stream, too. */
gboolean
archive_reader_next (ArchiveReader *reader, const char **ret_name, guint64 *ret_size, GError **error);
/* All of the file, which has at most @limit bytes, with a NUL behind it. (transfer full) */
char *archive_reader_text (ArchiveReader *reader, guint64 limit, gsize *ret_length, GError **error);
/* Its data into @fd, which is an empty file; its holes stay holes, and so do blocks of zeros. At most @data
 * bytes are no holes. @path: for messages. */
gboolean archive_reader_file (ArchiveReader *reader, int fd, const char *path, guint64 data, GError **error);
/* Sizes and sums of the files that were read so far; those that follow are counted anew. (transfer full) */
BundleManifest *archive_reader_take_manifest (ArchiveReader *reader);
