/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Controllers. Some are part of the machine and are not added: the PCI root, the first SATA controller of a
 * q35 and the IDE controller of an i440fx machine.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"
#include "domain/machines/machine-kind.h"

static const char *const pci_drivers[] = {
  [PCI_BRIDGE] = "pci-bridge",
  [DMI_TO_PCI_BRIDGE] = "i82801b11-bridge",
  [PCIE_TO_PCI_BRIDGE] = "pcie-pci-bridge",
  [PCIE_ROOT_PORT] = "pcie-root-port",
  [PCIE_SWITCH_UPSTREAM_PORT] = "x3130-upstream",
  [PCIE_SWITCH_DOWNSTREAM_PORT] = "xio3130-downstream",
  [PCI_EXPANDER_BUS] = "pxb",
  [PCIE_EXPANDER_BUS] = "pxb-pcie",
};

static const char *const usb_drivers[] = {
  [USB_PIIX3_UHCI] = "piix3-usb-uhci",
  [USB_PIIX4_UHCI] = "piix4-usb-uhci",
  [USB_EHCI] = "usb-ehci",
  [USB_ICH9_EHCI1] = "ich9-usb-ehci1",
  [USB_ICH9_UHCI1] = "ich9-usb-uhci1",
  [USB_ICH9_UHCI2] = "ich9-usb-uhci2",
  [USB_ICH9_UHCI3] = "ich9-usb-uhci3",
  [USB_VT82C686B_UHCI] = "vt82c686b-usb-uhci",
  [USB_PCI_OHCI] = "pci-ohci",
  [USB_NEC_XHCI] = "nec-usb-xhci",
  [USB_QEMU_XHCI] = "qemu-xhci",
};

static const char *const scsi_drivers[] = {
  [SCSI_LSILOGIC] = "lsi53c895a",
  [SCSI_IBMVSCSI] = "spapr-vscsi",
  [SCSI_LSISAS1068] = "mptsas1068",
  [SCSI_LSISAS1078] = "megasas",
  [SCSI_VMPVSCSI] = "pvscsi",
  [SCSI_DC390] = "dc390",
  [SCSI_AM53C974] = "am53c974",
  [SCSI_VIRTIO_SCSI] = "virtio-scsi-pci",
  [CONTROLLER_MODEL_VIRTIO_TRANSITIONAL] = "virtio-scsi-pci-transitional",
  [CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL] = "virtio-scsi-pci-non-transitional",
};

#define DRIVER_OF(table, model) ((guint)(model) < G_N_ELEMENTS (table) ? (table)[model] : NULL)

static gboolean
no_such_model (const DeviceController *controller, GError **error)
{
  const char *model = controller_model_name (controller);

  return qemu_unsupported (&controller->device, error, "model '%s' is not supported by the QEMU target",
                           model != NULL ? model : "");
}

/* The room that firmware leaves for devices above 4 GiB. */
static void
add_hole (Recipe *recipe, const DeviceController *controller)
{
  if (controller->pcihole64.set)
    recipe_option (recipe, "-global", "%s.pci-hole64-size=%" G_GUINT64_FORMAT "K",
                   controller->model == PCIE_ROOT ? "q35-pcihost" : "i440FX-pcihost",
                   controller->pcihole64.value);
}

