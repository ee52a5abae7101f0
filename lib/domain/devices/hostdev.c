/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <hostdev>: a device of the host that the guest drives itself. Of which host bus it is (USB, PCI, SCSI, a
 * vhost adapter, a mediated device) decides what the rest of the element may say, and where the guest sees
 * it.
 */

#include "domain/devices/hostdev.h"

#include "base/virt-error.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/hostdev-validate.h"
#include "domain/devices/interface.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

#include <string.h>

static const EnumTable hostdev_modes = { "hostdev mode", { NULL, "subsystem", "capabilities" } };
const EnumTable hostdev_types = {
  "hostdev type", { NULL, "usb", "pci", "scsi", "scsi_host", "mdev", "storage", "misc", "net" }
};
static const EnumTable sgio_modes = { "sgio mode", { NULL, "filtered", "unfiltered" } };
const EnumTable mdev_models = { "mediated device model", { NULL, "vfio-pci", "vfio-ccw", "vfio-ap" } };
static const EnumTable guest_resets = { "guest reset", { NULL, "off", "uninitialized", "on" } };
static const EnumTable scsi_sources = { "SCSI source protocol", { NULL, "adapter", "iscsi" } };
static const EnumTable vhost_protocols = { "SCSI host protocol", { NULL, "vhost" } };

static const FieldRange port_range = { 0, 65535 };

static const Field host_fields[] = {
  FIELD_WITH (HostdevIscsiHost, name, "@name", field_text, NULL, FIELD_EXPECTED),
  FIELD (HostdevIscsiHost, port, "@port", field_number, &port_range),
  FIELD_END,
};
static const FieldTable host_table = { sizeof (HostdevIscsiHost), host_fields };

#define TYPE(name) FIELD_VALUE (HOSTDEV_##name)
#define NO_MODEL   (TYPE (USB) | TYPE (PCI) | TYPE (SCSI) | TYPE (STORAGE) | TYPE (MISC) | TYPE (NET))
#define HOST(member, path, type_, detail, types) \
  HOST_SOURCE_FIELD (DeviceHostdev, member, path, type_, detail, FIELD_NO_ABI, type, types)
#define ISCSI(member, path, type_, detail)                                                  \
  HOST_SOURCE_FIELD (DeviceHostdev, member, path, type_, detail, FIELD_NO_ABI, scsi_source, \
                     FIELD_VALUE (SCSI_SOURCE_ISCSI))
#define SEEN(member, path, type_, detail, types) \
  HOST_SOURCE_FIELD (DeviceHostdev, member, path, type_, detail, 0, type, types)
