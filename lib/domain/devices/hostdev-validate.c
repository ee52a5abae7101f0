/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What must hold of a <hostdev>, in libvirt's words. Whether the host has the device, and whether it may be
 * taken, is seen at the start.
 */

#include "domain/devices/hostdev-validate.h"

#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "domain/report.h"

#include <string.h>

#define WWPN_PREFIX "naa."
#define WWPN_DIGITS 16

#define REFUSE(member, ...) validation_error (validation, &hostdev->member, hostdev, __VA_ARGS__)
#define REFUSE_AS(code, member, ...) \
  validation_error_code (validation, code, &hostdev->member, hostdev, __VA_ARGS__)
#define REFUSE_XML(member, ...) REFUSE_AS (VIR_ERR_XML_ERROR, member, __VA_ARGS__)

static gboolean
is_run_by_qemu (const Validation *validation)
{
  return validation->def->type == VIRT_TYPE_QEMU || validation->def->type == VIRT_TYPE_KVM;
}

static void
validate_mode (Validation *validation, const DeviceHostdev *hostdev)
{
  gboolean of_capabilities = hostdev->type >= HOSTDEV_STORAGE;

  if ((hostdev->mode == HOSTDEV_CAPABILITIES) != of_capabilities)
    REFUSE_XML (type,
                "Invalid value for attribute 'type' in element 'hostdev': '%s'. Expected with mode='%s': %s",
                enum_table_name (&hostdev_types, hostdev->type),
                hostdev->mode == HOSTDEV_CAPABILITIES ? "capabilities" : "subsystem",
                hostdev->mode == HOSTDEV_CAPABILITIES ? "'storage', 'misc' or 'net'"
                                                      : "'usb', 'pci', 'scsi', 'scsi_host' or 'mdev'");
}

static void
validate_capabilities (Validation *validation, const DeviceHostdev *hostdev)
{
  if (hostdev->type == HOSTDEV_STORAGE && hostdev->block == NULL)
    REFUSE_XML (block, "Missing <block> element in hostdev storage device");
  else if (hostdev->type == HOSTDEV_MISC && hostdev->character == NULL)
    REFUSE_XML (character, "Missing <char> element in hostdev character device");
  else if (hostdev->type == HOSTDEV_NET && hostdev->net_device == NULL)
    REFUSE_XML (net_device, "Missing <interface> element in hostdev net device");
  else if (is_run_by_qemu (validation))
    REFUSE (mode, "hostdev mode 'capabilities' is not supported in qemu");
}

static void
validate_usb (Validation *validation, const DeviceHostdev *hostdev)
{
  const HostUsb *usb = &hostdev->usb;

  if (!usb->vendor.set && !usb->product.set && !usb->bus.set && !usb->device.set)
    REFUSE_XML (usb.vendor, "Missing <source> element in hostdev device");
  else if (usb->product.set && !usb->vendor.set)
    REFUSE_AS (VIR_ERR_INTERNAL_ERROR, usb.vendor, "missing vendor");
  else if (usb->vendor.set && !usb->product.set)
    REFUSE_AS (VIR_ERR_INTERNAL_ERROR, usb.product, "missing product");
  else if (usb->bus.set != usb->device.set)
    REFUSE_XML (usb.bus, "Missing required attribute '%s' in element 'address'",
                usb->bus.set ? "device" : "bus");
  if (usb->vendor.set && usb->vendor.value == 0)
    REFUSE_XML (usb.vendor, "Invalid value for attribute 'id' in element 'vendor': Zero is not permitted");
  if (usb->product.set && usb->product.value == 0)
    REFUSE_XML (usb.product, "Invalid value for attribute 'id' in element 'product': Zero is not permitted");
}

static void
validate_iscsi (Validation *validation, const DeviceHostdev *hostdev)
{
  if (hostdev->iscsi_name == NULL)
    REFUSE_XML (iscsi_name, "missing iSCSI hostdev source path name");
  else if (hostdev->iscsi_hosts == NULL)
    REFUSE_XML (iscsi_hosts, "missing the host address for the iSCSI hostdev");
  else if (hostdev->iscsi_hosts->len > 1)
    REFUSE_XML (iscsi_hosts, "only one source host address may be specified for the iSCSI hostdev");
  if (hostdev->secret_type != NULL && hostdev->auth_user == NULL)
    REFUSE_XML (auth_user, "missing username for auth");
  else if (hostdev->secret_type != NULL && strcmp (hostdev->secret_type, "iscsi") != 0)
    REFUSE_AS (VIR_ERR_INTERNAL_ERROR, secret_type, "hostdev invalid secret type '%s'", hostdev->secret_type);
}