static gboolean
recipe_add_pci (Recipe *recipe, const DeviceController *controller, GError **error)
{
  const char *driver =
      controller->model_name != NULL ? controller->model_name : DRIVER_OF (pci_drivers, controller->model);
  JsonObject *properties;

  if (controller->model == PCI_ROOT || controller->model == PCIE_ROOT) {
    if (controller->index.value == 0) {
      add_hole (recipe, controller);
      return TRUE;
    }
    if (controller->model_name == NULL)
      return no_such_model (controller, error);
  }
  if (driver == NULL)
    return no_such_model (controller, error);
  if (!qemu_needs_type (recipe, &controller->device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  switch (controller->model) {
    case PCI_ROOT:
      props_add (properties, "index", "N", &controller->target_index, "numa_node", "N", &controller->node,
                 NULL);
      break;
    case PCI_BRIDGE:
      props_add (properties, "chassis_nr", "N", &controller->chassis_nr, NULL);
      break;
    case PCIE_ROOT_PORT:
    case PCIE_SWITCH_DOWNSTREAM_PORT:
      props_add (properties, "port", "N", &controller->port, "chassis", "N", &controller->chassis, NULL);
      if (controller->model == PCIE_ROOT_PORT)
        props_add (properties, "hotplug", "T", controller->hotplug, NULL);
      break;
    case PCI_EXPANDER_BUS:
    case PCIE_EXPANDER_BUS:
      props_add (properties, "bus_nr", "N", &controller->bus_nr, "numa_node", "N", &controller->node, NULL);
      break;
    default:
      break;
  }
  props_add (properties, "mem-reserve", "N", &controller->mem_reserve, NULL);
  return recipe_device (recipe, &controller->device, properties, error);
}

static gboolean
is_companion (const DeviceController *controller)
{
  return controller->model == USB_ICH9_UHCI1 || controller->model == USB_ICH9_UHCI2
         || controller->model == USB_ICH9_UHCI3;
}

/* The EHCI controller of the same index, whose ports a companion serves for slow devices. */
static const DeviceController *
find_master (const Recipe *recipe, const DeviceController *companion)
{
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_USB && controller->model == USB_ICH9_EHCI1
        && controller->index.value == companion->index.value)
      return controller;
  }
  return NULL;
}

