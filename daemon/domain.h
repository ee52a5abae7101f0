/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/job.h"
#include "daemon/qemu/process.h"
#include "daemon/qemu/qmp.h"
#include "model/domain.h"

/*
 * One domain's life: what is defined, what runs, its state and its one changing job. Owned by the manager
 * and touched by the main loop only.
 */
typedef struct Manager Manager;
typedef struct Domain Domain;
typedef struct Machine Machine; /* the running half: process, monitor, live definition; NULL while shut off */

struct Domain {
  Manager *manager;
  char *name;
  char *uuid;                   /* 36 characters */
  int id;                       /* -1 while shut off */
  gboolean persistent, autostart, updated;
  gboolean managed_save;
  virDomainState state;
  int reason;                   /* of virDomain*Reason for that state */
  Machine *machine;
  DomainDef *transient;         /* the definition of a machine that has no file */
  Job *job;                     /* the changing job that runs, or NULL */
  GQueue waiting;               /* jobs that wait for it: see domain_begin */
  GPtrArray *messages;          /* char *: warnings of its last define (unknown elements), shown as domain messages */
  gboolean tainted;
};

/* The running half. */
struct Machine {
  Process *process;
  Qmp *qmp;                     /* NULL until connected, and after it hung up */
  DomainDef *def;               /* live: aliases, ports, pty paths */
  gint64 started;               /* g_get_real_time */
  gint64 state_changed;
  gboolean destroying;          /* an end we asked for: no crash */
  gboolean shutdown_requested;
  GHashTable *balloon_stats;
  guint64 balloon_kib;          /* last known */
};

/* The definition that will start next: the persistent one (read from the store when first needed, and dropped
 * again under memory pressure), or the transient one. (transfer full) */
DomainDef *domain_config (Domain *domain, GError **error);
/* What describes it now: live while it runs, the config otherwise. (transfer full) */
DomainDef *domain_current_def (Domain *domain, GError **error);
gboolean domain_is_active (const Domain *domain);

/* Queue a changing job behind the one that runs; when its turn comes @begin is called in the main loop and must
 * start it (or answer at once). A wait longer than the call timeout fails the call with VIR_ERR_OPERATION_TIMEOUT
 * "cannot acquire state change lock". */
typedef struct Call Call;
void domain_queue (Domain *domain, Call *call, void (*begin) (Domain *domain, Call *call));
/* The job that begin started is over: the next one's turn. */
void domain_job_done (Domain *domain);

/* Change state and tell everybody (lifecycle event, PropertiesChanged, state file). @event/@detail as in
 * virDomainEventType; -1: no event. */
void domain_set_state (Domain *domain, virDomainState state, int reason, int event, int detail);
