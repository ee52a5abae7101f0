/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/qemu/machine-status.h"
#include "daemon/qemu/process.h"
#include "daemon/qemu/qmp.h"
#include "daemon/settings.h"
#include "daemon/store.h"

/*
 * Finding a machine again after the daemon was away. Two steps: the process is found at once in the main
 * loop, so that the first answer already lists the machine and destroy works; its monitor is asked in a
 * job, all machines at the same time.
 */

/* Main loop, blocks on nothing: the machine's process, or NULL when it has ended meanwhile. */
Process *adopt_process (const MachineStatus *status);

/* @status is copied, @process borrowed: the pid is enough to end a half-started machine. */
typedef struct AdoptRequest AdoptRequest;
AdoptRequest *adopt_request_new (const MachineStatus *status, const Settings *settings, Store *store);
void adopt_request_free (AdoptRequest *request);

typedef struct {
  Qmp *qmp;          /* ready; without handlers: see qmp_set_handlers */
  int state, reason; /* virDomainState, virDomain*Reason: what QEMU says now, in the light of the status */
  gboolean half_started; /* its CPUs never ran: whoever commits this ends the process, nothing is lost */
  gboolean image_gone;   /* its managed save was removed: it runs */
  gboolean saved; /* its save was finished: the image is whole, and whoever commits this ends the process */
} AdoptedMachine;
void adopted_machine_free (AdoptedMachine *adopted);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AdoptedMachine, adopted_machine_free)

/* The job's function: an AdoptRequest in, an AdoptedMachine out. An error: the monitor is silent or gone; the
 * process may still be there, and what is known of it stays as it was. */
gpointer adopt_job (Job *job, gpointer request, GError **error);
