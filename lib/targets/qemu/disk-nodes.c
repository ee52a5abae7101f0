/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is behind a disk: a chain of block nodes. An image has one that fetches its bytes, one that takes a
 * slice of them where the document says so, and one that knows its format. A raw image needs the last only
 * where QEMU is too old to leave it out when backing files are changed. Throttle filters and copying on read
 * stand above the chain. All are named as libvirt names them.
 *
 * When files go by descriptor the chain is spelled out to its end and closed with "backing": null, so that
 * QEMU opens nothing on the word of an image's header. When they go by path QEMU follows the headers itself,
 * as it does when a person starts it.
 */
#include "targets/qemu/disk-nodes.h"
#include "domain/devices/disk-chain.h"
#include "targets/qemu/throttle.h"

#include <string.h>

#define MASK_PROTOCOL_QEMU 9000000 /* since then "backing-mask-protocol" hides that a raw node is missing */

gboolean
disk_has_engine (const DiskImage *image, DiskEngine engine)
{
  return image->encryption != NULL && image->encryption->engine == (int)engine;
}

gboolean
disk_has_format_node (const QemuCaps *caps, const DiskImage *image)
{
  return (image->format != NULL && strcmp (image->format, "raw") != 0)
         || disk_has_engine (image, DISK_ENGINE_QEMU) || image->type == DISK_TYPE_DIR
         || qemu_caps_version (caps) < MASK_PROTOCOL_QEMU
         || qemu_caps_is_lacked (caps, "blockjob.backing-mask-protocol");
}

char *
disk_top_node_name (const QemuCaps *caps, const DiskImage *image, guint number)
{
  return g_strdup_printf ("libvirt-%u-%s", number,
                          disk_has_format_node (caps, image)          ? "format"
                          : disk_source_slice (image->source) != NULL ? "slice-sto"
                                                                      : "storage");
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
detect_zeroes_of (const DeviceDisk *disk)
{
  if (disk->detect_zeroes == DETECT_ZEROES_UNMAP && disk->discard != DISK_DISCARD_UNMAP)
    return "on"; /* without discard there is nothing to unmap with */
  return enum_table_name (&detect_zeroes_modes, disk->detect_zeroes);
}

/* The node that stands for the whole image: what the document says of its data. */
static void
add_top_properties (JsonObject *properties, const DiskNode *node, const char *name)
{
  const DeviceDisk *disk = node->disk;

  props_add (properties, "node-name", "s", name, "read-only", "b", node->readonly, "discard", "?s",
             enum_table_name (&disk_discards, disk->discard), "detect-zeroes", "?s", detect_zeroes_of (disk),
             "cache", "?o", cache_of (disk), NULL);
}

/* A node below it. A descriptor is open in one mode only; a path can be opened again when the mode changes.
 */
static void
add_lower_properties (JsonObject *properties, const DiskNode *node, const char *name)
{
  gboolean fixed = recipe_by_descriptor (node->recipe) && node->image.path != NULL;

  props_add (properties, "node-name", "s", name, "cache", "?o", cache_of (node->disk),
             fixed ? "read-only" : "auto-read-only", "b", fixed ? node->readonly : TRUE, "discard", "s",
             "unmap", NULL);
}

static void
add_properties (JsonObject *properties, const DiskNode *node, const char *name, gboolean is_top)
{
  if (is_top)
    add_top_properties (properties, node, name);
  else
    add_lower_properties (properties, node, name);
  recipe_step (node->recipe, STEP_BLOCKDEV, properties);
}

/* Can an image of @format stand on another one? QEMU takes the word "backing" for these alone. */
static gboolean
may_have_backing (const char *format)
{
  static const char *const formats[] = { "qcow2", "qcow", "qed", "vmdk", NULL };

  return g_strv_contains (formats, format);
}

/* QEMU's driver of a format. */
static const char *
format_driver (const DiskImage *image)
{
  static const struct {
    const char *format, *driver;
  } names[] = { { "fat", "raw" }, { "vhd", "vhdx" }, { "ploop", "parallels" } };

  if (image->format == NULL || strcmp (image->format, "raw") == 0)
    return disk_has_engine (image, DISK_ENGINE_QEMU) ? "luks" : "raw";
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (image->format, names[i].format) == 0)
      return names[i].driver;
  return image->format;
}

/* @below: the nodes underneath; @backing NULL: none, or not told; @closed: say that there is none. */
typedef struct {
  const char *data, *file, *backing;
  gboolean closed;
} Below;

