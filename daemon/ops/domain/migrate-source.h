/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/domain-migration.h"
#include "daemon/ops/domain/migrate-arguments.h"

/*
 * The source's half of a migration's calls. Its parts are what both the calls of a client (migrate-calls.c)
 * and a migration from peer to peer (migrate-peer.c) are made of.
 */
typedef struct MigrateSource MigrateSource;
typedef void (*MigrateSourceThen) (MigrateSource *source);

struct MigrateSource {
  Call *call;
  Manager *manager;
  MigrateArguments arguments;
  char *uuid, *name;
  gboolean active, running;
  DomainDef *live, *original; /* what runs (NULL: nothing), and what is defined */
  Qmp *qmp;
  char *document;          /* for the target */
  char *persistent;        /* what is to be defined there; or NULL */
  MigrationCookie *cookie; /* for the target */
  GVariant *answered;      /* the target's cookie, ay, where a client brings it */
  MigrateOut *out;
  MigrateSourceThen then;
};

/* Takes over what is in @arguments. It is freed with the call. */
MigrateSource *migrate_source_new (Call *call, MigrateArguments *arguments);
/* @then runs when the machine can leave, its document and cookie are made, and the call holds the domain's
 * lock; otherwise the call is failed. */
void migrate_source_begin (MigrateSource *source, MigrateSourceThen then);
/* The same, but only what goes with the machine's state: the domain's lock is the migration's already. */
void migrate_source_prepare (MigrateSource *source, MigrateSourceThen then);
/* The machine's way to @uri, from here on QEMU's: fills source->out, and says to the machine what its stops
 * mean. The domain's progress begins. */
void migrate_source_set_out (MigrateSource *source, Domain *domain);
/* What the target is told with the machine's state. (transfer full) */
MigrationCookie *migrate_source_last_cookie (const MigrateSource *source);
