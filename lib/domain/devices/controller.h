/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device-models.h"
#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  CONTROLLER_NONE,
  CONTROLLER_IDE,
  CONTROLLER_FDC,
  CONTROLLER_SCSI,
  CONTROLLER_SATA,
  CONTROLLER_VIRTIO_SERIAL,
  CONTROLLER_CCID,
  CONTROLLER_USB,
  CONTROLLER_PCI,
  CONTROLLER_XENBUS,
  CONTROLLER_ISA
} ControllerType;

typedef struct {
  Device device;
  int type;                                    /* ControllerType */
  Number index;                                /* set by completion when the document leaves it out */
  int model;                                   /* ControllerModel */
  Number ports;                                /* usb, virtio-serial */
  Number vectors;                              /* virtio-serial */
  Number max_grant_frames, max_event_channels; /* xenbus */

  /* <driver> */
  Number queues, cmd_per_lun, max_sectors, iothread;
  int ioeventfd; /* Tristate */
  VirtioOptions virtio;
  char *iothreads; /* verbatim */

  Number master_startport; /* usb companions; decimal */

  /* type='pci' */
  char *model_name;                                                    /* "pcie-root-port": model/@name */
  Number chassis_nr, chassis, port, bus_nr, target_index, mem_reserve; /* target/@... */
  int hotplug;                                                         /* Tristate */
  Number node;                                                         /* target/node */
  Number pcihole64;                                                    /* KiB */
} DeviceController;

extern const DeviceKind controller_kind;
extern const EnumTable controller_types, controller_models;

/* The model's word; NULL when none is said. */
const char *controller_model_name (const DeviceController *controller);
/* pci models that give slots: the smallest and largest slot of the bus; FALSE for the others. */
gboolean controller_pci_slots (const DeviceController *controller, guint *ret_first, guint *ret_last);
/* The model of a controller of @type (usb, scsi) that says none; CONTROLLER_MODEL_NONE where there is none.
 */
int controller_default_model (const Completion *completion, ControllerType type);
/* The EHCI controller of Intel's ICH9 and its three companions, which share a slot and an index. */
gboolean controller_is_ich9_usb (const DeviceController *controller);

/* The first controller of each type and index, borrowed; it is right as long as no controller is added, taken
 * away or given another index. One without an index is not in it. */
GHashTable *controller_table_new (const DomainDef *def);
void controller_table_add (GHashTable *table, DeviceController *controller); /* unless there is one */
DeviceController *controller_table_find (GHashTable *table, ControllerType type, guint64 index); /* or NULL */
