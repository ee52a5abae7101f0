/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/object.h"
#include "daemon/object/store.h"

/*
 * All objects of one kind, by UUID and by name, and their store. Everything here is in memory: what a change
 * does to the disk has happened before it is committed here. Main loop only.
 */
struct Registry {
  const ObjectKind *kind;
  Manager *manager;
  const Settings *settings;
  Store *store;
  Events *events;
  GHashTable *by_uuid; /* char * → Object * (owned) */
  GHashTable *by_name;
  GPtrArray *by_order; /* all of them ordered by name, once somebody has asked; NULL: out of date */
};

/* NULL when its directories cannot be made. */
Registry *registry_new (const ObjectKind *kind, Manager *manager, const Settings *settings, Events *events,
                        GError **error);
void registry_free (Registry *registry);
/* Every definition on disk, whose store has recovered, in a job; the main loop makes them persistent objects.
 * Broken ones are logged and skipped. (transfer full), for registry_take. */
GPtrArray *registry_read (Registry *registry);
/* The UUIDs of those in @contents, each with its name, borrowed, into a table. */
void registry_add_uuids (const GPtrArray *contents, GHashTable *uuids);
void registry_take (Registry *registry, GPtrArray *contents); /* takes @contents */

/* NULL with the kind's error, in libvirt's words, when there is none. */
Object *registry_find_uuid (Registry *registry, const char *uuid, GError **error);
Object *registry_find_name (Registry *registry, const char *name, GError **error);
guint registry_count (const Registry *registry);
/* All, ordered by name. (transfer container) */
GPtrArray *registry_list (Registry *registry);
/* Free for an object of that name and UUID? VIR_ERR_OPERATION_FAILED in libvirt's words when one of them is
 * another's. @ret_object (may be NULL): the one of both, NULL when it would be a new one. */
gboolean registry_check_identity (Registry *registry, const char *name, const char *uuid, Object **ret_object,
                                  GError **error);

/* A new one; neither persistent nor active yet. */
Object *registry_add (Registry *registry, const char *name, const char *uuid);
/* Forgets it, and answers who waits for it. */
void registry_remove (Object *object);
/* Its definition is on disk under that name now. */
void registry_rename (Object *object, const char *name);
/* A definition that is on disk now (or need not be): told of. */
Object *registry_commit_definition (Registry *registry, gpointer def);
/* Its definition is gone from disk: told of, and forgotten unless it is active. */
void registry_commit_undefine (Object *object);

/* Tell everybody. Sinks @payload. */
void object_event (const Object *object, int number, GVariant *payload);
/* @event of the kind's lifecycle enumeration. */
void object_lifecycle_event (const Object *object, int event);
