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

/* Who chooses its PCI slot first: the order libvirt's guests have seen for years. The others follow in the
 * order of device_kinds. PCI controllers come before all. */
typedef enum {
  PCI_ORDER_LAST,
  PCI_ORDER_FILESYSTEM,
  PCI_ORDER_INTERFACE,
  PCI_ORDER_SOUND,
  PCI_ORDER_CONTROLLER,
  PCI_ORDER_DISK,
  PCI_ORDER_HOSTDEV,
  PCI_ORDER_MEMBALLOON,
  PCI_ORDER_RNG,
  PCI_ORDER_WATCHDOG,
  PCI_ORDER_VIDEO,
  PCI_ORDER_SHMEM,
  PCI_ORDER_INPUT,
  PCI_ORDER_SERIAL,
  PCI_ORDER_VSOCK,
  PCI_ORDER_MEMORY,
  PCI_ORDER_CRYPTO,
  PCI_ORDERS
} PciOrder;

/* Which definition a change of devices is made in. */
typedef enum {
  DEVICE_CHANGE_CONFIG, /* the definition of the next start: whatever the device needs is added */
  DEVICE_CHANGE_LIVE,   /* a running machine: only what can be plugged in, and the device gets its alias */
} DeviceChange;

typedef struct Chardev Chardev;

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
  /* Is it a virtio device, which not every machine has on PCI? NULL: it never is. */
  gboolean (*is_virtio) (const Device *device);
  /* The alias libvirt gives it ("net0"), NULL when it gives none; a NULL function: element name + running
   * index of its kind. (transfer full) */
  char *(*alias) (const DomainDef *def, const Device *device, guint index);
  /* The index given to `alias` passes over devices that the user named. */
  gboolean skips_user_aliases;
  /* The element of the kind among whose devices it has its alias and its turn at a PCI slot; NULL: its own.
   */
  const char *(*counted_as) (const Device *device);
  /* Where libvirt puts it among those of its kind when it reads a document: the index in def->devices it is
   * inserted at. NULL or G_MAXUINT: after the last of its kind. What completion adds always goes after the
   * last. */
  guint (*position) (const DomainDef *def, const Device *device);
  /* What names it to a person: "disk 'vda'", "interface 52:54:00:..."; NULL: its element. (transfer full) */
  char *(*describe) (const Device *device);
  PciOrder pci_order;
  /* The byte source of a character device; NULL for the kinds that are none. Owned by the device. */
  Chardev *(*chardev) (Device *device);
  gboolean
      shows_tty; /* the first one's running terminal is an attribute of its element too, for old clients */
  /* The CONTROLLER_ type its drive address is on; NULL for kinds that have no such address. */
  int (*drive_controller) (const Device *device);

  /* Can it be attached to and detached from a definition, updated in it? Libvirt has what a machine has one
   * of, or cannot be added by itself, changed by defining the machine again. */
  gboolean attachable, updatable;

  /*
   * One device by itself, as clients attach, detach and update them.
   */
  /* It was read alone, outside of a document: what it must have before anything else is asked of it. */
  void (*read_alone) (Device *device);
  /* It is about to join the others: what `position` goes by. */
  void (*before_position) (Device *device);
  /* The device of @def that @wanted describes; NULL and @error when there is none or it could be several. A
   * NULL function: the first of which nothing that is given is untrue. */
  Device *(*match) (const DomainDef *def, const Device *wanted, GError **error);
  /* The words for "there is no such device" where `match` is NULL; NULL: those of most kinds. */
  const char *missing;
  /* Can both be in one machine? FALSE and @error when a name of @device is @other's, of the same kind. */
  gboolean (*check_names) (const Device *device, const Device *other, DeviceChange change, GError **error);
  /* May completion add it to a running machine for the sake of another device? NULL: no. */
  gboolean (*check_added) (const Device *device, GError **error);
  /* What it becomes in a running machine when it is updated to @given; NULL and @error when something else
   * would change. A NULL function: nothing can. (transfer full) */
  Device *(*update) (const Device *device, const Device *given, GError **error);
};

Device *device_new (const DeviceKind *kind);
void device_free (Device *device);
Device *device_copy (const Device *device);
/* Read @element into @device; write it as a new last child of @devices. Kinds kept verbatim are handled too.
 */
void device_read (FieldReader *reader, Device *device, xmlNode *element);
void device_write (const Device *device, XmlElement *devices, guint flags);
char *device_describe (const Device *device);
/* The element of its kind, or of the one it is counted as. */
const char *device_counted_as (const Device *device);
/* An empty list of devices, which it owns. (transfer full) */
GPtrArray *device_list_new (void);
