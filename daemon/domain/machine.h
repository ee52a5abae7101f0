/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"
#include "daemon/drivers/qemu/adopt.h"
#include "daemon/drivers/qemu/start.h"

/*
 * The running half of a domain: from a start or an adoption to the end of its process. It joins what the
 * process, its monitor and the meaning of its events say to the domain's state. Main loop only.
 */

/* A start has succeeded: takes apart @started, sets the state, sends the events. */
void machine_commit_start (Domain *domain, StartedMachine *started, gboolean paused);
/* For the jobs of its driver, which is not QEMU's. (transfer full) */
DriverMachine *machine_driver_view (const Machine *machine);
/* A machine found again: registered at once, its monitor is asked in a job. */
void machine_adopt (Domain *domain, MachineStatus *status, DomainDef *live, Process *process);
/* End it now: destroy. @reason/@detail: virDomainShutoffReason, detail of VIR_DOMAIN_EVENT_STOPPED. */
void machine_end (Machine *machine, gboolean graceful, int reason, int detail);
#define DESTROY_SECONDS 15 /* a killed process that is not gone by then is stuck in the kernel */
/* It is being saved into @path (NULL: no longer): written down, so that a later daemon can tell which of the
 * two counts. */
void machine_set_saving (Machine *machine, const char *path, const char *id);
/* Answer the call when the machine has ended, or fail it when it has not after @seconds. */
void machine_answer_at_end (Machine *machine, Call *call, guint seconds);
/* Another live definition (taken): definitions are replaced, never changed, for a job may be reading the old
 * one. */
void machine_replace_def (Machine *machine, DomainDef *def);
/* Ask QEMU about its disks; @then is called once, perhaps at once, when it has answered into
 * machine->statistics and machine->disks, or has not in time: then what it last said is still there. @machine
 * is NULL when it has ended. */
void machine_ask_disks (Machine *machine, guint seconds, void (*then) (Machine *machine, gpointer data),
                        gpointer data);
/* A client has given QEMU a command of its own: said in the log, and by the domain's messages while it runs.
 */
void machine_taint_by_monitor (Machine *machine);
/* Where its QEMU can make files and sockets. (transfer full) */
char *machine_qemu_directory (const Machine *machine);
/* The state file, after whatever it says has changed. The definition beside it is written when it is
 * replaced: the first one by the start. */
void machine_save_status (Machine *machine);
/*
 * Who else has something to do when a machine lives: block jobs. All are told in the order in which they were
 * added, before the first machine. What a watcher does not care for is NULL.
 */
typedef struct {
  /* QEMU has said something, and its meaning for the machine's state is known. @arguments may be NULL. */
  void (*monitor_event) (Machine *machine, const char *name, JsonObject *arguments);
  /* It was found again, and its monitor has answered; events follow. */
  void (*found) (Machine *machine, const AdoptedMachine *adopted);
  void (*ended) (Machine *machine); /* it is over; the domain is shut off */
} MachineWatcher;
#define MACHINE_WATCHERS_MAX 8
/* What a start and an adoption make of a machine: the domain's, and active. Takes @process and @def; nothing
 * is watched yet. @state/@reason: virDomainState and its reason. */
Machine *machine_new (Domain *domain, Process *process, DomainDef *def, int state, int reason);
void machine_watch_process (Machine *machine); /* until its end, or machine_free () */
void
machine_watch_monitor (Machine *machine); /* machine->qmp, where it has one: its events come from now on */
/* Tell the watchers that it was found. */
void machine_found (Machine *machine, const AdoptedMachine *adopted);
/* What its state file says now; the texts are the domain's and the machine's. */
MachineStatus machine_status (const Machine *machine);
void machine_add_watcher (const MachineWatcher *watcher); /* static */
void machine_free (Machine *machine);                     /* stops watching; the process goes on */