static void
validate_scsi (Validation *validation, const DeviceHostdev *hostdev)
{
  if (hostdev->scsi_source == SCSI_SOURCE_ISCSI)
    validate_iscsi (validation, hostdev);
  else if (!hostdev->scsi_bus.set && !hostdev->scsi_target.set && !hostdev->scsi_unit.set)
    REFUSE_XML (scsi_bus, hostdev->adapter != NULL ? "'address' must be specified for scsi hostdev source"
                                                   : "Missing <source> element in hostdev device");
  else if (hostdev->adapter == NULL)
    REFUSE_XML (adapter, "'adapter' name must be specified for scsi hostdev source");
  else if (!hostdev->scsi_bus.set || !hostdev->scsi_target.set || !hostdev->scsi_unit.set)
    REFUSE_XML (scsi_bus, "Missing required attribute '%s' in element 'address'",
                !hostdev->scsi_bus.set      ? "bus"
                : !hostdev->scsi_target.set ? "target"
                                            : "unit");
  if (hostdev->sgio == 2)
    REFUSE (sgio, "unfiltered sgio is no longer supported");
}

static void
validate_scsi_host (Validation *validation, const DeviceHostdev *hostdev)
{
  const char *wwpn = hostdev->wwpn;

  if (wwpn == NULL)
    REFUSE_XML (wwpn, "missing vhost-scsi hostdev source wwpn");
  else if (!g_str_has_prefix (wwpn, WWPN_PREFIX)
           || strspn (wwpn + strlen (WWPN_PREFIX), "0123456789abcdefABCDEF") != WWPN_DIGITS
           || strlen (wwpn) != strlen (WWPN_PREFIX) + WWPN_DIGITS)
    REFUSE_XML (wwpn, "malformed 'wwpn' value '%s': expected '" WWPN_PREFIX "' and %d hexadecimal digits",
                wwpn, WWPN_DIGITS);
}

static void
validate_mdev (Validation *validation, const DeviceHostdev *hostdev)
{
  guint8 uuid[UUID_BYTES];

  if (hostdev->uuid == NULL)
    REFUSE (uuid, "Missing 'uuid' attribute for element <address>");
  else if (!uuid_parse (hostdev->uuid, uuid))
    REFUSE_AS (VIR_ERR_INTERNAL_ERROR, uuid, "Cannot parse uuid attribute of element <address>: '%s'",
               hostdev->uuid);
}

/* The places in the guest that a device of that type can have. */
static void
validate_address (Validation *validation, const DeviceHostdev *hostdev)
{
  int address = hostdev->device.address.type;
  static const char *const names[] = { "none", "pci",       "drive",       "virtio-serial", "ccid",
                                       "usb",  "spapr-vio", "virtio-s390", "ccw",           "virtio-mmio",
                                       "isa",  "dimm",      "unassigned" };

  if (address == ADDRESS_NONE)
    return;
  if (hostdev->type == HOSTDEV_PCI && address != ADDRESS_PCI && address != ADDRESS_UNASSIGNED)
    REFUSE_AS (VIR_ERR_INTERNAL_ERROR, device.address,
               "PCI host devices must use 'pci' or 'unassigned' address type");
  else if (hostdev->type == HOSTDEV_USB && address != ADDRESS_USB)
    REFUSE (device.address, "USB host device must use 'usb' address type");
  else if (hostdev->type == HOSTDEV_SCSI && address != ADDRESS_DRIVE)
    REFUSE (device.address, "SCSI host device must use 'drive' address type");
  else if (hostdev->type == HOSTDEV_SCSI_HOST && address != ADDRESS_PCI && address != ADDRESS_CCW)
    REFUSE (device.address, "SCSI_host host device must use 'pci' or 'ccw' address type");
  else if (hostdev->type == HOSTDEV_MDEV && address != ADDRESS_PCI)
    REFUSE_XML (device.address, "Unsupported address type '%s' with mediated device model '%s'",
                names[address], enum_table_name (&mdev_models, hostdev->mdev_model));
}

