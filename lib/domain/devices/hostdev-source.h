/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/* Which device of the host a <hostdev> or an <interface type='hostdev'> stands for. Both say it in the same
 * words, and what is done with it on the host is the same. */
typedef enum {
  HOSTDEV_NONE,
  HOSTDEV_USB,
  HOSTDEV_PCI,
  HOSTDEV_SCSI,
  HOSTDEV_SCSI_HOST,
  HOSTDEV_MDEV,
  HOSTDEV_STORAGE, /* this and the next two: mode='capabilities', of containers */
  HOSTDEV_MISC,
  HOSTDEV_NET
} HostdevType;
typedef enum {
  HOSTDEV_DRIVER_NONE,
  HOSTDEV_DRIVER_KVM,
  HOSTDEV_DRIVER_VFIO,
  HOSTDEV_DRIVER_XEN
} HostdevDriver;

typedef struct {
  Number domain, bus, slot, function;
  gboolean is_conventional; /* not in the document: the host has it, and it is not PCI Express */
} HostPci;

/* By its ids, by its place of the moment, or by both. */
typedef struct {
  Number vendor, product;
  Number bus, device;
} HostUsb;

extern const EnumTable hostdev_drivers; /* HostdevDriver */

/* The fields of a source. @selector is the member, an enum, that says of which type it is. */
extern const FieldType field_usb_number; /* Number, FieldRange: any base, as C has it; written in decimal */
extern const FieldRange host_pci_domains, host_pci_buses, host_pci_slots, host_pci_functions,
    host_usb_numbers, host_usb_ids;
#define HOST_SOURCE_FIELD(Struct, member, path, type_, detail, flags, selector, values) \
  {                                                                                     \
    (path), G_STRUCT_OFFSET (Struct, member), &(type_), (detail), (flags),              \
    {                                                                                   \
      G_STRUCT_OFFSET (Struct, selector), (values)                                      \
    }                                                                                   \
  }
#define HOST_PCI_FIELDS(Struct, member, selector, values)                                            \
  HOST_SOURCE_FIELD (Struct, member.domain, "source/address/@domain", field_hex4, &host_pci_domains, \
                     FIELD_NO_ABI, selector, values),                                                \
      HOST_SOURCE_FIELD (Struct, member.bus, "source/address/@bus", field_hex2, &host_pci_buses,     \
                         FIELD_NO_ABI, selector, values),                                            \
      HOST_SOURCE_FIELD (Struct, member.slot, "source/address/@slot", field_hex2, &host_pci_slots,   \
                         FIELD_NO_ABI, selector, values),                                            \
      HOST_SOURCE_FIELD (Struct, member.function, "source/address/@function", field_hex1,            \
                         &host_pci_functions, FIELD_NO_ABI, selector, values),                       \
  {                                                                                                  \
    "source/address/@multifunction", 0, NULL, NULL, FIELD_IGNORED,                                   \
    {                                                                                                \
      G_STRUCT_OFFSET (Struct, selector), (values)                                                   \
    }                                                                                                \
  }
#define HOST_USB_IDS(Struct, member, selector, values)                                                    \
  HOST_SOURCE_FIELD (Struct, member.vendor, "source/vendor/@id", field_hex4, &host_usb_ids, FIELD_NO_ABI, \
                     selector, values),                                                                   \
      HOST_SOURCE_FIELD (Struct, member.product, "source/product/@id", field_hex4, &host_usb_ids,         \
                         FIELD_NO_ABI, selector, values)
#define HOST_USB_PLACE(Struct, member, selector, values)                                             \
  HOST_SOURCE_FIELD (Struct, member.bus, "source/address/@bus", field_usb_number, &host_usb_numbers, \
                     FIELD_NO_ABI, selector, values),                                                \
      HOST_SOURCE_FIELD (Struct, member.device, "source/address/@device", field_usb_number,          \
                         &host_usb_numbers, FIELD_NO_ABI, selector, values)

/* What is left open is 0; where nothing is said, it stays so. */
void host_pci_complete (Completion *completion, HostPci *pci);
void host_usb_complete (HostUsb *usb);
/* "0000:06:12.5" (transfer full) */
char *host_pci_name (const HostPci *pci);
gboolean host_pci_equal (const HostPci *a, const HostPci *b);
/* The same device as libvirt compares them: by place where @first says one, by ids otherwise. */
gboolean host_usb_equal (const HostUsb *first, const HostUsb *other);
