/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Another medium in a drive of a running machine. The new one is opened before the old one is taken out, so
 * that a file that is not there leaves the drive as it was. Before the first step the change is written down,
 * as an attachment is; a daemon that finds the note asks QEMU which of the two is in the drive, and takes the
 * other one away.
 */
#include "daemon/drivers/qemu/running-medium.h"

#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/image-nodes.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "targets/qemu/throttle.h"

#include <string.h>

#define TRAY_WAIT  200 /* ms between two looks at a tray that its guest has locked */
#define TRAY_TRIES 25  /* of them: as long as libvirt waits */

typedef struct {
  const char *alias;
  gboolean closed;
} Tray;

/* Of "query-block": { "qdev": "sata0-0-0" or its place in QEMU's tree, "tray_open": false, ... }; a drive
 * without a tray has no such member. */
static gboolean
is_drive (JsonObject *item, const char *alias)
{
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", alias);
  const char *device = json_object_get_string_member_with_default (item, "qdev", "");

  return g_str_equal (device, alias) || g_str_equal (device, path)
         || (g_str_has_prefix (device, path) && device[strlen (path)] == '/');
}

static void
look_at_tray (JsonObject *item, gpointer data)
{
  Tray *tray = data;

  if (is_drive (item, tray->alias))
    tray->closed = !json_object_get_boolean_member_with_default (item, "tray_open", TRUE);
}

/* A guest that has locked the tray is asked to open it, and QEMU says no more than that it was asked. */
static gboolean
open_tray (Plugging *plugging, const DeviceDisk *disk, gboolean force, GError **error)
{
  const char *alias = disk->device.alias;

  if (!plugging_send (plugging, "blockdev-open-tray", props ("id", "s", alias, "force", "b", force, NULL),
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
  return plugging_send (plugging, "blockdev-insert-medium",
                        props ("id", "s", alias, "node-name", "s", node, NULL), error);
}

/* The tray is open. */
static gboolean
exchange (Plugging *plugging, const char *alias, gboolean had_medium, GError **error)
{
  if (had_medium
      && !plugging_send (plugging, "blockdev-remove-medium", props ("id", "s", alias, NULL), error))
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
      if (recipe_get_step (plugging.recipe, i - 1)->kind != STEP_DEVICE)
        plugging_undo_step (&plugging, recipe_get_step (plugging.recipe, i - 1), &problem);
    running_disk_remove_rest (&plugging, old);
  }
  if (problem != NULL)
    g_warning ("the last medium of disk '%s' stays open: %s", disk->target, problem->message);
  plugging_remove_sets (&plugging, sets);
  recipe_free (g_steal_pointer (&plugging.recipe)); /* before the device it speaks of */
  device_free (old);
}

/* Nothing is undone twice: what has been is not done any more. */
static void
take_back (Plugging *plugging, DomainDef *def, const DeviceDisk *updated)
{
  plugging_undo (plugging);
  if (!plugging->left_behind)
    attach_published (plugging->plug, def, &updated->device);
}

gboolean
running_medium_change (Job *job, const Hotplug *plug, DomainDef *def, const DeviceDisk *disk,
                       DeviceDisk *updated, gboolean force, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  const char *alias = disk->device.alias;
  gboolean good;

  plugging_init (&plugging, job, plug);
  g_autoptr (GArray) sets = plugging_sets_of (&plugging, alias, error);
  if (sets == NULL || !plugging_add (&plugging, def, &updated->device, RECIPE_BY_DESCRIPTOR, error)
      || !plugging_write_down (plug, def, &updated->device, error))
    return FALSE;
  if (!plugging_say (&plugging, FALSE, error) || !open_tray (&plugging, disk, force, error)) {
    take_back (&plugging, def, updated);
    return FALSE;
  }

  good = exchange (&plugging, alias, disk_has_source (disk), error);
  if (!good && disk->source_index.set) {
    g_autofree char *node = qemu_disk_node (plugging.caps, disk);
    insert (&plugging, alias, node, NULL);
  }
  plugging_send (&plugging, "blockdev-close-tray", props ("id", "s", alias, NULL), NULL);
  if (!good) {
    take_back (&plugging, def, updated);
    return FALSE;
  }
  forget_medium (job, plug, def, disk, sets);
  return TRUE;
}

/* After a daemon that was cut short. */

/* "libvirt-7-format": 7; 0: not such a name. */
static guint64
node_number (const char *name)
{
  static const char prefix[] = "libvirt-";

  return g_str_has_prefix (name, prefix) ? g_ascii_strtoull (name + strlen (prefix), NULL, 10) : 0;
}

typedef struct {
  const char *alias;
  gboolean has_medium;
  guint64 index; /* of the node in it */
} Drive;

static void
look_at_drive (JsonObject *item, gpointer data)
{
  Drive *drive = data;
  JsonNode *inserted = json_object_get_member (item, "inserted");

  if (!is_drive (item, drive->alias) || inserted == NULL || !JSON_NODE_HOLDS_OBJECT (inserted))
    return;
  drive->has_medium = TRUE;
  drive->index = node_number (
      json_object_get_string_member_with_default (json_node_get_object (inserted), "node-name", ""));
}

static gboolean
put_back (Plugging *plugging, const char *emulator, const DeviceDisk *disk, const Drive *drive,
          GError **error)
{
  g_autoptr (QemuCaps) caps = NULL;
  g_autofree char *node = NULL;

  if (drive->has_medium || !disk_has_source (disk))
    return TRUE;
  caps = caps_cache_get (plugging->plug->caps, emulator, error);
  if (caps == NULL)
    return FALSE;
  node = qemu_disk_node (caps, disk);
  return open_tray (plugging, disk, TRUE, error) && insert (plugging, disk->device.alias, node, error);
}

gboolean
running_medium_settle (Job *job, const Hotplug *plug, const char *emulator, const DeviceDisk *disk,
                       const DeviceDisk *updated, gboolean *ret_changed, GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (GArray) indexes = NULL;
  const char *alias = disk->device.alias;
  Drive drive = { alias, FALSE, 0 };

  plugging_init (&plugging, job, plug);
  if (!plugging_ask_list (&plugging, "query-block", NULL, look_at_drive, &drive, error))
    return FALSE;
  *ret_changed = !disk_has_source (updated) ? !drive.has_medium
                                            : drive.has_medium && drive.index == updated->source_index.value;
  if (!*ret_changed && !put_back (&plugging, emulator, disk, &drive, error))
    return FALSE;
  plugging_send (&plugging, "blockdev-close-tray", props ("id", "s", alias, NULL), NULL);
  indexes = disk_list_indexes (*ret_changed ? disk : updated);
  return image_nodes_remove (job, plug, alias, indexes, error);
}
