/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Devices of the host. PCI and mediated devices QEMU takes from VFIO, by a name below /sys; of the others it
 * is given the node: a USB device's, a SCSI unit's, that of the kernel's SCSI targets. Which node that is was
 * found by the daemon, and is written in the device; where nobody has looked, a USB device is named to QEMU
 * as the document names it.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/host-device.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/interface.h"

#include <string.h>

#define MDEV_DIRECTORY "/sys/bus/mdev/devices"
#define NODE_NAME_MAX  31 /* of a block node, in bytes */
#define ISCSI_PORT     3260

static void
add_rom (Recipe *recipe, JsonObject *properties, int enabled, int bar, const char *file)
{
  if (enabled == TRISTATE_NO) {
    props_add (properties, "romfile", "s", "", NULL);
    return;
  }
  if (bar != TRISTATE_ABSENT)
    props_add (properties, "rombar", "i", bar == TRISTATE_YES, NULL);
  if (file != NULL)
    props_add (properties, "romfile", "s", recipe_file_by_name (recipe, file, "PCI option ROM"), NULL);
}

static gboolean
check_driver (int driver, GError **error)
{
  if (driver == HOSTDEV_DRIVER_NONE || driver == HOSTDEV_DRIVER_VFIO)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "invalid PCI passthrough type '%s': QEMU has 'vfio'",
                  enum_table_name (&hostdev_drivers, driver));
  return FALSE;
}

/* One with a display of its own for the firmware cannot be plugged in, and has another driver. */
static const char *
vfio_driver (int ramfb)
{
  return ramfb == TRISTATE_YES ? "vfio-pci-nohotplug" : "vfio-pci";
}

static gboolean
add_pci (Recipe *recipe, const DeviceHostdev *hostdev, GError **error)
{
  const Device *device = &hostdev->device;
  const char *driver = vfio_driver (hostdev->ramfb);
  g_autofree char *name = host_pci_name (&hostdev->pci);
  JsonObject *properties;

  if (!check_driver (hostdev->driver, error) || !qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  properties =
      props ("driver", "s", driver, "host", "s", name, "failover_pair_id", "?s", hostdev->teaming_persistent,
             "display", "O", hostdev->display, "ramfb", "T", hostdev->ramfb, NULL);
  add_rom (recipe, properties, hostdev->rom_enabled, hostdev->rom_bar, hostdev->rom_file);
  return recipe_device (recipe, device, properties, error);
}

static gboolean
add_mdev (Recipe *recipe, const DeviceHostdev *hostdev, GError **error)
{
  const char *driver = hostdev->mdev_model == MDEV_VFIO_PCI
                           ? vfio_driver (hostdev->ramfb)
                           : enum_table_name (&mdev_models, hostdev->mdev_model);
  g_autofree char *path = g_build_filename (MDEV_DIRECTORY, hostdev->uuid, NULL);

  if (!qemu_needs_type (recipe, &hostdev->device, driver, error))
    return FALSE;
  return recipe_device (recipe, &hostdev->device,
                        props ("driver", "s", driver, "sysfsdev", "s", path, "display", "O", hostdev->display,
                               "ramfb", "T", hostdev->ramfb, NULL),
                        error);
}

/* (transfer full) */
static char *
device_node (const Recipe *recipe, const char *node)
{
  const char *host = recipe_host (recipe)->host_directory;

  return g_build_filename (host != NULL ? host : "/", "dev", node, NULL);
}

/* Of a device that is not at its place, nothing is said: the guest starts without it. */
static gboolean
add_usb (Recipe *recipe, const Device *device, const HostUsb *usb, int guest_reset, GError **error)
{
  JsonObject *properties;
  g_autofree char *node = NULL, *path = NULL;

  if (!qemu_needs_type (recipe, device, "usb-host", error))
    return FALSE;
  if (!usb->bus.set && recipe_by_descriptor (recipe)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "USB host device is missing bus/device information");
    return FALSE;
  }
  node = g_strdup_printf ("bus/usb/%03u/%03u", (guint)usb->bus.value, (guint)usb->device.value);
  path = device_node (recipe, node);
  properties = props ("driver", "s", "usb-host", NULL);
  if (usb->bus.set)
    props_add (properties, "hostdevice", "s",
               recipe_file (recipe, path, TRUE, device, "USB device of the host"), NULL);
  else
    props_add (properties, "vendorid", "u", (guint)usb->vendor.value, "productid", "u",
               (guint)usb->product.value, NULL);
  if (guest_reset != GUEST_RESET_NONE)
    props_add (properties, "guest-reset", "b", guest_reset != GUEST_RESET_OFF, NULL);
  if (guest_reset > GUEST_RESET_OFF)
    props_add (properties, "guest-resets-all", "b", guest_reset == GUEST_RESET_ON, NULL);
  return recipe_device (recipe, device, properties, error);
}

