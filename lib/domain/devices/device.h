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

/* What every virtio device may say in its <driver>. */
typedef struct {
  int iommu, ats, packed, page_per_vq; /* Tristate */
} VirtioOptions;
#define VIRTIO_FIELDS(Struct)                                              \
  FIELD (Struct, virtio.iommu, "driver/@iommu", field_on_off, NULL),       \
      FIELD (Struct, virtio.ats, "driver/@ats", field_on_off, NULL),       \
      FIELD (Struct, virtio.packed, "driver/@packed", field_on_off, NULL), \
      FIELD (Struct, virtio.page_per_vq, "driver/@page_per_vq", field_on_off, NULL)

/* A mistake for each option said of a device that @is_virtio is not. */
void virtio_options_validate (Validation *validation, const Device *device, const VirtioOptions *options,
                              gboolean is_virtio);

/* The three words a virtio device may have for its model (disk, input). */
typedef enum {
  VIRTIO_MODEL_NONE,
  VIRTIO_MODEL_VIRTIO,
  VIRTIO_MODEL_TRANSITIONAL,
  VIRTIO_MODEL_NON_TRANSITIONAL,
} VirtioModel;
extern const EnumTable virtio_models;

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

/* PCI needs, as libvirt weighs them (VIR_PCI_CONNECT_*). The bits from BRIDGE on are the places only a PCI
 * controller can take. */
typedef enum {
  PCI_CONNECT_CONVENTIONAL = 1 << 0, /* a conventional slot */
  PCI_CONNECT_EXPRESS = 1 << 1,      /* a PCI Express slot */
  PCI_CONNECT_HOTPLUG = 1 << 2,
  PCI_CONNECT_AGGREGATE = 1 << 3,     /* may share a slot with its like */
  PCI_CONNECT_BRIDGE = 1 << 4,        /* pci-bridge */
  PCI_CONNECT_ROOT_PORT = 1 << 5,     /* pcie-root-port */
  PCI_CONNECT_UPSTREAM_PORT = 1 << 6, /* pcie-switch-upstream-port */
  PCI_CONNECT_DOWNSTREAM_PORT = 1 << 7,
  PCI_CONNECT_DMI_TO_PCI_BRIDGE = 1 << 8,
  PCI_CONNECT_EXPRESS_TO_PCI_BRIDGE = 1 << 9, /* pcie-to-pci-bridge */
  PCI_CONNECT_EXPANDER = 1 << 10,             /* pci-expander-bus */
  PCI_CONNECT_EXPRESS_EXPANDER = 1 << 11,     /* pcie-expander-bus */
} PciConnect;

/* What a conventional, an Express and a virtio device want; an Express one is conventional on a machine
 * without a PCI Express root. */
guint pci_connect_conventional (const DomainDef *def);
guint pci_connect_express (const DomainDef *def);
guint pci_connect_virtio (const DomainDef *def, VirtioModel model);

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

/* All kinds, in the order libvirt writes devices; NULL ends it. */
extern const DeviceKind *const device_kinds[];
const DeviceKind *device_kind_by_element (const char *element);

Device *device_new (const DeviceKind *kind);
void device_free (Device *device);
Device *device_copy (const Device *device);
/* Read @element into @device; write it as a new last child of @devices. Kinds kept verbatim are handled too.
 */
void device_read (FieldReader *reader, Device *device, xmlNode *element);
void device_write (const Device *device, XmlElement *devices, guint flags);
char *device_describe (const Device *device);
