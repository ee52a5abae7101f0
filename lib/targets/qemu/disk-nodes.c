/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind a disk: a chain of block nodes, two for each image, one that fetches bytes and one that
 * knows the format. They are named as libvirt names them.
 *
 * When files go by descriptor the chain is spelled out to its end and closed with "backing": null, so that
 * QEMU opens nothing on the word of an image's header. When they go by path QEMU follows the headers itself,
 * as it does when a person starts it.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/disk.h"

#include <string.h>

typedef struct {
  Recipe *recipe;
  const DeviceDisk *disk;
  guint first; /* the number of the node on top */
} Chain;

static const char *
storage_driver (const DeviceDisk *disk, gboolean is_device)
{
  if (!is_device)
    return "file";
  return disk->device_type == DISK_DEVICE_CDROM ? "host_cdrom" : "host_device";
}

/* A disk that several machines write to must not be cached by one of them. */
int
disk_cache_mode (const DeviceDisk *disk)
{
  if (disk->cache <= DISK_CACHE_DEFAULT && disk->shareable && !disk->readonly)
    return DISK_CACHE_DISABLE;
  return disk->cache;
}

static JsonObject *
cache_of (const DeviceDisk *disk)
{
  int mode = disk_cache_mode (disk);

  if (mode <= DISK_CACHE_DEFAULT)
    return NULL;
  return props ("direct", "b", mode == DISK_CACHE_DISABLE || mode == DISK_CACHE_DIRECTSYNC, "no-flush", "b",
                mode == DISK_CACHE_UNSAFE, NULL);
}

static const char *
aio_of (const DeviceDisk *disk)
{
  static const char *const names[] = { NULL, "native", "threads", "io_uring" };

  return names[disk->io];
}

static const char *
detect_zeroes_of (const DeviceDisk *disk)
{
  if (disk->detect_zeroes == DETECT_ZEROES_UNMAP && disk->discard != DISK_DISCARD_UNMAP)
    return "on"; /* without discard there is nothing to unmap with */
  return enum_table_name (&detect_zeroes_modes, disk->detect_zeroes);
}

static void
add_storage (const Chain *chain, const char *path, gboolean is_device, gboolean readonly, const char *name)
{
  const DeviceDisk *disk = chain->disk;
  const char *file = recipe_file (chain->recipe, path, !readonly, &disk->device, "disk image");
  /* A descriptor is open in one mode only; a path can be opened again when the mode changes. */
  gboolean fixed = recipe_by_descriptor (chain->recipe);

  recipe_step (chain->recipe, STEP_BLOCKDEV,
               props ("driver", "s", storage_driver (disk, is_device), "filename", "s", file, "aio", "?s",
                      aio_of (disk), "node-name", "s", name, "cache", "?o", cache_of (disk),
                      fixed ? "read-only" : "auto-read-only", "b", fixed ? readonly : TRUE, "discard", "s",
                      "unmap", NULL));
}

/* Can an image of @format stand on another one? QEMU takes the word "backing" for these alone. */
static gboolean
may_have_backing (const char *format)
{
  static const char *const formats[] = { "qcow2", "qcow", "qed", "vmdk", NULL };

  return g_strv_contains (formats, format);
}

/* @backing: the node below, or NULL; @closed: say that there is none. */
static void
add_format (const Chain *chain, const char *format, gboolean readonly, const char *name, const char *storage,
            const char *backing, gboolean closed)
{
  const DeviceDisk *disk = chain->disk;
  JsonObject *properties =
      props ("node-name", "s", name, "read-only", "b", readonly, "discard", "?s",
             enum_table_name (&disk_discards, disk->discard), "detect-zeroes", "?s", detect_zeroes_of (disk),
             "cache", "?o", cache_of (disk), "driver", "s", format, "file", "s", storage, NULL);

  if (disk->discard_no_unref != TRISTATE_ABSENT && strcmp (format, "qcow2") == 0)
    props_add (properties, "discard-no-unref", "T", disk->discard_no_unref, NULL);
  if (backing != NULL)
    props_add (properties, "backing", "s", backing, NULL);
  else if (closed && may_have_backing (format))
    props_add (properties, "backing", "n", NULL);
  recipe_step (chain->recipe, STEP_BLOCKDEV, properties);
}

/* The images below come first: a node's backing has to exist before it. Depth is bounded by who read the
 * headers. */
