/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where virtio devices go on machines that do not have them on PCI: on channels of a mainframe, or at places
 * of the board's own memory. Which of them a machine prefers is in its row; a device for which the document
 * asks for another place keeps it.
 */
#include "domain/pc/address-assign.h"

#include "domain/machines/machine-kind.h"

void
prefer_virtio_addresses (Completion *completion)
{
  const DomainDef *def = completion->def;
  int type = machine_kind_of (def)->virtio_address;

  if (type == ADDRESS_PCI)
    return;
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->address.type == ADDRESS_NONE && device->kind->is_virtio != NULL
        && device->kind->is_virtio (device) && !completion_is_invalid (completion, device))
      device->address.type = type;
  }
}
