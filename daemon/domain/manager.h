/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/client-account.h"
#include "daemon/core/secret-source.h"
#include "daemon/core/settings.h"
#include "daemon/domain/domain.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/object/events.h"
#include "daemon/object/registry.h"
#include "daemon/object/store.h"

/* Every object there is, and what they share; of the domains, what only they have. One in a process; main
 * loop only. */
struct Manager {
  const Settings *settings;
  Registry *domains;
  Store *store; /* that of the domains */
  Events *events;
  ClientAccounts *accounts; /* of the clients of all wires */
  CapsCache *caps;
  SecretSource secrets; /* what machines are given of the daemon's own */
  Platform *platform;   /* may be used in any thread */
  GHashTable *by_id;    /* domains that run */
  GHashTable *ended;    /* UUIDs of the machines that ended, or were being started, while no daemon ran */
  int next_id;
  GPtrArray *registries; /* Registry: of every kind that has one, in the order of object_kinds */
  GQueue changes;        /* see change.h */
  gboolean changing;
  gboolean applying;    /* documents are being applied: see ops/apply */
  GQueue recent;        /* Domain: those whose definition is in memory, most recent first */
  gsize document_bytes; /* of the domains' documents in memory */
  GQueue readings;      /* see definition.c */
  gboolean reading;
  guint trimming; /* source: see manager_trim_soon */
  gint64 loaded;  /* g_get_monotonic_time */
  /* A machine was found again that was sent to a peer, which has not said whether it runs there. */
  void (*resolve_migration) (Domain *domain);
};

/* That of a kind which has one. */
Registry *manager_registry (Manager *manager, const ObjectKind *kind);
/* The handle of the object of @kind that has the key; NULL with @error in libvirt's words. (transfer full) */
GVariant *manager_find_handle (Manager *manager, const ObjectKind *kind, const char *key, GError **error);
/* Every object's. (transfer full) */
GPtrArray *manager_list_handles (Manager *manager, const ObjectKind *kind);

Manager *manager_new (const Settings *settings, GError **error);
void manager_free (Manager *manager);
/* Start what is marked autostart and does not run: once since the host was started. */
void manager_autostart (Manager *manager);

/* NULL with VIR_ERR_NO_DOMAIN, in libvirt's words, when there is none. */
Domain *manager_find_uuid (Manager *manager, const char *uuid, GError **error);
/* The machine that the domain had when its id was @id; NULL: it has ended, whatever runs under that name by
 * now. */
Machine *manager_find_machine (Manager *manager, const char *uuid, int id);
Domain *manager_find_name (Manager *manager, const char *name, GError **error);
Domain *manager_find_id (Manager *manager, int id, GError **error);
/* All domains ordered by name... (transfer container) */
GPtrArray *manager_list (Manager *manager);

/* Free for a definition of that name and UUID? VIR_ERR_OPERATION_FAILED in libvirt's words when one of them
 * is another domain's. @ret_domain (may be NULL): the domain of both, NULL when it would be a new one. */
gboolean manager_check_identity (Manager *manager, const char *name, const char *uuid, Domain **ret_domain,
                                 GError **error);
/* A new entry; it is neither defined nor running yet. */
Domain *manager_add (Manager *manager, const char *name, const char *uuid);
/* A definition that is on disk now: registered, kept in memory, told of. Takes the messages (char *). */
Domain *manager_commit_definition (Manager *manager, DomainDef *def, GPtrArray *messages);
/* Its definition is gone from disk: forgotten unless it runs (then it is transient now), and told of. */
void manager_commit_undefine (Manager *manager, Domain *domain);
void manager_commit_rename (Domain *domain, DomainDef *def);
/* Running: the id is in the registry, too. -1: no longer. */
void manager_set_id (Manager *manager, Domain *domain, int id);
int manager_new_id (Manager *manager);
/* Documents were read or written: a little later, what is free of the memory this took is given back. */
void manager_trim_soon (Manager *manager);
/* Forget a domain that is neither defined nor running. */
void manager_remove (Manager *manager, Domain *domain);