/* As libvirt names it where the command line is for people. A running machine's has to be known again when
 * other nodes have come and gone: there it goes by the device. */
static char *
node_name (const Recipe *recipe, const Device *device)
{
  guint number = recipe_disk_nodes (recipe);
  g_autofree char *name = g_strconcat (device->alias, "-backend", NULL);

  if (recipe_by_descriptor (recipe))
    return strlen (name) <= NODE_NAME_MAX
               ? g_steal_pointer (&name)
               : g_strdup_printf ("hostdev-%08x-backend", g_str_hash (device->alias));
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), hostdev_kind, const Device, other) {
    number += device_host_type (other) == HOSTDEV_SCSI;
    if (other == device)
      break;
  }
  return g_strdup_printf ("libvirt-%u-backend", number);
}

/* "iqn.1992-01.com.example:storage/1": the target, and the unit behind the slash. */
static JsonObject *
make_iscsi (Recipe *recipe, const DeviceHostdev *hostdev, const char *node, GError **error)
{
  const DiskSecret key = { hostdev->secret_type, hostdev->secret_uuid, hostdev->secret_usage };
  g_autofree char *secret = hostdev->auth_user != NULL ? g_strconcat (node, "-secret0", NULL) : NULL;
  const HostdevIscsiHost *host = g_ptr_array_index (hostdev->iscsi_hosts, 0);
  g_auto (GStrv) parts = g_strsplit (hostdev->iscsi_name, "/", 2);
  g_autofree char *portal = NULL;
  guint64 unit;

  if (!parse_uint (parts[1], G_MAXUINT32, &unit)) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR,
                    "cannot parse target for lunStr '%s': expected TARGET/UNIT with a number as unit",
                    hostdev->iscsi_name);
    return NULL;
  }
  if (secret != NULL)
    recipe_add_secret (recipe, &hostdev->device, secret, &key);
  portal =
      g_strdup_printf ("%s:%" G_GUINT64_FORMAT, host->name, host->port.set ? host->port.value : ISCSI_PORT);
  return props ("driver", "s", "iscsi", "portal", "s", portal, "target", "s", parts[0], "lun", "u",
                (guint)unit, "transport", "s", "tcp", "user", "?s", hostdev->auth_user, "password-secret",
                "?s", secret, "initiator-name", "?s", hostdev->initiator, NULL);
}

static JsonObject *
make_generic (Recipe *recipe, const DeviceHostdev *hostdev)
{
  g_autofree char *name = g_strdup_printf ("sg%" G_GUINT64_FORMAT, hostdev->generic.value);
  g_autofree char *path = device_node (recipe, name);

  if (!hostdev->generic.set) {
    recipe_refuse (recipe, &hostdev->device, "<source>",
                   "which /dev/sg the SCSI device %s:%u:%u:%" G_GUINT64_FORMAT
                   " has is known only on its host, when the machine is started",
                   hostdev->adapter, (guint)hostdev->scsi_bus.value, (guint)hostdev->scsi_target.value,
                   hostdev->scsi_unit.value);
    return NULL;
  }
  return props ("driver", "s", "host_device", "filename", "s",
                recipe_file (recipe, path, TRUE, &hostdev->device, "SCSI device of the host"), NULL);
}

static gboolean
add_scsi_device (Recipe *recipe, const DeviceHostdev *hostdev, const char *node, GError **error)
{
  const DeviceAddress *address = &hostdev->device.address;
  const char *controller = recipe_controller_bus (recipe, CONTROLLER_SCSI, address->controller.value);
  JsonObject *properties = props ("driver", "s", "scsi-generic", "drive", "s", node, NULL);
  g_autofree char *bus = g_strconcat (controller, ".0", NULL);
  gboolean is_narrow = FALSE;

  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), controller_kind, const DeviceController, other) {
    if (other->type == CONTROLLER_SCSI && other->index.value == address->controller.value)
      is_narrow = other->model == SCSI_LSILOGIC;
  }
  props_add (properties, "bus", "s", bus, NULL);
  if (is_narrow)
    props_add (properties, "scsi-id", "u", (guint)address->unit.value, NULL);
  else
    props_add (properties, "channel", "u", 0U, "scsi-id", "u", (guint)address->target.value, "lun", "u",
               (guint)address->unit.value, NULL);
  return recipe_device (recipe, &hostdev->device, properties, error);
}

