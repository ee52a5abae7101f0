/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The map of PCI buses. What each kind of bus takes stands in one table. Conventional slots take pci-bridges
 * as they take devices; only hotplug and the difference between conventional and Express are matters of
 * degree: a place the document chose need not be one we would have chosen.
 */
#include "domain/pc/pci-map.h"

#include "domain/devices/pci-connect.h"

typedef struct {
  guint8 functions;   /* taken, a bit each */
  gboolean aggregate; /* all that is here may share the slot with its like */
  PciUser users[PCI_FUNCTIONS];
} PciSlot;

typedef struct {
  ControllerModel model;
  guint accepts; /* PciConnect */
  guint first, last;
  guint empty; /* no slot from the first to before this is: they are only ever taken */
  PciSlot slots[PCI_SLOTS];
} PciBus;

struct PciMap {
  GPtrArray *buses;       /* PciBus */
  gboolean grows_by_root; /* a further root takes what the conventional ones have no slot for */
};

#define CONVENTIONAL_SLOTS (PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_BRIDGE)
#define ENDPOINTS          (PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_EXPRESS | PCI_CONNECT_BRIDGE)
#define EXPRESS_PORT \
  (PCI_CONNECT_EXPRESS | PCI_CONNECT_HOTPLUG | PCI_CONNECT_UPSTREAM_PORT | PCI_CONNECT_EXPRESS_TO_PCI_BRIDGE)
#define CONNECTORS (~(guint)(PCI_CONNECT_HOTPLUG | PCI_CONNECT_AGGREGATE))

static const guint accepted[] = {
  [PCI_ROOT] = CONVENTIONAL_SLOTS | PCI_CONNECT_HOTPLUG | PCI_CONNECT_EXPANDER,
  [PCIE_ROOT] = PCI_CONNECT_EXPRESS | PCI_CONNECT_ROOT_PORT | PCI_CONNECT_DMI_TO_PCI_BRIDGE
                | PCI_CONNECT_EXPRESS_EXPANDER,
  [PCI_BRIDGE] = CONVENTIONAL_SLOTS | PCI_CONNECT_HOTPLUG,
  [DMI_TO_PCI_BRIDGE] = CONVENTIONAL_SLOTS,
  [PCIE_TO_PCI_BRIDGE] = CONVENTIONAL_SLOTS | PCI_CONNECT_HOTPLUG,
  [PCIE_ROOT_PORT] = EXPRESS_PORT,
  [PCIE_SWITCH_UPSTREAM_PORT] = PCI_CONNECT_DOWNSTREAM_PORT,
  [PCIE_SWITCH_DOWNSTREAM_PORT] = EXPRESS_PORT,
  [PCI_EXPANDER_BUS] = CONVENTIONAL_SLOTS | PCI_CONNECT_HOTPLUG,
  [PCIE_EXPANDER_BUS] = PCI_CONNECT_ROOT_PORT | PCI_CONNECT_DMI_TO_PCI_BRIDGE,
};

PciMap *
pci_map_new (gboolean grows_by_root)
{
  PciMap *map = g_new0 (PciMap, 1);

  map->grows_by_root = grows_by_root;
  map->buses = g_ptr_array_new_with_free_func (g_free);
  return map;
}

void
pci_map_free (PciMap *map)
{
  if (!map)
    return;
  g_ptr_array_unref (map->buses);
  g_free (map);
}

static PciBus *
bus_at (const PciMap *map, guint index)
{
  return g_ptr_array_index (map->buses, index);
}

void
pci_map_set_bus (PciMap *map, guint index, ControllerModel model)
{
  DeviceController like = { .type = CONTROLLER_PCI, .model = model };
  PciBus *bus;

  while (map->buses->len <= index)
    g_ptr_array_add (map->buses, g_new0 (PciBus, 1));
  bus = bus_at (map, index);
  bus->model = model;
  bus->accepts = model < G_N_ELEMENTS (accepted) ? accepted[model] : 0;
  controller_pci_slots (&like, &bus->first, &bus->last);
}

static gboolean
has_express_root (const PciMap *map)
{
  return map->buses->len > 0 && bus_at (map, 0)->model == PCIE_ROOT;
}

static ControllerModel
conventional_bus (const PciMap *map)
{
  return map->grows_by_root ? PCI_ROOT : PCI_BRIDGE;
}

void
pci_map_settle (PciMap *map)
{
  for (guint i = 1; i < map->buses->len; i++) {
    if (bus_at (map, i)->model == CONTROLLER_MODEL_NONE)
      pci_map_set_bus (map, i, has_express_root (map) ? PCIE_ROOT_PORT : conventional_bus (map));
  }
}

guint
pci_map_buses (const PciMap *map)
{
  return map->buses->len;
}

ControllerModel
pci_map_model (const PciMap *map, guint bus)
{
  return bus_at (map, bus)->model;
}

