/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * domctl's way to the daemon. A thin layer over GDBus: it knows which bus, unwraps what libvirt's D-Bus API
 * wraps (GetAll puts each value into a variant of its own), and turns a missing daemon into words that say
 * what to do.
 */

#include "cli/connection.h"
#include "cli/i18n.h"

#include <grp.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds. Longer than any deadline of the daemon's own, so that it is the daemon that says what was
 * late. */
#define CALL_TIMEOUT (5 * 60 * 1000)
#define ACCESS_GROUP "libvirt" /* of data/dbus/org.libvirt.conf */
#define PING_TIMEOUT (2 * 1000)

struct Connection {
  GDBusConnection *bus;
  gboolean session;
};

/* The parameters of a URI are for libvirt's protocol: this wire has none. */
const char *
connection_parse (const char *text)
{
  static const char *const words[] = { "system", "session" };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    const char *path = g_str_has_prefix (text, "qemu:///") ? text + strlen ("qemu:///") : NULL;

    if (g_str_equal (text, words[i])
        || (path != NULL && strcspn (path, "?#") == strlen (words[i]) && g_str_has_prefix (path, words[i])))
      return words[i];
  }
  return NULL;
}

/* A question to the bus itself about a name. */
static gboolean
ask_bus (GDBusConnection *bus, const char *method, const char *name)
{
  g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", method,
      g_variant_new ("(s)", name), G_VARIANT_TYPE ("(b)"), G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT, NULL, NULL);
  gboolean yes = FALSE;

  if (answer != NULL)
    g_variant_get (answer, "(b)", &yes);
  return yes;
}

static gboolean
ping (GDBusConnection *bus, GDBusCallFlags flags, GError **error)
{
  g_autoptr (GVariant) answer =
      g_dbus_connection_call_sync (bus, DAEMON_BUS_NAME, LIBVIRT_ROOT, "org.freedesktop.DBus.Peer", "Ping",
                                   NULL, NULL, flags, PING_TIMEOUT, NULL, error);

  return answer != NULL;
}

/* A daemon that hangs is still the one that is meant: only the bus's refusal counts. */
static gboolean
may_talk (GDBusConnection *bus)
{
  g_autoptr (GError) error = NULL;

  return ping (bus, G_DBUS_CALL_FLAGS_NO_AUTO_START, &error)
         || !g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED);
}

static gboolean
is_activatable (GDBusConnection *bus)
{
  g_autoptr (GVariant) answer = g_dbus_connection_call_sync (
      bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListActivatableNames",
      NULL, G_VARIANT_TYPE ("(as)"), G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT, NULL, NULL);
  g_autofree const char **names = NULL;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(^a&s)", &names);
  return g_strv_contains (names, DAEMON_BUS_NAME);
}

/* Whom the bus does not let, it does not start the daemon for either; one that is slow to start is started.
 */
static gboolean
may_start (GDBusConnection *bus)
{
  g_autoptr (GError) error = NULL;

  return ping (bus, G_DBUS_CALL_FLAGS_NONE, &error)
         || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

static gboolean
session_runs (void)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);

  return bus != NULL && ask_bus (bus, "NameHasOwner", DAEMON_BUS_NAME);
}

/* A member of the group sees the machines of the system, also where its daemon starts when it is asked, and
 * not an empty session that nobody has asked for. */
static gboolean
prefers_session (void)
{
  g_autoptr (GDBusConnection) bus = NULL;

  if (geteuid () == 0)
    return FALSE;
  bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
  if (bus == NULL)
    return TRUE;
  if (ask_bus (bus, "NameHasOwner", DAEMON_BUS_NAME))
    return !may_talk (bus);
  return !is_activatable (bus) || session_runs () || !may_start (bus);
}

Connection *
connection_open (const char *which, GError **error)
{
  g_autoptr (GDBusConnection) bus = NULL;
  gboolean session = which != NULL ? g_str_equal (which, "session") : prefers_session ();
  Connection *connection;

  bus = g_bus_get_sync (session ? G_BUS_TYPE_SESSION : G_BUS_TYPE_SYSTEM, NULL, error);
  if (bus == NULL) {
    g_prefix_error (error,
                    session ? _ ("cannot reach the session bus: ") : _ ("cannot reach the system bus: "));
    return NULL;
  }
  g_dbus_connection_set_exit_on_close (bus, FALSE);
  connection = g_new0 (Connection, 1);
  connection->bus = g_steal_pointer (&bus);
  connection->session = session;
  return connection;
}

const char *
connection_uri (const Connection *connection)
{
  return connection->session ? "qemu:///session" : "qemu:///system";
}

gboolean
connection_is_session (const Connection *connection)
{
  return connection->session;
}

void
connection_free (Connection *connection)
{
  if (connection == NULL)
    return;
  g_object_unref (connection->bus);
  g_free (connection);
}

GDBusConnection *
connection_bus (Connection *connection)
{
  return connection->bus;
}

/* Is this process in the group that the bus lets use the system's machines? */
static gboolean
is_in_group (void)
{
  const struct group *wanted = getgrnam (ACCESS_GROUP);
  int count = getgroups (0, NULL);
  g_autofree gid_t *groups = g_new0 (gid_t, MAX (count, 0) + 1);

  count = getgroups (MAX (count, 0), groups);
  for (int i = 0; wanted != NULL && i < count; i++)
    if (groups[i] == wanted->gr_gid)
      return TRUE;
  return wanted != NULL && getegid () == wanted->gr_gid;
}

