/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/block-job.h"

/*
 * How the four kinds of block job that a client can ask for are begun. Conversations of a job's thread; each
 * makes and opens what it needs and tells QEMU to begin. On an error what was made stays for
 * block_job_conclude, which the caller runs: nothing is undone twice.
 */
typedef struct {
  DomainDef *def;           /* the live definition, with the <mirror> */
  const DeviceDisk *disk;   /* of it */
  BlockJob *job;            /* whose record is written */
  guint64 bytes_per_second; /* 0: as fast as it goes */
  char *backing; /* what the header of the image on which the rest stands is to say; NULL: QEMU's word */
  /* Of a copy. */
  gboolean shallow;            /* the images below are shared */
  gboolean own_chain;          /* the mirror has images of its own below */
  gboolean synchronous;        /* the guest's writes go to both before they are done */
  guint64 granularity, buffer; /* bytes; 0: QEMU's own */
} BlockJobStart;

/* The guest's requests are held, and the mirror is about to be the disk's own image: it gets the bitmaps of
 * checkpoints. Without them they are missing, which the log says and a backup refuses. */
void block_job_before_pivot (Job *thread, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                             const BlockJob *job);
/* A job that ends by itself has copied all, and its end changes a header: what it has written is put on the
 * disk first, for QEMU keeps tables of it in memory and does not, and killed between the two it would leave
 * an image that lacks both what it had below and what was copied from there. */
gboolean block_job_flush (Job *thread, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                          const BlockJob *job, GError **error);
gboolean block_job_start_pull (Job *thread, const Hotplug *plug, const BlockJobStart *start, GError **error);
gboolean block_job_start_commit (Job *thread, const Hotplug *plug, BlockJobStart *start, GError **error);
gboolean block_job_start_copy (Job *thread, const Hotplug *plug, const BlockJobStart *start, GError **error);
