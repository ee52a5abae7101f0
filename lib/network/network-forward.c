/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <forward>: the mode, and the interfaces and devices of the host that serve it. libvirt reads "dev" as the
 * first <interface>; both are kept in step here, so that the rest of the program looks at one of them.
 */
#include "network/network-forward.h"

const EnumTable network_forward_modes = {
  "forward mode", { NULL, "nat", "route", "open", "bridge", "passthrough", "private", "vepa", "hostdev" }
};
const EnumTable network_forward_drivers = { "driver name", { NULL, "kvm", "vfio", "xen" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 }, bus_range = { 0, 0xff }, slot_range = { 0, 0x1f },
                        function_range = { 0, 7 };

const FieldTable network_forward_interface_table = {
  sizeof (NetworkForwardInterface),
  (const Field[]){
      FIELD (NetworkForwardInterface, dev, "@dev", field_text, NULL),
      FIELD_WITH (NetworkForwardInterface, connections, "@connections", field_number, &range_32, FIELD_LIVE),
      FIELD_END,
  },
};

const FieldTable network_forward_address_table = {
  sizeof (NetworkForwardAddress),
  (const Field[]){
      FIELD (NetworkForwardAddress, type, "@type", field_text, NULL),
      FIELD (NetworkForwardAddress, domain, "@domain", field_hex4, &range_32),
      FIELD (NetworkForwardAddress, bus, "@bus", field_hex2, &bus_range),
      FIELD (NetworkForwardAddress, slot, "@slot", field_hex2, &slot_range),
      FIELD (NetworkForwardAddress, function, "@function", field_hex1, &function_range),
      { "@multifunction", 0, NULL, NULL, FIELD_IGNORED, { 0, 0 } },
      FIELD_WITH (NetworkForwardAddress, connections, "@connections", field_number, &range_32, FIELD_LIVE),
      FIELD_END,
  },
};

const FieldTable network_forward_pf_table = {
  sizeof (NetworkForwardPf),
  (const Field[]){
      FIELD (NetworkForwardPf, dev, "@dev", field_text, NULL),
      FIELD_END,
  },
};

gboolean
network_forward_has_own_bridge (int mode)
{
  return mode == NETWORK_FORWARD_NONE || mode == NETWORK_FORWARD_NAT || mode == NETWORK_FORWARD_ROUTE
         || mode == NETWORK_FORWARD_OPEN;
}

const char *
network_forward_name (int mode)
{
  return mode == NETWORK_FORWARD_NONE ? "none" : enum_table_name (&network_forward_modes, mode);
}

static void
complete_interfaces (NetworkForward *forward)
{
  NetworkForwardInterface *first;

  if (forward->dev != NULL && forward->interfaces == NULL && forward->pfs == NULL) {
    first = field_new (&network_forward_interface_table);
    first->dev = g_strdup (forward->dev);
    forward->interfaces = g_ptr_array_new ();
    g_ptr_array_add (forward->interfaces, first);
  }
  g_clear_pointer (&forward->dev, g_free);
  if (forward->interfaces == NULL || forward->interfaces->len == 0 || forward->pfs != NULL)
    return;
  first = g_ptr_array_index (forward->interfaces, 0);
  forward->dev = g_strdup (first->dev);
}

void
network_forward_complete (NetworkForward *forward)
{
  if (!forward->said)
    return;
  if (forward->mode == NETWORK_FORWARD_NONE)
    forward->mode = NETWORK_FORWARD_NAT;
  if (forward->mode != NETWORK_FORWARD_HOSTDEV)
    forward->managed = TRISTATE_ABSENT;
  else if (forward->managed != TRISTATE_YES)
    forward->managed = TRISTATE_NO;
  complete_interfaces (forward);
  for (guint i = 0; forward->addresses != NULL && i < forward->addresses->len; i++) {
    NetworkForwardAddress *address = g_ptr_array_index (forward->addresses, i);

    address->domain.set = address->bus.set = address->slot.set = address->function.set = TRUE;
  }
  forward->nat_said = FALSE; /* whatever is in it makes the element */
}
