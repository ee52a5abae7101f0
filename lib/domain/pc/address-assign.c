/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The order in which the buses give out addresses, and what their messages have in common. Virtio-serial
 * comes before PCI because a full controller makes another one, which needs a slot; USB comes last because a
 * hub needs none.
 */
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"

char *
assign_describe (const Completion *completion, const Device *device)
{
  g_autofree char *name = device_describe (device);
  guint line = source_map_find (completion->map, &device->address, device).line;

  if (device->implied)
    return g_strdup_printf ("the machine's own %s", name);
  return line ? g_strdup_printf ("%s (line %u)", name, line) : g_steal_pointer (&name);
}

void
complete_addresses (Completion *completion)
{
  check_drive_addresses (completion);
  check_scsi_hostdev_addresses (completion);
  assign_virtio_serial_addresses (completion);
  assign_spapr_vio_addresses (completion);
  prefer_virtio_addresses (completion);
  assign_ccw_addresses (completion);
  controllers_order_added (completion->def);
  assign_pci_addresses (completion);
  controllers_order_added (completion->def);
  assign_zpci_addresses (completion);
  assign_usb_addresses (completion);
}
