/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The virtual functions of a card: links "virtfnN" of its PCI device, each to the function's own, which has
 * the name of its interface in "net" unless it has been given away. */
#include "daemon/network/network-pool.h"

#include "base/virt-error.h"
#include "daemon/host/host-pci.h"
#include "network/network-firewall.h"

#include <stdio.h>

/* "0000:03:10.2" of the card's virtual function of that number; NULL: it has no more. */
static char *
function_name (const Settings *settings, const char *dev, guint number)
{
  g_autofree char *file = g_strdup_printf ("virtfn%u", number);
  g_autofree char *path =
      g_build_filename (settings->host_directory, "sys/class/net", dev, "device", file, NULL);
  g_autofree char *target = g_file_read_link (path, NULL);

  return target != NULL ? g_path_get_basename (target) : NULL;
}

static gboolean
add_address (NetworkDef *def, const char *name)
{
  NetworkForwardAddress *address;
  guint domain, bus, slot, function;

  if (sscanf (name, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
    return FALSE;
  address = field_new (&network_forward_address_table);
  address->type = g_strdup ("pci");
  address->domain = NUMBER (domain);
  address->bus = NUMBER (bus);
  address->slot = NUMBER (slot);
  address->function = NUMBER (function);
  if (def->forward.addresses == NULL)
    def->forward.addresses = g_ptr_array_new ();
  g_ptr_array_add (def->forward.addresses, address);
  return TRUE;
}

static gboolean
add_interface (const Settings *settings, NetworkDef *def, const char *name)
{
  g_autofree char *dev = host_pci_net_device (settings->host_directory, name);
  NetworkForwardInterface *interface;

  if (dev == NULL) {
    g_message ("network '%s': the virtual function %s has no interface on the host and is not handed out",
               def->name, name);
    return FALSE;
  }
  interface = field_new (&network_forward_interface_table);
  interface->dev = g_steal_pointer (&dev);
  if (def->forward.interfaces == NULL)
    def->forward.interfaces = g_ptr_array_new ();
  g_ptr_array_add (def->forward.interfaces, interface);
  return TRUE;
}

gboolean
network_pool_fill (const Settings *settings, const NetworkDef *def, NetworkDef **ret_def, GError **error)
{
  const NetworkForward *forward = &def->forward;
  g_autoptr (NetworkDef) filled = NULL;
  const char *dev;
  guint number, usable = 0;

  if (network_forward_has_own_bridge (forward->mode) || forward->pfs == NULL || forward->pfs->len == 0
      || forward->interfaces != NULL || forward->addresses != NULL)
    return TRUE;
  dev = ((const NetworkForwardPf *)g_ptr_array_index (forward->pfs, 0))->dev;
  if (!network_link_name_is_plain (dev)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "'%s' cannot be the name of a physical function", dev);
    return FALSE;
  }
  filled = network_def_copy (def);
  for (number = 0; number < NETWORK_POOL_MAX; number++) {
    g_autofree char *name = function_name (settings, dev, number);

    if (name == NULL)
      break;
    usable += forward->mode == NETWORK_FORWARD_HOSTDEV ? add_address (filled, name)
                                                       : add_interface (settings, filled, name);
  }
  if (usable > 0)
    *ret_def = g_steal_pointer (&filled);
  else if (number == 0)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "No Vf's present on SRIOV PF %s", dev);
  else
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "No usable Vf's present on SRIOV PF %s", dev);
  return usable > 0;
}
