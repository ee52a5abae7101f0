/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a PCI device has beside its address on a mainframe: the number the guest's user knows it by (uid),
 * which begins at 1, and the one its firmware does (fid). Each is one device's own.
 */
#include "domain/pc/address-assign.h"

#include "domain/devices/serial.h"
#include "domain/machines/machine-kind.h"

#define UID_MAX 0xffff
#define FID_MAX G_MAXUINT32

typedef struct {
  Completion *completion;
  GHashTable *uids, *fids; /* numbers and one → Device */
} ZpciMap;

static gboolean
has_pci_address (const Device *device)
{
  return device->address.type == ADDRESS_PCI && device->address.slot.set && device->kind != &serial_kind;
}

static void
reserve (ZpciMap *map, GHashTable *users, Device *device, const Number *number, const char *name)
{
  gpointer key = GSIZE_TO_POINTER (number->value + 1);
  const Device *other;
  g_autofree char *one = NULL, *two = NULL;

  if (!number->set)
    return;
  other = g_hash_table_lookup (users, key);
  if (other == NULL) {
    g_hash_table_insert (users, key, device);
    return;
  }
  one = assign_describe (map->completion, other);
  two = assign_describe (map->completion, device);
  completion_value_error (map->completion, VIR_ERR_INTERNAL_ERROR, &device->address, device,
                          "zPCI %s 0x%" G_GINT64_MODIFIER "x is already reserved: by %s and %s", name,
                          number->value, one, two);
}

static void
assign (GHashTable *users, Device *device, Number *number, guint64 first, guint64 last)
{
  for (guint64 value = first; !number->set && value <= last; value++)
    if (!g_hash_table_contains (users, GSIZE_TO_POINTER (value + 1)))
      *number = NUMBER (value);
  g_hash_table_insert (users, GSIZE_TO_POINTER (number->value + 1), device);
}

void
assign_zpci_addresses (Completion *completion)
{
  GPtrArray *devices = completion->def->devices;
  g_autoptr (GHashTable) uids = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) fids = g_hash_table_new (NULL, NULL);
  ZpciMap map = { completion, uids, fids };

  if (!machine_kind_of (completion->def)->has_zpci)
    return;
  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (has_pci_address (device)) {
      reserve (&map, uids, device, &device->address.zpci_uid, "uid");
      reserve (&map, fids, device, &device->address.zpci_fid, "fid");
    }
  }
  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (has_pci_address (device)) {
      assign (uids, device, &device->address.zpci_uid, 1, UID_MAX);
      assign (fids, device, &device->address.zpci_fid, 0, FID_MAX);
    }
  }
}