static gboolean
recipe_add_usb (Recipe *recipe, const DeviceController *controller, GError **error)
{
  const char *driver = DRIVER_OF (usb_drivers, controller->model);
  const DeviceController *master = is_companion (controller) ? find_master (recipe, controller) : NULL;
  g_autofree char *bus = NULL;
  JsonObject *properties;

  if (controller->model == CONTROLLER_MODEL_DISABLED)
    return TRUE;
  if (driver == NULL)
    return no_such_model (controller, error);
  if (!qemu_needs_type (recipe, &controller->device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  if (controller->model == USB_NEC_XHCI || controller->model == USB_QEMU_XHCI)
    props_add (properties, "p2", "N", &controller->ports, "p3", "N", &controller->ports, NULL);
  if (master != NULL) {
    bus = g_strconcat (master->device.alias, ".0", NULL);
    props_add (properties, "masterbus", "s", bus, "firstport", "N", &controller->master_startport, NULL);
  }
  return recipe_device (recipe, &controller->device, properties, error);
}

static gboolean
recipe_add_scsi (Recipe *recipe, const DeviceController *controller, GError **error)
{
  const char *driver = DRIVER_OF (scsi_drivers, controller->model);
  JsonObject *properties;

  if (driver == NULL)
    return no_such_model (controller, error);
  if (!qemu_needs_type (recipe, &controller->device, driver, error))
    return FALSE;
  /* QEMU knows it by two names, and libvirt says the short one. */
  properties = props ("driver", "s", controller->model == SCSI_LSILOGIC ? "lsi" : driver, NULL);
  if (g_str_has_prefix (driver, "virtio")) {
    props_add_virtio (properties, &controller->virtio);
    props_add_iothread (properties, &controller->iothread);
    props_add (properties, "num_queues", "N", &controller->queues, "cmd_per_lun", "N",
               &controller->cmd_per_lun, "max_sectors", "N", &controller->max_sectors, "ioeventfd", "T",
               controller->ioeventfd, NULL);
  }
  return recipe_device (recipe, &controller->device, properties, error);
}

static gboolean
recipe_add_ata (Recipe *recipe, const DeviceController *controller, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  gboolean first = controller->index.value == 0;

  if (controller->type == CONTROLLER_SATA) {
    if (first && machine_kind_of (def)->chipset == CHIPSET_Q35)
      return TRUE;
    return recipe_device (recipe, &controller->device, props ("driver", "s", "ahci", NULL), error);
  }
  if (first && machine_kind_of (def)->chipset == CHIPSET_I440FX)
    return TRUE;
  return qemu_unsupported (
      &controller->device, error,
      machine_kind_of (def)->chipset == CHIPSET_I440FX
          ? "only a single IDE controller is supported for this machine type"
          : "IDE controllers are unsupported for this QEMU binary or machine type; SATA can be used");
}

static gboolean
recipe_add_virtio_serial (Recipe *recipe, const DeviceController *controller, GError **error)
{
  const char *driver =
      virtio_driver ("virtio-serial-pci", controller->model == CONTROLLER_MODEL_VIRTIO_TRANSITIONAL
                                              ? VIRTIO_MODEL_TRANSITIONAL
                                          : controller->model == CONTROLLER_MODEL_VIRTIO_NON_TRANSITIONAL
                                              ? VIRTIO_MODEL_NON_TRANSITIONAL
                                              : VIRTIO_MODEL_VIRTIO);
  JsonObject *properties = props ("driver", "s", driver, NULL);

  props_add_virtio (properties, &controller->virtio);
  props_add (properties, "max_ports", "N", &controller->ports, "vectors", "N", &controller->vectors, NULL);
  return recipe_device (recipe, &controller->device, properties, error);
}

gboolean
recipe_add_controller (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceController *controller = (const DeviceController *)device;

  if (controller->iothreads != NULL)
    return qemu_unsupported (device, error, "<driver><iothreads> is not supported yet by the QEMU target");
  switch (controller->type) {
    case CONTROLLER_PCI:
      return recipe_add_pci (recipe, controller, error);
    case CONTROLLER_USB:
      return recipe_add_usb (recipe, controller, error);
    case CONTROLLER_SCSI:
      return recipe_add_scsi (recipe, controller, error);
    case CONTROLLER_SATA:
    case CONTROLLER_IDE:
      return recipe_add_ata (recipe, controller, error);
    case CONTROLLER_VIRTIO_SERIAL:
      return recipe_add_virtio_serial (recipe, controller, error);
    case CONTROLLER_CCID:
      return recipe_device (recipe, device, props ("driver", "s", "usb-ccid", NULL), error);
    case CONTROLLER_FDC:
      return TRUE; /* part of the machine, or added with its first drive: see device-disk.c */
    default:
      return qemu_unsupported (device, error, "controllers of type '%s' are not supported by the QEMU target",
                               enum_table_name (&controller_types, controller->type));
  }
}

static gboolean
can_be_plugged (const DeviceController *controller)
{
  return controller->type == CONTROLLER_SCSI || controller->type == CONTROLLER_VIRTIO_SERIAL
         || controller->type == CONTROLLER_USB;
}

gboolean
controller_can_attach (const Device *device, GError **error)
{
  const DeviceController *controller = (const DeviceController *)device;

  if (can_be_plugged (controller))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "'%s' controller cannot be hot plugged.",
                  enum_table_name (&controller_types, controller->type));
  return FALSE;
}

/* Does @device sit on the controller? */
static gboolean
is_user (const DeviceController *controller, const Device *device)
{
  const DeviceAddress *address = &device->address;

  switch (address->type) {
    case ADDRESS_DRIVE:
      return device->kind->drive_controller != NULL
             && device->kind->drive_controller (device) == controller->type
             && address->controller.value == controller->index.value;
    case ADDRESS_VIRTIO_SERIAL:
      return controller->type == CONTROLLER_VIRTIO_SERIAL
             && address->controller.value == controller->index.value;
    case ADDRESS_USB:
      return controller->type == CONTROLLER_USB && address->bus.value == controller->index.value;
    default:
      return FALSE;
  }
}

gboolean
controller_can_detach (const DomainDef *def, const Device *device, GError **error)
{
  const DeviceController *controller = (const DeviceController *)device;

  if (!can_be_plugged (controller)) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "'%s' controller cannot be hot unplugged.",
                    enum_table_name (&controller_types, controller->type));
    return FALSE;
  }
  for (guint i = 0; i < def->devices->len; i++)
    if (is_user (controller, g_ptr_array_index (def->devices, i))) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "device cannot be detached: device is busy");
      return FALSE;
    }
  return TRUE;
}
