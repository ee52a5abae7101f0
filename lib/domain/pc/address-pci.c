/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * PCI addresses, and the PCI controllers they need. Two rounds, as in libvirt, because how many buses there
 * are shows only once every device has found a slot: the first is a rehearsal that grows the buses and keeps
 * no address; then the missing controllers are made; and the second round, in which the controllers come
 * first, is for good. The order of the devices and every fixed place below are what libvirt's guests have
 * seen for years, and so what a guest that moves here expects.
 */
#include "domain/devices/device-kinds.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"
#include "domain/pc/pci-chipset.h"

guint
pci_connect_of (const DomainDef *def, const Device *device)
{
  return device->kind->pci_connect ? device->kind->pci_connect (def, device) : 0;
}

gboolean
pci_address_is_given (const Device *device)
{
  return device->address.type == ADDRESS_PCI && device->address.slot.set;
}

gboolean
pci_address_is_wanted (const Device *device)
{
  return device->address.type == ADDRESS_NONE
         || (device->address.type == ADDRESS_PCI && !device->address.slot.set);
}

static void
give (Device *device, const PciPlace *place)
{
  DeviceAddress *address = &device->address;

  address->type = ADDRESS_PCI;
  address->domain = NUMBER (0);
  address->bus = NUMBER (place->bus);
  address->slot = NUMBER (place->slot);
  address->function = NUMBER (place->function);
}

void
pci_assignment_fix (PciAssignment *assignment, Device *device, const PciPlace *place)
{
  pci_map_take (assignment->map, place, pci_connect_of (assignment->completion->def, device),
                (PciUser){ device, NULL });
  give (device, place);
}

static void
report_no_slot (PciAssignment *assignment, const Device *device)
{
  g_autofree char *user = device_describe (device);

  assignment->failed = TRUE;
  if (completion_may_miss (assignment->completion, &controller_kind))
    return;
  if (device->kind == &controller_kind && ((const DeviceController *)device)->type == CONTROLLER_PCI)
    address_error (
        assignment->completion, device,
        "a PCI slot is needed to connect a PCI controller model='%s', but none is available, and it "
        "cannot be automatically added: %s",
        controller_model_name ((const DeviceController *)device), user);
  else
    address_error (assignment->completion, device, "No more available PCI slots for %s", user);
}

void
pci_assignment_next (PciAssignment *assignment, Device *device, int function)
{
  guint connect = pci_connect_of (assignment->completion->def, device);
  PciPlace place;

  if (!pci_map_find (assignment->map, connect, function, FALSE, &place)) {
    guint unused;

    place.bus = pci_map_buses (assignment->map);
    if (!assignment->rehearsal || !pci_map_grow (assignment->map, &place.bus, connect)) {
      report_no_slot (assignment, device);
      return;
    }
    pci_map_slots (assignment->map, place.bus, &place.slot, &unused);
    place.function = function == PCI_FUNCTION_ANY ? 0 : (guint)function;
  }
  pci_map_take (assignment->map, &place, connect, (PciUser){ device, NULL });
  if (!assignment->rehearsal)
    give (device, &place);
}

/* The function of each ICH9 USB controller in the slot the set shares; only function 0 says it is shared. */
static guint
ich9_function (const DeviceController *controller)
{
  switch (controller->model) {
    case USB_ICH9_EHCI1:
      return 7;
    case USB_ICH9_UHCI2:
      return 1;
    case USB_ICH9_UHCI3:
      return 2;
    default:
      return 0;
  }
}

static const DeviceController *
placed_companion (const DomainDef *def, const DeviceController *controller)
{
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other) {
    if (controller_is_ich9_usb (other) && other->index.value == controller->index.value
        && pci_address_is_given (&other->device))
      return other;
  }
  return NULL;
}

static void
assign_ich9_usb (PciAssignment *assignment, DeviceController *controller)
{
  const DeviceController *companion = placed_companion (assignment->completion->def, controller);
  guint function = ich9_function (controller);

  if (companion) {
    PciPlace place = { (guint)companion->device.address.bus.value,
                       (guint)companion->device.address.slot.value, function };

    pci_assignment_given (assignment, &controller->device, &place);
    if (!assignment->rehearsal)
      give (&controller->device, &place);
  } else {
    pci_assignment_next (assignment, &controller->device, (int)function);
  }
  if (controller->model == USB_ICH9_UHCI1 && !assignment->rehearsal)
    controller->device.address.multifunction = TRISTATE_YES;
}

static gboolean
is_pci_controller (const Device *device)
{
  return device->kind == &controller_kind && ((const DeviceController *)device)->type == CONTROLLER_PCI;
}

static void
assign_device (PciAssignment *assignment, Device *device)
{
  if (!pci_address_is_wanted (device) || completion_is_invalid (assignment->completion, device)
      || pci_connect_of (assignment->completion->def, device) == 0)
    return;
  if (device->kind == &controller_kind && controller_is_ich9_usb ((DeviceController *)device))
    assign_ich9_usb (assignment, (DeviceController *)device);
  else
    pci_assignment_next (assignment, device, PCI_FUNCTION_ANY);
}

static void
assign_kind (PciAssignment *assignment, const DeviceKind *kind, gboolean pci_controllers)
{
  GPtrArray *devices = assignment->completion->def->devices;

  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (g_str_equal (device_counted_as (device), kind->element)
        && is_pci_controller (device) == pci_controllers)
      assign_device (assignment, device);
  }
}

