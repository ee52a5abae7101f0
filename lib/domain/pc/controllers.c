/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The controllers that devices need. A disk on controller 2 of a bus makes controllers 0 to 2 of that bus; a
 * virtio channel makes the virtio-serial controller it names. Where they then stand among the others is
 * controller-order.c's.
 *
 * PCI controllers are not made here: how many are needed shows only while PCI addresses are given out.
 */
#include "domain/pc/controllers.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/host-device.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/smartcard.h"
#include "domain/pc/address-assign.h"

DeviceController *
controllers_find (const DomainDef *def, ControllerType type, guint64 index)
{
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == (int)type && controller->index.set && controller->index.value == index)
      return controller;
  }
  return NULL;
}

gboolean
controllers_have (const DomainDef *def, ControllerType type)
{
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == (int)type)
      return TRUE;
  }
  return FALSE;
}

guint
controllers_unused_index (const DomainDef *def, ControllerType type)
{
  g_autoptr (GHashTable) table = controller_table_new (def);
  guint index = 0;

  while (controller_table_find (table, type, index) != NULL)
    index++;
  return index;
}

DeviceController *
controllers_require (Completion *completion, ControllerType type, guint64 index, const Device *because)
{
  DeviceController *controller = controllers_find (completion->def, type, index);

  if (controller)
    return controller;

  if (index > CONTROLLER_INDEX_MAX) {
    g_autofree char *user = device_describe (because);

    completion_error (completion, &because->address, because,
                      "%s asks for %s controller %" G_GUINT64_FORMAT ", but controllers end at %d", user,
                      enum_table_name (&controller_types, type), index, CONTROLLER_INDEX_MAX);
    return NULL;
  }

  controller = (DeviceController *)completion_add (completion, &controller_kind);
  controller->type = type;
  controller->index = NUMBER (index);
  if (type == CONTROLLER_SCSI)
    controller->model = controller_default_model (completion, CONTROLLER_SCSI);
  return controller;
}

/* Controllers 0 to the highest one a disk of @bus sits on. */
static void
require_disk_controllers (Completion *completion, DiskBus bus, ControllerType type)
{
  const DeviceDisk *highest = NULL;

  DOMAIN_FOREACH_DEVICE (completion->def, disk_kind, DeviceDisk, disk) {
    const DeviceAddress *address = &disk->device.address;

    if (disk->bus == (int)bus && address->type == ADDRESS_DRIVE
        && (!highest || address->controller.value > highest->device.address.controller.value))
      highest = disk;
  }
  if (!highest)
    return;

  for (guint64 index = 0; index <= highest->device.address.controller.value; index++) {
    if (!controllers_require (completion, type, index, &highest->device))
      return;
  }
}

static void
require_virtio_serial_controllers (Completion *completion)
{
  for (guint i = 0; i < completion->def->devices->len; i++) {
    const Device *device = g_ptr_array_index (completion->def->devices, i);
    gboolean on_virtio_serial =
        (device->kind == &channel_kind && ((const DeviceChannel *)device)->target == CHANNEL_VIRTIO)
        || (device->kind == &console_kind && ((const DeviceConsole *)device)->target == CONSOLE_VIRTIO);

    if (on_virtio_serial)
      controllers_require (
          completion, CONTROLLER_VIRTIO_SERIAL,
          device->address.type == ADDRESS_VIRTIO_SERIAL ? device->address.controller.value : 0, device);
  }
}

/* A reader, and in it a slot, for each smartcard. */
static void
require_smartcard_readers (Completion *completion)
{
  guint64 slot = 0;

  DOMAIN_FOREACH_DEVICE (completion->def, smartcard_kind, DeviceSmartcard, smartcard) {
    DeviceAddress *address = &smartcard->device.address;

    if (completion_is_invalid (completion, smartcard))
      continue;
    if (address->type == ADDRESS_NONE) {
      address->type = ADDRESS_CCID;
      address->controller = NUMBER (0);
      address->slot = NUMBER (slot++);
    }
    if (address->type == ADDRESS_CCID)
      controllers_require (completion, CONTROLLER_CCID, address->controller.value, &smartcard->device);
  }
}

void
complete_hostdev_controllers (Completion *completion)
{
  const Device *highest = NULL;
  const DeviceController *known;
  int model = CONTROLLER_MODEL_NONE;

  assign_drive_addresses (completion);
  assign_scsi_hostdev_addresses (completion);
  DOMAIN_FOREACH_DEVICE (completion->def, hostdev_kind, const Device, device) {
    guint64 index = device->address.controller.value;

    if (device_host_type (device) != HOSTDEV_SCSI || (highest && index <= highest->address.controller.value))
      continue;
    highest = device;
    known = controllers_find (completion->def, CONTROLLER_SCSI, index);
    if (known && known->model != CONTROLLER_MODEL_NONE)
      model = known->model;
  }
  for (guint64 index = 0; highest && index <= highest->address.controller.value; index++) {
    gboolean is_there = controllers_find (completion->def, CONTROLLER_SCSI, index) != NULL;
    DeviceController *controller = controllers_require (completion, CONTROLLER_SCSI, index, highest);

    if (!controller)
      return;
    if (!is_there && model != CONTROLLER_MODEL_NONE)
      controller->model = model;
  }
}

void
complete_controllers (Completion *completion)
{
  /* Which controller a disk needs follows from its target's name, so drives have their addresses first. */
  assign_drive_addresses (completion);

  require_disk_controllers (completion, DISK_BUS_SCSI, CONTROLLER_SCSI);
  require_disk_controllers (completion, DISK_BUS_FDC, CONTROLLER_FDC);
  require_disk_controllers (completion, DISK_BUS_IDE, CONTROLLER_IDE);
  require_disk_controllers (completion, DISK_BUS_SATA, CONTROLLER_SATA);
  require_virtio_serial_controllers (completion);
  require_smartcard_readers (completion);
}
