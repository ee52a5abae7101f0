/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A disk while its machine runs: what its image says of itself, the numbers of its block nodes, its limits,
 * and another medium in a drive. The new medium is opened before the old one is taken out, so that a file
 * that is not there leaves the drive as it was.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "daemon/drivers/qemu/runtime-values.h"

#include "daemon/core/blocking.h"
#include "daemon/host/image.h"
#include "domain/devices/disk.h"
#include "targets/qemu/throttle.h"

#include <string.h>

#define CHAIN_MAX  64  /* images below a disk's */
#define TRAY_WAIT  200 /* ms between two looks at a tray that its guest has locked */
#define TRAY_TRIES 25  /* of them: as long as libvirt waits */

typedef struct {
  char *path, *format;
  DiskBacking *backing;
} ImageRequest;

static void
image_request_free (gpointer data)
{
  ImageRequest *request = data;

  g_free (request->path);
  g_free (request->format);
  disk_backing_free (request->backing);
  g_free (request);
}

static gpointer
read_image (gpointer input, GError **error)
{
  const ImageRequest *request = input;

  return image_info_read_chain (request->path, request->format, request->backing, error);
}

/* Takes @problem. TRUE: it is told later, and the choice goes on. */
static gboolean
keep_problem (const Device *device, LiveValues *values, GError *problem, GError **error)
{
  g_autofree char *what = device_describe (device), *said = problem->message;
  int code = virt_error_code (problem);
  ImageProblem *kept;

  problem->message = g_strdup_printf ("%s (%s)", said, what);
  if (values->problems == NULL || code == VIR_ERR_OPERATION_ABORTED || code == VIR_ERR_OPERATION_TIMEOUT) {
    g_propagate_error (error, problem);
    return FALSE;
  }
  kept = g_new0 (ImageProblem, 1);
  *kept = (ImageProblem){ device, problem };
  g_ptr_array_add (values->problems, kept);
  return TRUE;
}

/* What its image says of itself. */
gboolean
running_disk_choose (Device *device, LiveValues *values, GError **error)
{
  DeviceDisk *disk = (DeviceDisk *)device;
  const char *path = disk_path (disk);
  ImageRequest *request;
  GError *problem = NULL;
  ImageInfo *info;

  if (path == NULL)
    return TRUE;
  request = g_new0 (ImageRequest, 1);
  *request = (ImageRequest){ g_strdup (path), g_strdup (disk->format != NULL ? disk->format : "raw"),
                             disk_backing_copy (disk->backing) };
  info = blocking_run (read_image, request, image_request_free, (GDestroyNotify)image_info_free, &problem);
  if (info == NULL)
    return keep_problem (device, values, problem, error);
  g_hash_table_replace (values->images, g_strdup (path), info);
  return TRUE;
}

static DiskBacking *
backing_of (const ImageInfo *info, guint node)
{
  DiskBacking *backing = disk_backing_new ();

  if (info == NULL)
    return backing;
  backing->type = info->is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
  backing->index = NUMBER (node);
  backing->format = g_strdup (info->format);
  *(info->is_device ? &backing->dev : &backing->file) = g_strdup (info->path);
  backing->backing = backing_of (info->backing, node + 1);
  return backing;
}

/* The numbers of the disk's block nodes, by which QEMU's events speak of them, and what the document shows of
 * the images below. Counted as libvirt does: from the last disk to the first, an empty drive too. */
void
running_disk_number (Device *device, LiveValues *values)
{
  DeviceDisk *disk = (DeviceDisk *)device;
  guint node = values->next_node;
  const char *path = disk_path (disk);
  const ImageInfo *info = path != NULL ? g_hash_table_lookup (values->images, path) : NULL;
  gboolean said = disk->backing != NULL && !disk->backing->detected;

  disk->source_index = (Number){ 0 };
  if (info == NULL) {
    values->next_node = node + 1;
    return;
  }
  disk->source_index = NUMBER (node);
  disk_backing_free (disk->backing);
  disk->backing = backing_of (info->backing, node + 1);
  /* That nothing is below is said for good, as libvirt has it: only images that were found are live. */
  disk->backing->detected = !said && info->backing != NULL;
  for (; info != NULL; info = info->backing)
    node++;
  values->next_node = node;
}

gboolean
running_disk_started (const DomainDef *def G_GNUC_UNUSED, const Device *device, Qmp *qmp, Job *job,
                      GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  return disk->iotune == NULL || disk_path (disk) == NULL
         || qmp_run (qmp, job, "block_set_io_throttle", qemu_throttle_arguments (disk), error);
}

static gboolean
remove_node (Plugging *plugging, guint64 number, const char *layer)
{
  g_autofree char *name = g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-%s", number, layer);

  return plugging_tell (plugging, "blockdev-del", props ("node-name", "s", name, NULL), NULL);
}

/* The images below have the numbers that follow, without a gap. One that is another disk's is in use, and
 * QEMU keeps it. */
void
running_disk_remove_rest (Plugging *plugging, const Device *device)
{
  guint64 index = ((const DeviceDisk *)device)->source_index.value;

  if (!((const DeviceDisk *)device)->source_index.set)
    return;
  for (guint64 number = index + 1; number <= index + CHAIN_MAX; number++)
    if (!remove_node (plugging, number, "format") || !remove_node (plugging, number, "storage"))
      return;
}