static const Field hostdev_fields[] = {
  FIELD (DeviceHostdev, mode, "@mode", field_enum, &hostdev_modes),
  FIELD_WITH (DeviceHostdev, type, "@type", field_enum, &hostdev_types, FIELD_REQUIRED),
  FIELD_WITH (DeviceHostdev, managed, "@managed", field_yes_no, NULL, FIELD_NO_ABI),
  FIELD_WITH (DeviceHostdev, sgio, "@sgio", field_enum, &sgio_modes, FIELD_NO_ABI),
  FIELD_WITH (DeviceHostdev, rawio, "@rawio", field_yes_no, NULL, FIELD_NO_ABI),
  SEEN (scsi_model, "@model", field_enum, &virtio_models, TYPE (SCSI_HOST)),
  HOST_SOURCE_FIELD (DeviceHostdev, mdev_model, "@model", field_enum, &mdev_models, FIELD_REQUIRED, type,
                     TYPE (MDEV)),
  SEEN (other_model, "@model", field_text, NULL, NO_MODEL),
  SEEN (display, "@display", field_on_off, NULL, TYPE (PCI) | TYPE (MDEV)),
  SEEN (ramfb, "@ramfb", field_on_off, NULL, TYPE (PCI) | TYPE (MDEV)),
  HOST (driver, "driver/@name", field_enum, &hostdev_drivers, TYPE (PCI)),
  HOST (driver_model, "driver/@model", field_text, NULL, TYPE (PCI)),

  FIELD_WITH (DeviceHostdev, startup_policy, "source/@startupPolicy", field_enum, &startup_policies,
              FIELD_NO_ABI),
  HOST_SOURCE_FIELD (DeviceHostdev, missing, "source/@missing", field_yes_no, NULL, FIELD_NO_ABI | FIELD_LIVE,
                     type, TYPE (USB)),
  SEEN (guest_reset, "source/@guestReset", field_enum, &guest_resets, TYPE (USB)),
  HOST (write_filtering, "source/@writeFiltering", field_yes_no, NULL, TYPE (PCI)),
  HOST_USB_IDS (DeviceHostdev, usb, type, TYPE (USB)),
  HOST_USB_PLACE (DeviceHostdev, usb, type, TYPE (USB)),
  HOST_PCI_FIELDS (DeviceHostdev, pci, type, TYPE (PCI)),

  HOST (scsi_source, "source/@protocol", field_enum, &scsi_sources, TYPE (SCSI)),
  ISCSI (iscsi_name, "source/@name", field_text, NULL),
  HOST (adapter, "source/adapter/@name", field_text, NULL, TYPE (SCSI)),
  HOST (scsi_bus, "source/address/@bus", field_number, NULL, TYPE (SCSI)),
  HOST (scsi_target, "source/address/@target", field_number, NULL, TYPE (SCSI)),
  HOST (scsi_unit, "source/address/@unit", field_number, NULL, TYPE (SCSI)),
  ISCSI (iscsi_hosts, "source/host", field_list, &host_table),
  ISCSI (auth_user, "source/auth/@username", field_text, NULL),
  ISCSI (secret_type, "source/auth/secret/@type", field_text, NULL),
  ISCSI (secret_uuid, "source/auth/secret/@uuid", field_uuid, NULL),
  ISCSI (secret_usage, "source/auth/secret/@usage", field_text, NULL),
  ISCSI (initiator, "source/initiator/iqn/@name", field_text, NULL),

  HOST_SOURCE_FIELD (DeviceHostdev, vhost_protocol, "source/@protocol", field_enum, &vhost_protocols,
                     FIELD_NO_ABI | FIELD_REQUIRED, type, TYPE (SCSI_HOST)),
  HOST (wwpn, "source/@wwpn", field_text, NULL, TYPE (SCSI_HOST)),
  HOST (uuid, "source/address/@uuid", field_text, NULL, TYPE (MDEV)),
  HOST (block, "source/block", field_text, NULL, TYPE (STORAGE)),
  HOST (character, "source/char", field_text, NULL, TYPE (MISC)),
  HOST (net_device, "source/interface", field_text, NULL, TYPE (NET)),
  HOST (ips, "ip", field_list, &interface_ip_table, TYPE (NET)),
  HOST (routes, "route", field_list, &interface_route_table, TYPE (NET)),

  SEEN (teaming, "teaming/@type", field_enum, &teaming_types, ~G_GUINT64_CONSTANT (0)),
  SEEN (teaming_persistent, "teaming/@persistent", field_text, NULL, ~G_GUINT64_CONSTANT (0)),
  SEEN (readonly, "readonly", field_flag, NULL, TYPE (SCSI)),
  HOST (shareable, "shareable", field_flag, NULL, TYPE (SCSI)),
  DEVICE_BOOT_FIELDS (DeviceHostdev),
  DEVICE_ALIAS_FIELD (DeviceHostdev),
  FIELD (DeviceHostdev, rom_enabled, "rom/@enabled", field_yes_no, NULL),
  FIELD (DeviceHostdev, rom_bar, "rom/@bar", field_on_off, NULL),
  FIELD (DeviceHostdev, rom_file, "rom/@file", field_text, NULL),
  DEVICE_ADDRESS_FIELDS (DeviceHostdev),
  FIELD_END,
};

static void
complete_iscsi (DeviceHostdev *hostdev)
{
  g_clear_pointer (&hostdev->adapter, g_free);
  /* A target without a unit has its first. */
  if (hostdev->iscsi_name != NULL && strchr (hostdev->iscsi_name, '/') == NULL) {
    g_autofree char *target = hostdev->iscsi_name;

    hostdev->iscsi_name = g_strconcat (target, "/0", NULL);
  }
}

static void
complete_mdev (Completion *completion, DeviceHostdev *hostdev)
{
  const char *model = enum_table_name (&mdev_models, hostdev->mdev_model);
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  if (hostdev->mdev_model != MDEV_VFIO_PCI && !completion_has_device (completion, model))
    completion_error (completion, &hostdev->mdev_model, hostdev,
                      "VFIO %s device assignment is not supported by this version of QEMU",
                      hostdev->mdev_model == MDEV_VFIO_AP ? "AP" : "CCW");
  if (hostdev->mdev_model == MDEV_VFIO_PCI && hostdev->display == TRISTATE_ABSENT)
    hostdev->display = TRISTATE_NO;
  if (hostdev->uuid != NULL && uuid_parse (hostdev->uuid, uuid)) {
    uuid_format (uuid, text);
    g_free (hostdev->uuid);
    hostdev->uuid = g_strdup (text);
  }
}

