/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Addresses of channel devices: a subsystem, a set of subchannels in it and the device's number. Those that a
 * document leaves open are numbered in the one subsystem that QEMU keeps for virtio, in the order in which
 * libvirt goes through the kinds of device.
 */
#include "domain/devices/device-kinds.h"
#include "domain/pc/address-assign.h"

#define VIRTIO_CSSID 0xfe
#define DEVNO_MAX    0xffff
#define SSID_MAX     3

/* Kinds that are asked first; the others follow in the order of device_kinds. */
static const char *const first_kinds[] = { "disk",       "interface", "sound",      "hostdev",    "video",
                                           "controller", "smartcard", "serial",     "parallel",   "channel",
                                           "console",    "input",     "filesystem", "memballoon", "rng",
                                           "memory",     "vsock",     "crypto" };

typedef struct {
  Completion *completion;
  GHashTable *users; /* the address as a number and one → Device */
  guint64 next;      /* none below is free */
} ChannelMap;

static gpointer
key_of (const DeviceAddress *address)
{
  return GSIZE_TO_POINTER ((address->cssid.value << 24 | address->ssid.value << 16 | address->devno.value)
                           + 1);
}

static gboolean
is_given (const DeviceAddress *address)
{
  return address->type == ADDRESS_CCW && address->devno.set;
}

/* Is it left open, all of it? */
static gboolean
is_wanted (const DeviceAddress *address)
{
  return address->type == ADDRESS_CCW && !address->cssid.set && !address->ssid.set && !address->devno.set;
}

static void
reserve (ChannelMap *map, Device *device)
{
  const Device *other = g_hash_table_lookup (map->users, key_of (&device->address));
  g_autofree char *one = NULL, *two = NULL;

  if (other == NULL) {
    g_hash_table_insert (map->users, key_of (&device->address), device);
    return;
  }
  one = assign_describe (map->completion, other);
  two = assign_describe (map->completion, device);
  completion_value_error (map->completion, VIR_ERR_XML_ERROR, &device->address, device,
                          "The CCW devno '%x.%x.%04x' is in use already: by %s and %s",
                          (guint)device->address.cssid.value, (guint)device->address.ssid.value,
                          (guint)device->address.devno.value, one, two);
}

static void
assign (ChannelMap *map, Device *device)
{
  DeviceAddress *address = &device->address;
  const guint64 count = (SSID_MAX + 1) * (guint64)(DEVNO_MAX + 1);

  for (; map->next < count; map->next++) {
    address->cssid = NUMBER (VIRTIO_CSSID);
    address->ssid = NUMBER (map->next / (DEVNO_MAX + 1));
    address->devno = NUMBER (map->next % (DEVNO_MAX + 1));
    if (g_hash_table_contains (map->users, key_of (address)))
      continue;
    g_hash_table_insert (map->users, key_of (address), device);
    return;
  }
  address->cssid.set = address->ssid.set = address->devno.set = FALSE;
  address_error (map->completion, device, "There are no more free CCW devnos.");
}

static void
assign_kind (ChannelMap *map, const char *element)
{
  GPtrArray *devices = map->completion->def->devices;

  for (guint i = 0; i < devices->len; i++) {
    Device *device = g_ptr_array_index (devices, i);

    if (is_wanted (&device->address) && g_str_equal (device->kind->element, element))
      assign (map, device);
  }
}

static gboolean
uses_channels (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (((const Device *)g_ptr_array_index (def->devices, i))->address.type == ADDRESS_CCW)
      return TRUE;
  return FALSE;
}

void
assign_ccw_addresses (Completion *completion)
{
  const DomainDef *def = completion->def;
  g_autoptr (GHashTable) users = NULL;
  ChannelMap map = { completion, NULL, 0 };

  if (!uses_channels (def))
    return;
  map.users = users = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (is_given (&device->address))
      reserve (&map, device);
  }
  for (guint i = 0; i < G_N_ELEMENTS (first_kinds); i++)
    assign_kind (&map, first_kinds[i]);
  for (guint i = 0; device_kinds[i] != NULL; i++)
    assign_kind (&map, device_kinds[i]->element);
}
