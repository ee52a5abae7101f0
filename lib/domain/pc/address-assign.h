/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/complete.h"

/*
 * Giving addresses, one file a bus. Each function reserves what the document says, says which two devices
 * want the same place and where there is a free one, and then gives the devices without an address what
 * libvirt would give them.
 */
void assign_drive_addresses (Completion *completion);        /* address-drive.c */
void check_drive_addresses (Completion *completion);         /* once all controllers are there */
void assign_scsi_hostdev_addresses (Completion *completion); /* address-scsi.c; after the disks */
void check_scsi_hostdev_addresses (Completion *completion);
void assign_virtio_serial_addresses (Completion *completion); /* address-virtio-serial.c */
void assign_pci_addresses (Completion *completion);           /* address-pci.c; makes the PCI controllers */
void assign_usb_addresses (Completion *completion);           /* address-usb.c; makes the USB hubs */
/* Of machines that are no PC: domain/machines/address-*.c. */
void prefer_virtio_addresses (Completion *completion); /* before all others */
void assign_ccw_addresses (Completion *completion);
void assign_spapr_vio_addresses (Completion *completion);
void assign_zpci_addresses (Completion *completion); /* after PCI */

/* pci-controllers.c: before PCI addresses are given (FALSE: there is no sense in giving them), and after. */
gboolean check_pci_controllers (Completion *completion);
void complete_pci_controllers (Completion *completion);

/* A mistake in the address of @device, at the address if the document has one. */
#define address_error(completion, device, ...) \
  completion_error_code ((completion), VIR_ERR_XML_ERROR, &(device)->address, (device), __VA_ARGS__)

/* The same for what two devices say of one place: also when something else in @device was not understood. */
#define address_clash(completion, device, ...) \
  completion_value_error ((completion), VIR_ERR_XML_ERROR, &(device)->address, (device), __VA_ARGS__)

/* "video 'virtio' (line 12)", "the machine's own controller sata 0", or without the line when the document
 * did not say where. (transfer full) */
char *assign_describe (const Completion *completion, const Device *device);
