/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"
#include "daemon/drivers/qemu/migration-settings.h"
#include "domain/migration-cookie.h"

/*
 * What a call of a migration says, the same for each form of it: typed parameters, or libvirt's older calls
 * with a place for each.
 */
typedef struct {
  guint64 flags;    /* VIR_MIGRATE_* */
  char *name;       /* on the target; NULL: the same */
  char *uri;        /* of the target's QEMU */
  char *document;   /* for the target, instead of the machine's own */
  char *persistent; /* what is to be defined there, instead of the machine's own */
  char *listen;     /* address; NULL: all */
  char *disks_uri;
  guint disks_port;
  GStrv disks; /* NULL: all that can be copied */
  char *peer;  /* the target's daemon, from peer to peer */
  MigrationSettings settings;
} MigrateArguments;

void migrate_arguments_clear (MigrateArguments *arguments);
/* @parameters: a{sv}. FALSE in libvirt's words for one that is not known, or of another type, and for flags
 * that do not go together. */
gboolean migrate_arguments_read (MigrateArguments *ret, GVariant *parameters, guint64 flags,
                                 const Settings *settings, GError **error);
/* The same of the older form; texts may be NULL, @bandwidth is MiB a second. */
gboolean
migrate_arguments_read_plain (MigrateArguments *ret, const char *name, const char *uri, const char *document,
                              guint64 flags, guint64 bandwidth, const Settings *settings, GError **error);
/* As typed parameters again, for the target. (floating) a{sv} */
GVariant *migrate_arguments_write (const MigrateArguments *arguments, const char *document);

/* The cookie in ay: NULL without @error when there is none. A document: not in the main loop. */
MigrationCookie *migrate_cookie_of_value (GVariant *bytes, GError **error);
/* One of this host, about that machine. */
MigrationCookie *migrate_cookie_new (const Settings *settings, const char *name, const char *uuid);
GVariant *migrate_cookie_value (const MigrationCookie *cookie); /* (floating) ay; NULL: empty */
/* What says who this host is. (transfer full) */
char *migrate_host_uuid (const Settings *settings);