static gboolean
add_scsi (Recipe *recipe, const DeviceHostdev *hostdev, GError **error)
{
  g_autofree char *node = node_name (recipe, &hostdev->device);
  JsonObject *backend;

  if (hostdev->rawio == TRISTATE_YES)
    return recipe_refuse (recipe, &hostdev->device,
                          "rawio=", "rawio= is not supported yet by the QEMU target");
  if (!qemu_needs_type (recipe, &hostdev->device, "scsi-generic", error))
    return FALSE;
  backend = hostdev->scsi_source == SCSI_SOURCE_ISCSI ? make_iscsi (recipe, hostdev, node, error)
                                                      : make_generic (recipe, hostdev);
  if (backend == NULL)
    return FALSE;
  props_add (backend, "node-name", "s", node, "read-only", "b", hostdev->readonly, NULL);
  recipe_step (recipe, STEP_BLOCKDEV, backend);
  return add_scsi_device (recipe, hostdev, node, error);
}

static gboolean
add_scsi_host (Recipe *recipe, const DeviceHostdev *hostdev, GError **error)
{
  const char *driver = virtio_driver ("vhost-scsi-pci", hostdev->scsi_model);
  JsonObject *properties;

  if (!qemu_needs_type (recipe, &hostdev->device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, "wwpn", "s", hostdev->wwpn, NULL);
  if (recipe_by_descriptor (recipe))
    props_add (properties, "vhostfd", "s", recipe_passed (recipe, &hostdev->device, HOSTDEV_VHOST_SCSI),
               NULL);
  return recipe_device (recipe, &hostdev->device, properties, error);
}

/* Taken from the host, or not there, and not seen by the guest. */
gboolean
hostdev_has_no_device (const Device *device)
{
  return device->address.type == ADDRESS_UNASSIGNED
         || ((const DeviceHostdev *)device)->missing == TRISTATE_YES;
}

gboolean
recipe_add_hostdev (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceHostdev *hostdev = (const DeviceHostdev *)device;

  if (hostdev_has_no_device (device))
    return TRUE;
  switch (hostdev->type) {
    case HOSTDEV_USB:
      return add_usb (recipe, device, &hostdev->usb, hostdev->guest_reset, error);
    case HOSTDEV_PCI:
      return add_pci (recipe, hostdev, error);
    case HOSTDEV_SCSI:
      return add_scsi (recipe, hostdev, error);
    case HOSTDEV_SCSI_HOST:
      return add_scsi_host (recipe, hostdev, error);
    case HOSTDEV_MDEV:
      return add_mdev (recipe, hostdev, error);
    default:
      return qemu_unsupported (device, error, "hostdev mode 'capabilities' is not supported in qemu");
  }
}

gboolean
recipe_add_host_interface (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceInterface *interface = (const DeviceInterface *)device;
  const HostPci *pci = device_host_pci (device);
  g_autofree char *name = NULL;
  JsonObject *properties;

  if (interface->type != INTERFACE_HOSTDEV)
    return TRUE;
  if (pci == NULL)
    return add_usb (recipe, device, &interface->host_usb, GUEST_RESET_NONE, error);
  if (!check_driver (interface->host_driver, error) || !qemu_needs_type (recipe, device, "vfio-pci", error))
    return FALSE;
  name = host_pci_name (pci);
  properties = props ("driver", "s", "vfio-pci", "host", "s", name, "failover_pair_id", "?s",
                      interface->teaming_persistent, NULL);
  add_rom (recipe, properties, interface->rom_enabled, interface->rom_bar, interface->rom_file);
  return recipe_device (recipe, device, properties, error);
}

gboolean
hostdev_can_attach (const Device *device, GError **error)
{
  const DeviceHostdev *hostdev = (const DeviceHostdev *)device;

  if (hostdev->ramfb != TRISTATE_YES)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                  "live attach of device 'hostdev' with ramfb='on' is not supported");
  return FALSE;
}
