/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

/*
 * The daemon over D-Bus, on the system or session bus, by the name that only domaind owns: beside it,
 * org.libvirt may be libvirt-dbus's. Everything is synchronous; errors come back with the daemon's own text,
 * without D-Bus's decoration.
 */
#define DAEMON_BUS_NAME       "org.domaind1"
#define LIBVIRT_BUS_NAME      "org.libvirt"
#define LIBVIRT_ROOT          "/org/libvirt/QEMU"
#define CONNECT_INTERFACE     "org.libvirt.Connect"
#define DOMAIN_INTERFACE      "org.libvirt.Domain"
#define OWN_CONNECT_INTERFACE "org.domaind1.Connect"
#define OWN_DOMAIN_INTERFACE  "org.domaind1.Domain"

typedef struct Connection Connection;

/* "system" or "session": what @text, one of these words or a URI of libvirt's, means. NULL: it means nothing
 * here. */
const char *connection_parse (const char *text);
/*
 * @which: "system", "session", or NULL: the system's daemon for root and for those whom the bus lets talk to
 * it, unless only the user's own daemon runs; the session's for everybody else.
 */
Connection *connection_open (const char *which, GError **error);
/* The URI by which libvirt's clients know the same daemon. */
const char *connection_uri (const Connection *connection);
gboolean connection_is_session (const Connection *connection);
void connection_free (Connection *connection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Connection, connection_free)
GDBusConnection *connection_bus (Connection *connection);

/* What the bus says of a call that failed, in words that its caller can act on. */
void connection_explain (Connection *connection, GError **error);
/* A method of the Connect or Domain interface; @arguments (sunk) is a tuple. (transfer full) */
GVariant *connection_call (Connection *connection, const char *path, const char *interface,
                           const char *method, GVariant *arguments, GError **error);
/* The same for a method that returns a descriptor (its only output). -1 on error. */
int connection_call_for_fd (Connection *connection, const char *path, const char *interface,
                            const char *method, GVariant *arguments, GError **error);
/* All properties of a domain or the root, unwrapped: a{sv}. */
GVariant *
connection_properties (Connection *connection, const char *path, const char *interface, GError **error);
GVariant *connection_property (Connection *connection, const char *path, const char *interface,
                               const char *name, GError **error);
gboolean connection_set_property (Connection *connection, const char *path, const char *interface,
                                  const char *name, GVariant *value, GError **error);

/* The object path of the domain @word names: an id, a UUID or a name, tried in this order as virsh does. */
char *connection_find_domain (Connection *connection, const char *word, GError **error);
char *connection_domain_name (Connection *connection, const char *path, GError **error);

/* Statistics of the domain at @path, of the groups of virDomainStatsTypes: a{sv} with bare values. (transfer
 * full) */
GVariant *connection_domain_stats (Connection *connection, const char *path, guint groups, GError **error);
