/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be plugged into a running QEMU and taken out again. Each kind says it of its devices in its row of
 * qemu_device_kinds; here is what holds for all: a kind without a word cannot, and what shares a PCI slot or
 * sits where the guest cannot unplug stays.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"

gboolean
can_always_attach (const Device *device G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  return TRUE;
}

gboolean
can_always_detach (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED,
                   GError **error G_GNUC_UNUSED)
{
  return TRUE;
}

/* What is at a place of the machine's memory is there from the start to the end. */
static gboolean
check_place (const Device *device, const char *what, GError **error)
{
  g_autofree char *name = NULL;

  if (device->address.type != ADDRESS_VIRTIO_MMIO)
    return TRUE;
  name = device_describe (device);
  virt_error_set (
      error, VIR_ERR_OPERATION_UNSUPPORTED,
      "cannot hot %s %s: its place is in the machine's memory (virtio-mmio), where devices cannot come "
      "and go; those at PCI addresses can",
      what, name);
  return FALSE;
}

gboolean
qemu_can_attach (const Device *device, GError **error)
{
  const QemuDeviceKind *row = qemu_device_kind (device->kind);

  if (row != NULL && row->can_attach != NULL)
    return row->can_attach (device, error) && check_place (device, "plug", error);
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live attach of device '%s' is not supported",
                  device->kind->element);
  return FALSE;
}

gboolean
qemu_has_guest_device (const Device *device)
{
  const QemuDeviceKind *row = qemu_device_kind (device->kind);

  return row == NULL || row->has_no_device == NULL || !row->has_no_device (device);
}

/* The controller of its slot, or NULL. */
static const DeviceController *
pci_controller_of (const DomainDef *def, const DeviceAddress *address)
{
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == CONTROLLER_PCI && controller->index.value == address->bus.value)
      return controller;
  }
  return NULL;
}

static gboolean
shares_slot (const DomainDef *def, const Device *device)
{
  const DeviceAddress *address = &device->address;

  for (guint i = 0; i < def->devices->len; i++) {
    const Device *other = g_ptr_array_index (def->devices, i);

    if (other != device && other->address.type == ADDRESS_PCI
        && other->address.bus.value == address->bus.value && other->address.slot.value == address->slot.value)
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_slot (const DomainDef *def, const Device *device, GError **error)
{
  const DeviceController *controller;
  const char *problem = NULL;
  g_autofree char *where = NULL;

  if (device->address.type != ADDRESS_PCI)
    return TRUE;
  where = device_address_to_text (&device->address);
  if (shares_slot (def, device)) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot hot unplug %s device with multifunction PCI guest address: %s",
                    device->kind->element, where);
    return FALSE;
  }
  controller = pci_controller_of (def, &device->address);
  if (controller == NULL)
    problem = "controller not found";
  else if (controller->model == PCIE_ROOT || controller->hotplug == TRISTATE_NO)
    problem = "not allowed by controller";
  if (problem != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "cannot hot unplug %s device with PCI guest address: %s - %s", device->kind->element,
                    where, problem);
  return problem == NULL;
}

gboolean
qemu_can_detach (const DomainDef *def, const Device *device, GError **error)
{
  const QemuDeviceKind *row = qemu_device_kind (device->kind);

  if (device->alias == NULL || row == NULL || row->can_detach == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live detach of device '%s' is not supported",
                    device->kind->element);
    return FALSE;
  }
  return row->can_detach (def, device, error) && check_place (device, "unplug", error)
         && check_slot (def, device, error);
}
