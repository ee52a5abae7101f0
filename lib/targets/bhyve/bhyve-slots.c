/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The slots of bhyve's PCI bus: 0 is the host bridge, 1 the bridge to the old devices (LPC) unless the
 * document has something else there. A guest knows its devices by their slots, so they are given in the order
 * in which libvirt's bhyve driver gives them: controllers, cards, disks, displays, sound, shared folders, and
 * what libvirt has no place for behind them. A document for another hypervisor says addresses of another
 * machine's buses, which mean nothing here.
 */
#include "targets/bhyve/bhyve-private.h"

#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/filesystem.h"
#include "domain/devices/hostdev.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/rng.h"
#include "domain/devices/sound.h"
#include "domain/devices/video.h"

struct BhyveSlots {
  const DomainDef *def;
  TargetLosses *losses;
  guint8 used[BHYVE_SLOTS]; /* a bit for each function */
  GHashTable *places;       /* Device → BhyvePlace */
  gboolean has_sata[BHYVE_SATA_MAX], has_xhci, has_lpc;
  BhyvePlace sata[BHYVE_SATA_MAX], xhci, lpc;
};

/* The place a document of bhyve's own says. FALSE: it says none. */
static gboolean
read_address (const BhyveSlots *slots, const Device *device, BhyvePlace *ret)
{
  const DeviceAddress *address = &device->address;

  if (slots->def->type != VIRT_TYPE_BHYVE || address->type != ADDRESS_PCI || !address->slot.set
      || !device_address_is_assigned (address) || address->bus.value != 0
      || address->slot.value >= BHYVE_SLOTS)
    return FALSE;
  *ret = (BhyvePlace){ (guint)address->slot.value, (guint)address->function.value & 7 };
  return TRUE;
}

static gboolean
take_next (BhyveSlots *slots, BhyvePlace *ret)
{
  for (guint slot = 1; slot < BHYVE_SLOTS; slot++)
    if (slots->used[slot] == 0) {
      slots->used[slot] = 1;
      *ret = (BhyvePlace){ slot, 0 };
      return TRUE;
    }
  return FALSE;
}

static void
keep_place (BhyveSlots *slots, const Device *device, BhyvePlace place)
{
  BhyvePlace *kept = g_new (BhyvePlace, 1);

  *kept = place;
  g_hash_table_insert (slots->places, (gpointer)device, kept);
}

/* What the document says, before anything is given. */
static void
take_said (BhyveSlots *slots)
{
  BhyvePlace place;

  for (guint i = 0; i < slots->def->devices->len; i++) {
    const Device *device = g_ptr_array_index (slots->def->devices, i);

    if (!read_address (slots, device, &place))
      continue;
    if (slots->used[place.slot] & (1 << place.function)) {
      target_lose (slots->losses, device, "<address slot=>", "has another device at slot %u", place.slot);
      continue;
    }
    slots->used[place.slot] |= (guint8)(1 << place.function);
    keep_place (slots, device, place);
  }
}

/* The place of a device, given now unless it has one. */
static gboolean
place_device (BhyveSlots *slots, const Device *device, BhyvePlace *ret)
{
  if (bhyve_slots_find (slots, device, ret))
    return TRUE;
  if (!take_next (slots, ret)) {
    target_lose (slots->losses, device, NULL, "has only %d slots, and all are taken", BHYVE_SLOTS);
    return FALSE;
  }
  keep_place (slots, device, *ret);
  return TRUE;
}

static void
place_controllers (BhyveSlots *slots)
{
  DOMAIN_FOREACH_DEVICE (slots->def, controller_kind, DeviceController, controller) {
    guint64 index = controller->index.value;

    if (controller->type == CONTROLLER_SATA && index < BHYVE_SATA_MAX && !slots->has_sata[index])
      slots->has_sata[index] = place_device (slots, &controller->device, &slots->sata[index]);
    else if (controller->type == CONTROLLER_USB && !slots->has_xhci
             && (controller->model == USB_NEC_XHCI || slots->def->type != VIRT_TYPE_BHYVE))
      slots->has_xhci = place_device (slots, &controller->device, &slots->xhci);
    else if (controller->type == CONTROLLER_ISA && !slots->has_lpc)
      slots->has_lpc = place_device (slots, &controller->device, &slots->lpc);
  }
}

