/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Devices of the host in a running machine. Where they are is looked up just before QEMU is told, and becomes
 * part of the live definition; taking them from the host comes after everything about them is known.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/host-devices.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "daemon/drivers/qemu/machine-tuning.h"
#include "daemon/drivers/qemu/running-kinds.h"

#include "daemon/host/host-find.h"
#include "domain/devices/disk.h"
#include "domain/devices/host-device.h"
#include "domain/devices/hostdev.h"

/* An optional one may be missing, and at the restore of a saved machine one that was only required at its
 * start. */
static gboolean
choose_usb (DeviceHostdev *hostdev, LiveValues *values, GError **error)
{
  gboolean may_miss = hostdev->startup_policy == STARTUP_OPTIONAL
                      || (hostdev->startup_policy == STARTUP_REQUISITE && values->restoring);
  UsbPlace place = { (guint)hostdev->usb.vendor.value, (guint)hostdev->usb.product.value,
                     (guint)hostdev->usb.bus.value, (guint)hostdev->usb.device.value };

  if (!host_usb_find (values->host, &place, may_miss, error))
    return FALSE;
  if (place.bus == 0) {
    hostdev->missing = TRISTATE_YES;
    hostdev->usb.bus.set = hostdev->usb.device.set = FALSE;
    return TRUE;
  }
  hostdev->usb.bus = NUMBER (place.bus);
  hostdev->usb.device = NUMBER (place.device);
  return TRUE;
}

gboolean
running_hostdev_choose (Device *device, LiveValues *values, GError **error)
{
  DeviceHostdev *hostdev = (DeviceHostdev *)device;
  guint number = 0;

  if (hostdev->type == HOSTDEV_USB)
    return choose_usb (hostdev, values, error);
  if (hostdev->type != HOSTDEV_SCSI || hostdev->scsi_source != SCSI_SOURCE_NONE)
    return TRUE;
  if (!host_scsi_generic (values->host, hostdev->adapter, (guint)hostdev->scsi_bus.value,
                          (guint)hostdev->scsi_target.value, hostdev->scsi_unit.value, &number, error))
    return FALSE;
  hostdev->generic = NUMBER (number);
  return TRUE;
}

/* The guest's memory is locked for the device, which a process may only do so far. */
static gboolean
allow_more_locking (const Plugging *plugging, const DomainDef *def, GError **error)
{
  g_autofree char *json = NULL, *xml = NULL;
  g_autoptr (MachineStatus) status = NULL;

  if (!store_load_status (plugging->plug->store, def->uuid, &json, &xml, error))
    return FALSE;
  status = machine_status_from_json (json, error);
  return status != NULL && tuning_allow_locking (def, status->pid, error);
}

gboolean
running_hostdev_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Settings *settings = plugging->plug->settings;
  g_autoptr (Account) account = account_for_machine (settings, def->uuid, (int)def->id.value, error);

  if (account == NULL || !host_device_take (settings, def, device, account, error))
    return FALSE;
  if (host_devices_offer (def, settings->host_directory, &plugging->files, error)
      && allow_more_locking (plugging, def, error))
    return TRUE;
  host_device_give_back (settings, def, device);
  return FALSE;
}

void
running_hostdev_close (const Plugging *plugging, const DomainDef *def, const Device *device)
{
  host_device_give_back (plugging->plug->settings, def, device);
}
