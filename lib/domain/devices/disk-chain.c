/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The chain of a disk's images as a list that is cut and joined. In the document the image on top is a part
 * of the disk and those below are elements inside each other; here the top is made one of them for as long as
 * an edit takes, so that there is one kind of image.
 */
#include "domain/devices/disk-chain.h"

#include <string.h>

/* What both structs have of an image. */
#define MOVE_IMAGE(to, from)                            \
  G_STMT_START                                          \
  {                                                     \
    (to)->type = (from)->type;                          \
    (to)->format = g_steal_pointer (&(from)->format);   \
    (to)->metadata_cache = (from)->metadata_cache;      \
    (to)->file = g_steal_pointer (&(from)->file);       \
    (to)->fdgroup = g_steal_pointer (&(from)->fdgroup); \
    (to)->dev = g_steal_pointer (&(from)->dev);         \
    (to)->source = (from)->source;                      \
    (from)->source = (DiskSource){ 0 };                 \
    (to)->backing = g_steal_pointer (&(from)->backing); \
  }                                                     \
  G_STMT_END

DiskBacking *
disk_take_image (DeviceDisk *disk)
{
  DiskBacking *image = disk_backing_new ();

  MOVE_IMAGE (image, disk);
  image->index = disk->source_index;
  disk->source_index = (Number){ 0 };
  disk->metadata_cache = (Number){ 0 };
  /* As old documents have them, beside the source. */
  if (image->source.auth == NULL)
    image->source.auth = g_steal_pointer (&disk->auth);
  if (image->source.encryption == NULL)
    image->source.encryption = g_steal_pointer (&disk->encryption);
  if (image->backing != NULL)
    image->backing->detected = FALSE;
  return image;
}

void
disk_put_image (DeviceDisk *disk, DiskBacking *image)
{
  MOVE_IMAGE (disk, image);
  disk->source_index = image->index;
  disk_backing_free (image);
  if (disk->backing == NULL)
    disk->backing = disk_backing_new ();
  /* Only images that were found are live: that nothing is below is said for good. */
  disk->backing->detected = !disk_backing_is_end (disk->backing);
}

DiskMirror *
disk_mirror_new (DiskBacking *image, MirrorJob job)
{
  DiskMirror *mirror = field_new (&disk_mirror_table);

  MOVE_IMAGE (mirror, image);
  mirror->source_index = image->index;
  mirror->job = (int)job;
  disk_backing_free (image);
  return mirror;
}

DiskBacking *
disk_mirror_take_image (DiskMirror *mirror)
{
  DiskBacking *image = disk_backing_new ();

  MOVE_IMAGE (image, mirror);
  image->index = mirror->source_index;
  return image;
}

void
disk_push_image (DeviceDisk *disk, DiskBacking *image)
{
  disk_backing_free (image->backing);
  image->backing = disk_take_image (disk);
  disk_put_image (disk, image);
}

static gboolean
has_index (const DiskBacking *image, guint64 index)
{
  return image->index.set && image->index.value == index && index != 0;
}

/* Where the image is held that has @index, from @place on; with 0, where the chain ends. NULL: nowhere. */
static DiskBacking **
find_place (DiskBacking **place, guint64 index)
{
  for (; *place != NULL; place = &(*place)->backing)
    if (index == 0 ? disk_backing_is_end (*place) : has_index (*place, index))
      return place;
  return index == 0 ? place : NULL;
}

gboolean
disk_drop_images (DeviceDisk *disk, guint64 above, guint64 below)
{
  DiskBacking *top = disk_take_image (disk);
  DiskBacking **upper = find_place (&top, above);
  DiskBacking **lower = above != 0 && upper != NULL ? find_place (&(*upper)->backing, below) : NULL;

  if (lower != NULL && lower != &(*upper)->backing) {
    DiskBacking *rest = g_steal_pointer (lower);

    disk_backing_free ((*upper)->backing);
    (*upper)->backing = rest != NULL ? rest : disk_backing_new ();
  }
  disk_put_image (disk, top);
  return lower != NULL;
}

gboolean
disk_drop_above (DeviceDisk *disk, guint64 index)
{
  DiskBacking *top = disk_take_image (disk);
  DiskBacking **place = index != 0 ? find_place (&top, index) : NULL;
  DiskBacking *image = place != NULL ? g_steal_pointer (place) : NULL;

  if (image != NULL) {
    disk_backing_free (top);
    top = image;
  }
  disk_put_image (disk, top);
  return place != NULL;
}

DiskBacking *
disk_find_backing (const DeviceDisk *disk, guint64 index)
{
  for (DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing)
    if (has_index (backing, index))
      return backing;
  return NULL;
}

static gboolean
is_top (const DeviceDisk *disk, guint64 index)
{
  return disk->source_index.set && disk->source_index.value == index && index != 0;
}

