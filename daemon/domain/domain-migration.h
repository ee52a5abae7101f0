/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "daemon/drivers/qemu/migrate-in.h"
#include "daemon/drivers/qemu/migrate-out.h"

/*
 * A domain on its way from or to another host, on either side. It holds the domain's lock over the calls it
 * is made of, and each step is written down before it is taken (machine-status.h), so that a daemon that was
 * ended in the midst of it finishes or undoes it when it finds the machine again. Main loop only.
 */
typedef enum {
  /* The source. */
  MIGRATION_BEGUN,     /* nothing has happened yet */
  MIGRATION_PERFORM,   /* QEMU sends; the machine is this side's */
  MIGRATION_PERFORMED, /* everything is sent; whose it is, the target decides */
  MIGRATION_CONFIRM,   /* it is the target's: it ends here */
  MIGRATION_TAKE_BACK, /* it is not the target's: it runs on here */
  /* The target. */
  MIGRATION_PREPARED, /* QEMU waits; the machine is the source's */
  MIGRATION_FINISH,   /* it is this side's as soon as QEMU runs its CPUs */
  MIGRATION_PHASES
} MigrationPhase;

typedef struct Client Client; /* call/call.h */

struct Migration {
  Domain *domain;
  MigrationPhase phase;
  guint64 flags; /* VIR_MIGRATE_* */
  gboolean ran;  /* of the source: its CPUs ran */
  char *peer;    /* of the source: the target's daemon, where we speak with it; or NULL */
  char *client;  /* whose end is its end (Client.id); NULL: nobody's */
  gboolean busy; /* a call of it is under way, and will see to what is to be done */
  Call *waiting; /* answered when the machine has ended here and its definition is gone; or NULL */
  /* The target's. */
  MigrateIn *in;
  char *name_there;   /* the machine's, on the source */
  DomainDef *offline; /* without a machine: what is to be defined */
  gboolean defined;   /* its definition is on disk by us, and goes again if the machine does not come; written
                         down in the place of ran */
};

/* It begins: what @holder holds of the domain's lock is its own from now on. */
Migration *migration_new (Domain *domain, gconstpointer holder, MigrationPhase phase, guint64 flags);
/* It ends with @client, unless that has ended already: then it ends soon. */
void migration_bind (Migration *migration, Client *client);
gboolean migration_is_incoming (const Migration *migration);
void migration_set_phase (Migration *migration, MigrationPhase phase);
/* It is over, however it went: written down, and the lock is free. */
void migration_end (Migration *migration);
/* It is over, and its machine is the other side's: it ends here, and so does its definition where that was
 * asked for. @call (may be NULL) is answered then. */
void migration_let_go (Migration *migration, Call *call);

/* The word for a phase in the status file; and back, -1: none. */
const char *migration_phase_word (MigrationPhase phase);
/* That which @status tells of, of a machine that was found again; NULL: none. It has no lock yet. */
Migration *migration_found (Domain *domain, const MachineStatus *status);
/* The machine has ended, and the domain, which is defined, is shut off. */
void migration_machine_ended (Domain *domain);
void migration_client_ended (Manager *manager, const char *id);
/* Its client has gone in the midst of it: it ends, now or when the call that is under way (busy) has seen to
 * what is to be done. */
void migration_abandoned (Migration *migration);
void migration_free (Migration *migration);
