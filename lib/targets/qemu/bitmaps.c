/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of QEMU's dirty bitmaps belongs together. QEMU knows bitmaps of nodes; that those of one name in a
 * chain of images are one checkpoint is a convention, libvirt's, and it is kept here: in what a backup
 * merges, and in what becomes of bitmaps when images are put on others, copied or written into those below.
 */
#include "targets/qemu/bitmaps.h"

#include "base/untrusted-json.h"
#include "targets/qemu/disk-nodes.h"

#include <string.h>

#define NODES_MAX  65536
#define NUMBER_MAX (1 << 30)

struct NodeStates {
  GHashTable *by_name; /* char * → NodeState */
};

static void
bitmap_free (gpointer data)
{
  NodeBitmap *bitmap = data;

  g_free (bitmap->name);
  g_free (bitmap);
}

static void
state_free (gpointer data)
{
  NodeState *state = data;

  g_ptr_array_unref (state->bitmaps);
  g_free (state);
}

static NodeBitmap *
read_bitmap (JsonObject *object)
{
  const char *name = untrusted_text (object, "name");
  NodeBitmap *bitmap;

  if (name == NULL || *name == '\0')
    return NULL;
  bitmap = g_new0 (NodeBitmap, 1);
  bitmap->name = g_strdup (name);
  bitmap->granularity = untrusted_count (object, "granularity");
  bitmap->count = untrusted_count (object, "count");
  bitmap->persistent = untrusted_switch (object, "persistent");
  bitmap->recording = untrusted_switch (object, "recording");
  bitmap->inconsistent = untrusted_switch (object, "inconsistent");
  return bitmap;
}

static NodeState *
read_state (JsonObject *object, guint *left)
{
  JsonObject *image = untrusted_object (object, "image");
  JsonArray *list = untrusted_list (object, "dirty-bitmaps");
  NodeState *state = g_new0 (NodeState, 1);

  state->bitmaps = g_ptr_array_new_with_free_func (bitmap_free);
  state->size = untrusted_count (image, "virtual-size");
  state->cluster = untrusted_count (image, "cluster-size");
  for (guint i = 0; list != NULL && i < json_array_get_length (list) && *left > 0; i++, (*left)--) {
    NodeBitmap *bitmap = read_bitmap (untrusted_object_of (json_array_get_element (list, i)));

    if (bitmap != NULL)
      g_ptr_array_add (state->bitmaps, bitmap);
  }
  return state;
}

NodeStates *
node_states_new (JsonNode *answer)
{
  JsonArray *list = untrusted_list_of (answer);
  NodeStates *states = g_new0 (NodeStates, 1);
  guint left = BITMAPS_MAX;

  states->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, state_free);
  for (guint i = 0; list != NULL && i < MIN (json_array_get_length (list), NODES_MAX); i++) {
    JsonObject *object = untrusted_object_of (json_array_get_element (list, i));
    const char *name = untrusted_text (object, "node-name");

    if (name != NULL)
      g_hash_table_replace (states->by_name, g_strdup (name), read_state (object, &left));
  }
  return states;
}

void
node_states_free (NodeStates *states)
{
  g_hash_table_unref (states->by_name);
  g_free (states);
}

const NodeState *
node_states_find (const NodeStates *states, const char *node)
{
  return g_hash_table_lookup (states->by_name, node);
}

const NodeBitmap *
node_state_find_bitmap (const NodeState *state, const char *name)
{
  for (guint i = 0; state != NULL && i < state->bitmaps->len; i++)
    if (g_str_equal (((NodeBitmap *)g_ptr_array_index (state->bitmaps, i))->name, name))
      return g_ptr_array_index (state->bitmaps, i);
  return NULL;
}

guint
node_states_highest (const NodeStates *states)
{
  static const char prefix[] = "libvirt-";
  GHashTableIter iterator;
  gpointer name;
  guint highest = 0;

  g_hash_table_iter_init (&iterator, states->by_name);
  while (g_hash_table_iter_next (&iterator, &name, NULL)) {
    guint64 number = g_str_has_prefix (name, prefix)
                         ? g_ascii_strtoull ((const char *)name + strlen (prefix), NULL, 10)
                         : 0;

    if (number <= NUMBER_MAX)
      highest = MAX (highest, (guint)number);
  }
  return highest;
}

GPtrArray *
qemu_disk_chain (const QemuCaps *caps, const DeviceDisk *disk)
{
  GPtrArray *chain = g_ptr_array_new_with_free_func (g_free);
  DiskImage image = disk_image (disk);

  g_ptr_array_add (chain, disk_top_node_name (caps, &image, (guint)disk->source_index.value));
  for (const DiskBacking *below = disk->backing; below != NULL && !disk_backing_is_end (below);
       below = below->backing) {
    image = disk_backing_image (below);
    g_ptr_array_add (chain, disk_top_node_name (caps, &image, (guint)below->index.value));
  }
  return chain;
}

static const NodeBitmap *
find_bitmap (const NodeStates *states, const char *node, const char *name)
{
  return node_state_find_bitmap (node_states_find (states, node), name);
}

