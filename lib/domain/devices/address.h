/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"

/*
 * <address> in all its types. A PCI address with nothing said (or all zeros) is a wish for PCI, still to be
 * assigned: its numbers are not set. Otherwise all four are set. A drive address is always complete. The
 * port of a virtio-serial or USB address may be left open as well.
 */
typedef enum {
  ADDRESS_NONE,
  ADDRESS_PCI,
  ADDRESS_DRIVE,
  ADDRESS_VIRTIO_SERIAL,
  ADDRESS_CCID,
  ADDRESS_USB,
  ADDRESS_SPAPR_VIO,
  ADDRESS_VIRTIO_S390,
  ADDRESS_CCW,
  ADDRESS_VIRTIO_MMIO,
  ADDRESS_ISA,
  ADDRESS_DIMM,
  ADDRESS_UNASSIGNED,
} AddressType;

typedef struct {
  int type;                           /* AddressType */
  Number domain, bus, slot, function; /* pci; bus also drive, usb... (bus number) */
  int multifunction;                  /* Tristate */
  Number controller, target, unit;    /* drive; controller also virtio-serial, ccid */
  Number port;                        /* virtio-serial */
  char *usb_port;                     /* usb: "1.2" */
  Number iobase, irq;                 /* isa */
  Number reg;                         /* spapr-vio, virtio-mmio has none */
  Number base, dimm_slot;             /* dimm */
  Number cssid, ssid, devno;          /* ccw */
  Number zpci_uid, zpci_fid;          /* pci on s390 */
} DeviceAddress;

gboolean device_address_is_assigned (const DeviceAddress *address);
/* "0000:00:1f.2", "drive 0:0:0:1", ...: for messages. (transfer full) */
char *device_address_to_text (const DeviceAddress *address);