static void
hostdev_complete (Completion *completion, Device *device)
{
  DeviceHostdev *hostdev = (DeviceHostdev *)device;

  if (hostdev->mode == HOSTDEV_MODE_NONE)
    hostdev->mode = HOSTDEV_SUBSYSTEM;
  if (hostdev->mode == HOSTDEV_SUBSYSTEM && hostdev->managed == TRISTATE_ABSENT)
    hostdev->managed = TRISTATE_NO;
  if (hostdev->missing == TRISTATE_NO || !completion->live)
    hostdev->missing = TRISTATE_ABSENT;
  if (hostdev->scsi_source == SCSI_SOURCE_ADAPTER)
    hostdev->scsi_source = SCSI_SOURCE_NONE;
  if (hostdev->type == HOSTDEV_PCI)
    host_pci_complete (completion, &hostdev->pci);
  if (hostdev->type == HOSTDEV_USB)
    host_usb_complete (&hostdev->usb);
  if (hostdev->scsi_source == SCSI_SOURCE_ISCSI)
    complete_iscsi (hostdev);
  if (hostdev->type == HOSTDEV_MDEV)
    complete_mdev (completion, hostdev);
}

static DevicePlace
hostdev_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceHostdev *)device)->type) {
    case HOSTDEV_USB:
      return PLACE_USB;
    case HOSTDEV_SCSI:
      return PLACE_DRIVE;
    case HOSTDEV_PCI:
    case HOSTDEV_SCSI_HOST:
      return PLACE_PCI;
    case HOSTDEV_MDEV:
      return ((const DeviceHostdev *)device)->mdev_model == MDEV_VFIO_PCI ? PLACE_PCI : PLACE_NONE;
    default:
      return PLACE_NONE;
  }
}

static guint
hostdev_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceHostdev *hostdev = (const DeviceHostdev *)device;

  if (hostdev_place (def, device) != PLACE_PCI)
    return 0;
  if (hostdev->type == HOSTDEV_SCSI_HOST)
    return pci_connect_virtio (def, (VirtioModel)hostdev->scsi_model);
  return hostdev->pci.is_conventional ? pci_connect_conventional (def) : pci_connect_express (def);
}

static int
hostdev_drive_controller (const Device *device)
{
  return device->address.type == ADDRESS_DRIVE ? CONTROLLER_SCSI : CONTROLLER_NONE;
}

static char *
hostdev_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index)
{
  return g_strdup_printf ("hostdev%u", index);
}

static char *
scsi_name (const DeviceHostdev *hostdev)
{
  if (hostdev->scsi_source == SCSI_SOURCE_ISCSI)
    return g_strdup (hostdev->iscsi_name);
  return g_strdup_printf ("%s:%u:%u.%" G_GUINT64_FORMAT, hostdev->adapter, (guint)hostdev->scsi_bus.value,
                          (guint)hostdev->scsi_target.value, hostdev->scsi_unit.value);
}

/* What the host calls it; NULL for the types that have other names. (transfer full) */
static char *
host_name (const DeviceHostdev *hostdev)
{
  switch (hostdev->type) {
    case HOSTDEV_PCI:
      return host_pci_name (&hostdev->pci);
    case HOSTDEV_SCSI:
      return scsi_name (hostdev);
    case HOSTDEV_SCSI_HOST:
      return g_strdup (hostdev->wwpn);
    case HOSTDEV_MDEV:
      return g_strdup (hostdev->uuid);
    default:
      return NULL;
  }
}

/* Names it as the document does: "hostdev 'usb 046d:c52b'". */
static char *
hostdev_describe (const Device *device)
{
  const DeviceHostdev *hostdev = (const DeviceHostdev *)device;
  g_autofree char *name = host_name (hostdev);

  if (hostdev->type == HOSTDEV_USB)
    name = hostdev->usb.vendor.set ? g_strdup_printf ("%04x:%04x", (guint)hostdev->usb.vendor.value,
                                                      (guint)hostdev->usb.product.value)
                                   : g_strdup_printf ("%03u.%03u", (guint)hostdev->usb.bus.value,
                                                      (guint)hostdev->usb.device.value);
  if (name == NULL)
    return g_strdup ("hostdev");
  return g_strdup_printf ("hostdev '%s %s'", enum_table_name (&hostdev_types, hostdev->type), name);
}

static const HostdevIscsiHost *
iscsi_host (const DeviceHostdev *hostdev)
{
  static const HostdevIscsiHost none;

  return hostdev->iscsi_hosts != NULL ? g_ptr_array_index (hostdev->iscsi_hosts, 0) : &none;
}

