/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/virtio.h"

/* PCI needs, as libvirt weighs them (VIR_PCI_CONNECT_*). The bits from BRIDGE on are the places only a PCI
 * controller can take. */
typedef enum {
  PCI_CONNECT_CONVENTIONAL = 1 << 0, /* a conventional slot */
  PCI_CONNECT_EXPRESS = 1 << 1,      /* a PCI Express slot */
  PCI_CONNECT_HOTPLUG = 1 << 2,
  PCI_CONNECT_AGGREGATE = 1 << 3,     /* may share a slot with its like */
  PCI_CONNECT_BRIDGE = 1 << 4,        /* pci-bridge */
  PCI_CONNECT_ROOT_PORT = 1 << 5,     /* pcie-root-port */
  PCI_CONNECT_UPSTREAM_PORT = 1 << 6, /* pcie-switch-upstream-port */
  PCI_CONNECT_DOWNSTREAM_PORT = 1 << 7,
  PCI_CONNECT_DMI_TO_PCI_BRIDGE = 1 << 8,
  PCI_CONNECT_EXPRESS_TO_PCI_BRIDGE = 1 << 9, /* pcie-to-pci-bridge */
  PCI_CONNECT_EXPANDER = 1 << 10,             /* pci-expander-bus */
  PCI_CONNECT_EXPRESS_EXPANDER = 1 << 11,     /* pcie-expander-bus */
} PciConnect;

/* What a conventional, an Express and a virtio device want; an Express one is conventional on a machine
 * without a PCI Express root. */
guint pci_connect_conventional (const DomainDef *def);
guint pci_connect_express (const DomainDef *def);
/* One that is never plugged in or out: it sits on the root bus itself. */
guint pci_connect_root (const DomainDef *def);
guint pci_connect_virtio (const DomainDef *def, VirtioModel model);
