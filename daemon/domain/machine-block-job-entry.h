/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine-block-jobs.h"

/* What the files of block jobs share. Main loop only. */
struct MachineBlockJob {
  Machine *machine;
  BlockJob *job;
  gboolean holding;   /* it has the domain's lock */
  gboolean locking;   /* it waits for it */
  gboolean busy;      /* a step of it is being taken */
  gboolean begun;     /* who began it has been told */
  gboolean pending;   /* QEMU waits to be told to finalize */
  gboolean concluded; /* QEMU has ended it, or never had it */
  char *problem;      /* why it could not pivot */
  GPtrArray *waiters; /* Call: answered at its end */
  BlockJobEnded ended;
  gpointer ended_data;
};

/* The lock is its owner's. */
gboolean machine_block_job_is_owned (const MachineBlockJob *entry);
/* Another job of @machine, which takes @job. */
MachineBlockJob *machine_block_job_new (Machine *machine, BlockJob *job);
MachineBlockJob *machine_find_block_job_id (const Machine *machine, const char *id);
/* The disk of @job in the live definition; NULL: it has been detached. Any thread. */
DeviceDisk *block_job_disk (const DomainDef *def, const BlockJob *job);
/* MirrorReady in the live document, where the job has a mirror. */
void machine_block_job_set_ready (Machine *machine, const BlockJob *job, int ready);
/* Its event, by the path of the disk as it is now, and by its target. @status:
 * virConnectDomainEventBlockJobStatus. */
void machine_block_job_emit (Machine *machine, const BlockJob *job, int status);
/* The next step, where there is one. The owner waits for the pivot, and nobody else will ask for it. */
void machine_block_job_go_on (MachineBlockJob *entry);