/* Kinds without an order of their own come last, in the order of the document's devices. */
static void
assign_devices (PciAssignment *assignment)
{
  assign_kind (assignment, &controller_kind, TRUE);
  for (guint order = PCI_ORDER_LAST + 1; order <= PCI_ORDERS; order++) {
    for (guint i = 0; device_kinds[i]; i++) {
      if (device_kinds[i]->pci_order == order % PCI_ORDERS)
        assign_kind (assignment, device_kinds[i], FALSE);
    }
  }
}

static void
add_known_buses (PciAssignment *assignment)
{
  DOMAIN_FOREACH_DEVICE (assignment->completion->def, controller_kind, DeviceController, controller) {
    ControllerModel model = (ControllerModel)controller->model;

    if (controller->type != CONTROLLER_PCI || !controller->index.set
        || controller->index.value >= PCI_BUSES_MAX)
      continue;
    if (controller->index.value == 0 && completion_is_invalid (assignment->completion, controller))
      model = machine_pci_root (assignment->completion);
    pci_map_set_bus (assignment->map, (guint)controller->index.value, model);
  }
  pci_map_settle (assignment->map);
}

/* On a conventional root a slot is kept free, so that a bridge can still be added when the rest are full. */
static void
keep_slot_for_bridge (PciAssignment *assignment)
{
  PciPlace place;

  if (machine_kind_of (assignment->completion->def)->many_pci_roots)
    return;
  if (pci_map_model (assignment->map, 0) == PCI_ROOT
      && pci_map_find (assignment->map, PCI_CONNECT_CONVENTIONAL, PCI_FUNCTION_ANY, FALSE, &place))
    pci_map_take (assignment->map, &place, 0, (PciUser){ NULL, "a bridge to come" });
}

/* Where the document leaves the PCI topology to us, one port more than needed lets a device be plugged in. */
static void
keep_port_for_hotplug (PciAssignment *assignment, guint buses_given)
{
  guint connect = PCI_CONNECT_EXPRESS | PCI_CONNECT_HOTPLUG;
  guint bus = pci_map_buses (assignment->map);
  PciPlace place = { 0 };

  if (buses_given > 1 || bus <= buses_given || pci_map_model (assignment->map, 0) != PCIE_ROOT)
    return;
  if (!pci_map_find (assignment->map, connect, PCI_FUNCTION_ANY, FALSE, &place)) {
    place.bus = bus;
    if (!pci_map_grow (assignment->map, &place.bus, connect))
      return;
  }
  pci_map_take (assignment->map, &place, connect, (PciUser){ NULL, "a device to be plugged in" });
}

/* Make the controllers of the buses that grew. Each needs a slot itself, for which further buses may grow. */
static void
add_missing_controllers (PciAssignment *assignment)
{
  for (guint i = 1; i < pci_map_buses (assignment->map) && !assignment->failed; i++) {
    DeviceController *controller;

    if (controllers_find (assignment->completion->def, CONTROLLER_PCI, i))
      continue;
    controller = (DeviceController *)completion_add (assignment->completion, &controller_kind);
    controller->type = CONTROLLER_PCI;
    controller->index = NUMBER (i);
    controller->model = (int)pci_map_model (assignment->map, i);
    if (controller->model == PCI_ROOT)
      continue; /* it hangs on nothing */
    pci_assignment_next (assignment, &controller->device, PCI_FUNCTION_ANY);
  }
}

static guint
buses_given (const DomainDef *def)
{
  guint64 count = 0;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_PCI)
      count = MAX (count, controller->index.value + 1);
  }
  return (guint)MIN (count, PCI_BUSES_MAX);
}

/* One of the two rounds. FALSE when a mistake makes going on pointless. */
static gboolean
run_round (Completion *completion, gboolean rehearsal)
{
  g_autoptr (PciMap) map = pci_map_new (machine_kind_of (completion->def)->many_pci_roots);
  PciAssignment assignment = { completion, map, rehearsal, FALSE, NULL };
  g_autoptr (GArray) clashes = g_array_new (FALSE, FALSE, sizeof (PciClash));
  guint said = buses_given (completion->def);

  assignment.clashes = clashes;
  add_known_buses (&assignment);
  pci_reserve_builtin (&assignment);
  pci_reserve_given (&assignment);
  pci_reserve_chipset_places (&assignment);
  pci_report_clashes (&assignment);
  if (assignment.failed)
    return FALSE;

  if (rehearsal)
    keep_slot_for_bridge (&assignment);
  assign_devices (&assignment);
  if (rehearsal) {
    keep_port_for_hotplug (&assignment, said);
    add_missing_controllers (&assignment);
  }
  pci_report_clashes (&assignment);
  return !assignment.failed;
}

static gpointer
slot_key (const Device *device)
{
  return GSIZE_TO_POINTER (device->address.bus.value << 8 | device->address.slot.value);
}

/* The device at function 0 tells the guest that there are others in its slot. */
static void
complete_multifunction (const DomainDef *def)
{
  g_autoptr (GHashTable) shared = g_hash_table_new (NULL, NULL); /* slots with other functions */

  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (pci_address_is_given (device) && device->address.function.value != 0)
      g_hash_table_add (shared, slot_key (device));
  }
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (pci_address_is_given (device) && device->address.function.value == 0
        && device->address.multifunction == TRISTATE_ABSENT
        && g_hash_table_contains (shared, slot_key (device)))
      device->address.multifunction = TRISTATE_YES;
  }
}

void
assign_pci_addresses (Completion *completion)
{
  if (!controllers_find (completion->def, CONTROLLER_PCI, 0)) {
    pci_report_no_buses (completion);
    return;
  }
  if (!check_pci_controllers (completion) || !run_round (completion, TRUE))
    return;
  controllers_order_added (completion->def); /* those the first round found to be needed */
  if (!run_round (completion, FALSE))
    return;
  complete_multifunction (completion->def);
  complete_pci_controllers (completion);
}
