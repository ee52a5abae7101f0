/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where virtio devices go on machines that do not have them on PCI: on channels of a mainframe, or at places
 * of the board's own memory. Which of them a machine prefers is in its row; a device for which the document
 * asks for another place keeps it. Places in memory have no number in a document: they are only counted.
 */
#include "domain/pc/address-assign.h"

#include "domain/machines/machine-kind.h"

#include <string.h>

#define ONE_IOAPIC "ioapic2=off" /* said to QEMU: the machine is as small as one without ACPI */

static gboolean
has_one_ioapic (const DomainDef *def)
{
  const GPtrArray *arguments = def->qemu.arguments;

  for (guint i = 0; arguments != NULL && i < arguments->len; i++) {
    const QemuArgument *argument = g_ptr_array_index (arguments, i);

    if (argument->value != NULL && strstr (argument->value, ONE_IOAPIC) != NULL)
      return TRUE;
  }
  return !def->features.acpi;
}

/* QEMU says of a device too many that there is no bus for it, and the last places of a machine with ACPI are
 * none: see the machine's row. */
static void
count_places (Completion *completion)
{
  const DomainDef *def = completion->def;
  const MachineKind *machine = machine_kind_of (def);
  guint places = has_one_ioapic (def) ? machine->mmio_places_without_acpi : machine->mmio_places, count = 0;
  Device *first_without = NULL;
  g_autofree char *what = NULL;

  for (guint i = 0; machine->mmio_places > 0 && i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->address.type == ADDRESS_VIRTIO_MMIO && ++count == places + 1)
      first_without = device;
  }
  if (first_without == NULL)
    return;
  what = assign_describe (completion, first_without);
  address_error (completion, first_without,
                 "No place is left on machine '%s' for %s: it has %u virtio devices and room for %u%s",
                 def->os.machine, what, count, places,
                 places < machine->mmio_places
                     ? "; <acpi/> in its <features> makes more"
                     : "; PCI, by <controller type='pci' model='pcie-root'/>, has room for more");
}

void
prefer_virtio_addresses (Completion *completion)
{
  const DomainDef *def = completion->def;
  int type = machine_kind_of (def)->virtio_address;

  for (guint i = 0; type != ADDRESS_PCI && i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->address.type == ADDRESS_NONE && device->kind->is_virtio != NULL
        && device->kind->is_virtio (device) && !completion_is_invalid (completion, device))
      device->address.type = type;
  }
  count_places (completion);
}
