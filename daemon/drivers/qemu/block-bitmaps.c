/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bitmaps of checkpoints through the block jobs. Each is carried before the images it is in go, in one
 * transaction; what a job itself writes may be noted besides, which makes the next backup larger and never
 * wrong.
 */
#include "daemon/drivers/qemu/block-bitmaps.h"

#include "domain/devices/disk-chain.h"
#include "targets/qemu/bitmaps.h"
#include "targets/qemu/recipe.h"
#include "targets/qemu/throttle.h"

typedef struct {
  QemuCaps *caps;
  NodeStates *states;
  GPtrArray *chain; /* char *: nodes, from the top */
  JsonArray *actions;
} Carry;

static void
carry_clear (Carry *carry)
{
  g_clear_pointer (&carry->caps, qemu_caps_unref);
  g_clear_pointer (&carry->states, node_states_free);
  g_clear_pointer (&carry->chain, g_ptr_array_unref);
  g_clear_pointer (&carry->actions, json_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Carry, carry_clear)

static gboolean
carry_init (Carry *carry, Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
            GError **error)
{
  g_autoptr (JsonNode) answer = NULL;

  carry->caps = caps_cache_get (plug->caps, def->emulator, error);
  if (carry->caps == NULL)
    return FALSE;
  answer = qmp_call (plug->qmp, job, "query-named-block-nodes", props ("flat", "b", TRUE, NULL), error);
  if (answer == NULL)
    return FALSE;
  carry->states = node_states_new (answer);
  carry->chain = qemu_disk_chain (carry->caps, disk);
  carry->actions = json_array_new ();
  return TRUE;
}

static gboolean
carry_out (const Carry *carry, Job *job, const Hotplug *plug, GError **error)
{
  if (json_array_get_length (carry->actions) == 0)
    return TRUE;
  return qmp_run (plug->qmp, job, "transaction",
                  props ("actions", "a", json_array_ref (carry->actions), NULL), error);
}

static gboolean
holds_bitmaps (const char *format)
{
  return g_strcmp0 (format, "qcow2") == 0;
}

gboolean
block_bitmaps_gather (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                      GError **error)
{
  g_auto (Carry) carry = { 0 };

  if (!holds_bitmaps (disk->format))
    return TRUE;
  if (!carry_init (&carry, job, plug, def, disk, error))
    return FALSE;
  bitmap_actions_for_removal (carry.actions, carry.states, carry.chain);
  return carry_out (&carry, job, plug, error);
}

gboolean
block_bitmaps_commit (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                      guint64 base, GError **error)
{
  const DiskBacking *below = disk_find_backing (disk, base);
  g_auto (Carry) carry = { 0 };
  g_autofree char *node = NULL;
  guint above = 0;

  if (!holds_bitmaps (disk->format) || below == NULL || !holds_bitmaps (below->format))
    return TRUE;
  if (!carry_init (&carry, job, plug, def, disk, error))
    return FALSE;
  node = qemu_image_node (carry.caps, disk, base);
  while (above < carry.chain->len && !g_str_equal (g_ptr_array_index (carry.chain, above), node))
    above++;
  g_ptr_array_set_size (carry.chain, (int)above);
  if (above > 0)
    bitmap_actions_for_commit (carry.actions, carry.states, carry.chain, node);
  return carry_out (&carry, job, plug, error);
}

gboolean
block_bitmaps_copy (Job *job, const Hotplug *plug, const DomainDef *def, const DeviceDisk *disk,
                    const DeviceDisk *mirror, GError **error)
{
  g_auto (Carry) carry = { 0 };
  g_autofree char *node = NULL;
  gboolean whole = mirror->backing == NULL || disk_backing_is_end (mirror->backing);

  if (!holds_bitmaps (disk->format) || !holds_bitmaps (mirror->format))
    return TRUE;
  if (!carry_init (&carry, job, plug, def, disk, error))
    return FALSE;
  node = qemu_image_node (carry.caps, mirror, mirror->source_index.value);
  bitmap_actions_for_copy (carry.actions, carry.states, carry.chain, node, whole);
  return carry_out (&carry, job, plug, error);
}