/* Another medium. */

typedef struct {
  const char *alias;
  gboolean closed;
} Tray;

/* Of "query-block": { "qdev": "sata0-0-0" or its place in QEMU's tree, "tray_open": false, ... }; a drive
 * without a tray has no such member. */
static void
look_at_tray (JsonObject *item, gpointer data)
{
  Tray *tray = data;
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", tray->alias);
  const char *device = json_object_get_string_member_with_default (item, "qdev", "");

  if (g_str_equal (device, tray->alias) || g_str_equal (device, path)
      || (g_str_has_prefix (device, path) && device[strlen (path)] == '/'))
    tray->closed = !json_object_get_boolean_member_with_default (item, "tray_open", TRUE);
}

/* A guest that has locked the tray is asked to open it, and QEMU says no more than that it was asked. */
static gboolean
open_tray (Plugging *plugging, const DeviceDisk *disk, gboolean force, GError **error)
{
  const char *alias = disk->device.alias;

  if (!plugging_tell (plugging, "blockdev-open-tray", props ("id", "s", alias, "force", "b", force, NULL),
                      error))
    return FALSE;
  for (guint i = 0; i < TRAY_TRIES; i++) {
    Tray tray = { alias, FALSE };

    if (!plugging_ask_list (plugging, "query-block", NULL, look_at_tray, &tray, error))
      return FALSE;
    if (!tray.closed)
      return TRUE;
    plugging_pause (plugging, TRAY_WAIT);
    if (!job_check (plugging->job, error))
      return FALSE;
  }
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "timed out waiting to open tray of '%s'", disk->target);
  return FALSE;
}

/* The node the device is given: what its recipe's device is connected to. */
static const char *
top_node (const Plugging *plugging)
{
  for (guint i = recipe_step_count (plugging->recipe); i > 0; i--) {
    const Step *step = recipe_get_step (plugging->recipe, i - 1);

    if (step->kind == STEP_DEVICE)
      return json_object_get_string_member_with_default (step->properties, "drive", NULL);
  }
  return NULL;
}

static gboolean
insert (Plugging *plugging, const char *alias, const char *node, GError **error)
{
  if (node == NULL)
    return TRUE;
  return plugging_tell (plugging, "blockdev-insert-medium",
                        props ("id", "s", alias, "node-name", "s", node, NULL), error);
}

/* The tray is open. */
static gboolean
exchange (Plugging *plugging, const char *alias, gboolean had_medium, GError **error)
{
  if (had_medium
      && !plugging_tell (plugging, "blockdev-remove-medium", props ("id", "s", alias, NULL), error))
    return FALSE;
  return insert (plugging, alias, top_node (plugging), error);
}

/* What was in the drive before: its nodes and descriptors. */
static void
forget_medium (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, const GArray *sets)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (GError) problem = NULL;
  Device *old = device_copy (&disk->device);

  plugging_init (&plugging, job, plug);
  if (disk->source_index.set && plugging_add (&plugging, def, old, RECIPE_BY_PATH, &problem)) {
    for (guint i = recipe_step_count (plugging.recipe); i > 0 && problem == NULL; i--)
      if (recipe_get_step (plugging.recipe, i - 1)->kind == STEP_BLOCKDEV)
        plugging_undo_step (&plugging, recipe_get_step (plugging.recipe, i - 1), &problem);
    running_disk_remove_rest (&plugging, old);
  }
  if (problem != NULL)
    g_warning ("the last medium of disk '%s' stays open: %s", disk->target, problem->message);
  plugging_remove_sets (&plugging, sets);
  recipe_free (g_steal_pointer (&plugging.recipe)); /* before the device it speaks of */
  device_free (old);
}

static gboolean
change_medium (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk, DeviceDisk *updated,
               gboolean force, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  const char *alias = disk->device.alias;
  gboolean good;

  plugging_init (&plugging, job, plug);
  g_autoptr (GArray) sets = plugging_sets_of (&plugging, alias, error);
  if (sets == NULL || !plugging_add (&plugging, def, &updated->device, RECIPE_BY_DESCRIPTOR, error)
      || !plugging_say (&plugging, FALSE, error))
    return FALSE;
  if (!open_tray (&plugging, disk, force, error)) {
    plugging_undo (&plugging);
    return FALSE;
  }

  good = exchange (&plugging, alias, disk_path (disk) != NULL, error);
  if (!good && disk->source_index.set) {
    g_autofree char *node =
        g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-format", disk->source_index.value);
    insert (&plugging, alias, node, NULL);
  }
  plugging_tell (&plugging, "blockdev-close-tray", props ("id", "s", alias, NULL), NULL);
  if (!good) {
    plugging_undo (&plugging);
    return FALSE;
  }
  forget_medium (job, plug, def, disk, sets);
  return TRUE;
}

gboolean
running_disk_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
                     gboolean force, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (g_strcmp0 (disk_path (disk), disk_path ((const DeviceDisk *)updated)) == 0)
    return TRUE;
  return change_medium (job, plug, def, disk, (DeviceDisk *)updated, force, error);
}