static char *
add_image (const Chain *chain, const char *path, const char *format, const ImageInfo *info, guint depth)
{
  gboolean is_device = depth == 0 ? chain->disk->type == DISK_TYPE_BLOCK : info != NULL && info->is_device;
  gboolean readonly = depth > 0 || chain->disk->readonly || chain->disk->device_type == DISK_DEVICE_CDROM;
  guint number = chain->first + depth;
  g_autofree char *storage = g_strdup_printf ("libvirt-%u-storage", number);
  char *name = g_strdup_printf ("libvirt-%u-format", number);
  g_autofree char *backing = NULL;

  if (info != NULL && info->backing != NULL)
    backing = add_image (chain, info->backing->path, info->backing->format, info->backing, depth + 1);
  add_storage (chain, path, is_device, readonly, storage);
  add_format (chain, format, readonly, name, storage, backing, info != NULL);
  return name;
}

static char *
add_copy_on_read (Recipe *recipe, const DeviceDisk *disk, char *below)
{
  char *name = g_strconcat ("libvirt-CoR-", disk->target, NULL);

  recipe_step (recipe, STEP_BLOCKDEV,
               props ("driver", "s", "copy-on-read", "node-name", "s", name, "file", "s", below, "discard",
                      "s", "unmap", NULL));
  g_free (below);
  return name;
}

static gboolean
is_known_format (const char *format)
{
  static const char *const formats[] = { "raw",  "qcow2", "qcow",  "qed", "vmdk", "vdi",       "vpc",
                                         "vhdx", "bochs", "cloop", "dmg", "luks", "parallels", NULL };

  return g_strv_contains (formats, format);
}

/* What a document says of the images below, where nobody has looked at them. Names are borrowed. */
static ImageInfo *
said_chain (const char *path, const char *format, const DiskBacking *backing)
{
  ImageInfo *info = g_new0 (ImageInfo, 1);

  *info = (ImageInfo){ .path = path, .format = format, .is_device = FALSE };
  if (backing != NULL && !disk_backing_is_end (backing) && disk_backing_path (backing) != NULL) {
    info->backing = said_chain (disk_backing_path (backing), backing->format, backing->backing);
    ((ImageInfo *)info->backing)->is_device = backing->type == DISK_TYPE_BLOCK;
  }
  return info;
}

static void
said_chain_free (ImageInfo *info)
{
  if (info == NULL)
    return;
  said_chain_free ((ImageInfo *)info->backing);
  g_free (info);
}

guint
disk_count_images (const Recipe *recipe, const DeviceDisk *disk)
{
  const char *path = disk_path (disk);
  const ImageInfo *info = path != NULL ? recipe_image (recipe, path) : NULL;
  guint count = 1;

  for (const DiskBacking *backing = disk->backing;
       info == NULL && backing != NULL && !disk_backing_is_end (backing); backing = backing->backing)
    count++;
  for (; info != NULL && info->backing != NULL; info = info->backing)
    count++;
  return count;
}

gboolean
disk_add_nodes (Recipe *recipe, const DeviceDisk *disk, char **ret_node, GError **error)
{
  const Chain chain = { recipe, disk, recipe_disk_node (recipe, &disk->device) };
  const char *path = disk_path (disk), *format = disk->format != NULL ? disk->format : "raw";
  const ImageInfo *info = NULL;
  ImageInfo *said = NULL;

  *ret_node = NULL;
  if (path == NULL)
    return TRUE;
  if (!is_known_format (format))
    return qemu_unsupported (&disk->device, error, "unknown image format '%s'; 'raw' and 'qcow2' are usual",
                             format);
  if (disk->io == DISK_IO_NATIVE && disk_cache_mode (disk) != DISK_CACHE_DISABLE
      && disk_cache_mode (disk) != DISK_CACHE_DIRECTSYNC)
    return qemu_unsupported (&disk->device, error,
                             "native I/O needs either no disk cache or directsync cache mode, QEMU "
                             "will fallback to aio=threads");
  if (strcmp (format, "raw") != 0)
    info = recipe_image (recipe, path);
  if (info == NULL && disk->backing != NULL)
    info = said = said_chain (path, format, disk->backing);
  *ret_node = add_image (&chain, path, format, info, 0);
  said_chain_free (said);
  if (disk->copy_on_read == TRISTATE_YES)
    *ret_node = add_copy_on_read (recipe, disk, *ret_node);
  return TRUE;
}
