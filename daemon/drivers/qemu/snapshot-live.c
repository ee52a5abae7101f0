/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Disks that go on in new images: they are opened by the daemon, made nodes with nothing below them, and put
 * on top of all disks in one transaction.
 */
#include "daemon/drivers/qemu/snapshot-live.h"

#include "daemon/drivers/qemu/attach-private.h"
#include "domain/devices/disk.h"
#include "targets/qemu/bitmaps.h"
#include "targets/qemu/throttle.h"

#include <string.h>

/* New images. */

struct SnapshotOverlays {
  const Hotplug *plug;
  Job *job;
  DomainDef *def;
  GPtrArray *targets;   /* char *; borrowed */
  GPtrArray *pluggings; /* Plugging: what was opened, in the order of the targets */
  gboolean switched;
};

void
snapshot_overlays_free (SnapshotOverlays *overlays)
{
  if (overlays == NULL)
    return;
  for (guint i = overlays->pluggings->len; i > 0; i--) {
    Plugging *plugging = g_ptr_array_index (overlays->pluggings, i - 1);

    if (!overlays->switched)
      plugging_undo (plugging);
    plugging_clear (plugging);
    g_free (plugging);
  }
  g_ptr_array_unref (overlays->pluggings);
  g_free (overlays);
}

SnapshotOverlays *
snapshot_overlays_open (Job *job, const Hotplug *plug, DomainDef *def, const GPtrArray *targets,
                        GError **error)
{
  SnapshotOverlays *overlays = g_new0 (SnapshotOverlays, 1);

  overlays->plug = plug;
  overlays->job = job;
  overlays->def = def;
  overlays->targets = (GPtrArray *)targets;
  overlays->pluggings = g_ptr_array_new ();
  for (guint i = 0; i < targets->len; i++) {
    DeviceDisk *disk = domain_def_find_disk (def, g_ptr_array_index (targets, i));
    Plugging *plugging = g_new0 (Plugging, 1);

    plugging_init (plugging, job, plug);
    g_ptr_array_add (overlays->pluggings, plugging);
    if (!plugging_add (plugging, def, &disk->device, RECIPE_BY_DESCRIPTOR, error)
        || !plugging_say (plugging, FALSE, error)) {
      g_ptr_array_set_size (overlays->pluggings, (gint)overlays->pluggings->len - 1);
      plugging_clear (plugging);
      g_free (plugging);
      snapshot_overlays_free (overlays);
      return NULL;
    }
  }
  return overlays;
}

/* What is noted since a checkpoint goes on in the new image, from its first write on. */
static void
add_bitmaps (JsonArray *actions, const NodeStates *states, const QemuCaps *caps, const DeviceDisk *disk,
             const DeviceDisk *overlay)
{
  g_autofree char *below = qemu_image_node (caps, disk, disk->source_index.value);
  g_autofree char *above = qemu_image_node (caps, overlay, overlay->source_index.value);

  if (g_strcmp0 (overlay->format, "qcow2") == 0)
    bitmap_actions_for_overlay (actions, states, below, above);
}

static NodeStates *
ask_nodes (const SnapshotOverlays *overlays, GError **error)
{
  g_autoptr (JsonNode) answer = qmp_call (overlays->plug->qmp, overlays->job, "query-named-block-nodes",
                                          props ("flat", "b", TRUE, NULL), error);

  return answer != NULL ? node_states_new (answer) : NULL;
}

gboolean
snapshot_overlays_switch (SnapshotOverlays *overlays, const DomainDef *live, GError **error)
{
  g_autoptr (QemuCaps) caps = caps_cache_get (overlays->plug->caps, live->emulator, error);
  g_autoptr (NodeStates) states = caps != NULL ? ask_nodes (overlays, error) : NULL;
  g_auto (Plugging) plugging = { 0 };
  JsonArray *actions;

  if (states == NULL)
    return FALSE;
  plugging_init (&plugging, overlays->job, overlays->plug);
  actions = json_array_new ();
  for (guint i = 0; i < overlays->targets->len; i++) {
    const char *target = g_ptr_array_index (overlays->targets, i);
    const DeviceDisk *disk = domain_def_find_disk (live, target);
    const DeviceDisk *above = domain_def_find_disk (overlays->def, target);
    g_autofree char *node = qemu_disk_node (caps, disk), *overlay = qemu_disk_node (caps, above);
    JsonObject *data = props ("node", "s", node, "overlay", "s", overlay, NULL);

    add_bitmaps (actions, states, caps, disk, above);
    json_array_add_object_element (actions,
                                   props ("type", "s", "blockdev-snapshot", "data", "o", data, NULL));
  }
  overlays->switched = plugging_send (&plugging, "transaction", props ("actions", "a", actions, NULL), error);
  return overlays->switched;
}

/* What QEMU has. */

typedef struct {
  const char *alias;
  guint64 index;
} Inserted;

static void
look_at_device (JsonObject *item, gpointer data)
{
  static const char prefix[] = "libvirt-";
  Inserted *inserted = data;
  const char *device = untrusted_text (item, "qdev"), *node;
  JsonObject *medium = untrusted_object (item, "inserted");
  g_autofree char *path = g_strdup_printf ("/machine/peripheral/%s", inserted->alias);

  if (device == NULL || medium == NULL
      || !(g_str_equal (device, inserted->alias) || g_str_equal (device, path)
           || (g_str_has_prefix (device, path) && device[strlen (path)] == '/')))
    return;
  node = untrusted_text (medium, "node-name");
  if (node != NULL && g_str_has_prefix (node, prefix))
    inserted->index = g_ascii_strtoull (node + strlen (prefix), NULL, 10);
}

GArray *
snapshot_live_images (Job *job, const Hotplug *plug, const DomainDef *def, const GPtrArray *targets,
                      GError **error)
{
  g_auto (Plugging) plugging = { 0 };
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint64));

  plugging_init (&plugging, job, plug);
  for (guint i = 0; i < targets->len; i++) {
    const DeviceDisk *disk = domain_def_find_disk (def, g_ptr_array_index (targets, i));
    Inserted inserted = { disk != NULL ? disk->device.alias : "", 0 };

    if (!plugging_ask_list (&plugging, "query-block", NULL, look_at_device, &inserted, error))
      return NULL;
    g_array_append_val (indexes, inserted.index);
  }
  return g_steal_pointer (&indexes);
}
