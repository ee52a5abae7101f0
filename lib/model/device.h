/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"
#include "model/address.h"

/*
 * What every kind of device has in common, and the one table of kinds. A device is a struct that begins
 * with a Device; its kind says which element it is, its fields, and what it needs from completion. A new
 * kind is a file here (fields, defaults, validation), a file in the target's folder (what it becomes
 * there), and a row in each of the two tables.
 */
typedef struct DomainDef DomainDef;
typedef struct Device Device;
typedef struct DeviceKind DeviceKind;
typedef struct Completion Completion;
typedef struct Validation Validation;

struct Device {
  const DeviceKind *kind;
  char *alias;             /* "virtio-disk0"; from the user only as "ua-..." */
  DeviceAddress address;   /* .type ADDRESS_NONE until one is given or assigned */
  Number boot_order;       /* <boot order=> */
  char *boot_loadparm;
  Number acpi_index;       /* <acpi index=> */
  gboolean implied;        /* we added it; the document did not have it */
};

/* The fields every device ends with (<alias>, <boot>, <acpi>, <address>): put DEVICE_FIELDS (Struct) where
 * libvirt writes them, which is just before the end of nearly every table. Struct must begin with `Device device`. */
extern const FieldTable address_table;
extern const FieldType field_address;
#define DEVICE_FIELDS(Struct)                                                                       \
  FIELD_WITH (Struct, device.boot_order, "boot/@order", field_number, NULL, 0),                     \
      FIELD (Struct, device.boot_loadparm, "boot/@loadparm", field_text, NULL),                     \
      FIELD_WITH (Struct, device.alias, "alias/@name", field_text, NULL, FIELD_NO_ABI),             \
      FIELD (Struct, device.acpi_index, "acpi/@index", field_number, NULL),                         \
      FIELD (Struct, device.address, "address", field_address, NULL)

/* Where a device may sit; asked for by address assignment. */
typedef enum {
  PLACE_NONE = 0,
  PLACE_PCI,            /* a slot on a PCI or PCI Express bus */
  PLACE_DRIVE,          /* controller, bus, target, unit */
  PLACE_USB,
  PLACE_VIRTIO_SERIAL,
  PLACE_ISA,
  PLACE_CCID,
} DevicePlace;

/* PCI needs, as libvirt weighs them (VIR_PCI_CONNECT_*). */
typedef enum {
  PCI_CONNECT_CONVENTIONAL = 1 << 0,  /* a conventional slot */
  PCI_CONNECT_EXPRESS = 1 << 1,       /* a PCI Express slot */
  PCI_CONNECT_HOTPLUG = 1 << 2,
  PCI_CONNECT_AGGREGATE = 1 << 3,     /* may share a slot with its like */
} PciConnect;

struct DeviceKind {
  const char *element;  /* "disk" */
  FieldTable table;
  /* Defaults that depend on nothing but the domain; NULL when there are none. */
  void (*complete) (Completion *completion, Device *device);
  /* What the schema cannot say; mistakes go to the validation's diagnostics. */
  void (*validate) (Validation *validation, const Device *device);
  DevicePlace (*place) (const DomainDef *def, const Device *device);
  guint (*pci_connect) (const DomainDef *def, const Device *device); /* PciConnect bits; NULL when never PCI */
  /* The alias libvirt gives it ("net0"); NULL: element name + running index of its kind. (transfer full) */
  char *(*alias) (const DomainDef *def, const Device *device, guint index);
  /* What names it to a person: "disk 'vda'", "interface 52:54:00:..."; NULL: its element. (transfer full) */
  char *(*describe) (const Device *device);
};

/* All kinds, in the order libvirt writes devices; NULL ends it. */
extern const DeviceKind *const device_kinds[];
const DeviceKind *device_kind_by_element (const char *element);

Device *device_new (const DeviceKind *kind);
void device_free (Device *device);
Device *device_copy (const Device *device);
char *device_describe (const Device *device);
