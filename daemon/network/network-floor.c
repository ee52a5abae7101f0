/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Floors. The kernel's traffic control shares a rate among classes by itself; which class a packet is of, it
 * is told by the packet's priority, and that is set by the packet filter as the bridge sends it: rules by MAC
 * address in a chain of the bridge's own. So no classifier of traffic control is needed, and all of it is
 * replaced in one transaction. Everything is set anew with each port: ports are few, and come and go seldom.
 */
#include "daemon/network/network-floor.h"

#include "base/untrusted-json.h"
#include "daemon/host/firewall.h"
#include "daemon/host/traffic.h"
#include "network/network-firewall.h"

#include <net/if.h>

#define FLOOR_FAMILY "netdev"
#define FLOOR_TABLE  NETWORK_FIREWALL_TABLE
#define FLOOR_CHAIN  "floor_"
#define FLOOR_LAST   65534 /* numbers of classes have 16 bits, and the last is the kernel's */

static GMutex floor_lock; /* of the table, which all networks share */

/* NULL: it has none. */
static const InterfaceRate *
floor_of (const NetworkPortDef *port)
{
  return port->class_id.value >= TRAFFIC_SHARE_FIRST && port->class_id.value <= FLOOR_LAST
                 && port->inbound != NULL && port->inbound->floor.set
             ? port->inbound
             : NULL;
}

static JsonObject *
object_new (const char *bridge)
{
  JsonObject *object = json_object_new ();
  GString *name = g_string_new (FLOOR_CHAIN);

  for (const char *c = bridge; *c != '\0'; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (name, *c);
    else
      g_string_append_printf (name, "_%02x", (guint)*c);
  json_object_set_string_member (object, "family", FLOOR_FAMILY);
  json_object_set_string_member (object, "table", FLOOR_TABLE);
  json_object_set_string_member (object, "name", name->str);
  g_string_free (name, TRUE);
  return object;
}

static void
add_chain (JsonArray *commands, const char *bridge)
{
  JsonObject *table = json_object_new (), *chain = object_new (bridge);

  json_object_set_string_member (table, "family", FLOOR_FAMILY);
  json_object_set_string_member (table, "name", FLOOR_TABLE);
  json_array_add_object_element (commands, firewall_command ("add", "table", table));
  json_object_set_string_member (chain, "type", "filter");
  json_object_set_string_member (chain, "hook", "egress");
  json_object_set_string_member (chain, "dev", bridge);
  json_object_set_int_member (chain, "prio", 0);
  json_object_set_string_member (chain, "policy", "accept");
  json_array_add_object_element (commands, firewall_command ("add", "chain", chain));
  json_array_add_object_element (commands, firewall_command ("flush", "chain", object_new (bridge)));
}

/* ether daddr MAC meta priority set 1:CLASS */
static gboolean
add_rule (JsonArray *commands, const char *bridge, const NetworkPortDef *port, GError **error)
{
  g_autofree char *text = NULL;
  guint8 mac[MAC_BYTES];
  char mac_text[MAC_TEXT];
  g_autoptr (JsonObject) rule = object_new (bridge);
  JsonNode *expressions;

  if (port->mac == NULL || !mac_parse (port->mac, mac)) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "port '%s' has a floor and no MAC address", port->uuid);
    return FALSE;
  }
  mac_format (mac, mac_text);
  text = g_strdup_printf (
      "[{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ether\",\"field\":\"daddr\"}},"
      "\"right\":\"%s\"}},{\"mangle\":{\"key\":{\"meta\":{\"key\":\"priority\"}},"
      "\"value\":\"1:%x\"}}]",
      mac_text, (guint)port->class_id.value);
  expressions = json_from_string (text, error);
  if (expressions == NULL)
    return FALSE;
  json_object_set_string_member (rule, "chain", json_object_get_string_member (rule, "name"));
  json_object_remove_member (rule, "name");
  json_object_set_member (rule, "expr", expressions);
  json_array_add_object_element (commands, firewall_command ("add", "rule", g_steal_pointer (&rule)));
  return TRUE;
}

