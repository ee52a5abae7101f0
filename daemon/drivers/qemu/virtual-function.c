/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A virtual function of a network card cannot be trusted to say who it is: its guest drives it. So the card
 * itself is told which MAC address and which VLAN it has, by way of the physical function's network device,
 * which stays with the host.
 */
#include "daemon/drivers/qemu/virtual-function.h"

#include "daemon/host/host-pci.h"
#include "daemon/host/link.h"

/* What a card can be told of its virtual functions, in libvirt's words for what it cannot. */
static gboolean
check_interface (const DeviceInterface *interface, GError **error)
{
  const InterfaceVlan *vlan = interface->vlan;

  if (interface->virtualport != NULL)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "virtualport is currently not supported on interfaces of type hostdev");
  else if (vlan != NULL && (vlan->trunk == TRISTATE_YES || (vlan->tags != NULL && vlan->tags->len > 1)))
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "vlan trunking is not supported by SR-IOV network devices");
  else
    return TRUE;
  return FALSE;
}

gboolean
virtual_function_find (const Settings *settings, const DeviceInterface *interface, const char *name,
                       HostRecord *record, GError **error)
{
  const char *host = settings->host_directory;
  g_autofree char *card = host_pci_physical_function (host, name);
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];
  guint16 vlan = 0;

  if (!check_interface (interface, error))
    return FALSE;
  if (card == NULL) {
    virt_error_set (
        error, VIR_ERR_CONFIG_UNSUPPORTED,
        "Interface type hostdev is currently supported on SR-IOV Virtual Functions only: PCI device "
        "%s is none; a <hostdev> can have it",
        name);
    return FALSE;
  }
  record->link = host_pci_net_device (host, card);
  if (record->link == NULL || !host_pci_function_number (host, card, name, &record->function)) {
    virt_error_set (
        error, VIR_ERR_INTERNAL_ERROR,
        "the physical function %s of %s has no network device through which its virtual functions "
        "can be set up",
        card, name);
    return FALSE;
  }
  if (link_get_function (record->link, record->function, mac, &vlan)) {
    mac_format (mac, text);
    record->mac = g_strdup (text);
    record->vlan = vlan;
  }
  return TRUE;
}

gboolean
virtual_function_set (const HostRecord *record, const DeviceInterface *interface, GError **error)
{
  const InterfaceVlan *vlan = interface->vlan;
  const InterfaceVlanTag *tag = vlan != NULL && vlan->tags != NULL ? g_ptr_array_index (vlan->tags, 0) : NULL;
  guint8 mac[MAC_BYTES];

  return !mac_parse (interface->mac, mac)
         || link_set_function (record->link, record->function, mac, tag != NULL ? (guint16)tag->id.value : 0,
                               error);
}

void
virtual_function_restore (const HostRecord *record)
{
  g_autoptr (GError) error = NULL;
  guint8 mac[MAC_BYTES];

  if (record->link != NULL && record->mac != NULL && mac_parse (record->mac, mac)
      && !link_set_function (record->link, record->function, mac, (guint16)record->vlan, &error))
    g_warning ("%s", error->message);
}
