/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is particular to PCI controllers: which of them a machine can have, and the numbers by which the guest
 * and QEMU tell them apart (chassis, port, bus number), which follow from the index and the address.
 */
#include "domain/machines/machine-kind.h"
#include "domain/pc/address-assign.h"
#include "domain/pc/controllers.h"
#include "domain/pc/pci-map.h"

#define EXPANDER_BUS_TOP  256 /* expander buses are numbered downwards from here */
#define EXPANDER_BUS_STEP 2   /* each leaves a number for a bus behind it */

#define ERROR(completion, member, controller, ...) \
  completion_error ((completion), &(controller)->member, (controller), __VA_ARGS__)

/* The machine's root bus is controller 0, and nothing else is. */
static gboolean
check_root (Completion *completion, const DeviceController *controller)
{
  const MachineKind *machine = machine_kind_of (completion->def);
  gboolean is_root = controller->model == PCI_ROOT || controller->model == PCIE_ROOT;
  int root = machine->pci_root;

  if (controller->index.value == 0 && controller->model != root) {
    ERROR (completion, model, controller,
           "The PCI controller with index='0' must be model='%s' for this machine type, but model='%s' was "
           "found instead",
           enum_table_name (&controller_models, root), controller_model_name (controller));
    return FALSE;
  }
  if (is_root && controller->index.value != 0
      && !(machine->many_pci_roots && controller->model == PCI_ROOT)) {
    ERROR (completion, index, controller, "The index of a '%s' controller must be 0, not %" G_GUINT64_FORMAT,
           controller_model_name (controller), controller->index.value);
    return FALSE;
  }
  if (is_root && controller->device.address.type != ADDRESS_NONE) {
    ERROR (completion, device.address, controller,
           "pci-root and pcie-root controllers should not have an address");
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_machine (Completion *completion, const DeviceController *controller)
{
  const MachineKind *machine = machine_kind_of (completion->def);

  if (controller->model == PCI_EXPANDER_BUS && machine->chipset != CHIPSET_I440FX) {
    ERROR (completion, model, controller,
           "pci-expander-bus controllers are only supported on 440fx-based machinetypes; this one takes "
           "'pcie-expander-bus'");
    return FALSE;
  }
  if (controller->model == PCIE_EXPANDER_BUS && machine->pci_root != PCIE_ROOT) {
    ERROR (completion, model, controller,
           "pcie-expander-bus controllers are only supported on q35-based machinetypes; this one takes "
           "'pci-expander-bus'");
    return FALSE;
  }
  if (controller->index.value >= PCI_BUSES_MAX) {
    ERROR (completion, index, controller,
           "PCI controller index %" G_GUINT64_FORMAT " is too high; it must be <= %d",
           controller->index.value, PCI_BUSES_MAX - 1);
    return FALSE;
  }
  return TRUE;
}

gboolean
check_pci_controllers (Completion *completion)
{
  gboolean right = TRUE;

  DOMAIN_FOREACH_DEVICE (completion->def, controller_kind, DeviceController, controller) {
    /* A controller without a model is refused by its own validation. */
    if (completion_is_invalid (completion, controller))
      continue;
    if (controller->type == CONTROLLER_PCI && controller->model == CONTROLLER_MODEL_NONE)
      right = FALSE;
    else if (controller->type == CONTROLLER_PCI)
      right = check_root (completion, controller) && check_machine (completion, controller) && right;
  }
  return right;
}

static guint
unused_expander_bus (const DomainDef *def)
{
  guint64 lowest = EXPANDER_BUS_TOP;

  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_PCI && controller->bus_nr.set)
      lowest = MIN (lowest, controller->bus_nr.value);
  }
  return lowest > EXPANDER_BUS_STEP ? (guint)lowest - EXPANDER_BUS_STEP : 0;
}

/* QEMU's device for each model of PCI controller; none for the roots, which are the machine's own. */
static const char *
qemu_model (const Completion *completion, ControllerModel model)
{
  switch (model) {
    case PCI_BRIDGE:
      return "pci-bridge";
    case DMI_TO_PCI_BRIDGE:
      return "i82801b11-bridge";
    case PCIE_TO_PCI_BRIDGE:
      return "pcie-pci-bridge";
    case PCIE_ROOT_PORT:
      return completion_has_device (completion, "pcie-root-port")
                     || !completion_has_device (completion, "ioh3420")
                 ? "pcie-root-port"
                 : "ioh3420";
    case PCIE_SWITCH_UPSTREAM_PORT:
      return "x3130-upstream";
    case PCIE_SWITCH_DOWNSTREAM_PORT:
      return "xio3130-downstream";
    case PCI_EXPANDER_BUS:
      return "pxb";
    case PCIE_EXPANDER_BUS:
      return "pxb-pcie";
    default:
      return NULL;
  }
}

