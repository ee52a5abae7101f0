/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/progress.h"
#include "daemon/domain/last-end.h"
#include "daemon/domain/summary.h"
#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/machine-events.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/helper/helper-set.h"
#include "daemon/host/process.h"
#include "daemon/object/child.h"
#include "daemon/object/object.h"
#include "domain/domain-def.h"

/*
 * One domain's life: what is defined, what runs, its state and its one changing job. Owned by the manager
 * and touched by the main loop only.
 */
typedef struct Domain Domain;
typedef struct Machine Machine; /* the running half; NULL while shut off */
typedef struct MachineBackup MachineBackup;
typedef struct Call Call;
typedef struct Migration Migration; /* domain-migration.h */

struct Domain {
  union {
    Object object; /* its lock is held by the one change at a time */
    struct {
      OBJECT_MEMBERS
    };
  };
  int id;          /* -1 while shut off */
  GVariant *value; /* name, UUID and id for answers, once one was needed; see call_domain_value */
  gboolean updated;
  gboolean managed_save;
  virDomainState state;
  int reason;           /* of virDomain*Reason for that state */
  gint64 state_changed; /* g_get_real_time */
  Machine *machine;
  DomainDef *transient;       /* the definition of a machine that has no file */
  DomainDef *config;          /* the persistent one while it is in memory, see definition.h */
  DefinitionSummary *summary; /* of the persistent one, once it has been read */
  char *document;             /* its text without secrets, once somebody has asked; see definition_document */
  GList recent;               /* its place among those in memory */
  guint definition_count;     /* goes up with each new definition: a reading begun before is out of date */
  gboolean destroy_asked;     /* while it is being started: the start is to be given up */
  GQueue destroyers;          /* Call: those who asked so, answered when it is given up */
  Job *job;                   /* of the one that has its lock, when it can be cancelled */
  Progress *progress;         /* of the long job that runs, or NULL */
  Progress *completed;        /* of the last that ended, until somebody has asked for it */
  GPtrArray *messages;  /* char *: warnings of its last define (unknown elements), shown as domain messages */
  gboolean tainted;     /* clients have given its QEMU commands of their own, since it was started */
  ChildTree *snapshots; /* see daemon/snapshot/snapshot-kind.h */
  ChildTree *checkpoints; /* see daemon/snapshot/checkpoint-kind.h */
  int agent_timeout;    /* seconds its guest's agent has to answer, or virDomainAgentResponseTimeoutValues */
  Migration *migration; /* on its way from or to another host; or NULL */
  guint64 migration_speed; /* MiB a second that a migration may take; 0: no limit */
};

/* The running half: see machine.h for its life. */
struct Machine {
  Domain *domain;
  Process *process;
  const Driver *driver;  /* NULL: QEMU's; of the others there is no monitor */
  Qmp *qmp;              /* NULL until connected, and after it hung up */
  MachineEvents *events; /* what QEMU's events mean */
  DomainDef *def;        /* live: aliases, ports, pty paths */
  gint64 started;        /* g_get_real_time */
  gboolean ended;        /* its process is gone */
  gboolean monitor_closed;
  guint ask_again;            /* source: it was found again, and its monitor was silent */
  guint linger;               /* source: the monitor of an ended process is being read out */
  int end_reason, end_detail; /* virDomainShutoffReason, detail of VIR_DOMAIN_EVENT_STOPPED */
  GPtrArray *endings;         /* calls that are answered when it is over, see machine_answer_at_end */
  HelperSet *helpers;         /* the processes beside it */
  GPtrArray *block_jobs;      /* MachineBlockJob: see machine-block-jobs.h; NULL: none yet */
  GPtrArray *removals;        /* those who wait for a device to be gone, see machine-devices.h */
  char *owner;                /* the client whose end is its end (Client.id), or NULL: see auto-destroy.h */
  gboolean starting;          /* its CPUs have not run yet */
  guint64 balloon_kib;        /* last known; 0: not known */
  ProcessExit exit;           /* once it has ended */
  gboolean panicked, off;     /* its guest has crashed, or has switched itself off */
  EndAsked asked;             /* who asked for its end */
  char *save_path, *save_id;  /* while it is being saved, see machine-status.h */
  MachineBackup *backup;      /* the one that runs, see machine-backup.h; or NULL */
  /* What it last said of itself, shown while it is silent. */
  JsonNode *statistics, *disks; /* of query-blockstats and query-block */
  GHashTable *driver_counters;  /* another hypervisor's: alias → DiskCounters; NULL: it has told none */
  gboolean silent;              /* it did not answer the last time */
  gint64 statistics_at;         /* g_get_monotonic_time */
};

gboolean domain_is_active (const Domain *domain);
/* For messages: FALSE and @error set (VIR_ERR_OPERATION_INVALID) in libvirt's words unless it runs. */
gboolean domain_check_active (const Domain *domain, GError **error);
/* The same unless the monitor of its machine, which runs, can be talked to: VIR_ERR_OPERATION_TIMEOUT where
 * QEMU has been silent since the daemon came back, VIR_ERR_OPERATION_FAILED where it has closed it,
 * VIR_ERR_OPERATION_UNSUPPORTED where it is another hypervisor that has none. */
gboolean domain_check_monitor (const Domain *domain, GError **error);

/* The call has the domain's lock when @begin runs in the main loop, perhaps at once, and gives it back when
 * it is answered. A wait longer than the call timeout fails the call with VIR_ERR_OPERATION_TIMEOUT; a domain
 * that goes away meanwhile with VIR_ERR_NO_DOMAIN. @name is static. */
void domain_lock (Domain *domain, const char *name, Call *call, void (*begin) (Domain *domain, Call *call));

/* Change state and tell everybody (lifecycle event, state file). @event/@detail as in virDomainEventType; -1:
 * no event. */
void domain_set_state (Domain *domain, virDomainState state, int reason, int event, int detail);
/* Its long job has ended, with @error or without: it is the last completed one now. */
void domain_end_progress (Domain *domain, const GError *error);
void domain_lifecycle_event (Domain *domain, int event, int detail);
/* @number: virDomainEventID. Sinks @payload. */
void events_domain (Events *events, Domain *domain, int number, GVariant *payload);
/* An event of EVENT_MONITOR. Sinks @payload. */
void events_monitor (Events *events, Domain *domain, GVariant *payload);
