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

#define STATE_SECONDS 1 /* that what was read is believed: as many networks ask when a daemon starts */

static GMutex filter_lock;
/* What the table had, and when; NULL: not known. Under the lock. */
static NetworkFirewallState *known;
static gint64 known_at;

/* Under the lock, before each change. */
static void
forget (void)
{
  g_clear_pointer (&known, network_firewall_state_free);
}

/* Under the lock. FALSE with @error; TRUE and @known NULL: there is no table. */
static gboolean
look (GError **error)
{
  g_autoptr (JsonArray) objects = NULL;

  forget ();
  if (!firewall_list_table (NETWORK_FIREWALL_FAMILY, NETWORK_FIREWALL_TABLE, &objects, error))
    return FALSE;
  if (objects != NULL)
    known = network_firewall_state_new (objects);
  known_at = g_get_monotonic_time ();
  return TRUE;
}

gboolean
network_filter_set (const NetworkDef *def, GError **error)
{
  g_autoptr (JsonArray) commands = network_firewall_add (def, error);
  g_autoptr (GMutexLocker) locker = NULL;

  if (commands == NULL)
    return FALSE;
  locker = g_mutex_locker_new (&filter_lock);
  forget ();
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
network_filter_clear (const char *bridge, gboolean is_last, GError **error)
{
  g_autoptr (JsonArray) commands = network_firewall_remove (bridge, error);
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = NULL;
  gboolean done;

  if (commands == NULL)
    return FALSE;
  locker = g_mutex_locker_new (&filter_lock);
  forget ();
  done = firewall_apply (commands, error);
  if (done && is_last)
    done = look (error) && (known == NULL || !network_firewall_is_idle (known) || delete_table (error));
  forget ();
  return done;
}

gboolean
network_filter_is_set (const NetworkDef *def, gboolean recently)
{
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&filter_lock);
  g_autoptr (GError) error = NULL;

  if ((recently && known != NULL && g_get_monotonic_time () - known_at < STATE_SECONDS * G_USEC_PER_SEC)
      || look (&error))
    return known != NULL && network_firewall_is_whole (known, def);
  g_warning ("network '%s': %s", def->name, error->message);
  return TRUE;
}
