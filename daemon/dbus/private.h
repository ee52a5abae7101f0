/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

#include "daemon/call/operation.h"
#include "daemon/dbus/paths.h"
#include "daemon/dbus/server.h"

/* What the files of the D-Bus wire share. Main loop only. */

#define DBUS_NAME     "org.libvirt"
#define DBUS_OWN_NAME "org.domaind1"

struct DbusServer {
  Manager *manager;
  GDBusConnection *connection; /* NULL while there is no bus */
  GCancellable *connecting;    /* not NULL while trying */
  guint retry;                 /* source: the next try */
  guint retry_seconds;         /* how long the next wait is */
  guint names[2];
  gboolean named;         /* org.libvirt has been asked for on this connection, and the bus has answered */
  GQueue held;            /* signals.c: those that wait for it */
  guint objects[3];       /* registrations on the root */
  GArray *subtrees;       /* guint: registrations, one for each kind of object below the root */
  guint events;           /* subscription */
  GHashTable *clients;    /* unique name → DbusClient with calls in flight */
  GHashTable *identities; /* unique name → whose it is, in identity.c */
  GCancellable *asking;   /* for that, and anew for each connection */
  GHashTable *watched;    /* unique name of a client whose end has to be told → watch */
  GHashTable *announced;  /* uuid → what clients were last told of the domain */
  GHashTable *changed;    /* uuids to look at */
  guint announcing;       /* source */
  void (*ready) (gpointer data);
  gpointer ready_data;
};

/* introspection.c: from the compiled-in files, made once; NULL-terminated lists. */
GDBusInterfaceInfo *dbus_interface_info (const char *name);
extern const char *const dbus_root_interfaces[];
/* "(uu)" from arguments as introspected. (transfer full) */
GVariantType *dbus_arguments_type (GDBusArgInfo **arguments);
/* The row for a member of an interface, by their full names; @suffix "" or "=". */
const Operation *dbus_operation (const char *interface, const char *member, const char *suffix);

/* objects.c: everything below the root, on a new connection. */
gboolean dbus_objects_register (DbusServer *server, GError **error);
void dbus_objects_unregister (DbusServer *server);

/* What a path below the root means: its kind, and the key: the UUID or, of a volume, its own. */
typedef struct {
  const ObjectKind *kind;
  const char *key;
} DbusObject;

/* calls.c: a client while it has calls in flight, and its calls of operations. */
typedef struct DbusClient DbusClient;
/* NULL with @error (G_DBUS_ERROR_LIMITS_EXCEEDED) when it has too many, or its user has no place. Each begin
 * has one end. */
DbusClient *dbus_client_begin (DbusServer *server, const char *sender, uid_t uid, GError **error);
void dbus_client_end (DbusClient *client);
/* No client finds its server any more. */
void dbus_clients_detach (DbusServer *server);
/* With the answer as a tuple of @out and its descriptors (or NULL), or with @error; exactly once, perhaps
 * before dbus_call returns. */
typedef void (*DbusAnswered) (GVariant *answer, GUnixFDList *descriptors, const GError *error, gpointer data);
/* Call @operation, about @object unless NULL, with a D-Bus call's @parameters and the descriptors that came
 * with it (or NULL). @client stays in flight until its caller ends it. */
void
dbus_call (DbusClient *client, const Operation *operation, const DbusObject *object, GVariant *parameters,
           GUnixFDList *files, const GVariantType *out, DbusAnswered answered, gpointer data);
DbusServer *dbus_client_server (const DbusClient *client); /* NULL once it is gone */

/* identity.c: whose @sender is, perhaps before it returns; (uid_t)-1 when the bus does not say it. Those who
 * ask for one sender are answered in their order; @drop frees @data if nobody is any more. */
typedef void (*DbusIdentified) (uid_t uid, gpointer data);
void dbus_identify (DbusServer *server, const char *sender, DbusIdentified then, GDestroyNotify drop,
                    gpointer data);
GHashTable *dbus_identities_new (void);

/* signals.c: a signal, or one that waits until the bus knows our name: clients that look for it by that name
 * would not get it before. Consumes a floating @arguments. */
#define DBUS_HELD_MAX 4096 /* signals that wait; of more the oldest are lost */
void dbus_emit (DbusServer *server, const char *path, const char *interface, const char *signal,
                GVariant *arguments);
/* The bus has answered: they go. @send FALSE: nobody gets them. */
void dbus_release_held (DbusServer *server, gboolean send);

/* errors.c */
void dbus_return_error (GDBusMethodInvocation *invocation, const GError *error);

/* properties.c: a call of org.freedesktop.DBus.Properties. Takes @invocation; ends @client. */
void dbus_properties_call (DbusClient *client, const DbusObject *object, const char *method,
                           GVariant *parameters, GDBusMethodInvocation *invocation);
/* All properties of one interface, with "a{sv}"; those that cannot be had now are left out. */
typedef void (*DbusGathered) (GVariant *properties, gpointer data);
void dbus_properties_gather (DbusClient *client, const DbusObject *object, const char *interface,
                             DbusGathered gathered, gpointer data);

/* managed.c: org.freedesktop.DBus.ObjectManager. */
void dbus_managed_objects (DbusClient *client, GDBusMethodInvocation *invocation);
/* Every interface of a domain with its properties, "a{sa{sv}}". */
void dbus_managed_interfaces (DbusClient *client, const char *uuid, DbusGathered gathered, gpointer data);

/* announce.c: InterfacesAdded, InterfacesRemoved, PropertiesChanged. */
void dbus_announce_all (DbusServer *server);
void dbus_announce_soon (DbusServer *server, const char *uuid);
void dbus_announced_free (gpointer announced);

/* signals.c: the events that are signals of their object's first interface, ended by member NULL. */
typedef struct {
  EventFamily family;
  int number; /* virDomainEventID... */
  const char *member;
  const char *payload; /* the event's shape behind the object */
} DbusSignalRow;
extern const DbusSignalRow dbus_signal_rows[];
/* An EventHandler. */
void dbus_signals_event (const Event *event, gpointer server);