void
connection_explain (Connection *connection, GError **error)
{
  if (error == NULL || *error == NULL)
    return;
  if (g_error_matches (*error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
      || g_error_matches (*error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) {
    g_clear_error (error);
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 connection->session
                     ? _ ("domaind does not run on the session bus: start 'domaind --session'")
                     : _ ("domaind does not run on the system bus: start 'domaind --system', or use "
                          "--connect session"));
    return;
  }
  /* The bus says which of its rules; the user can do something about the group. */
  if (g_error_matches (*error, G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED) && !connection->session) {
    g_clear_error (error);
    g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
        is_in_group ()
            ? _ ("the system's machines are for root and the group 'libvirt', of which the bus does "
                 "not know yet that you are a member: run 'systemctl reload dbus' as root")
            : _ ("the system's machines are for root and the group 'libvirt': become a member, or use "
                 "--connect session"));
    return;
  }
  g_dbus_error_strip_remote_error (*error);
}

GVariant *
connection_call (Connection *connection, const char *path, const char *interface, const char *method,
                 GVariant *arguments, GError **error)
{
  GVariant *answer =
      g_dbus_connection_call_sync (connection->bus, DAEMON_BUS_NAME, path, interface, method, arguments, NULL,
                                   G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT, NULL, error);

  if (answer == NULL)
    connection_explain (connection, error);
  return answer;
}

int
connection_call_for_fd (Connection *connection, const char *path, const char *interface, const char *method,
                        GVariant *arguments, GError **error)
{
  g_autoptr (GUnixFDList) descriptors = NULL;
  g_autoptr (GVariant) answer = g_dbus_connection_call_with_unix_fd_list_sync (
      connection->bus, DAEMON_BUS_NAME, path, interface, method, arguments, G_VARIANT_TYPE ("(h)"),
      G_DBUS_CALL_FLAGS_NONE, CALL_TIMEOUT, NULL, &descriptors, NULL, error);
  gint32 index;

  if (answer == NULL) {
    connection_explain (connection, error);
    return -1;
  }
  g_variant_get (answer, "(h)", &index);
  return g_unix_fd_list_get (descriptors, index, error);
}

/* libvirt's D-Bus API puts property values into one variant more than D-Bus asks for. (transfer full) */
static GVariant *
unwrap (GVariant *value)
{
  while (g_variant_is_of_type (value, G_VARIANT_TYPE_VARIANT)) {
    GVariant *inner = g_variant_get_variant (value);

    g_variant_unref (value);
    value = inner;
  }
  return value;
}

/* The a{sv} that @answer is, without variants in variants; takes @answer, which may be NULL. */
static GVariant *
unwrap_all (GVariant *answer)
{
  g_autoptr (GVariantIter) values = NULL;
  GVariantBuilder builder;
  const char *name;
  GVariant *value;

  if (answer == NULL)
    return NULL;
  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_get (answer, "(a{sv})", &values);
  while (g_variant_iter_next (values, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) bare = unwrap (value);

    g_variant_builder_add (&builder, "{sv}", name, bare);
  }
  g_variant_unref (answer);
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

GVariant *
connection_properties (Connection *connection, const char *path, const char *interface, GError **error)
{
  return unwrap_all (connection_call (connection, path, "org.freedesktop.DBus.Properties", "GetAll",
                                      g_variant_new ("(s)", interface), error));
}

GVariant *
connection_property (Connection *connection, const char *path, const char *interface, const char *name,
                     GError **error)
{
  g_autoptr (GVariant) answer = connection_call (connection, path, "org.freedesktop.DBus.Properties", "Get",
                                                 g_variant_new ("(ss)", interface, name), error);

  return answer != NULL ? unwrap (g_variant_get_child_value (answer, 0)) : NULL;
}

gboolean
connection_set_property (Connection *connection, const char *path, const char *interface, const char *name,
                         GVariant *value, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (connection, path, "org.freedesktop.DBus.Properties", "Set",
                                                 g_variant_new ("(ssv)", interface, name, value), error);

  return answer != NULL;
}

static char *
look_up (Connection *connection, const char *method, GVariant *argument, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (connection, LIBVIRT_ROOT, CONNECT_INTERFACE, method,
                                                 g_variant_new_tuple (&argument, 1), error);
  char *path = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(o)", &path);
  return path;
}

char *
connection_find_domain (Connection *connection, const char *word, GError **error)
{
  char *path = NULL;
  guint64 id;

  if (g_ascii_string_to_unsigned (word, 10, 0, G_MAXINT32, &id, NULL))
    path = look_up (connection, "DomainLookupByID", g_variant_new_int32 (id), NULL);
  if (path == NULL && g_uuid_string_is_valid (word))
    path = look_up (connection, "DomainLookupByUUID", g_variant_new_string (word), NULL);
  if (path == NULL)
    path = look_up (connection, "DomainLookupByName", g_variant_new_string (word), error);
  return path;
}

char *
connection_domain_name (Connection *connection, const char *path, GError **error)
{
  g_autoptr (GVariant) name = connection_property (connection, path, DOMAIN_INTERFACE, "Name", error);

  return name != NULL ? g_variant_dup_string (name, NULL) : NULL;
}

GVariant *
connection_domain_stats (Connection *connection, const char *path, guint groups, GError **error)
{
  return unwrap_all (connection_call (connection, path, DOMAIN_INTERFACE, "GetStats",
                                      g_variant_new ("(uu)", groups, 0), error));
}