/* Those that a disk needs and no element says. */
static void
place_implied_sata (BhyveSlots *slots)
{
  DOMAIN_FOREACH_DEVICE (slots->def, disk_kind, DeviceDisk, disk) {
    guint64 index = disk->device.address.controller.value;

    if (disk->bus != DISK_BUS_SATA || disk->device.address.type != ADDRESS_DRIVE || index >= BHYVE_SATA_MAX
        || slots->has_sata[index])
      continue;
    slots->has_sata[index] = take_next (slots, &slots->sata[index]);
  }
}

static void
place_implied_xhci (BhyveSlots *slots)
{
  DOMAIN_FOREACH_DEVICE (slots->def, input_kind, DeviceInput, input) {
    if (input->type == INPUT_TABLET && input->bus == INPUT_BUS_USB && !slots->has_xhci)
      slots->has_xhci = take_next (slots, &slots->xhci);
  }
}

static gboolean
is_virtio_disk (const Device *device)
{
  return device->kind != &disk_kind || ((const DeviceDisk *)device)->bus == DISK_BUS_VIRTIO;
}

static void
place_devices (BhyveSlots *slots)
{
  static const DeviceKind *const kinds[] = { &interface_kind,  &disk_kind, &video_kind,  &sound_kind,
                                             &filesystem_kind, &rng_kind,  &hostdev_kind };
  BhyvePlace place;

  for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (guint i = 0; i < slots->def->devices->len; i++) {
      const Device *device = g_ptr_array_index (slots->def->devices, i);

      if (device->kind == kinds[kind] && is_virtio_disk (device)
          && (kinds[kind] != &video_kind || bhyve_has_display (slots->def)))
        place_device (slots, device, &place);
    }
}

BhyveSlots *
bhyve_slots_new (const DomainDef *def, gboolean needs_lpc, TargetLosses *losses)
{
  BhyveSlots *slots = g_new0 (BhyveSlots, 1);
  gboolean is_lpc_free;

  slots->def = def;
  slots->losses = losses;
  slots->places = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  slots->used[0] = 1;
  take_said (slots);
  is_lpc_free = slots->used[BHYVE_SLOT_LPC] == 0;
  if (is_lpc_free) { /* kept for it even where there is none, as libvirt does */
    slots->used[BHYVE_SLOT_LPC] = 1;
    slots->lpc = (BhyvePlace){ BHYVE_SLOT_LPC, 0 };
    DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
      BhyvePlace said;

      if (controller->type == CONTROLLER_ISA && !slots->has_lpc
          && !bhyve_slots_find (slots, &controller->device, &said)) {
        keep_place (slots, &controller->device, slots->lpc);
        slots->has_lpc = TRUE;
      }
    }
  }
  place_controllers (slots);
  place_implied_sata (slots);
  if (needs_lpc && !slots->has_lpc)
    slots->has_lpc = is_lpc_free || take_next (slots, &slots->lpc);
  place_implied_xhci (slots);
  place_devices (slots);
  slots->losses = NULL;
  return slots;
}

void
bhyve_slots_free (BhyveSlots *slots)
{
  if (slots == NULL)
    return;
  g_hash_table_unref (slots->places);
  g_free (slots);
}

gboolean
bhyve_slots_find (const BhyveSlots *slots, const Device *device, BhyvePlace *ret)
{
  const BhyvePlace *place = g_hash_table_lookup (slots->places, device);

  if (place != NULL)
    *ret = *place;
  return place != NULL;
}

gboolean
bhyve_slots_find_sata (const BhyveSlots *slots, guint controller, BhyvePlace *ret)
{
  if (controller >= BHYVE_SATA_MAX || !slots->has_sata[controller])
    return FALSE;
  *ret = slots->sata[controller];
  return TRUE;
}

BhyvePlace
bhyve_slots_lpc (const BhyveSlots *slots)
{
  return slots->has_lpc ? slots->lpc : (BhyvePlace){ 0, 0 };
}

gboolean
bhyve_slots_find_xhci (const BhyveSlots *slots, BhyvePlace *ret)
{
  *ret = slots->xhci;
  return slots->has_xhci;
}
