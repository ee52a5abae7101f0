/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain.h"
#include "daemon/events.h"
#include "daemon/qemu/probe.h"
#include "daemon/settings.h"
#include "daemon/store.h"

/* The registry: every domain by name, UUID and id, and what they share. One in a process; main loop only. */
struct Manager {
  const Settings *settings;
  Store *store;
  Events *events;
  CapsCache *caps;
  Platform *platform;           /* may be used in any thread */
  GHashTable *by_uuid;          /* char * → Domain * (owned) */
  GHashTable *by_name;
  GHashTable *by_id;
  int next_id;
};

Manager *manager_new (const Settings *settings, GError **error);
void manager_free (Manager *manager);
/* Names and UUIDs of everything defined (cheap: definitions are read when first needed), and every machine
 * that still runs, found again. Broken files are logged and skipped. */
void manager_load (Manager *manager);
/* Start what is marked autostart and does not run. */
void manager_autostart (Manager *manager);

/* NULL with VIR_ERR_NO_DOMAIN, in libvirt's words, when there is none. */
Domain *manager_find_uuid (Manager *manager, const char *uuid, GError **error);
Domain *manager_find_name (Manager *manager, const char *name, GError **error);
Domain *manager_find_id (Manager *manager, int id, GError **error);
guint manager_count (Manager *manager);
/* All domains ordered by name... (transfer container) */
GPtrArray *manager_list (Manager *manager);

/* Define or redefine: @source is kept byte for byte. Parse happens before (in a job); this commits: checks
 * name/uuid clashes, writes the store, updates the registry, sends events. */
Domain *manager_define (Manager *manager, DomainDef *def, const char *source, GError **error);
/* A transient domain (create): registered, not stored. */
Domain *manager_add_transient (Manager *manager, DomainDef *def, GError **error);
gboolean manager_undefine (Manager *manager, Domain *domain, guint flags, GError **error);
/* Forget a domain that is neither defined nor running. */
void manager_remove (Manager *manager, Domain *domain);