static void
add_format (const DiskNode *node, const char *name, const Below *below)
{
  const DeviceDisk *disk = node->disk;
  const char *driver = format_driver (&node->image);
  const char *secret = disk_has_engine (&node->image, DISK_ENGINE_QEMU)
                           ? g_ptr_array_index (node->encryption_secrets, 0)
                           : NULL;
  JsonObject *properties = json_object_new ();

  add_top_properties (properties, node, name);
  props_add (properties, "driver", "s", driver, NULL);
  if (secret != NULL && strcmp (driver, "luks") == 0)
    props_add (properties, "key-secret", "s", secret, NULL);
  else if (secret != NULL)
    props_add (properties, "encrypt", "o", props ("format", "s", "luks", "key-secret", "s", secret, NULL),
               NULL);
  if (strcmp (driver, "qcow2") == 0)
    props_add (properties, "cache-size", "N", &node->image.metadata_cache, "discard-no-unref", "T",
               disk->discard_no_unref, "data-file", "?s", below->data, NULL);
  props_add (properties, "file", "s", below->file, NULL);
  if (below->backing != NULL && may_have_backing (driver))
    props_add (properties, "backing", "s", below->backing, NULL);
  else if (below->closed && may_have_backing (driver))
    props_add (properties, "backing", "n", NULL);
  recipe_step (node->recipe, STEP_BLOCKDEV, properties);
}

/* The bytes of one image, or a slice of them. What is above takes the returned name. (transfer full) */
static char *
add_storage (DiskNode *node, gboolean has_format, GError **error)
{
  const DiskSlice *slice = disk_source_slice (node->image.source);
  g_autofree char *name = g_strdup_printf ("libvirt-%u-storage", node->number);
  JsonObject *properties;
  char *slice_name;

  if (!disk_add_objects (node, error))
    return NULL;
  properties = disk_storage_node (node, error);
  if (properties == NULL)
    return NULL;
  add_properties (properties, node, name, !has_format && slice == NULL);
  if (slice == NULL)
    return g_steal_pointer (&name);
  slice_name = g_strdup_printf ("libvirt-%u-slice-sto", node->number);
  properties = props ("driver", "s", "raw", "file", "s", name, "offset", "t", slice->offset.value, "size",
                      "t", slice->size.value, NULL);
  add_properties (properties, node, slice_name, !has_format);
  return slice_name;
}

/* The file with the raw data of a qcow2 image. NULL with @error, or where there is none. */
static char *
add_data_store (Recipe *recipe, const DeviceDisk *disk, const DiskDataStore *store, guint number,
                gboolean readonly, GError **error)
{
  g_auto (DiskNode) node = { .recipe = recipe, .disk = disk, .number = number, .readonly = readonly };

  node.image = disk_data_image (store);
  return add_storage (&node, FALSE, error);
}

/* A chain as it will be opened: what the document says of each image, and what was read from its header. */
typedef struct {
  Recipe *recipe;
  const DeviceDisk *disk;
  guint first; /* the number of the node on top */
} Chain;

/* What is below an image: said by the document, or read from the image's header. */
static gboolean
find_below (const DiskBacking *said, const ImageInfo *info, DiskImage *ret_image)
{
  static const DiskSource local;

  if (said != NULL && !disk_backing_is_end (said)) {
    *ret_image = disk_backing_image (said);
    return TRUE;
  }
  if (said != NULL || info == NULL || info->backing == NULL)
    return FALSE;
  *ret_image = (DiskImage){ .type = info->backing->is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE,
                            .format = info->backing->format,
                            .path = info->backing->path,
                            .source = &local };
  return TRUE;
}

/* The nodes of one image; @below has what it stands on. The name of the one that stands for it. */
static char *
add_one (DiskNode *node, Below *below, GError **error)
{
  const DiskDataStore *store = node->image.source->data_store;
  gboolean has_format = disk_has_format_node (recipe_caps (node->recipe), &node->image);
  g_autofree char *data = NULL, *storage = NULL;
  char *name;

  if (store != NULL) {
    guint number = store->index.set ? (guint)store->index.value : node->number + 1;

    data = add_data_store (node->recipe, node->disk, store, number, node->readonly, error);
    if (data == NULL)
      return NULL;
  }
  storage = add_storage (node, has_format, error);
  if (storage == NULL || !has_format)
    return g_steal_pointer (&storage);
  below->data = data;
  below->file = storage;
  name = g_strdup_printf ("libvirt-%u-format", node->number);
  add_format (node, name, below);
  return name;
}

