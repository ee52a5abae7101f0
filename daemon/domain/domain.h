/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/progress.h"
#include "daemon/domain/summary.h"
#include "daemon/drivers/qemu/machine-events.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/helper/helper-set.h"
#include "daemon/host/process.h"
#include "daemon/object/events.h"
#include "domain/domain-def.h"

/*
 * One domain's life: what is defined, what runs, its state and its one changing job. Owned by the manager
 * and touched by the main loop only.
 */
typedef struct Manager Manager;
typedef struct Domain Domain;
typedef struct Machine Machine; /* the running half; NULL while shut off */
typedef struct Call Call;

struct Domain {
  Manager *manager;
  char *name;
  char *uuid;      /* 36 characters */
  int id;          /* -1 while shut off */
  GVariant *value; /* name, UUID and id for answers, once one was needed; see call_domain_value */
  gboolean persistent, autostart, autostart_once, updated;
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
  gboolean busy;              /* a changing job runs, or a wait for one */
  const Call *holder;         /* whose turn it is; NULL: nobody's, or a machine's that was found again */
  gboolean destroy_asked;     /* while it is being started: the start is to be given up */
  GQueue destroyers;          /* Call: those who asked so, answered when it is given up */
  Job *job;                   /* the one that runs, when it can be cancelled */
  const char *job_name;       /* "start": what keeps the domain busy */
  gint64 job_since;           /* g_get_monotonic_time */
  Progress *progress;         /* of the long job that runs, or NULL */
  Progress *completed;        /* of the last that ended, until somebody has asked for it */
  GQueue waiting;             /* those that wait for it: see domain_queue */
  GPtrArray *messages; /* char *: warnings of its last define (unknown elements), shown as domain messages */
  gboolean tainted;    /* clients have given its QEMU commands of their own, since it was started */
  int agent_timeout;   /* seconds its guest's agent has to answer, or virDomainAgentResponseTimeoutValues */
};

/* The running half: see machine.h for its life. */
struct Machine {
  Domain *domain;
  Process *process;
  Qmp *qmp;              /* NULL until connected, and after it hung up */
  MachineEvents *events; /* what QEMU's events mean */
  DomainDef *def;        /* live: aliases, ports, pty paths */
  gint64 started;        /* g_get_real_time */
  gboolean ended;        /* its process is gone */
  gboolean
      holds_domain; /* its end is the end of the domain's turn: a half-started one that was found again */
  gboolean monitor_closed;
  guint ask_again;            /* source: it was found again, and its monitor was silent */
  guint linger;               /* source: the monitor of an ended process is being read out */
  int end_reason, end_detail; /* virDomainShutoffReason, detail of VIR_DOMAIN_EVENT_STOPPED */
  GPtrArray *endings;         /* calls that are answered when it is over, see machine_answer_at_end */
  HelperSet *helpers;         /* the processes beside it */
  GPtrArray *removals;        /* those who wait for a device to be gone, see machine-devices.h */
  char *owner;                /* the client whose end is its end (Client.id), or NULL: see auto-destroy.h */
  gboolean starting;          /* its CPUs have not run yet */
  guint64 balloon_kib;        /* last known; 0: not known */
  char *save_path, *save_id;  /* while it is being saved, see machine-status.h */
  /* What it last said of itself, shown while it is silent. */
  JsonNode *statistics, *disks; /* of query-blockstats and query-block */
  gboolean silent;              /* it did not answer the last time */
  gint64 statistics_at;         /* g_get_monotonic_time */
};

Domain *domain_new (Manager *manager, const char *name, const char *uuid);
void domain_free (Domain *domain);
gboolean domain_is_active (const Domain *domain);
/* For messages: FALSE and @error set (VIR_ERR_OPERATION_INVALID) in libvirt's words unless it runs. */
gboolean domain_check_active (const Domain *domain, GError **error);
/* The same unless the monitor of its machine, which runs, can be talked to: VIR_ERR_OPERATION_TIMEOUT where
 * QEMU has been silent since the daemon came back, VIR_ERR_OPERATION_FAILED where it has closed it. */
gboolean domain_check_monitor (const Domain *domain, GError **error);

/* domain-queue.c: one changing job per domain. */
#define DOMAIN_MAX_WAITING 64 /* calls that wait for one domain */
/* Queue a changing call behind the one that runs; when its turn comes @begin is called in the main loop
 * (perhaps at once). Its turn is over when the call is answered. A wait longer than the call timeout fails
 * the call with VIR_ERR_OPERATION_TIMEOUT; a domain that goes away meanwhile with VIR_ERR_NO_DOMAIN. @name is
 * static. */
void domain_queue (Domain *domain, const char *name, Call *call, void (*begin) (Domain *domain, Call *call));
/* A turn is over: the next one's. Called when a call that holds the domain is answered. Nothing happens
 * unless the turn is @holder's (NULL: that of a machine found again): a transient domain may have gone
 * meanwhile, and another of its UUID have come. */
void domain_done (Manager *manager, const char *uuid, const Call *holder);
/* Nobody waits any more: they are all answered with @error. */
void domain_fail_waiting (Domain *domain, const GError *error);

/* Change state and tell everybody (lifecycle event, state file). @event/@detail as in virDomainEventType; -1:
 * no event. */
void domain_set_state (Domain *domain, virDomainState state, int reason, int event, int detail);
void domain_lifecycle_event (Domain *domain, int event, int detail);
/* @number: virDomainEventID. Sinks @payload. */
void events_domain (Events *events, Domain *domain, int number, GVariant *payload);
/* An event of EVENT_MONITOR. Sinks @payload. */
void events_monitor (Events *events, Domain *domain, GVariant *payload);
