/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Telling what changed: domains that came or went, and properties with a new value.
 *
 * Nobody has to remember to announce. Whatever may have changed a domain marks it, and when the main loop has
 * a moment, what is true now is compared with what was last told. So several changes in one turn are one
 * signal, a change that was taken back is none, and nothing is told of a half-done one.
 */
#include "daemon/dbus/private.h"
#include "daemon/domain/domain-kind.h"

/* What clients were last told of a domain. */
typedef struct {
  char *name;
  guint32 id;
  gboolean active, autostart, persistent, updated;
} Announced;

static Announced *
announced_new (const Domain *domain)
{
  Announced *announced = g_new0 (Announced, 1);

  announced->name = g_strdup (domain->name);
  announced->id = domain->id > 0 ? (guint32)domain->id : 0;
  announced->active = domain_is_active (domain);
  announced->autostart = domain->autostart;
  announced->persistent = domain->persistent;
  announced->updated = domain->updated;
  return announced;
}

void
dbus_announced_free (gpointer data)
{
  Announced *announced = data;

  g_free (announced->name);
  g_free (announced);
}

static void
add_flag (GVariantBuilder *changed, const char *name, gboolean before, gboolean now)
{
  if (before != now)
    g_variant_builder_add (changed, "{sv}", name, g_variant_new_boolean (now));
}

static void
announce_changes (DbusServer *server, const char *uuid, const Announced *before, const Announced *now)
{
  g_autofree char *path = dbus_path_of_uuid (&domain_kind, uuid);
  g_autoptr (GVariant) properties = NULL;
  GVariantBuilder changed;

  g_variant_builder_init (&changed, G_VARIANT_TYPE_VARDICT);
  add_flag (&changed, "Active", before->active, now->active);
  add_flag (&changed, "Autostart", before->autostart, now->autostart);
  if (before->id != now->id)
    g_variant_builder_add (&changed, "{sv}", "Id", g_variant_new_uint32 (now->id));
  if (g_strcmp0 (before->name, now->name) != 0)
    g_variant_builder_add (&changed, "{sv}", "Name", g_variant_new_string (now->name));
  add_flag (&changed, "Persistent", before->persistent, now->persistent);
  add_flag (&changed, "Updated", before->updated, now->updated);
  properties = g_variant_ref_sink (g_variant_builder_end (&changed));
  if (g_variant_n_children (properties) > 0)
    dbus_emit (server, path, "org.freedesktop.DBus.Properties", "PropertiesChanged",
               g_variant_new ("(s@a{sv}as)", domain_kind.interfaces[0], properties, NULL));
}

static void
announce_removed (DbusServer *server, const char *uuid)
{
  g_autofree char *path = dbus_path_of_uuid (&domain_kind, uuid);

  dbus_emit (server, DBUS_ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved",
             g_variant_new ("(o^as)", path, domain_kind.interfaces));
}

/* A new domain's properties on their way. */
typedef struct {
  DbusClient *client;
  char *path;
} Arrival;

static void
arrival_gathered (GVariant *interfaces, gpointer data)
{
  Arrival *arrival = data;
  DbusServer *server = dbus_client_server (arrival->client);

  if (server != NULL)
    dbus_emit (server, DBUS_ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
               g_variant_new ("(o@a{sa{sv}})", arrival->path, interfaces));
  dbus_client_end (arrival->client);
  g_free (arrival->path);
  g_free (arrival);
}

/* We are a client of ourselves here, of no unique name; beyond its limit an arrival is not announced in
 * detail. */
static void
announce_added (DbusServer *server, const char *uuid)
{
  DbusClient *client = dbus_client_begin (server, "", geteuid (), NULL);
  g_autofree char *path = dbus_path_of_uuid (&domain_kind, uuid);
  Arrival *arrival;

  if (client == NULL) {
    dbus_emit (server, DBUS_ROOT, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded",
               g_variant_new ("(oa{sa{sv}})", path, NULL));
    return;
  }
  arrival = g_new0 (Arrival, 1);
  *arrival = (Arrival){ client, g_steal_pointer (&path) };
  dbus_managed_interfaces (client, uuid, arrival_gathered, arrival);
}

static void
announce (DbusServer *server, const char *uuid)
{
  Domain *domain = manager_find_uuid (server->manager, uuid, NULL);
  Announced *before = g_hash_table_lookup (server->announced, uuid);
  Announced *now = domain != NULL ? announced_new (domain) : NULL;

  if (before != NULL && now != NULL)
    announce_changes (server, uuid, before, now);
  else if (now != NULL)
    announce_added (server, uuid);
  else if (before != NULL)
    announce_removed (server, uuid);

  if (now != NULL)
    g_hash_table_replace (server->announced, g_strdup (uuid), now);
  else
    g_hash_table_remove (server->announced, uuid);
}

static gboolean
announce_changed (gpointer data)
{
  DbusServer *server = data;
  g_autoptr (GHashTable) changed = g_steal_pointer (&server->changed);
  GHashTableIter uuids;
  gpointer uuid;

  server->announcing = 0;
  g_hash_table_iter_init (&uuids, changed);
  while (g_hash_table_iter_next (&uuids, &uuid, NULL))
    announce (server, uuid);
  return G_SOURCE_REMOVE;
}

void
dbus_announce_soon (DbusServer *server, const char *uuid)
{
  if (server->changed == NULL)
    server->changed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (server->changed, g_strdup (uuid));
  if (server->announcing == 0)
    server->announcing = g_idle_add (announce_changed, server);
}

/* What clients find on a new bus is what is true now: nothing to tell. */
void
dbus_announce_all (DbusServer *server)
{
  g_autoptr (GPtrArray) domains = manager_list (server->manager);

  g_hash_table_remove_all (server->announced);
  for (guint i = 0; i < domains->len; i++) {
    const Domain *domain = domains->pdata[i];
    g_hash_table_insert (server->announced, g_strdup (domain->uuid), announced_new (domain));
  }
}