char *
hostdev_key (const DeviceHostdev *hostdev)
{
  const char *type = enum_table_name (&hostdev_types, hostdev->type);
  g_autofree char *name = host_name (hostdev);

  if (hostdev->type == HOSTDEV_SCSI && hostdev->scsi_source == SCSI_SOURCE_ISCSI)
    return g_strdup_printf ("%s iscsi %s %s %" G_GUINT64_FORMAT, type, name, iscsi_host (hostdev)->name,
                            iscsi_host (hostdev)->port.value);
  if (name == NULL)
    name = g_strdup (hostdev->block != NULL       ? hostdev->block
                     : hostdev->character != NULL ? hostdev->character
                                                  : hostdev->net_device);
  return g_strconcat (type, " ", name, NULL);
}

static gboolean
is_same (const DeviceHostdev *first, const DeviceHostdev *other)
{
  g_autofree char *one = NULL, *two = NULL;

  if (first->type != other->type)
    return FALSE;
  if (first->type == HOSTDEV_USB)
    return host_usb_equal (&first->usb, &other->usb);
  one = hostdev_key (first);
  two = hostdev_key (other);
  return g_strcmp0 (one, two) == 0;
}

/* It was read alone: what completion would make of its source is what the others have been compared by. */
static void
hostdev_read_alone (Device *device)
{
  DeviceHostdev *hostdev = (DeviceHostdev *)device;
  Completion completion = { 0 };

  hostdev_complete (&completion, &hostdev->device);
}

static void
refuse_missing (const DeviceHostdev *wanted, GError **error)
{
  const HostUsb *usb = &wanted->usb;
  g_autofree char *name = NULL;

  switch (wanted->type) {
    case HOSTDEV_PCI:
      name = host_pci_name (&wanted->pci);
      virt_error_set (error, VIR_ERR_DEVICE_MISSING, "host pci device %s not found", name);
      break;
    case HOSTDEV_USB:
      if (usb->bus.set && usb->device.set)
        virt_error_set (error, VIR_ERR_DEVICE_MISSING, "host usb device %03u.%03u not found",
                        (guint)usb->bus.value, (guint)usb->device.value);
      else
        virt_error_set (error, VIR_ERR_DEVICE_MISSING,
                        "host usb device vendor=0x%.4x product=0x%.4x not found", (guint)usb->vendor.value,
                        (guint)usb->product.value);
      break;
    case HOSTDEV_SCSI:
      name = scsi_name (wanted);
      virt_error_set (error, VIR_ERR_DEVICE_MISSING,
                      wanted->scsi_source == SCSI_SOURCE_ISCSI ? "host scsi iSCSI path %s not found"
                                                               : "host scsi device %s not found",
                      name);
      break;
    case HOSTDEV_MDEV:
      virt_error_set (error, VIR_ERR_DEVICE_MISSING, "mediated device '%s' not found", wanted->uuid);
      break;
    default:
      virt_error_set (error, VIR_ERR_DEVICE_MISSING, "device not present in domain configuration");
  }
}

static Device *
hostdev_match (const DomainDef *def, const Device *wanted, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, hostdev_kind, Device, device) {
    if (is_same ((const DeviceHostdev *)wanted, (const DeviceHostdev *)device))
      return device;
  }
  refuse_missing ((const DeviceHostdev *)wanted, error);
  return NULL;
}

static gboolean
hostdev_check_names (const Device *device, const Device *other, DeviceChange change, GError **error)
{
  if (change != DEVICE_CHANGE_CONFIG
      || !is_same ((const DeviceHostdev *)other, (const DeviceHostdev *)device))
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "device is already in the domain configuration");
  return FALSE;
}

static gboolean
hostdev_is_virtio (const Device *device)
{
  return ((const DeviceHostdev *)device)->type == HOSTDEV_SCSI_HOST;
}

const DeviceKind hostdev_kind = {
  .element = "hostdev",
  .table = { sizeof (DeviceHostdev), hostdev_fields },
  .complete = hostdev_complete,
  .validate = hostdev_validate,
  .place = hostdev_place,
  .pci_connect = hostdev_pci_connect,
  .is_virtio = hostdev_is_virtio,
  .alias = hostdev_alias,
  .skips_user_aliases = TRUE,
  .describe = hostdev_describe,
  .pci_order = PCI_ORDER_HOSTDEV,
  .drive_controller = hostdev_drive_controller,
  .attachable = TRUE,
  .read_alone = hostdev_read_alone,
  .match = hostdev_match,
  .check_names = hostdev_check_names,
};
