/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "targets/target.h"

/* What the files of bhyve share. */

#define BHYVE_PROGRAM     "/usr/sbin/bhyve"
#define BHYVE_LOADER      "/usr/sbin/bhyveload"
#define BHYVE_GRUB        "/usr/local/sbin/grub-bhyve"
#define BHYVE_FIRMWARE    "/usr/local/share/uefi-firmware/BHYVE_UEFI.fd"
#define BHYVE_AHCI_PORTS  32 /* of one controller */
#define BHYVE_SERIALS_MAX 4
#define BHYVE_VNC_PORT    5900
#define BHYVE_SLOTS       32
#define BHYVE_SLOT_LPC    1

typedef struct {
  guint slot, function;
} BhyvePlace;

/* Where each device is on bhyve's one PCI bus: bhyve-slots.c. What a document of type 'bhyve' says stands;
 * the others get the next free slot in libvirt's order. */
typedef struct BhyveSlots BhyveSlots;
/* What gets no slot is a loss. @needs_lpc: there is a serial port, firmware or a display. */
BhyveSlots *bhyve_slots_new (const DomainDef *def, gboolean needs_lpc, TargetLosses *losses);
void bhyve_slots_free (BhyveSlots *slots);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BhyveSlots, bhyve_slots_free)
/* FALSE: it has none. */
gboolean bhyve_slots_find (const BhyveSlots *slots, const Device *device, BhyvePlace *ret);
gboolean bhyve_slots_find_sata (const BhyveSlots *slots, guint controller, BhyvePlace *ret);
BhyvePlace bhyve_slots_lpc (const BhyveSlots *slots);
/* Of the controller of USB's third generation that the tablet is at. */
gboolean bhyve_slots_find_xhci (const BhyveSlots *slots, BhyvePlace *ret);
#define BHYVE_SATA_MAX 8

/* The command lines' ways out and in. */
gboolean
bhyve_translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error);
char *bhyve_import (const char *text, Diagnostics *diagnostics);

/* One option of a command line: "-s 2:0,..." with its value formatted. */
void bhyve_add_option (GPtrArray *argv, const char *option, const char *format, ...) G_GNUC_PRINTF (3, 4);
/* The part of @argv that devices make: bhyve-devices.c. */
void bhyve_add_devices (const DomainDef *def, const BhyveSlots *slots, GPtrArray *argv, TargetConfig *config,
                        TargetLosses *losses);
/* The loader that runs before bhyve where there is no firmware: bhyve-loader.c. NULL: none is needed.
 * @ret_map: what grub-bhyve reads as device.map, untouched where that is not the loader. (transfer full) */
GPtrArray *bhyve_loader (const DomainDef *def, char **ret_map, TargetLosses *losses);
/* The path of a disk's image as bhyve opens it: raw, converted before if it is not; NULL where it is none.
 * (transfer full) */
char *bhyve_disk_path (const Device *disk);
/* Does the machine begin with firmware? The path is borrowed, or static. */
const char *bhyve_firmware (const DomainDef *def);
gboolean bhyve_has_display (const DomainDef *def);
/* The text of an element kept as it stands: "<bootloader>/x</bootloader>". NULL is fine. (transfer full) */
char *bhyve_verbatim_text (const char *element);