/* A host bridge is known by a number, and the machine's own is 0. */
static Number
unused_root_index (const DomainDef *def, const DeviceController *root)
{
  gboolean taken = TRUE;
  guint64 index = root->index.value == 0 ? 0 : 1;

  for (; taken; index += taken) {
    taken = FALSE;
    DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, other) {
      if (other != root && other->type == CONTROLLER_PCI && other->model == PCI_ROOT
          && other->target_index.set && other->target_index.value == index)
        taken = TRUE;
    }
  }
  return NUMBER (index);
}

static void
complete_roots (Completion *completion)
{
  DOMAIN_FOREACH_DEVICE (completion->def, controller_kind, DeviceController, controller) {
    if (controller->type != CONTROLLER_PCI || controller->model != PCI_ROOT)
      continue;
    if (!controller->model_name)
      controller->model_name = g_strdup ("spapr-pci-host-bridge");
    if (!controller->target_index.set)
      controller->target_index = unused_root_index (completion->def, controller);
  }
}

static void
complete_target (Completion *completion, DeviceController *controller)
{
  const DeviceAddress *address = &controller->device.address;

  switch (controller->model) {
    case PCI_BRIDGE:
      if (!controller->chassis_nr.set)
        controller->chassis_nr = controller->index;
      break;
    case PCIE_ROOT_PORT:
    case PCIE_SWITCH_DOWNSTREAM_PORT:
      if (!controller->chassis.set)
        controller->chassis = controller->index;
      if (!controller->port.set && controller->model == PCIE_ROOT_PORT)
        controller->port = NUMBER (address->slot.value * PCI_FUNCTIONS + address->function.value);
      else if (!controller->port.set)
        controller->port = address->slot;
      break;
    case PCI_EXPANDER_BUS:
    case PCIE_EXPANDER_BUS:
      if (!controller->bus_nr.set)
        controller->bus_nr = NUMBER (unused_expander_bus (completion->def));
      if (controller->bus_nr.value == 0)
        completion_error (
            completion, &controller->bus_nr, controller,
            "No free busNr lower than current lowest busNr is available to auto-assign to bus %u. Must be "
            "manually assigned",
            (guint)controller->index.value);
      break;
    default:
      break;
  }
}

/* Buses hang on each other, and in the end on the root. */
static void
check_upstream (Completion *completion, const DeviceController *controller)
{
  const DeviceController *above = controller;

  if (controller->model == PCI_BRIDGE && controller->index.value <= controller->device.address.bus.value) {
    completion_error (
        completion, &controller->index, controller,
        "PCI controller at index %u (0x%02x) has bus='0x%02x', but index must be larger than bus",
        (guint)controller->index.value, (guint)controller->index.value,
        (guint)controller->device.address.bus.value);
    return;
  }
  for (guint steps = 0; above && above->model != PCI_ROOT && above->index.value != 0; steps++) {
    if (steps == PCI_BUSES_MAX) {
      completion_error (
          completion, &controller->device.address, controller,
          "PCI controller at index %u (model '%s') does not reach the root: the buses above it are "
          "plugged into each other",
          (guint)controller->index.value, controller_model_name (controller));
      return;
    }
    above = controllers_find (completion->def, CONTROLLER_PCI, above->device.address.bus.value);
  }
}

void
complete_pci_controllers (Completion *completion)
{
  if (machine_kind_of (completion->def)->many_pci_roots)
    complete_roots (completion);
  DOMAIN_FOREACH_DEVICE (completion->def, controller_kind, DeviceController, controller) {
    if (controller->type != CONTROLLER_PCI || controller->model == PCI_ROOT || controller->model == PCIE_ROOT)
      continue;
    if (!controller->model_name)
      controller->model_name = g_strdup (qemu_model (completion, controller->model));
    complete_target (completion, controller);
    if (!completion_may_miss (completion, &controller_kind))
      check_upstream (completion, controller);
  }
}