GPtrArray *
bitmap_chain (const NodeStates *states, const GPtrArray *chain, const char *name)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();

  for (guint i = 0; i < chain->len; i++) {
    char *node = g_ptr_array_index (chain, i);
    const NodeBitmap *bitmap = find_bitmap (states, node, name);

    if (bitmap == NULL)
      break;
    if (bitmap->inconsistent)
      return NULL;
    g_ptr_array_add (nodes, node);
  }
  return nodes->len > 0 ? g_steal_pointer (&nodes) : NULL;
}

guint64
bitmap_chain_granularity (const NodeStates *states, const GPtrArray *nodes, const char *name)
{
  guint64 finest = 0;

  for (guint i = 0; i < nodes->len; i++) {
    guint64 granularity = find_bitmap (states, g_ptr_array_index (nodes, i), name)->granularity;

    if (finest == 0 || granularity < finest)
      finest = granularity;
  }
  return finest;
}

static void
add_action (JsonArray *actions, const char *type, JsonObject *data)
{
  json_array_add_object_element (actions, props ("type", "s", type, "data", "o", data, NULL));
}

void
bitmap_action_add (JsonArray *actions, const char *node, const char *name, gboolean persistent,
                   gboolean disabled, guint64 granularity)
{
  JsonObject *data = props ("node", "s", node, "name", "s", name, "persistent", "b", persistent, "disabled",
                            "b", disabled, NULL);

  if (granularity != 0)
    props_add (data, "granularity", "t", granularity, NULL);
  add_action (actions, "block-dirty-bitmap-add", data);
}

void
bitmap_action_merge (JsonArray *actions, const char *node, const char *name, const GPtrArray *nodes,
                     const char *from)
{
  JsonArray *sources = json_array_new ();

  for (guint i = 0; i < nodes->len; i++) {
    const char *source = g_ptr_array_index (nodes, i);

    json_array_add_object_element (sources, props ("node", "s", source, "name", "s", from, NULL));
  }
  add_action (actions, "block-dirty-bitmap-merge",
              props ("node", "s", node, "target", "s", name, "bitmaps", "a", sources, NULL));
}

void
bitmap_action_remove (JsonArray *actions, const char *node, const char *name)
{
  add_action (actions, "block-dirty-bitmap-remove", props ("node", "s", node, "name", "s", name, NULL));
}

/* One that is a checkpoint's. */
static gboolean
is_lasting (const NodeBitmap *bitmap)
{
  return bitmap->persistent && bitmap->recording && !bitmap->inconsistent;
}

void
bitmap_actions_for_overlay (JsonArray *actions, const NodeStates *states, const char *below,
                            const char *overlay)
{
  const NodeState *state = node_states_find (states, below);

  for (guint i = 0; state != NULL && i < state->bitmaps->len; i++) {
    const NodeBitmap *bitmap = g_ptr_array_index (state->bitmaps, i);

    if (is_lasting (bitmap))
      bitmap_action_add (actions, overlay, bitmap->name, TRUE, FALSE, bitmap->granularity);
  }
}

void
bitmap_actions_for_copy (JsonArray *actions, const NodeStates *states, const GPtrArray *chain,
                         const char *copy, gboolean whole)
{
  const NodeState *state = node_states_find (states, g_ptr_array_index (chain, 0));

  for (guint i = 0; state != NULL && i < state->bitmaps->len; i++) {
    const NodeBitmap *bitmap = g_ptr_array_index (state->bitmaps, i);
    g_autoptr (GPtrArray) nodes = NULL;

    if (!is_lasting (bitmap))
      continue;
    nodes = bitmap_chain (states, chain, bitmap->name);
    if (nodes == NULL)
      continue;
    if (!whole)
      g_ptr_array_set_size (nodes, 1);
    bitmap_action_add (actions, copy, bitmap->name, TRUE, FALSE, bitmap->granularity);
    bitmap_action_merge (actions, copy, bitmap->name, nodes, bitmap->name);
  }
}

void
bitmap_actions_for_removal (JsonArray *actions, const NodeStates *states, const GPtrArray *chain)
{
  const char *top = g_ptr_array_index (chain, 0);
  const NodeState *state = node_states_find (states, top);

  for (guint i = 0; state != NULL && i < state->bitmaps->len; i++) {
    const NodeBitmap *bitmap = g_ptr_array_index (state->bitmaps, i);
    g_autoptr (GPtrArray) nodes = is_lasting (bitmap) ? bitmap_chain (states, chain, bitmap->name) : NULL;

    if (nodes == NULL || nodes->len == 1)
      continue;
    g_ptr_array_remove_index (nodes, 0);
    bitmap_action_merge (actions, top, bitmap->name, nodes, bitmap->name);
  }
}

void
bitmap_actions_for_commit (JsonArray *actions, const NodeStates *states, const GPtrArray *chain,
                           const char *base)
{
  const NodeState *state = node_states_find (states, g_ptr_array_index (chain, 0));

  for (guint i = 0; state != NULL && i < state->bitmaps->len; i++) {
    const NodeBitmap *bitmap = g_ptr_array_index (state->bitmaps, i);
    g_autoptr (GPtrArray) nodes = NULL;

    if (!is_lasting (bitmap))
      continue;
    nodes = bitmap_chain (states, chain, bitmap->name);
    if (nodes == NULL)
      continue;
    if (find_bitmap (states, base, bitmap->name) == NULL)
      bitmap_action_add (actions, base, bitmap->name, TRUE, FALSE, bitmap->granularity);
    bitmap_action_merge (actions, base, bitmap->name, nodes, bitmap->name);
  }
}
