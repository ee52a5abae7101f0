/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A network's ports: objects that belong to their network, are known by its UUID and theirs, and are kept as
 * long as it runs. */
#include "daemon/network/networks.h"

static guint
place_of (const Network *network, const char *uuid)
{
  guint i = 0;

  while (i < network->ports->len
         && !g_str_equal (((NetworkPortDef *)g_ptr_array_index (network->ports, i))->uuid, uuid))
    i++;
  return i;
}

NetworkPortDef *
network_find_port (const Network *network, const char *uuid, GError **error)
{
  guint place = place_of (network, uuid);

  if (place < network->ports->len)
    return g_ptr_array_index (network->ports, place);
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK_PORT,
                       "Network port with UUID %s does not exist", uuid);
  return NULL;
}

GVariant *
network_port_value (const Network *network, const NetworkPortDef *port)
{
  return g_variant_new ("(@(say)@ay)", network->kind->handle (&network->object),
                        call_uuid_value (port->uuid));
}

void
network_put_port (Network *network, NetworkPortDef *port)
{
  guint place = place_of (network, port->uuid);

  if (place < network->ports->len)
    g_ptr_array_remove_index (network->ports, place);
  g_ptr_array_insert (network->ports, (gint)place, port);
}

void
network_drop_port (Network *network, const char *uuid)
{
  guint place = place_of (network, uuid);

  if (place < network->ports->len)
    g_ptr_array_remove_index (network->ports, place);
}

static GVariant *
find_port (Manager *manager, const char *key, GError **error)
{
  g_autoptr (GPtrArray) networks = network_list (manager);

  for (guint i = 0; i < networks->len; i++) {
    const Network *network = g_ptr_array_index (networks, i);
    const NetworkPortDef *port = network_find_port (network, key, NULL);

    if (port != NULL)
      return network_port_value (network, port);
  }
  virt_error_set_from (error, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK_PORT,
                       "Network port with UUID %s does not exist", key);
  return NULL;
}

static void
list_ports (Manager *manager, GPtrArray *handles)
{
  g_autoptr (GPtrArray) networks = network_list (manager);

  for (guint i = 0; i < networks->len; i++) {
    const Network *network = g_ptr_array_index (networks, i);

    for (guint p = 0; p < network->ports->len; p++)
      g_ptr_array_add (
          handles, g_variant_ref_sink (network_port_value (network, g_ptr_array_index (network->ports, p))));
  }
}

/* Nobody defines them by themselves, they tell of nothing, and libvirt-dbus does not know them. */
const ObjectKind network_port_kind = {
  .letter = 'O',
  .name = "network port",
  .short_name = "network port",
  .missing = VIR_ERR_NO_NETWORK_PORT,
  .origin = VIR_FROM_NETWORK,
  .key = 1,
  .document = &network_port_document,
  .find_handle = find_port,
  .list_handles = list_ports,
};
