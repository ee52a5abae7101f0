/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slots that devices of most kinds want: the answers of their DeviceKind.pci_connect.
 */
#include "domain/devices/pci-connect.h"

#include "domain/machines/machine-kind.h"

guint
pci_connect_conventional (const DomainDef *def G_GNUC_UNUSED)
{
  return PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_HOTPLUG;
}

guint
pci_connect_express (const DomainDef *def)
{
  if (machine_kind_of (def)->pci_root != PCIE_ROOT)
    return pci_connect_conventional (def);
  return PCI_CONNECT_EXPRESS | PCI_CONNECT_HOTPLUG;
}

guint
pci_connect_root (const DomainDef *def)
{
  return domain_def_is_q35 (def) ? PCI_CONNECT_EXPRESS : PCI_CONNECT_CONVENTIONAL;
}

guint
pci_connect_virtio (const DomainDef *def, VirtioModel model)
{
  /* A transitional device needs I/O ports, which Express slots do not give. */
  if (model == VIRTIO_MODEL_TRANSITIONAL)
    return pci_connect_conventional (def);
  return pci_connect_express (def);
}
