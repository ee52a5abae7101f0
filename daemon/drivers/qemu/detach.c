/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A device taken out of a running machine. Asking and being done are two things: the guest has to let go of
 * it, and may take its time or refuse. What was behind the device goes only when it is gone, by its recipe
 * backwards; block nodes and descriptors that no recipe can name any more are found by what QEMU says it has.
 */
#include "daemon/drivers/qemu/attach-private.h"

#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/redirdev.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/watchdog.h"

#define CHAIN_MAX 64 /* images below a disk's */

gboolean
detach_needs_guest (const Device *device)
{
  return device->kind != &channel_kind || ((const DeviceChannel *)device)->target != CHANNEL_GUESTFWD;
}

/* Does another device sit on the controller? */
static gboolean
is_busy (const DomainDef *def, const DeviceController *controller)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);
    const DeviceAddress *address = &device->address;

    if (controller->type == CONTROLLER_SCSI && address->type == ADDRESS_DRIVE && device->kind == &disk_kind
        && ((const DeviceDisk *)device)->bus == DISK_BUS_SCSI
        && address->controller.value == controller->index.value)
      return TRUE;
    if (controller->type == CONTROLLER_VIRTIO_SERIAL && address->type == ADDRESS_VIRTIO_SERIAL
        && address->controller.value == controller->index.value)
      return TRUE;
    if (controller->type == CONTROLLER_USB && address->type == ADDRESS_USB
        && address->bus.value == controller->index.value)
      return TRUE;
  }
  return FALSE;
}

static const char *
removable_controller_problem (const DomainDef *def, const DeviceController *controller,
                              virErrorNumber *ret_code)
{
  if (controller->type != CONTROLLER_SCSI && controller->type != CONTROLLER_VIRTIO_SERIAL
      && controller->type != CONTROLLER_USB) {
    *ret_code = VIR_ERR_OPERATION_UNSUPPORTED;
    return "controller cannot be hot unplugged.";
  }
  if (is_busy (def, controller)) {
    *ret_code = VIR_ERR_OPERATION_FAILED;
    return "busy";
  }
  return NULL;
}

static gboolean
check_controller (const DomainDef *def, const DeviceController *controller, GError **error)
{
  virErrorNumber code = VIR_ERR_OK;
  const char *problem = removable_controller_problem (def, controller, &code);

  if (problem == NULL)
    return TRUE;
  if (code == VIR_ERR_OPERATION_FAILED)
    virt_error_set (error, code, "device cannot be detached: device is busy");
  else
    virt_error_set (error, code, "'%s' %s", enum_table_name (&controller_types, controller->type), problem);
  return FALSE;
}

static gboolean
check_disk (const DeviceDisk *disk, GError **error)
{
  gboolean plain = disk->device_type == DISK_DEVICE_DISK || disk->device_type == DISK_DEVICE_LUN;

  if (disk->bus == DISK_BUS_SCSI || disk->bus == DISK_BUS_USB || (plain && disk->bus == DISK_BUS_VIRTIO))
    return TRUE;
  if (plain)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "This type of disk cannot be hot unplugged");
  else
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "disk device type '%s' cannot be detached",
                    enum_table_name (&disk_devices, disk->device_type));
  return FALSE;
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
detach_is_possible (const DomainDef *def, const Device *device, GError **error)
{
  const DeviceKind *kind = device->kind;
  const DeviceInput *input = (const DeviceInput *)device;

  if (device->alias == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live detach of device '%s' is not supported",
                    kind->element);
    return FALSE;
  }
  if (kind == &disk_kind) {
    if (!check_disk ((const DeviceDisk *)device, error))
      return FALSE;
  } else if (kind == &controller_kind) {
    if (!check_controller (def, (const DeviceController *)device, error))
      return FALSE;
  } else if (kind == &console_kind && ((const DeviceConsole *)device)->target != CONSOLE_VIRTIO) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "detaching serial console is not supported");
    return FALSE;
  } else if (kind == &input_kind && input->bus != INPUT_BUS_USB && input->bus != INPUT_BUS_VIRTIO) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "input device on bus '%s' cannot be detached",
                    enum_table_name (&input_buses, input->bus));
    return FALSE;
  } else if (kind != &interface_kind && kind != &rng_kind && kind != &channel_kind && kind != &serial_kind
             && kind != &parallel_kind && kind != &console_kind && kind != &input_kind
             && kind != &watchdog_kind && kind != &redirdev_kind) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live detach of device '%s' is not supported",
                    kind->element);
    return FALSE;
  }
  return check_slot (def, device, error);
}

gboolean
detach_ask (Job *job, const Hotplug *plug, const Device *device, GError **error)
{
  g_autoptr (JsonNode) answer =
      qmp_call (plug->qmp, job, "device_del", props ("id", "s", device->alias, NULL), error);

  return answer != NULL;
}

static gboolean
remove_node (Plugging *plugging, guint64 number, const char *layer)
{
  g_autofree char *name = g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-%s", number, layer);

  return plugging_tell (plugging, "blockdev-del", props ("node-name", "s", name, NULL), NULL);
}

/* The images below have the numbers that follow, without a gap. One that is another disk's is in use, and
 * QEMU keeps it. */
void
plugging_remove_chain (Plugging *plugging, guint64 index)
{
  for (guint64 number = index + 1; number <= index + CHAIN_MAX; number++)
    if (!remove_node (plugging, number, "format") || !remove_node (plugging, number, "storage"))
      return;
}

gboolean
detach_remove_backend (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device,
                       gboolean partly, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (DomainDef) copy = domain_def_copy (def); /* making a recipe may choose values in it */
  guint index = 0;
  Device *own;

  g_ptr_array_find (def->devices, device, &index);
  own = g_ptr_array_index (copy->devices, index);
  plugging_init (&plugging, job, plug);
  g_autoptr (GArray) sets = plugging_sets_of (&plugging, own->alias, error);
  if (sets == NULL || !plugging_add (&plugging, copy, own, RECIPE_BY_PATH, error))
    return FALSE;

  for (guint i = recipe_step_count (plugging.recipe); i > 0; i--) {
    const Step *step = recipe_get_step (plugging.recipe, i - 1);
    g_autoptr (GError) problem = NULL;

    if (step->kind != STEP_DEVICE && !plugging_undo_step (&plugging, step, &problem) && !partly)
      g_warning ("domain '%s': a part of %s stays behind: %s", def->name, own->alias, problem->message);
  }
  if (own->kind == &disk_kind && ((DeviceDisk *)own)->source_index.set)
    plugging_remove_chain (&plugging, ((DeviceDisk *)own)->source_index.value);
  plugging_remove_sets (&plugging, sets);
  return job_check (job, error);
}

gboolean
detach_has_peripheral (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (DomainDef) copy = domain_def_copy (def);
  guint index = 0;

  g_ptr_array_find (def->devices, device, &index);
  plugging_init (&plugging, job, plug);
  if (!plugging_add (&plugging, copy, g_ptr_array_index (copy->devices, index), RECIPE_BY_PATH, NULL))
    return FALSE;
  for (guint i = 0; i < recipe_step_count (plugging.recipe); i++) {
    const Step *step = recipe_get_step (plugging.recipe, i);

    if (step->kind == STEP_DEVICE
        && g_strcmp0 (json_object_get_string_member_with_default (step->properties, "id", NULL),
                      device->alias)
               == 0)
      return TRUE;
  }
  return FALSE;
}
