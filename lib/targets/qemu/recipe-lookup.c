/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the steps of one device ask of all the others: which controller it sits on, the numbers of its images,
 * its place in the order of boot. A definition may have thousands of devices, so that each answer is looked
 * up in a table, made of the whole definition when the first is asked for. A recipe's definition does not
 * change.
 */
#include "targets/qemu/recipe-lookup.h"

#include "domain/devices/audio.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"

struct RecipeLookup {
  GHashTable *controllers; /* each NULL until it is asked for */
  GHashTable *nodes;       /* DeviceDisk → the number of its first image */
  GHashTable *boot;        /* Device → its place and one */
  GPtrArray *audios;       /* DeviceAudio */
};

RecipeLookup *
recipe_lookup_new (void)
{
  return g_new0 (RecipeLookup, 1);
}

void
recipe_lookup_free (RecipeLookup *lookup)
{
  g_clear_pointer (&lookup->controllers, g_hash_table_unref);
  g_clear_pointer (&lookup->nodes, g_hash_table_unref);
  g_clear_pointer (&lookup->boot, g_hash_table_unref);
  g_clear_pointer (&lookup->audios, g_ptr_array_unref);
  g_free (lookup);
}

const DeviceController *
recipe_controller (const Recipe *recipe, int type, guint64 index)
{
  RecipeLookup *lookup = recipe_get_lookup (recipe);

  if (lookup->controllers == NULL)
    lookup->controllers = controller_table_new (recipe_def (recipe));
  return controller_table_find (lookup->controllers, (ControllerType)type, index);
}

/* As libvirt counts: from the last disk to the first, an image before those it stands on, and an empty drive
 * too. A running machine's disks say their numbers themselves. */
static GHashTable *
number_disks (const Recipe *recipe)
{
  GHashTable *nodes = g_hash_table_new (NULL, NULL);
  const GPtrArray *devices = recipe_def (recipe)->devices;
  guint number = recipe_first_node (recipe);

  for (guint i = devices->len; i > 0; i--) {
    Device *device = g_ptr_array_index (devices, i - 1);

    if (device->kind != &disk_kind)
      continue;
    g_hash_table_insert (nodes, device, GUINT_TO_POINTER (number));
    number += disk_count_nodes (recipe, (const DeviceDisk *)device);
  }
  return nodes;
}

guint
recipe_disk_node (const Recipe *recipe, const Device *disk)
{
  RecipeLookup *lookup = recipe_get_lookup (recipe);
  gpointer number;

  if (((const DeviceDisk *)disk)->source_index.set)
    return (guint)((const DeviceDisk *)disk)->source_index.value;
  if (lookup->nodes == NULL)
    lookup->nodes = number_disks (recipe);
  number = g_hash_table_lookup (lookup->nodes, disk);
  return number != NULL ? GPOINTER_TO_UINT (number) : recipe_first_node (recipe); /* one that is plugged in */
}

static gboolean
is_of_class (const Device *device, BootDevice class)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (class == BOOT_NETWORK)
    return device->kind == &interface_kind;
  if (device->kind != &disk_kind)
    return FALSE;
  switch (class) {
    case BOOT_FD:
      return disk->device_type == DISK_DEVICE_FLOPPY;
    case BOOT_CDROM:
      return disk->device_type == DISK_DEVICE_CDROM;
    default:
      return disk->device_type != DISK_DEVICE_FLOPPY && disk->device_type != DISK_DEVICE_CDROM;
  }
}

static Device *
first_of_class (const DomainDef *def, BootDevice class)
{
  for (guint i = 0; i < def->devices->len; i++)
    if (is_of_class (g_ptr_array_index (def->devices, i), class))
      return g_ptr_array_index (def->devices, i);
  return NULL;
}

/* The first device of each class that the document lists; of a class listed twice, the first place. */
static GHashTable *
order_boot (const DomainDef *def)
{
  GHashTable *boot = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL); /* classes */

  for (guint place = 0; def->os.boots != NULL && place < def->os.boots->len; place++) {
    const OsBoot *listed = g_ptr_array_index (def->os.boots, place);
    Device *first = g_hash_table_add (seen, GINT_TO_POINTER (listed->device))
                        ? first_of_class (def, listed->device)
                        : NULL;

    if (first != NULL && !g_hash_table_contains (boot, first))
      g_hash_table_insert (boot, first, GUINT_TO_POINTER (place + 1));
  }
  return boot;
}

Number
recipe_boot_index (const Recipe *recipe, const Device *device)
{
  RecipeLookup *lookup = recipe_get_lookup (recipe);
  guint place;

  if (device->boot_order.set)
    return device->boot_order;
  if (lookup->boot == NULL)
    lookup->boot = order_boot (recipe_def (recipe));
  place = GPOINTER_TO_UINT (g_hash_table_lookup (lookup->boot, device));
  return place > 0 ? NUMBER (place) : (Number){ FALSE, 0 };
}

const DeviceAudio *
recipe_audio (const Recipe *recipe, const Number *id)
{
  RecipeLookup *lookup = recipe_get_lookup (recipe);

  if (lookup->audios == NULL) {
    lookup->audios = g_ptr_array_new ();
    DOMAIN_FOREACH_DEVICE (recipe_def (recipe), audio_kind, DeviceAudio, audio)
      g_ptr_array_add (lookup->audios, audio);
  }
  for (guint i = 0; i < lookup->audios->len; i++) {
    const DeviceAudio *audio = g_ptr_array_index (lookup->audios, i);

    if (!id->set || audio->id.value == id->value)
      return audio;
  }
  return NULL;
}
