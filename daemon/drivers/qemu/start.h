/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/secret-source.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "daemon/drivers/qemu/migrate-in.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/drivers/qemu/restore.h"
#include "daemon/helper/helper.h"
#include "daemon/host/process.h"
#include "daemon/object/store.h"
#include "domain/domain-def.h"

/*
 * The start of one machine as a job: from a completed definition to a QEMU whose monitor answers and whose
 * CPUs run. Whatever goes wrong on the way, everything is undone: the process is ended and reaped, and the
 * machine's run directory removed.
 *
 * A machine's status file is written before QEMU is executed, so that a daemon killed at any instant
 * finds every machine it started; see adopt.h for what becomes of a half-started one.
 */
typedef struct StartRequest {
  DomainDef *def;     /* completed; a reference */
  char *document;     /* the text it was read from, for the places of what cannot be made; NULL: the store's.
                         Owned */
  int id;             /* the running machine's number */
  gboolean paused;    /* leave the CPUs stopped */
  gboolean transient; /* kept in the status file */
  gboolean auto_destroy;  /* kept there too */
  gboolean is_check;      /* nothing is started: see start-check.h */
  gboolean from_snapshot; /* it is a snapshot that is gone back to */
  gboolean reset_nvram;   /* the firmware's variables are made from their template again */
  Restore *restore;       /* start it from this saved state; NULL: afresh. Owned */
  MigrateIn *incoming; /* its state comes from another QEMU, for which it waits; NULL: it does not. Owned */
  char *managed_save;  /* removed as the last step, restored from or not; a failed start keeps it; or NULL */
  const Settings *settings; /* these three outlive the job */
  Store *store;
  CapsCache *caps;
  SecretSource secrets; /* fetch NULL: there are none */
} StartRequest;

#define START_QEMU_DIRECTORY "qemu" /* in the run directory: QEMU's account can write there */
#define START_MONITOR_FD     3      /* its number in QEMU; RECIPE_FIRST_DESCRIPTOR is above it */

/* @def is referenced; a cold start. */
StartRequest *start_request_new (DomainDef *def, int id, gboolean paused, gboolean transient,
                                 const Settings *settings, Store *store, CapsCache *caps);
void start_request_free (StartRequest *request);
/* Not afresh: with a state that it has had. */
gboolean start_request_goes_on (const StartRequest *request);

/* What a start gives; taken apart by whoever commits it (steal the members, then free the rest). */
typedef struct StartedMachine {
  Process *process;
  Qmp *qmp; /* of another driver NULL; without handlers yet: events wait inside until qmp_set_handlers */
  DomainDef *def;         /* live: id, aliases, pty paths, ports, paths chosen at start */
  MachineStatus *status;  /* as last written; its state is RUNNING or PAUSED now */
  GPtrArray *helpers;     /* Helper: beside it, not watched yet */
  GPtrArray *missing;     /* MissingDisk (missing-disks.h): what was left out */
  gboolean restored;      /* from a saved state */
  gboolean incoming;      /* it waits for its state: its status says that it is starting */
  gboolean from_snapshot; /* ... or with disks, that are a snapshot's */
  gboolean image_removed; /* the managed save is gone now */
} StartedMachine;
void started_machine_free (StartedMachine *started);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StartedMachine, started_machine_free)

/* The job's function: a StartRequest in, a StartedMachine out. Cancelling the job (destroy) undoes the start.
 */
gpointer start_job (Job *job, gpointer request, GError **error);
/* Long enough for settings->start_timeout and what lies around it. */
guint start_job_seconds (const Settings *settings);

/* Where its QEMU can make files and sockets; the owner is the machine's account. (transfer full) */
char *machine_directory (Store *store, const char *uuid);
/* Any thread: remove what a machine left when it ended: its status, its run directory and its cgroup. */
void machine_clean_up (const Settings *settings, Store *store, const char *uuid);
