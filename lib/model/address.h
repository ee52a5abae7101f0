/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"

/* <address> in all its types. */
typedef enum {
  ADDRESS_NONE, ADDRESS_PCI, ADDRESS_DRIVE, ADDRESS_VIRTIO_SERIAL, ADDRESS_CCID, ADDRESS_USB,
  ADDRESS_SPAPR_VIO, ADDRESS_VIRTIO_S390, ADDRESS_CCW, ADDRESS_VIRTIO_MMIO, ADDRESS_ISA, ADDRESS_DIMM,
  ADDRESS_UNASSIGNED,
} AddressType;

typedef struct {
  int type; /* AddressType */
  Number domain, bus, slot, function; /* pci; bus also drive, usb... (bus number) */
  int multifunction;                  /* Tristate */
  Number controller, target, unit;    /* drive; controller also virtio-serial, ccid */
  Number port;                        /* virtio-serial */
  char *usb_port;                     /* usb: "1.2" */
  Number iobase, irq;                 /* isa */
  Number reg;                         /* spapr-vio, virtio-mmio has none */
  Number base, dimm_slot;             /* dimm */
} DeviceAddress;
