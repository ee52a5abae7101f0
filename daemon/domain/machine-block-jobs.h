/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/block-job-kinds.h"
#include "daemon/drivers/qemu/block-job.h"

/*
 * The block jobs of a running machine: begun, heard of, ended. Main loop only, unless said otherwise.
 *
 * A job does not hold the domain's lock while it runs: the machine can be changed meanwhile, but not the disk
 * it works on (machine_check_no_block_job). Its end needs the lock: it waits for it, or has it, where the
 * call that asked for the end passed it on; that call may wait for the end as well.
 *
 * One with an owner is a part of something larger, which has the lock from before its begin until it is told
 * of its end: no step waits for the lock, and one that pivots does so as soon as it is ready. The record says
 * whose it is; found again, it rests until its owner asks for it (machine_block_job_resume).
 */
typedef struct MachineBlockJob MachineBlockJob;

/* A job ended; what the documents and QEMU have of it is settled. @problem: QEMU's words, where it failed. */
typedef void (*BlockJobEnded) (Machine *machine, const BlockJob *job, BlockJobOutcome outcome,
                               const char *problem, gpointer data);

/* What is needed to begin one. The caller makes it, with g_new0; the rest belongs to what follows. */
typedef struct BlockJobRequest BlockJobRequest;
struct BlockJobRequest {
  char *target; /* the disk's; owned */
  /* A job's thread: check what needs a look at files or at QEMU, make the files that are needed, set
   * start.job (whose record is written then) and the rest of start; a <mirror> is put into @start.def, a copy
   * of the live definition that nobody else has, whose disk start.disk is. */
  gboolean (*prepare) (Job *thread, BlockJobRequest *request, GError **error);
  /* A job's thread: make it begin. */
  gboolean (*begin) (Job *thread, const Hotplug *plug, BlockJobStart *start, GError **error);
  /* It has begun, or (@error) has not, and nothing is left of it. */
  void (*done) (BlockJobRequest *request, const GError *error);
  BlockJobEnded ended; /* of one that has begun and has an owner (start.job->owner), even if the machine ends
                        * first; or NULL */
  gpointer ended_data;
  Call *call;               /* the caller's own, like the next two */
  gpointer data;            /* freed with ... */
  GDestroyNotify free_data; /* ... this; or NULL */
  char *made_file;          /* it was made for the job: removed when the job does not begin; owned */

  /* Set by machine_block_job_begin. */
  Hotplug plug;
  BlockJobStart start;
  Manager *manager;
  char *uuid;
  int id; /* of the domain */
};

/* Begin; the caller has the domain's lock until done is called. Takes @request. */
void machine_block_job_begin (Machine *machine, BlockJobRequest *request);

/* The job of the disk with that target; NULL: none. */
MachineBlockJob *machine_find_block_job (const Machine *machine, const char *target);
const BlockJob *machine_block_job_record (const MachineBlockJob *job);
/* FALSE with libvirt's code and words when the disk has one; @target NULL: when any disk has. */
gboolean machine_check_no_block_job (const Machine *machine, const char *target, GError **error);

/* The same for the device with that alias (may be NULL). */
gboolean machine_check_device_free (const Machine *machine, const char *alias, GError **error);

/* Ask for its end: with @pivot the mirror becomes the disk's own image. The call, which has the domain's
 * lock, is answered when the job has ended, or with @asynchronous when QEMU has agreed. */
void machine_block_job_end (Machine *machine, MachineBlockJob *job, gboolean pivot, gboolean asynchronous,
                            Call *call);

/* Of one that was found again, and has an owner: it goes on, and @ended is told of its end. */
void machine_block_job_resume (MachineBlockJob *job, BlockJobEnded ended, gpointer data);

/* What a machine tells: QEMU's JOB_STATUS_CHANGE, and records that were found again, whose jobs go on, or are
 * finished or undone. */
extern const MachineWatcher machine_block_jobs_watcher;
