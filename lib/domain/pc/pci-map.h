/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/controller.h"

/*
 * Who sits where on the PCI buses of one machine: buses, their slots, and the eight functions of each slot.
 * Which bus takes which device is libvirt's rule; the map knows nothing of documents or of other devices than
 * by pointer.
 */
#define PCI_BUSES_MAX    256
#define PCI_SLOTS        32
#define PCI_FUNCTIONS    8
#define PCI_FUNCTION_ANY -1

typedef struct {
  guint bus, slot, function;
} PciPlace;

/* One user of a function: a device, or a part of the chipset, which has only a name. */
typedef struct {
  const Device *device;
  const char *builtin;
} PciUser;

typedef struct PciMap PciMap;

/* @grows_by_root: where conventional buses are full a further root is added, and not a bridge. */
PciMap *pci_map_new (gboolean grows_by_root);
void pci_map_free (PciMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PciMap, pci_map_free)

/* Buses are numbered by their controllers' indexes; those below @index without a model yet have none. */
void pci_map_set_bus (PciMap *map, guint index, ControllerModel model);
/* A model for each bus that has none: what libvirt takes, a root port or a bridge. */
void pci_map_settle (PciMap *map);
guint pci_map_buses (const PciMap *map);
ControllerModel pci_map_model (const PciMap *map, guint bus);

/* Does @bus take a device that connects so (PciConnect bits)? @said: the document gave the address, and the
 * rules about conventional, Express and hotplug are relaxed as libvirt relaxes them. */
gboolean pci_map_accepts (const PciMap *map, guint bus, guint connect, gboolean said);
void pci_map_slots (const PciMap *map, guint bus, guint *ret_first, guint *ret_last);

gboolean pci_map_slot_is_free (const PciMap *map, guint bus, guint slot);
/* The user of @place; both members NULL when it is free. */
PciUser pci_map_user (const PciMap *map, const PciPlace *place);
void pci_map_take (PciMap *map, const PciPlace *place, guint connect, PciUser user);

/* The first place for a device that connects so. With @said the rules are those for addresses from a
 * document. */
gboolean pci_map_find (const PciMap *map, guint connect, int function, gboolean said, PciPlace *ret);

/* Add buses until *@bus is one that takes a device that connects so; where a conventional device needs a port
 * and a bridge together, *@bus becomes the bridge. FALSE when no bus for it can be made. */
gboolean pci_map_grow (PciMap *map, guint *bus, guint connect);
