/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/attach.h"
#include "daemon/drivers/qemu/backup-record.h"
#include "daemon/drivers/qemu/block-job.h"
#include "daemon/drivers/qemu/checkpoint.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/host/process.h"

/*
 * Finding a machine again after the daemon was away. Two steps: the process is found at once in the main
 * loop, so that the first answer already lists the machine and destroy works; its monitor is asked in a
 * job, all machines at the same time.
 */

/* Main loop, blocks on nothing: the machine's process, or NULL when it has ended meanwhile. */
Process *adopt_process (const MachineStatus *status);

/* @status is copied, @process borrowed: the pid is enough to end a half-started machine. */
typedef struct AdoptRequest AdoptRequest;
/* @live: the live definition as it was last written; a reference. @plug: without a monitor. @checkpoints:
 * their kind. The platform, the store and the settings outlive the job. */
AdoptRequest *adopt_request_new (const MachineStatus *status, DomainDef *live, const Platform *platform,
                                 const Hotplug *plug, const ObjectKind *checkpoints);
void adopt_request_free (AdoptRequest *request);

/* A block job whose record was found, and what QEMU says of it now. */
typedef struct {
  BlockJob *job;
  BlockJobReport report;
} AdoptedBlockJob;

typedef struct {
  Qmp *qmp;          /* ready; without handlers: see qmp_set_handlers */
  int state, reason; /* virDomainState, virDomain*Reason: what QEMU says now, in the light of the status */
  gboolean half_started; /* its CPUs never ran: whoever commits this ends the process, nothing is lost */
  gboolean image_gone;   /* its managed save was removed: it runs */
  GPtrArray *added;      /* Device: plugged in, and the daemon ended before it was written down */
  GPtrArray
      *updated; /* Device: drives whose medium was changed, and the daemon ended before it was written down */
  GPtrArray *removed;          /* aliases: the guest has let go of them meanwhile */
  GArray *vcpus;               /* guint: plugged in, and the daemon ended before it was written down */
  GArray *iothreads;           /* guint64: all that QEMU has; NULL: it was not asked */
  BackupRecord *backup;        /* a backup job of the last daemon's; or NULL */
  CheckpointNote *checkpoints; /* what the last daemon was doing with them, which is done now; or NULL */
  GPtrArray *block_jobs;       /* AdoptedBlockJob */
  gboolean saved; /* its save was finished: the image is whole, and whoever commits this ends the process */
} AdoptedMachine;
AdoptedMachine *adopted_machine_new (void); /* with empty lists */
void adopted_machine_free (AdoptedMachine *adopted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AdoptedMachine, adopted_machine_free)

/* The job's function: an AdoptRequest in, an AdoptedMachine out. An error: the monitor is silent or gone; the
 * process may still be there, and what is known of it stays as it was. */
gpointer adopt_job (Job *job, gpointer request, GError **error);

/* The vCPUs and I/O threads that QEMU has decide: a daemon that was ended between a command and its writing
 * down left no more than that. Fills @vcpus and @iothreads; the aliases of vCPUs that are gone go into
 * @removed. */
gboolean adopt_processors (Job *job, const Hotplug *plug, const DomainDef *live, AdoptedMachine *adopted,
                           GError **error);

/* The definition that device @alias was to belong to, of the note that its attachment left; see
 * plugging_write_down. (transfer full) */
DomainDef *hotplug_load_note (const Hotplug *plug, const char *uuid, const char *alias,
                              const Platform *platform, GError **error);
/* What became of the devices that were on their way when the last daemon ended: back-ends without a device
 * are taken away, and a drive keeps one medium; @adopted gets what is there and not in @live, and the other
 * way round. Job's thread. */
gboolean adopt_devices (Job *job, const Hotplug *plug, const DomainDef *live, const Platform *platform,
                        AdoptedMachine *adopted, GError **error);
