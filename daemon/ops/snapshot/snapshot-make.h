/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/drivers/qemu/attach.h"
#include "daemon/snapshot/snapshot-steps.h"

/* A snapshot on its way, from a client's document to what is on disk: a job's input and result. */
typedef struct {
  guint flags;      /* VIR_DOMAIN_SNAPSHOT_CREATE_* */
  SnapshotDef *def; /* completed; aligned by the job */
  SnapshotPlace *place;
  SnapshotIntent *intent;   /* once it is written */
  DomainDef *live, *config; /* as they are; live NULL: it is off; config NULL: it has none of its own */
  int state;                /* virDomainState */
  /* What they become; NULL: nothing else. */
  DomainDef *live_after, *config_after;
  gboolean stays_paused; /* the client asked for a moment in which it can do something by hand */
  /* Of a machine that runs. */
  Hotplug plug;
  Progress *progress;
  guint patience; /* seconds for each answer of QEMU's */
  char *agent;    /* the socket of its guest's agent, with QUIESCE */
  int agent_timeout;
  pid_t qemu;
} SnapshotMake;

void snapshot_make_free (SnapshotMake *make);

/* The job's function: a SnapshotMake in, JOB_OK out. On success the disks go on in what is new, and
 * snapshot_finish is what is left; on an error nothing is left of it. */
gpointer snapshot_make_job (Job *job, gpointer make, GError **error);
