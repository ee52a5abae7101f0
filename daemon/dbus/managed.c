/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * org.freedesktop.DBus.ObjectManager: every domain with everything about it in one answer, for clients that
 * want to follow the list instead of reading it again. Some properties need the definition, which may still
 * be on disk; so the domains are gone through one at a time, each in a turn of the main loop of its own, and
 * other calls are answered between them.
 */
#include "daemon/dbus/private.h"
#include "daemon/domain/domain-kind.h"

/* The interfaces of one domain, one after the other. */
typedef struct {
  DbusClient *client;
  char *uuid;
  guint next; /* of the kind's interfaces */
  GVariantBuilder interfaces;
  DbusGathered gathered;
  gpointer data;
} InterfaceWalk;

static void interface_walk_next (InterfaceWalk *walk);

static void
interface_gathered (GVariant *properties, gpointer data)
{
  InterfaceWalk *walk = data;

  g_variant_builder_add (&walk->interfaces, "{s@a{sv}}", domain_kind.interfaces[walk->next], properties);
  walk->next++;
  interface_walk_next (walk);
}

static void
interface_walk_next (InterfaceWalk *walk)
{
  g_autoptr (GVariant) interfaces = NULL;

  if (domain_kind.interfaces[walk->next] != NULL && dbus_client_server (walk->client) != NULL) {
    const DbusObject domain = { &domain_kind, walk->uuid };

    dbus_properties_gather (walk->client, &domain, domain_kind.interfaces[walk->next], interface_gathered,
                            walk);
    return;
  }
  interfaces = g_variant_ref_sink (g_variant_builder_end (&walk->interfaces));
  walk->gathered (interfaces, walk->data);
  g_free (walk->uuid);
  g_free (walk);
}

void
dbus_managed_interfaces (DbusClient *client, const char *uuid, DbusGathered gathered, gpointer data)
{
  InterfaceWalk *walk = g_new0 (InterfaceWalk, 1);

  walk->client = client;
  walk->uuid = g_strdup (uuid);
  walk->gathered = gathered;
  walk->data = data;
  g_variant_builder_init (&walk->interfaces, G_VARIANT_TYPE ("a{sa{sv}}"));
  interface_walk_next (walk);
}

/* One call of GetManagedObjects. */
typedef struct {
  DbusClient *client;
  GDBusMethodInvocation *invocation;
  GPtrArray *uuids; /* still to do, the last one next */
  GVariantBuilder objects;
} ObjectWalk;

static gboolean object_walk_next (gpointer data);

static void
object_gathered (GVariant *interfaces, gpointer data)
{
  ObjectWalk *walk = data;
  g_autofree char *uuid = g_ptr_array_steal_index (walk->uuids, walk->uuids->len - 1);
  g_autofree char *path = dbus_path_of_uuid (&domain_kind, uuid);

  g_variant_builder_add (&walk->objects, "{o@a{sa{sv}}}", path, interfaces);
  g_idle_add (object_walk_next, walk);
}

/* A domain that went away meanwhile is not there. */
static void
drop_forgotten (ObjectWalk *walk)
{
  Manager *manager = dbus_client_server (walk->client)->manager;

  while (walk->uuids->len > 0
         && manager_find_uuid (manager, walk->uuids->pdata[walk->uuids->len - 1], NULL) == NULL)
    g_ptr_array_remove_index (walk->uuids, walk->uuids->len - 1);
}

static gboolean
object_walk_next (gpointer data)
{
  ObjectWalk *walk = data;

  if (dbus_client_server (walk->client) == NULL)
    g_ptr_array_set_size (walk->uuids, 0);
  else
    drop_forgotten (walk);
  if (walk->uuids->len > 0) {
    dbus_managed_interfaces (walk->client, walk->uuids->pdata[walk->uuids->len - 1], object_gathered, walk);
    return G_SOURCE_REMOVE;
  }
  g_dbus_method_invocation_return_value (walk->invocation, g_variant_new ("(a{oa{sa{sv}}})", &walk->objects));
  dbus_client_end (walk->client);
  g_ptr_array_unref (walk->uuids);
  g_free (walk);
  return G_SOURCE_REMOVE;
}

void
dbus_managed_objects (DbusClient *client, GDBusMethodInvocation *invocation)
{
  g_autoptr (GPtrArray) domains = manager_list (dbus_client_server (client)->manager);
  ObjectWalk *walk = g_new0 (ObjectWalk, 1);

  walk->client = client;
  walk->invocation = invocation;
  walk->uuids = g_ptr_array_new_with_free_func (g_free);
  for (guint i = domains->len; i > 0; i--)
    g_ptr_array_add (walk->uuids, g_strdup (((Domain *)domains->pdata[i - 1])->uuid));
  g_variant_builder_init (&walk->objects, G_VARIANT_TYPE ("a{oa{sa{sv}}}"));
  object_walk_next (walk);
}
