/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"

/*
 * An image made for a disk that has none, empty or from a base. In a job's thread, whose deadline goes on
 * with the work.
 */
typedef struct {
  const char *path;
  const char *aside;       /* where it is written first: in the directory of @path, and of no one else */
  const char *format;      /* "qcow2", "raw" */
  guint64 size;            /* bytes; 0: the base's */
  const char *base;        /* NULL: an empty image */
  const char *base_format; /* NULL: as the base says itself */
  const char *base_sha256; /* small letters; NULL: whatever it is */
  gboolean base_copied;    /* otherwise it becomes the backing file */
} WantedImage;

/* Nothing is there. On the disk when it returns TRUE; FALSE: nothing is at @path, or what came there
 * meanwhile. */
gboolean disk_image_make (Job *job, const WantedImage *image, GError **error);
/* What can be told of that without making it, and without reading all of the base. */
gboolean disk_image_check (const WantedImage *image, GError **error);
