/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/checkpoint-note.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/object/child.h"
#include "domain/domain-def.h"
#include "targets/qemu/bitmaps.h"

/*
 * Checkpoints of a running machine: their bitmaps in QEMU, together with what is on disk of them. Before the
 * first step a note says what is to become of which checkpoint; a daemon that finds one finishes or undoes
 * that. Conversations of a job's thread.
 */
typedef struct {
  const ObjectKind *kind; /* that of checkpoints */
  Qmp *qmp;
  CapsCache *caps;
  DomainDef *live;
  char *run_directory; /* of the machine */
  char *directory;     /* of its checkpoints: child_store_directory */
  guint patience;      /* seconds for each answer of QEMU's */
} CheckpointHost;

/* All of it is referenced or copied. @qmp NULL: the machine does not run. */
void checkpoint_host_init (CheckpointHost *host, const ObjectKind *kind, const Settings *settings,
                           const char *uuid, Qmp *qmp, CapsCache *caps, DomainDef *live,
                           const char *run_directory);
void checkpoint_host_clear (CheckpointHost *host);

/* What QEMU says of its nodes now. */
NodeStates *checkpoint_ask_nodes (Job *job, const CheckpointHost *host, GError **error);
/* The nodes on which a checkpoint's bitmaps begin: those of the images on top. (char *, transfer full) NULL
 * with @error. */
GPtrArray *checkpoint_nodes (const CheckpointHost *host, const CheckpointDef *def, GError **error);

/* Make its bitmaps at one instant, and keep it as the current one. On an error nothing has changed. */
gboolean checkpoint_create (Job *job, const CheckpointHost *host, CheckpointDef *def, GError **error);
/* The rest of that, once the bitmaps are there and a note says so. */
gboolean checkpoint_keep (const CheckpointHost *host, const CheckpointDef *def, GError **error);
/* What a note says is to be removed: the bitmaps in all images that can be written (@bitmaps), and what is on
 * disk. Where some bitmap is not there any more, that is fine. */
gboolean checkpoint_remove (Job *job, const CheckpointHost *host, const CheckpointNote *note, GError **error);
/* Fill in what has changed on each disk since; @def is nobody else's. */
gboolean checkpoint_measure (Job *job, const CheckpointHost *host, CheckpointDef *def, GError **error);
/* Has each disk the bitmap that the document speaks of? VIR_ERR_CHECKPOINT_INCONSISTENT when not. */
gboolean
checkpoint_check_bitmaps (Job *job, const CheckpointHost *host, const CheckpointDef *def, GError **error);

/* What a daemon that ended has noted, if anything, is finished or undone. @ret_note: what was finished, for
 * the trees in memory; NULL: nothing was. */
gboolean checkpoint_settle (Job *job, const CheckpointHost *host, gboolean backup_runs,
                            CheckpointNote **ret_note, GError **error);
