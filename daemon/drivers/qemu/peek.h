/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"

/*
 * Looking into a disk and into a guest's memory: a few bytes from one place. Both are a job's function that
 * gives a GBytes.
 */
#define PEEK_MAX_BYTES (4 * 1024 * 1024) /* the protocol's own limit */

/* A disk of raw bytes. */
typedef struct {
  char *path;
  char *name; /* as the client said it, for errors */
  guint64 offset;
  guint32 size; /* bytes, at most PEEK_MAX_BYTES */
} DiskPeek;
void disk_peek_free (gpointer peek);
gpointer disk_peek_job (Job *job, gpointer peek, GError **error);

/* A guest's memory, by its own addresses or as its first CPU sees it. */
typedef struct {
  Qmp *qmp;
  char *directory; /* where QEMU can write */
  gboolean physical;
  guint64 offset;
  guint32 size;
} MemoryPeek;
void memory_peek_free (gpointer peek);
gpointer memory_peek_job (Job *job, gpointer peek, GError **error);