/* What only some types have. */
static void
validate_extras (Validation *validation, const DeviceHostdev *hostdev)
{
  gboolean is_pci = hostdev->type == HOSTDEV_PCI || hostdev->type == HOSTDEV_MDEV;
  gboolean has_rom = hostdev->rom_bar != TRISTATE_ABSENT || hostdev->rom_file != NULL;

  if (hostdev->sgio != 0 && hostdev->type != HOSTDEV_SCSI)
    REFUSE_XML (sgio, "sgio is only supported for scsi host device");
  if (hostdev->rawio != TRISTATE_ABSENT && hostdev->type != HOSTDEV_SCSI)
    REFUSE_XML (rawio, "rawio is only supported for scsi host device");
  if (hostdev->other_model != NULL)
    REFUSE_XML (other_model,
                "'model' attribute in <hostdev> is only supported when type='mdev' or type='scsi_host'");
  if (hostdev->startup_policy != STARTUP_NONE && hostdev->type != HOSTDEV_USB)
    REFUSE (startup_policy, "Setting startupPolicy is only allowed for USB devices");
  if (hostdev->write_filtering != TRISTATE_ABSENT)
    REFUSE (write_filtering, "Write filtering of PCI device configuration space is not supported by qemu");
  if ((has_rom || hostdev->rom_enabled != TRISTATE_ABSENT) && !is_pci)
    REFUSE (rom_enabled, "ROM tuning is only supported for PCI devices");
  else if (has_rom && hostdev->rom_enabled == TRISTATE_NO)
    REFUSE (rom_enabled, "ROM tuning is not supported when ROM is disabled");
  if (hostdev->device.boot_order.set && hostdev->type == HOSTDEV_MDEV)
    REFUSE (device.boot_order,
            "booting from assigned devices is not supported by mediated devices of model %s",
            enum_table_name (&mdev_models, hostdev->mdev_model));
  if (hostdev->device.boot_order.set && hostdev->type == HOSTDEV_SCSI_HOST)
    REFUSE (device.boot_order, "booting from assigned devices is not supported by vhost SCSI devices");
}

static void
validate_teaming (Validation *validation, const DeviceHostdev *hostdev)
{
  if (hostdev->teaming == TEAMING_NONE)
    return;
  if (hostdev->teaming != TEAMING_TRANSIENT)
    REFUSE (teaming, "teaming hostdev devices must have type='transient'");
  else if (hostdev->teaming_persistent == NULL)
    REFUSE (teaming, "missing required persistent attribute in hostdev teaming element");
  else if (hostdev->type != HOSTDEV_PCI)
    REFUSE (teaming, "teaming is only supported for pci hostdev devices");
}

static void
validate_display (Validation *validation, const DeviceHostdev *hostdev)
{
  if (hostdev->display == TRISTATE_YES && domain_def_count_devices (validation->def, &graphics_kind) == 0
      && !validation_may_miss (validation, &graphics_kind))
    REFUSE (display, "graphics device is needed for attribute value 'display=on' in <hostdev>");
  if (hostdev->ramfb != TRISTATE_YES)
    return;
  DOMAIN_FOREACH_DEVICE (validation->def, hostdev_kind, const DeviceHostdev, other) {
    if (other == hostdev)
      break;
    if (other->ramfb == TRISTATE_YES) {
      REFUSE (ramfb, "Only one vgpu device can have 'ramfb' enabled");
      break;
    }
  }
}

void
hostdev_validate (Validation *validation, const Device *device)
{
  const DeviceHostdev *hostdev = (const DeviceHostdev *)device;

  validate_mode (validation, hostdev);
  if (hostdev->mode == HOSTDEV_CAPABILITIES) {
    validate_capabilities (validation, hostdev);
    return;
  }
  if (hostdev->type == HOSTDEV_PCI && !hostdev->pci.bus.set)
    REFUSE_XML (pci.bus, "Missing <source> element in hostdev device");
  else if (hostdev->type == HOSTDEV_USB)
    validate_usb (validation, hostdev);
  else if (hostdev->type == HOSTDEV_SCSI)
    validate_scsi (validation, hostdev);
  else if (hostdev->type == HOSTDEV_SCSI_HOST)
    validate_scsi_host (validation, hostdev);
  else if (hostdev->type == HOSTDEV_MDEV)
    validate_mdev (validation, hostdev);
  validate_address (validation, hostdev);
  validate_extras (validation, hostdev);
  validate_teaming (validation, hostdev);
  validate_display (validation, hostdev);
}