gboolean
pci_map_accepts (const PciMap *map, guint bus, guint connect, gboolean said)
{
  guint accepts = bus_at (map, bus)->accepts;

  if (said) {
    if (accepts & ENDPOINTS)
      accepts |= ENDPOINTS;
    accepts |= PCI_CONNECT_HOTPLUG;
  }
  return (accepts & connect & CONNECTORS)
         && (!(connect & PCI_CONNECT_HOTPLUG) || (accepts & PCI_CONNECT_HOTPLUG));
}

void
pci_map_slots (const PciMap *map, guint bus, guint *ret_first, guint *ret_last)
{
  *ret_first = bus_at (map, bus)->first;
  *ret_last = bus_at (map, bus)->last;
}

gboolean
pci_map_slot_is_free (const PciMap *map, guint bus, guint slot)
{
  return bus < map->buses->len && bus_at (map, bus)->slots[slot].functions == 0;
}

PciUser
pci_map_user (const PciMap *map, const PciPlace *place)
{
  return bus_at (map, place->bus)->slots[place->slot].users[place->function];
}

void
pci_map_take (PciMap *map, const PciPlace *place, guint connect, PciUser user)
{
  PciSlot *slot = &bus_at (map, place->bus)->slots[place->slot];

  if (!(connect & PCI_CONNECT_AGGREGATE))
    slot->aggregate = FALSE;
  else if (slot->functions == 0)
    slot->aggregate = TRUE;
  slot->functions |= (guint8)(1u << place->function);
  slot->users[place->function] = user;
}

/* A function for it in @slot: an empty slot, or one it may share. */
static gboolean
find_function (const PciSlot *slot, guint connect, int function, guint *ret)
{
  guint wanted = function == PCI_FUNCTION_ANY ? 0 : (guint)function;

  if (slot->functions == 0
      || ((connect & PCI_CONNECT_AGGREGATE) && slot->aggregate && !(slot->functions & (1u << wanted)))) {
    *ret = wanted;
    return TRUE;
  }
  if (!(connect & PCI_CONNECT_AGGREGATE) || !slot->aggregate || function != PCI_FUNCTION_ANY)
    return FALSE;
  for (guint n = 0; n < PCI_FUNCTIONS; n++) {
    if (!(slot->functions & (1u << n))) {
      *ret = n;
      return TRUE;
    }
  }
  return FALSE;
}

/* Where to begin to look on it: behind the slots that are taken, unless one of them may be shared. */
static guint
first_to_try (PciBus *bus, guint connect)
{
  if (connect & PCI_CONNECT_AGGREGATE)
    return bus->first;
  bus->empty = MAX (bus->empty, bus->first);
  while (bus->empty <= bus->last && bus->slots[bus->empty].functions != 0)
    bus->empty++;
  return bus->empty;
}

gboolean
pci_map_find (const PciMap *map, guint connect, int function, gboolean said, PciPlace *ret)
{
  for (guint i = 0; i < map->buses->len; i++) {
    PciBus *bus = bus_at (map, i);

    if (!pci_map_accepts (map, i, connect, said))
      continue;
    for (guint slot = first_to_try (bus, connect); slot <= bus->last; slot++) {
      guint free_function;

      if (find_function (&bus->slots[slot], connect, function, &free_function)) {
        *ret = (PciPlace){ i, slot, free_function };
        return TRUE;
      }
    }
  }
  return FALSE;
}

static gboolean
takes_bridges (const PciMap *map)
{
  for (guint i = 0; i < map->buses->len; i++) {
    if (bus_at (map, i)->accepts & PCI_CONNECT_BRIDGE)
      return TRUE;
  }
  return FALSE;
}

static void
append (PciMap *map, ControllerModel model)
{
  pci_map_set_bus (map, map->buses->len, model);
}

gboolean
pci_map_grow (PciMap *map, guint *bus, guint connect)
{
  ControllerModel model;
  gboolean needs_bridge_to_conventional = FALSE;

  if (*bus < map->buses->len)
    return TRUE;
  if (connect & CONVENTIONAL_SLOTS) {
    model = conventional_bus (map);
    needs_bridge_to_conventional = has_express_root (map) && !takes_bridges (map);
  } else if (has_express_root (map) && (connect & EXPRESS_PORT & CONNECTORS)) {
    model = PCIE_ROOT_PORT;
  } else {
    return FALSE;
  }

  if (needs_bridge_to_conventional) {
    /* The bridge needs a port; and the device goes behind the bridge, not into the port. */
    *bus = MAX (*bus, map->buses->len + 1);
    append (map, PCIE_ROOT_PORT);
    append (map, PCIE_TO_PCI_BRIDGE);
  }
  if (*bus >= PCI_BUSES_MAX)
    return FALSE;
  while (map->buses->len <= *bus)
    append (map, model);
  return TRUE;
}