/* A running machine's images say their numbers themselves, which follow in no order once the chain has
 * changed.
 */
static guint
number_below (const DiskBacking *said, guint next)
{
  return said != NULL && said->index.set ? (guint)said->index.value : next;
}

/* The images below come first: a node's backing has to exist before it. Depth is bounded by who read the
 * headers and the document. @closed: everything is known to the end. */
static char *
add_image (const Chain *chain, const DiskImage *image, const DiskBacking *said, const ImageInfo *info,
           guint number, guint depth, GError **error)
{
  Recipe *recipe = chain->recipe;
  const DiskDataStore *store = image->source->data_store;
  g_auto (DiskNode) node = { .recipe = recipe,
                             .disk = chain->disk,
                             .image = *image,
                             .number = number,
                             .readonly = depth > 0 || disk_is_readonly (chain->disk)
                                         || disk_has_overlay (recipe, chain->disk) };
  g_autofree char *backing = NULL;
  DiskImage below_image;
  /* A running QEMU is given nothing on the word of a header that nobody has read. */
  Below below = { .closed = said != NULL || info != NULL || recipe_by_descriptor (recipe) };

  if (find_below (said, info, &below_image)) {
    const DiskBacking *next = said != NULL ? said->backing : NULL;

    backing = add_image (chain, &below_image, next, info != NULL ? info->backing : NULL,
                         number_below (said, number + 1 + (store != NULL)), depth + 1, error);
    if (backing == NULL)
      return NULL;
  }
  below.backing = backing;
  return add_one (&node, &below, error);
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

static guint
count_filters (const DeviceDisk *disk)
{
  return disk->throttle_filters != NULL ? disk->throttle_filters->len : 0;
}

static char *
add_filters (Recipe *recipe, const DeviceDisk *disk, guint number, char *below)
{
  for (guint i = 0; i < count_filters (disk); i++) {
    const DiskThrottleFilter *filter = g_ptr_array_index (disk->throttle_filters, i);
    g_autofree char *group = g_strconcat ("throttle-", filter->group, NULL);
    char *name = g_strdup_printf ("libvirt-%u-filter", number + i);

    recipe_step (recipe, STEP_BLOCKDEV,
                 props ("driver", "s", "throttle", "node-name", "s", name, "throttle-group", "s", group,
                        "file", "s", below, NULL));
    g_free (below);
    below = name;
  }
  return below;
}

static gboolean
is_known_format (const char *format)
{
  static const char *const formats[] = { "raw", "qcow2", "qcow",  "qed", "vmdk",      "vdi", "vpc",   "vhdx",
                                         "vhd", "bochs", "cloop", "dmg", "parallels", "fat", "ploop", NULL };

  return g_strv_contains (formats, format);
}

gboolean
disk_has_overlay (const Recipe *recipe, const DeviceDisk *disk)
{
  return disk->transient && disk_has_nodes (disk)
         && (recipe_by_descriptor (recipe) || recipe_host (recipe)->plugging);
}

/* What the guest changes goes to a file that has no name, so that it ends with QEMU. */
static char *
add_overlay (Recipe *recipe, const DeviceDisk *disk, guint number, char *below)
{
  g_autofree char *storage = g_strdup_printf ("libvirt-%u-storage", number);
  char *name = g_strdup_printf ("libvirt-%u-format", number);
  const DiskNode node = { .recipe = recipe, .disk = disk };
  JsonObject *properties = json_object_new ();

  recipe_step (recipe, STEP_BLOCKDEV,
               props ("driver", "s", "file", "filename", "s",
                      recipe_made_file (recipe, &disk->device, "overlay"), "node-name", "s", storage, "cache",
                      "?o", cache_of (disk), "read-only", "b", FALSE, "discard", "s", "unmap", NULL));
  add_top_properties (properties, &node, name);
  props_add (properties, "driver", "s", "qcow2", "file", "s", storage, "backing", "s", below, NULL);
  recipe_step (recipe, STEP_BLOCKDEV, properties);
  g_free (below);
  return name;
}

/* How many numbers the chain takes: each image one, and each data file. */
static guint
count_chain (const DeviceDisk *disk, const ImageInfo *info)
{
  const DiskBacking *said = disk->backing;
  guint count = 1 + (disk->source.data_store != NULL);

  for (; said != NULL && !disk_backing_is_end (said); said = said->backing) {
    count += 1 + (said->source.data_store != NULL);
    info = info != NULL ? info->backing : NULL;
    if (said->backing == NULL)
      break;
  }
  /* What is below the last that is named is read, unless it is said that nothing is. */
  if (disk->backing == NULL || (said != NULL && said->backing == NULL && !disk_backing_is_end (said)))
    for (; info != NULL && info->backing != NULL; info = info->backing)
      count++;
  return count;
}

static const ImageInfo *
info_of (const Recipe *recipe, const DeviceDisk *disk)
{
  const char *path = disk_path (disk);

  return path != NULL ? recipe_image (recipe, path) : NULL;
}

guint
disk_count_nodes (const Recipe *recipe, const DeviceDisk *disk)
{
  return count_chain (disk, info_of (recipe, disk)) + count_filters (disk)
         + (disk_has_overlay (recipe, disk) ? 1 : 0);
}

static gboolean
check_chain (const DeviceDisk *disk, GError **error)
{
  const char *format = disk->format != NULL ? disk->format : "raw";

  if (!is_known_format (format))
    return qemu_unsupported (&disk->device, error, "unknown image format '%s'; 'raw' and 'qcow2' are usual",
                             format);
  if (disk->io == DISK_IO_NATIVE && disk_cache_mode (disk) != DISK_CACHE_DISABLE
      && disk_cache_mode (disk) != DISK_CACHE_DIRECTSYNC)
    return qemu_unsupported (&disk->device, error,
                             "native I/O needs either no disk cache or directsync cache mode, QEMU "
                             "will fallback to aio=threads");
  return TRUE;
}

gboolean
disk_add_nodes (Recipe *recipe, const DeviceDisk *disk, char **ret_node, GError **error)
{
  const Chain chain = { recipe, disk, recipe_disk_node (recipe, &disk->device) };
  const DiskImage image = disk_image (disk);
  const ImageInfo *info = info_of (recipe, disk);
  guint number = chain.first + count_chain (disk, info);
  char *node;

  *ret_node = NULL;
  if (!disk_has_nodes (disk))
    return TRUE;
  if (!check_chain (disk, error))
    return FALSE;
  /* A raw image has nothing below it, whatever its bytes look like. */
  if (image.format == NULL || strcmp (image.format, "raw") == 0)
    info = NULL;
  node = add_image (&chain, &image, disk->backing, info, chain.first, 0, error);
  if (node == NULL)
    return FALSE;
  if (disk_has_overlay (recipe, disk))
    node = add_overlay (recipe, disk, number++, node);
  if (disk->copy_on_read == TRISTATE_YES)
    node = add_copy_on_read (recipe, disk, node);
  if (disk->filter_index.set)
    number = (guint)disk->filter_index.value;
  *ret_node = add_filters (recipe, disk, number, node);
  return TRUE;
}

gboolean
recipe_add_image (Recipe *recipe, const DeviceDisk *disk, const DiskImage *image, guint number,
                  gboolean readonly, const char *backing, char **ret_node, GError **error)
{
  g_auto (DiskNode)
      node = { .recipe = recipe, .disk = disk, .image = *image, .number = number, .readonly = readonly };
  Below below = { .backing = backing, .closed = TRUE };

  *ret_node = add_one (&node, &below, error);
  return *ret_node != NULL;
}

char *
qemu_image_node (const QemuCaps *caps, const DeviceDisk *disk, guint64 index)
{
  DiskImage image;

  return disk_image_of (disk, index, &image) ? disk_top_node_name (caps, &image, (guint)index) : NULL;
}

guint
qemu_disk_filter (const DeviceDisk *disk)
{
  if (disk->filter_index.set)
    return (guint)disk->filter_index.value;
  return (guint)disk->source_index.value + count_chain (disk, NULL) + (disk->transient ? 1 : 0);
}

char *
qemu_disk_node (const QemuCaps *caps, const DeviceDisk *disk)
{
  const DiskImage image = disk_image (disk);
  guint number = (guint)disk->source_index.value, filters = count_filters (disk);

  if (filters > 0)
    return g_strdup_printf ("libvirt-%u-filter", qemu_disk_filter (disk) + filters - 1);
  if (disk->copy_on_read == TRISTATE_YES)
    return g_strconcat ("libvirt-CoR-", disk->target, NULL);
  if (disk->transient)
    return g_strdup_printf ("libvirt-%u-format", number + count_chain (disk, NULL));
  return disk_top_node_name (caps, &image, number);
}
