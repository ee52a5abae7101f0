/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/bundle-manifest.h"
#include "daemon/bundle/stream.h"

/* An archive on its way to a client: what is written goes out at once. Job's thread. */
typedef enum {
  ARCHIVE_BUNDLE, /* tar with sparse files, in zstd */
  ARCHIVE_PLAIN,  /* tar as an OVA has it */
} ArchiveKind;

typedef struct ArchiveWriter ArchiveWriter;

/* @stream stays the caller's. */
ArchiveWriter *archive_writer_new (ArchiveKind kind, Stream *stream, GError **error);
/* What was not ended is cut short. */
void archive_writer_free (ArchiveWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ArchiveWriter, archive_writer_free)

/* Sizes and sums of what was written so far. (borrowed) */
BundleManifest *archive_writer_manifest (ArchiveWriter *writer);
gboolean
archive_writer_text (ArchiveWriter *writer, const char *name, const char *text, gsize length, GError **error);
/* @fd: a file of @size bytes with data in @stretches (of Stretch); @path: for messages. */
gboolean archive_writer_file (ArchiveWriter *writer, const char *name, int fd, const char *path, guint64 size,
                              const GArray *stretches, GError **error);
gboolean archive_writer_end (ArchiveWriter *writer, GError **error);
