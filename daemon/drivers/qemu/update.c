/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can change of a device while the guest uses it: the medium in a drive, the state of a link, a
 * display's password. The new medium is opened before the old one is taken out, so that a file that is not
 * there leaves the drive as it was.
 */
#include "daemon/drivers/qemu/attach-private.h"

#include "daemon/drivers/qemu/runtime-values.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"

#include <string.h>

#define TRAY_TRIES 6   /* a guest that has locked the tray is asked to open it, and given time */
#define TRAY_WAIT  500 /* ms between two of them */

/* Cancelled: at once. */
static void
wait_a_little (Job *job)
{
  GPollFD poll = { 0 };
  GCancellable *cancellable = job_cancellable (job);

  if (!g_cancellable_make_pollfd (cancellable, &poll))
    return;
  g_poll (&poll, 1, TRAY_WAIT);
  g_cancellable_release_fd (cancellable);
}

static gboolean
open_tray (Plugging *plugging, const char *alias, gboolean force, GError **error)
{
  for (guint i = 0;; i++) {
    g_autoptr (GError) problem = NULL;

    if (plugging_tell (plugging, "blockdev-open-tray", props ("id", "s", alias, "force", "b", force, NULL),
                       &problem))
      return TRUE;
    if (i + 1 == TRAY_TRIES || strstr (problem->message, "is locked") == NULL
        || !job_check (plugging->job, NULL)) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return FALSE;
    }
    wait_a_little (plugging->job);
  }
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
    plugging_remove_chain (&plugging, disk->source_index.value);
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
  if (!open_tray (&plugging, alias, force, error)) {
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

static gboolean
set_link (Job *job, const Hotplug *plug, const DeviceInterface *interface, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (
      plug->qmp, job, "set_link",
      props ("name", "s", interface->device.alias, "up", "b", interface->link != LINK_DOWN, NULL), error);

  return answer != NULL;
}

gboolean
update_device (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
               gboolean force, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (device->kind == &interface_kind)
    return set_link (job, plug, (const DeviceInterface *)updated, error);
  if (device->kind == &graphics_kind)
    return live_tell_passwords (def, plug->qmp, job, error);
  if (g_strcmp0 (disk_path (disk), disk_path ((const DeviceDisk *)updated)) == 0)
    return TRUE;
  return change_medium (job, plug, def, disk, (DeviceDisk *)updated, force, error);
}