/* How many chains the table has; -1: there is no such table. */
static int
count_chains (void)
{
  g_autoptr (JsonArray) objects = NULL;
  int count = 0;

  if (!firewall_list_table (FLOOR_FAMILY, FLOOR_TABLE, &objects, NULL) || objects == NULL)
    return -1;
  for (guint i = 0; i < json_array_get_length (objects); i++)
    count += untrusted_object (untrusted_object_of (json_array_get_element (objects, i)), "chain") != NULL;
  return count;
}

static gboolean
delete_table (GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();
  JsonObject *table = json_object_new ();

  json_object_set_string_member (table, "family", FLOOR_FAMILY);
  json_object_set_string_member (table, "name", FLOOR_TABLE);
  json_array_add_object_element (commands, firewall_command ("delete", "table", table));
  return firewall_apply (commands, error);
}

gboolean
network_floor_clear (const char *bridge, GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();
  G_GNUC_UNUSED g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&floor_lock);

  if (count_chains () < 0)
    return TRUE;
  /* A chain of a device that has gone went with it. */
  if (if_nametoindex (bridge) != 0) {
    add_chain (commands, bridge);
    json_array_add_object_element (commands, firewall_command ("delete", "chain", object_new (bridge)));
  }
  return firewall_apply (commands, error) && (count_chains () != 0 || delete_table (error));
}

/* Of @ports all but the one of @without's UUID, and @with; each may be NULL. */
static GPtrArray *
ports_with (const GPtrArray *ports, const NetworkPortDef *with, const NetworkPortDef *without)
{
  GPtrArray *chosen = g_ptr_array_new ();

  for (guint i = 0; ports != NULL && i < ports->len; i++) {
    const NetworkPortDef *port = g_ptr_array_index (ports, i);

    if (floor_of (port) != NULL && (without == NULL || g_strcmp0 (port->uuid, without->uuid) != 0)
        && (with == NULL || g_strcmp0 (port->uuid, with->uuid) != 0))
      g_ptr_array_add (chosen, (gpointer)port);
  }
  if (with != NULL && floor_of (with) != NULL)
    g_ptr_array_add (chosen, (gpointer)with);
  return chosen;
}

static gboolean
set (const NetworkDef *def, const GPtrArray *ports, GError **error)
{
  g_autofree TrafficShare *shares = g_new0 (TrafficShare, ports->len + 1);
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GMutexLocker) locker = NULL;

  for (guint i = 0; i < ports->len; i++) {
    const NetworkPortDef *port = g_ptr_array_index (ports, i);

    shares[i] = (TrafficShare){ (guint)port->class_id.value, floor_of (port)->floor.value };
    if (i == 0)
      add_chain (commands, def->bridge);
    if (!add_rule (commands, def->bridge, port, error))
      return FALSE;
  }
  if (!traffic_set_shared (def->bridge, def->inbound, def->outbound, shares, ports->len, error))
    return FALSE;
  if (ports->len == 0)
    return network_floor_clear (def->bridge, error);
  locker = g_mutex_locker_new (&floor_lock);
  return firewall_apply (commands, error);
}

gboolean
network_floor_set_bridge (const NetworkDef *def, const GPtrArray *ports, GError **error)
{
  g_autoptr (GPtrArray) chosen = ports_with (ports, NULL, NULL);

  return set (def, chosen, error);
}

gboolean
network_floor_add (const NetworkDef *def, const GPtrArray *ports, const NetworkPortDef *port, GError **error)
{
  g_autoptr (GPtrArray) chosen = ports_with (ports, port, NULL);

  return floor_of (port) == NULL || set (def, chosen, error);
}

gboolean
network_floor_remove (const NetworkDef *def, const GPtrArray *ports, const NetworkPortDef *port,
                      GError **error)
{
  g_autoptr (GPtrArray) chosen = ports_with (ports, NULL, port);

  return floor_of (port) == NULL || set (def, chosen, error);
}
