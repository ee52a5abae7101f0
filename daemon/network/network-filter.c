/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The rules of networks in the kernel. The table belongs to all networks, whose jobs run at the same time: so
 * that none takes away the table another has just used, whether it is idle is found out and acted upon under
 * one lock.
 */
#include "daemon/network/network-filter.h"

#include "base/virt-error.h"
#include "daemon/host/firewall.h"
#include "network/network-firewall.h"

static GMutex filter_lock;

gboolean
network_filter_set (const NetworkDef *def, GError **error)
{
  g_autoptr (JsonArray) commands = network_firewall_add (def, error);
  g_autoptr (GMutexLocker) locker = NULL;

  if (commands == NULL)
    return FALSE;
  locker = g_mutex_locker_new (&filter_lock);
  return firewall_apply (commands, error);
}

static gboolean
delete_table (GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();
  JsonObject *table = json_object_new ();

  json_object_set_string_member (table, "family", NETWORK_FIREWALL_FAMILY);
  json_object_set_string_member (table, "name", NETWORK_FIREWALL_TABLE);
  json_array_add_object_element (commands, firewall_command ("delete", "table", table));
  return firewall_apply (commands, error);
}

gboolean
network_filter_clear (const char *bridge, GError **error)
{
  g_autoptr (JsonArray) commands = network_firewall_remove (bridge, error), objects = NULL;
  g_autoptr (GMutexLocker) locker = NULL;

  if (commands == NULL)
    return FALSE;
  locker = g_mutex_locker_new (&filter_lock);
  if (!firewall_list_table (NETWORK_FIREWALL_FAMILY, NETWORK_FIREWALL_TABLE, &objects, error))
    return FALSE;
  if (objects == NULL)
    return TRUE;
  if (!firewall_apply (commands, error))
    return FALSE;
  g_clear_pointer (&objects, json_array_unref);
  if (!firewall_list_table (NETWORK_FIREWALL_FAMILY, NETWORK_FIREWALL_TABLE, &objects, error))
    return FALSE;
  return objects == NULL || !network_firewall_is_idle (objects) || delete_table (error);
}

gboolean
network_filter_is_set (const NetworkDef *def)
{
  g_autoptr (JsonArray) objects = NULL;
  g_autoptr (GError) error = NULL;

  if (firewall_list_table (NETWORK_FIREWALL_FAMILY, NETWORK_FIREWALL_TABLE, &objects, &error))
    return network_firewall_is_whole (objects, def);
  g_warning ("network '%s': %s", def->name, error->message);
  return TRUE;
}
