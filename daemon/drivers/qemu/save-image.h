/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * The file a saved machine is: a header, the machine's document, and QEMU's migration stream. Numbers are
 * little-endian.
 *
 *   0               header, in a block of its own
 *   4096            the same again
 *   8192            room for the document
 *   8192 + room     room for the next document
 *   8192 + 2 rooms  the stream, to the end of the file
 *
 * A header says which of the two rooms its document is in; of two good headers the one with the higher
 * sequence number counts. So a document is replaced without a moment in which the file is not whole. The
 * header is written last of all: a file without one is none of ours.
 *
 * What is read is untrusted: every length has a bound, header and document carry SHA-256 sums. Any thread.
 */
#define SAVE_IMAGE_BLOCK    4096
#define SAVE_IMAGE_MIN_ROOM (64 * 1024)       /* bytes for a document */
#define SAVE_IMAGE_MAX_ROOM (8 * 1024 * 1024) /* a document may have half of it when it is first written */

typedef struct {
  int fd;
  char *path;           /* for messages */
  char id[37];          /* of this one save, as a UUID's text: no two images have the same */
  gboolean was_running; /* its CPUs are to run after it was restored */
  guint64 sequence;     /* of the header that counts */
  char *xml;            /* the document, UTF-8 */
  gboolean
      is_libvirts; /* libvirt wrote it (libvirt-image.h): it is read only, and has no id and no sequence */
  char *cookie;    /* what libvirt notes beside the document; or NULL */
  guint32 room;    /* bytes there are for one document */
  guint64 xml_offset;
  guint64 stream_offset; /* where the stream begins, ... */
  guint64 stream_length; /* ... and its length in bytes */
} SaveImage;

/* Lay out a new image in the empty file @fd (borrowed): the document is written, and the file's offset is
 * where the stream is to begin. @path is for messages, @id a UUID's text. */
SaveImage *save_image_begin (int fd, const char *path, const char *id, gboolean was_running, const char *xml,
                             GError **error);
/* The stream is written: put the header in front of it. The file is on the disk when this returns. */
gboolean save_image_finish (SaveImage *image, GError **error);

/* Open an image; VIR_ERR_OPERATION_FAILED when it is none, or damaged; @writable for save_image_replace. The
 * descriptor is the image's. */
SaveImage *save_image_open (const char *path, gboolean writable, GError **error);
/* Exchange the document, the running state, or (@xml NULL) only that one. On the disk when this returns.
 * VIR_ERR_OPERATION_UNSUPPORTED for libvirt's. */
gboolean save_image_replace (SaveImage *image, const char *xml, gboolean was_running, GError **error);
/* The descriptor's offset to where the stream begins. */
gboolean save_image_rewind (SaveImage *image, GError **error);
void save_image_free (SaveImage *image);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SaveImage, save_image_free)
