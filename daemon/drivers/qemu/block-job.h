/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include "daemon/drivers/qemu/attach.h"
#include "domain/devices/disk.h"

/*
 * A block job of a running QEMU: one that copies the data of a disk's images while the guest goes on. What it
 * is for is a record that is written before QEMU is asked, and that the next daemon reads; what is done at
 * its end depends on its kind, a row of block_job_kinds.
 *
 * The order is always the same, so that a daemon that is killed between any two steps leaves what the next
 * one can finish or undo:
 *
 *   1. the record is written, with the numbers of the nodes that will be made, and the live document with a
 *      <mirror> where there is one;
 *   2. nodes are made and opened, and QEMU is told to begin (auto-dismiss and auto-finalize off);
 *   3. of a job that pivots and is asked to: the state is written, QEMU is told to complete, says PENDING and
 *      holds the guest's requests; the stored document is made to name the new image; QEMU is told to
 * finalize;
 *      of any other QEMU says PENDING when all is copied, which is flushed (block_job_flush) before it is
 * told to finalize;
 *   4. QEMU says CONCLUDED: the outcome is written, the job is dismissed, nodes that are left over are taken
 * away, the live document is written as it is now, the record removed.
 *
 * Who begins one and waits for its end is in daemon/domain/machine-block-jobs.h.
 */
typedef struct BlockJob BlockJob;
typedef struct BlockJobKind BlockJobKind;

typedef enum {
  BLOCK_JOB_STARTING, /* the record is written */
  BLOCK_JOB_RUNNING,
  BLOCK_JOB_READY,    /* in memory only: the mirror has all, and follows */
  BLOCK_JOB_PIVOTING, /* asked to make the mirror the disk's own */
  BLOCK_JOB_ABORTING, /* asked to end without that */
  BLOCK_JOB_ENDED,    /* QEMU has been told to forget it: its outcome is only known here */
} BlockJobState;

typedef enum {
  BLOCK_JOB_COMPLETED, /* of a job that pivots: the mirror is the disk's own */
  BLOCK_JOB_FAILED,
  BLOCK_JOB_CANCELED,
} BlockJobOutcome; /* the numbers are virConnectDomainEventBlockJobStatus's */

struct BlockJobKind {
  const char *name;   /* in records and, where there is no other, ids: "pull" */
  const char *prefix; /* of ids: "pull-vda-libvirt-1-format" */
  int type;           /* virDomainBlockJobType: what clients are told; 0: nothing */
  gboolean pivots;    /* it becomes ready and can be made to pivot */
  /* What the disk's images are after it, in a document in which they are as before, or are so already. */
  void (*apply) (const BlockJob *job, BlockJobOutcome outcome, DeviceDisk *disk);
  /* QEMU has ended it: what is to be done there besides removing the nodes that the document has no more.
   * @def and @disk of it: as they are after it. A job's thread. NULL: nothing. */
  gboolean (*settle) (Job *thread, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk,
                      const BlockJob *job, BlockJobOutcome outcome, GError **error);
};

struct BlockJob {
  const BlockJobKind *kind;
  char *id;     /* QEMU's */
  char *alias;  /* of the disk; one job at a time has it */
  char *target; /* of the disk, for messages */
  char *owner;  /* what it is a part of, in the owner's own words, kept in the record; NULL: a client's own */
  BlockJobState state;
  BlockJobOutcome outcome;              /* of BLOCK_JOB_ENDED */
  guint64 top, base;                    /* images it is about; 0: none, see the kinds */
  guint64 overlay;                      /* the image that stands on @top; 0: none */
  gboolean opened_base, opened_overlay; /* they were opened for writing for it */
  GArray *images; /* guint64: all indexes it has to do with; of those that the disk does not have at the end,
                     the nodes go */
};

#define BLOCK_JOBS_MAX 1024 /* of one machine */

/* The kinds: data of images above @base (0: of all) comes into the topmost; data of @top and what is between
 * it and @base goes into @base; the same of the disk's own image, which ends with a pivot; data goes into a
 * <mirror>. */
extern const BlockJobKind block_job_pull, block_job_commit, block_job_active_commit, block_job_copy;
const BlockJobKind *block_job_find_kind (const char *name); /* NULL: none */

BlockJob *block_job_new (const BlockJobKind *kind, const DeviceDisk *disk, const char *node);
BlockJob *block_job_copy_of (const BlockJob *job);
void block_job_free (BlockJob *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BlockJob, block_job_free)

/* The record: (transfer full); NULL with @error when the text is none, whatever it may be. */
char *block_job_to_json (const BlockJob *job);
BlockJob *block_job_from_json (const char *json, GError **error);
#define BLOCK_JOB_RECORD "blockjob" /* see store_save_record; the name is the id */

/* The document after @job. (transfer full) */
DomainDef *block_job_apply (const BlockJob *job, BlockJobOutcome outcome, const DomainDef *def);

/* What QEMU says of one job; a zeroed one: it has none of that id. */
typedef struct {
  gboolean exists;
  char *status; /* "running", "ready", "pending", "concluded" */
  char *error;  /* NULL: none */
  guint64 current, total;
} BlockJobReport;
void block_job_report_clear (BlockJobReport *report);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BlockJobReport, block_job_report_clear)
/* The same from the answer to query-jobs. */
void block_job_report_read (JsonNode *answer, const char *id, BlockJobReport *ret);
gboolean
block_job_ask (Job *thread, const Hotplug *plug, const char *id, BlockJobReport *ret, GError **error);

/* One step of the conversation: "job-complete", "job-finalize", "job-cancel". */
gboolean
block_job_tell (Job *thread, const Hotplug *plug, const char *command, const char *id, GError **error);
/* End it: gently where it is ready, so that what it copied to is whole. */
gboolean block_job_cancel (Job *thread, const Hotplug *plug, const BlockJob *job, GError **error);

/*
 * QEMU has ended it, or has none of that id. It is dismissed, and what is left over in QEMU taken away; how
 * it ended is in job->outcome, and (transfer full) in @ret_problem QEMU's words where it failed. FALSE with
 * @error: QEMU could not be asked, or the outcome not be written; it can be done again. @def: the live
 * definition, as it was.
 */
gboolean block_job_conclude (Job *thread, const Hotplug *plug, const DomainDef *def, BlockJob *job,
                             char **ret_problem, GError **error);
