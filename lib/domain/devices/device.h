/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"
#include "domain/devices/address.h"

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
  char *alias;           /* "virtio-disk0"; from the user only as "ua-..." */
  DeviceAddress address; /* .type ADDRESS_NONE until one is given or assigned */
  Number boot_order;     /* <boot order=> */
  char *boot_loadparm;
  Number acpi_index; /* <acpi index=> */
  gboolean implied;  /* we added it; the document did not have it */
};

/* The fields every device ends with (<alias>, <acpi>, <address>): put DEVICE_FIELDS (Struct) where libvirt
 * writes them, which is just before the end of nearly every table; DEVICE_BOOT_FIELDS before it where the
 * format has <boot>. Struct must begin with `Device device`. */
extern const FieldTable address_table;
extern const FieldType field_address;
#define DEVICE_BOOT_FIELDS(Struct)                                              \
  FIELD (Struct, device.boot_order, "boot/@order", field_number, &boot_orders), \
      FIELD (Struct, device.boot_loadparm, "boot/@loadparm", field_text, NULL)
#define DEVICE_ALIAS_FIELD(Struct) \
  FIELD_WITH (Struct, device.alias, "alias/@name", field_text, NULL, FIELD_NO_ABI)
#define DEVICE_ADDRESS_FIELDS(Struct)                                            \
  FIELD (Struct, device.acpi_index, "acpi/@index", field_number, &acpi_indexes), \
      FIELD (Struct, device.address, "address", field_address, NULL)
#define DEVICE_FIELDS(Struct) DEVICE_ALIAS_FIELD (Struct), DEVICE_ADDRESS_FIELDS (Struct)
extern const FieldRange boot_orders, acpi_indexes;

/* Where a device may sit; asked for by address assignment. */
typedef enum {
  PLACE_NONE = 0,
  PLACE_PCI,   /* a slot on a PCI or PCI Express bus */
  PLACE_DRIVE, /* controller, bus, target, unit */
  PLACE_USB,
  PLACE_VIRTIO_SERIAL,
  PLACE_ISA,
  PLACE_CCID,
} DevicePlace;

struct DeviceKind {
  const char *element; /* "disk" */
  FieldTable table;
  /* Defaults that depend on nothing but the domain; NULL when there are none. */
  void (*complete) (Completion *completion, Device *device);
  /* What the schema cannot say; mistakes go to the validation's diagnostics. */
  void (*validate) (Validation *validation, const Device *device);
  DevicePlace (*place) (const DomainDef *def, const Device *device);
  guint (*pci_connect) (const DomainDef *def,
                        const Device *device); /* PciConnect bits; NULL when never PCI */
  /* The alias libvirt gives it ("net0"), NULL when it gives none; a NULL function: element name + running
   * index of its kind. (transfer full) */
  char *(*alias) (const DomainDef *def, const Device *device, guint index);
  /* The index given to `alias` passes over devices that the user named. */
  gboolean skips_user_aliases;
  /* Where libvirt puts it among those of its kind when it reads a document: the index in def->devices it is
   * inserted at. NULL or G_MAXUINT: after the last of its kind. What completion adds always goes after the
   * last. */
  guint (*position) (const DomainDef *def, const Device *device);
  /* What names it to a person: "disk 'vda'", "interface 52:54:00:..."; NULL: its element. (transfer full) */
  char *(*describe) (const Device *device);
};

Device *device_new (const DeviceKind *kind);
void device_free (Device *device);
Device *device_copy (const Device *device);
/* Read @element into @device; write it as a new last child of @devices. Kinds kept verbatim are handled too.
 */
void device_read (FieldReader *reader, Device *device, xmlNode *element);
void device_write (const Device *device, XmlElement *devices, guint flags);
char *device_describe (const Device *device);
/* An empty list of devices, which it owns. (transfer full) */
GPtrArray *device_list_new (void);
