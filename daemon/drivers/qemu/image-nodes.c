/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Single images of a running QEMU. An image's nodes come from the same recipe as those of a cold start, so
 * that they have the same properties wherever they were made. Which descriptor set an image has is asked of
 * QEMU and not remembered.
 *
 * An image below another is open for reading only. To write to it (a commit) its file is opened again, that
 * descriptor joins the set of the first, and QEMU picks the one that can be written. The first one then goes,
 * for it still holds the lock that keeps writers away: QEMU before 9.1 lets go of it only while the guest
 * runs.
 */
#include "daemon/drivers/qemu/image-nodes.h"

#include "daemon/host/named-file.h"
#include "daemon/host/program.h"
#include "targets/qemu/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FDSET        "/dev/fdset/"
#define MAKE_SECONDS 60 /* for qemu-img, which writes a header */
#define NUMBER_MAX   (1 << 30)

/* What QEMU says of its nodes. */
typedef struct {
  GHashTable *names; /* of all nodes → the file, or "" */
  GHashTable *sets;  /* the numbers of descriptor sets in use, as text */
  GHashTable *readonly;
} Nodes;

static void
nodes_clear (Nodes *nodes)
{
  g_clear_pointer (&nodes->names, g_hash_table_unref);
  g_clear_pointer (&nodes->sets, g_hash_table_unref);
  g_clear_pointer (&nodes->readonly, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Nodes, nodes_clear)

static void
look_at_node (JsonObject *item, gpointer data)
{
  Nodes *nodes = data;
  const char *name = untrusted_text (item, "node-name"), *file = untrusted_text (item, "file");

  if (name == NULL)
    return;
  if (untrusted_switch (item, "ro"))
    g_hash_table_add (nodes->readonly, g_strdup (name));
  if (file != NULL && g_str_has_prefix (file, FDSET))
    g_hash_table_add (nodes->sets, g_strdup (file + strlen (FDSET)));
  g_hash_table_insert (nodes->names, g_strdup (name), g_strdup (file != NULL ? file : ""));
}

static gboolean
ask_nodes (Plugging *plugging, Nodes *nodes, GError **error)
{
  nodes_clear (nodes);
  nodes->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  nodes->sets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  nodes->readonly = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return plugging_ask_list (plugging, "query-named-block-nodes", props ("flat", "b", TRUE, NULL),
                            look_at_node, nodes, error);
}

/* Making nodes. */

gboolean
image_nodes_next (Job *job, const Hotplug *plug, guint64 *ret_index, GError **error)
{
  static const char prefix[] = "libvirt-";
  g_auto (Plugging) plugging = { 0 };
  g_auto (Nodes) nodes = { 0 };
  GHashTableIter iter;
  gpointer name;

  plugging_init (&plugging, job, plug);
  if (!ask_nodes (&plugging, &nodes, error))
    return FALSE;
  *ret_index = 1;
  g_hash_table_iter_init (&iter, nodes.names);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (g_str_has_prefix (name, prefix)) {
      guint64 number = g_ascii_strtoull ((const char *)name + strlen (prefix), NULL, 10);

      if (number < NUMBER_MAX)
        *ret_index = MAX (*ret_index, number + 1);
    }
  return TRUE;
}

gboolean
image_nodes_add (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, const char *backing,
                 GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  const DiskImage image = disk_image (disk);
  g_autofree char *node = NULL;

  plugging_init (&plugging, job, plug);
  return plugging_begin (&plugging, def, RECIPE_BY_DESCRIPTOR, error)
         && recipe_add_image (plugging.recipe, disk, &image, (guint)disk->source_index.value, FALSE, backing,
                              &node, error)
         && plugging_say (&plugging, FALSE, error);
}

/* From the one at the end of the chain upwards: what an image stands on has to be there before it. */
static gboolean
add_chain_steps (Plugging *plugging, const DeviceDisk *disk, GError **error)
{
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autofree char *node = NULL;
  guint64 index = disk->source_index.value;

  for (; index != 0 && indexes->len < IMAGE_NODES_MAX; index = disk_index_below (disk, index))
    g_array_append_val (indexes, index);
  for (guint i = indexes->len; i > 0; i--) {
    g_autofree char *below = g_steal_pointer (&node);
    DiskImage image;

    index = g_array_index (indexes, guint64, i - 1);
    if (!disk_image_of (disk, index, &image)
        || !recipe_add_image (plugging->recipe, disk, &image, (guint)index, i > 1, below, &node, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
image_nodes_add_chain (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, GError **error)
{
  g_auto (Plugging) plugging = { 0 };

  plugging_init (&plugging, job, plug);
  return plugging_begin (&plugging, def, RECIPE_BY_DESCRIPTOR, error)
         && add_chain_steps (&plugging, disk, error) && plugging_say (&plugging, FALSE, error);
}

DiskBacking *
image_chain_below (const ImageInfo *info, guint64 *next)
{
  DiskBacking *first = NULL, **place = &first;

  for (info = info->backing; info != NULL; info = info->backing) {
    DiskBacking *image = disk_backing_new ();

    image->type = info->is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
    image->index = NUMBER ((*next)++);
    image->format = g_strdup (info->format);
    *(info->is_device ? &image->dev : &image->file) = g_strdup (info->path);
    *place = image;
    place = &image->backing;
  }
  *place = disk_backing_new ();
  return first;
}

/* Opening one in another mode. */

#define FOR_WRITING " write" /* behind the alias: what such a descriptor is called */

typedef struct {
  guint64 set;
  GArray *fds;           /* guint64 */
  gboolean only_written; /* those that were added for writing */
} SetContent;

static void
look_at_set (JsonObject *item, gpointer data)
{
  SetContent *content = data;
  JsonArray *list = untrusted_list (item, "fds");

  if (untrusted_count (item, "fdset-id") != content->set)
    return;
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), IMAGE_NODES_MAX); i++) {
    JsonObject *entry = untrusted_object_of (json_array_get_element (list, i));
    const char *opaque = untrusted_text (entry, "opaque");
    guint64 fd = untrusted_count (entry, "fd");

    if (!content->only_written || (opaque != NULL && g_str_has_suffix (opaque, FOR_WRITING)))
      g_array_append_val (content->fds, fd);
  }
}

/* The properties of the node @name as its recipe has them, but for the file, which it has already. */
static JsonObject *
node_properties (Plugging *plugging, DomainDef *def, const DeviceDisk *disk, guint64 index, const char *name,
                 gboolean writable, GError **error)
{
  g_autofree char *top = NULL;
  DiskImage image;

  if (!disk_image_of (disk, index, &image) || !plugging_begin (plugging, def, RECIPE_BY_DESCRIPTOR, error)
      || !recipe_add_image (plugging->recipe, disk, &image, (guint)index, !writable, NULL, &top, error))
    return NULL;
  for (guint i = 0; i < recipe_step_count (plugging->recipe); i++) {
    const Step *step = recipe_get_step (plugging->recipe, i);

    if (step->kind == STEP_BLOCKDEV && g_strcmp0 (untrusted_text (step->properties, "node-name"), name) == 0)
      return json_object_ref (step->properties);
  }
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "image %" G_GUINT64_FORMAT " of disk '%s' has no node '%s'", index, disk->target, name);
  return NULL;
}

/* A descriptor of the image's file, into its set. What the set had before is in @before. */
static gboolean
pass_again (Plugging *plugging, const DeviceDisk *disk, const char *path, gboolean writable,
            SetContent *before, guint64 *ret_fd, GError **error)
{
  int flags = (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  g_autoptr (JsonNode) answer = NULL;
  g_autofree char *opaque = NULL;
  int fd;

  if (!plugging_ask_list (plugging, "query-fdsets", NULL, look_at_set, before, error))
    return FALSE;
  fd = named_file_open (path, flags, 0);
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to open file '%s': %s", path, g_strerror (errno));
    return FALSE;
  }
  opaque = g_strconcat (disk->device.alias, writable ? FOR_WRITING : NULL, NULL);
  answer =
      qmp_call_with_fd (plugging->plug->qmp, plugging->job, "add-fd",
                        props ("fdset-id", "i", (int)before->set, "opaque", "s", opaque, NULL), fd, error);
  close (fd);
  *ret_fd = untrusted_count (untrusted_object_of (answer), "fd");
  return answer != NULL;
}

static void
remove_fd (Plugging *plugging, guint64 set, guint64 fd)
{
  plugging_send (plugging, "remove-fd", props ("fdset-id", "i", (int)set, "fd", "i", (int)fd, NULL), NULL);
}

static gboolean
reopen (Plugging *plugging, JsonObject *properties, GError **error)
{
  JsonArray *list = json_array_new ();

  json_array_add_object_element (list, properties);
  return plugging_send (plugging, "blockdev-reopen", props ("options", "a", list, NULL), error);
}

static void
remove_fds (Plugging *plugging, const SetContent *content)
{
  for (guint i = 0; i < content->fds->len; i++)
    remove_fd (plugging, content->set, g_array_index (content->fds, guint64, i));
}

/* A daemon that was killed may have passed a descriptor for writing and come no further. */
static gboolean
close_written (Plugging *plugging, SetContent *content, GError **error)
{
  content->only_written = TRUE;
  if (!plugging_ask_list (plugging, "query-fdsets", NULL, look_at_set, content, error))
    return FALSE;
  remove_fds (plugging, content);
  return TRUE;
}

gboolean
image_nodes_reopen (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, guint64 index,
                    gboolean writable, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  g_auto (Nodes) nodes = { 0 };
  g_autoptr (GArray) fds = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_autofree char *name = g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-storage", index);
  SetContent before = { 0, fds, FALSE };
  DiskImage image;
  JsonObject *properties;
  const char *file;
  guint64 fd = 0;

  plugging_init (&plugging, job, plug);
  if (!ask_nodes (&plugging, &nodes, error))
    return FALSE;
  file = g_hash_table_lookup (nodes.names, name);
  if (file == NULL || !g_str_has_prefix (file, FDSET) || !disk_image_of (disk, index, &image)
      || image.path == NULL)
    return TRUE;
  before.set = g_ascii_strtoull (file + strlen (FDSET), NULL, 10);
  if (g_hash_table_contains (nodes.readonly, name) != writable)
    return writable || close_written (&plugging, &before, error);
  properties = node_properties (&plugging, def, disk, index, name, writable, error);
  if (properties == NULL)
    return FALSE;
  json_object_set_string_member (properties, "filename", file);
  if (!pass_again (&plugging, disk, image.path, writable, &before, &fd, error)) {
    json_object_unref (properties);
    return FALSE;
  }
  if (!reopen (&plugging, properties, error)) {
    remove_fd (&plugging, before.set, fd);
    return FALSE;
  }
  remove_fds (&plugging, &before);
  return TRUE;
}

/* Taking nodes away. */

static gboolean
close_unused (Plugging *plugging, const char *alias, GError **error)
{
  g_auto (Nodes) nodes = { 0 };
  g_autoptr (GArray) sets = plugging_sets_of (plugging, alias, error);

  if (sets == NULL || !ask_nodes (plugging, &nodes, error))
    return FALSE;
  for (guint i = sets->len; i > 0; i--) {
    g_autofree char *number = g_strdup_printf ("%" G_GINT64_FORMAT, g_array_index (sets, gint64, i - 1));

    if (g_hash_table_contains (nodes.sets, number))
      g_array_remove_index (sets, i - 1);
  }
  plugging_remove_sets (plugging, sets);
  return TRUE;
}

gboolean
image_nodes_close_unused (Job *job, const Hotplug *plug, const char *alias, GError **error)
{
  g_auto (Plugging) plugging = { 0 };

  plugging_init (&plugging, job, plug);
  return close_unused (&plugging, alias, error);
}

gboolean
image_nodes_remove (Job *job, const Hotplug *plug, const char *alias, const GArray *indexes, GError **error)
{
  static const char *const layers[] = { "format", "slice-sto", "storage" };
  g_auto (Plugging) plugging = { 0 };
  g_auto (Nodes) nodes = { 0 };

  plugging_init (&plugging, job, plug);
  if (!ask_nodes (&plugging, &nodes, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (layers) * MIN (indexes->len, IMAGE_NODES_MAX); i++) {
    guint64 index = g_array_index (indexes, guint64, i / G_N_ELEMENTS (layers));
    const char *layer = layers[i % G_N_ELEMENTS (layers)];
    g_autofree char *name = g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-%s", index, layer);

    if (g_hash_table_contains (nodes.names, name))
      plugging_send (&plugging, "blockdev-del", props ("node-name", "s", name, NULL), NULL);
  }
  return close_unused (&plugging, alias, error);
}

/* What they hold. */

typedef struct {
  const char *name;
  guint64 size;
  gboolean found;
} SizeSearch;

static void
look_at_size (JsonObject *item, gpointer data)
{
  SizeSearch *search = data;

  if (g_strcmp0 (untrusted_text (item, "node-name"), search->name) != 0)
    return;
  search->size = untrusted_count (untrusted_object (item, "image"), "virtual-size");
  search->found = TRUE;
}

gboolean
image_nodes_size (Job *job, const Hotplug *plug, const char *name, guint64 *ret_size, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  SizeSearch search = { name, 0, FALSE };

  plugging_init (&plugging, job, plug);
  if (!plugging_ask_list (&plugging, "query-named-block-nodes", props ("flat", "b", TRUE, NULL), look_at_size,
                          &search, error))
    return FALSE;
  if (!search.found)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "QEMU has no block node '%s'", name);
  *ret_size = search.size;
  return search.found;
}

/* Files. */

static gboolean
check_empty (int fd, const char *path, struct stat *ret_status, GError **error)
{
  if (fstat (fd, ret_status) < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read the state of '%s': %s", path,
                    g_strerror (errno));
  else if (S_ISREG (ret_status->st_mode) && ret_status->st_size == 0)
    return TRUE;
  else if (S_ISBLK (ret_status->st_mode))
    return TRUE;
  else
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "external destination file '%s' already exists and is not a block device", path);
  return FALSE;
}