guint64
disk_index_below (const DeviceDisk *disk, guint64 index)
{
  const DiskBacking *image = disk_find_backing (disk, index);
  const DiskBacking *below = is_top (disk, index) ? disk->backing : image != NULL ? image->backing : NULL;

  return below != NULL && below->index.set ? below->index.value : 0;
}

guint64
disk_index_above (const DeviceDisk *disk, guint64 index)
{
  guint64 above = disk->source_index.value;

  for (const DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing) {
    if (has_index (backing, index))
      return above;
    above = backing->index.value;
  }
  return 0;
}

gboolean
disk_image_of (const DeviceDisk *disk, guint64 index, DiskImage *ret_image)
{
  const DiskBacking *image = disk_find_backing (disk, index);

  if (is_top (disk, index))
    *ret_image = disk_image (disk);
  else if (image != NULL)
    *ret_image = disk_backing_image (image);
  else
    return FALSE;
  return TRUE;
}

const char *
disk_image_text (const DeviceDisk *disk, guint64 index)
{
  const DiskBacking *image = disk_find_backing (disk, index);

  if (is_top (disk, index))
    return disk_source_text (disk);
  return image != NULL ? disk_backing_text (image) : NULL;
}

static void
add_index (GArray *list, Number index, const DiskSource *source)
{
  if (index.set)
    g_array_append_val (list, index.value);
  if (source->data_store != NULL && source->data_store->index.set)
    g_array_append_val (list, source->data_store->index.value);
}

GArray *
disk_list_indexes (const DeviceDisk *disk)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (guint64));

  if (disk->mirror != NULL) {
    add_index (list, disk->mirror->source_index, &disk->mirror->source);
    for (const DiskBacking *backing = disk->mirror->backing; backing != NULL; backing = backing->backing)
      add_index (list, backing->index, &backing->source);
  }
  add_index (list, disk->source_index, &disk->source);
  for (const DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing)
    add_index (list, backing->index, &backing->source);
  return list;
}

/* Names of images. */

/* "vda[3]": 3, and in @ret_matches whether it is this disk's target. 0: no such name. */
static guint64
parse_indexed (const DeviceDisk *disk, const char *name, gboolean *ret_matches)
{
  const char *bracket = strrchr (name, '[');
  char *end = NULL;
  guint64 index;

  if (bracket == NULL || !g_ascii_isdigit (bracket[1]))
    return 0;
  index = g_ascii_strtoull (bracket + 1, &end, 10);
  if (!g_str_equal (end, "]"))
    return 0;
  *ret_matches = strlen (disk->target) == (gsize)(bracket - name)
                 && strncmp (disk->target, name, (gsize)(bracket - name)) == 0;
  return index;
}

/* @name as it may stand in the header of an image beside @above. */
static gboolean
is_named (const char *text, const char *above, const char *name)
{
  g_autofree char *directory = NULL, *path = NULL;

  if (text == NULL || g_str_equal (text, name))
    return text != NULL;
  if (above == NULL || g_path_is_absolute (name))
    return FALSE;
  directory = g_path_get_dirname (above);
  path = g_canonicalize_filename (name, directory);
  return g_str_equal (text, path);
}

static guint64
find_named (const DeviceDisk *disk, guint64 start, const char *name)
{
  const char *above = disk_source_text (disk);
  gboolean begun = start == 0 || is_top (disk, start);

  if (start == 0 && is_named (above, NULL, name))
    return disk->source_index.value;
  for (const DiskBacking *backing = disk->backing; backing != NULL; backing = backing->backing) {
    const char *text = disk_backing_text (backing);

    if (begun && is_named (text, above, name))
      return backing->index.value;
    begun = begun || has_index (backing, start);
    above = text;
  }
  return 0;
}

static gboolean
is_beneath (const DeviceDisk *disk, guint64 start, guint64 index)
{
  if (start == 0)
    return disk_has_image (disk, index);
  while ((start = disk_index_below (disk, start)) != 0)
    if (start == index)
      return TRUE;
  return FALSE;
}

static void
set_missing (const DeviceDisk *disk, guint64 start, const char *name, guint64 index, GError **error)
{
  const char *chain = disk->target;

  if (index != 0)
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "could not find backing store index '%" G_GUINT64_FORMAT "' in chain for '%s'",
                         index, chain);
  else if (start != 0)
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "could not find image '%s' beneath '%s' in chain for '%s'", name,
                         disk_image_text (disk, start), chain);
  else
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "could not find image '%s' in chain for '%s'", name, chain);
}

guint64
disk_find_image (const DeviceDisk *disk, guint64 start, const char *name, GError **error)
{
  gboolean matches = FALSE;
  guint64 index = parse_indexed (disk, name, &matches), found;

  if (index != 0 && !matches) {
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_INVALID_ARG,
                         "requested target '%.*s' does not match target '%s'",
                         (int)(strrchr (name, '[') - name), name, disk->target);
    return 0;
  }
  found = index == 0 ? find_named (disk, start, name) : is_beneath (disk, start, index) ? index : 0;
  if (found == 0)
    set_missing (disk, start, name, index, error);
  return found;
}