static gboolean
fill (int fd, const struct stat *status, const char *format, guint64 size, const char *backing,
      const char *backing_format, GError **error)
{
  g_autofree char *length = g_strdup_printf ("%" G_GUINT64_FORMAT, size);
  g_autofree char *file = g_strdup_printf ("/proc/self/fd/%d", PROGRAM_FD);
  const char *plain[] = { "qemu-img", "create", "-q", "-f", format, file, length, NULL };
  const char *above[] = { "qemu-img", "create", "-q",           "-f", format, "-u", "-b",
                          backing,    "-F",     backing_format, file, length, NULL };
  const ProgramRun run = { backing != NULL ? above : plain, &fd, 1, MAKE_SECONDS, NULL, NULL };

  if (!g_str_equal (format, "raw"))
    return program_succeeds (&run, error);
  if (S_ISBLK (status->st_mode) || ftruncate (fd, (off_t)size) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot extend the new image: %s", g_strerror (errno));
  return FALSE;
}

gboolean
image_file_make (const char *path, const char *format, guint64 size, const char *backing,
                 const char *backing_format, GError **error)
{
  int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  int fd = named_file_open (path, flags | O_CREAT | O_EXCL, 0600);
  gboolean made = fd >= 0, good;
  struct stat status;

  if (fd < 0 && errno == EEXIST)
    fd = named_file_open (path, flags, 0);
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to create file '%s': %s", path, g_strerror (errno));
    return FALSE;
  }
  good = check_empty (fd, path, &status, error)
         && fill (fd, &status, format, size, backing, backing_format, error);
  close (fd);
  if (!good && made)
    named_file_unlink (path);
  return good;
}
