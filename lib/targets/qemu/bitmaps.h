/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/disk.h"
#include "targets/qemu/caps.h"

#include <json-glib/json-glib.h>

/*
 * Dirty bitmaps of a running QEMU's block nodes: what there is, and the actions of a transaction that make,
 * merge and remove them. A checkpoint is a bitmap of its name in the image that was on top at its time; once
 * other images stand on that one, each of them has one of the same name, and what has changed since is all of
 * them together. Pure; any thread. What QEMU says is untrusted.
 */
#define BITMAPS_MAX 65536 /* of all nodes that are looked at */

typedef struct {
  char *name;
  guint64 granularity, count; /* bytes; those that are dirty */
  gboolean persistent, recording, inconsistent;
} NodeBitmap;

typedef struct {
  guint64 size, cluster; /* bytes; 0: not said */
  GPtrArray *bitmaps;    /* NodeBitmap */
} NodeState;

/* The nodes of an answer to "query-named-block-nodes", by name. */
typedef struct NodeStates NodeStates;
NodeStates *node_states_new (JsonNode *answer);
void node_states_free (NodeStates *states);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NodeStates, node_states_free)
const NodeState *node_states_find (const NodeStates *states, const char *node);      /* or NULL */
const NodeBitmap *node_state_find_bitmap (const NodeState *state, const char *name); /* NULL is fine */
/* The highest number in the name of a node ("libvirt-7-format": 7). */
guint node_states_highest (const NodeStates *states);

/* The nodes that stand for the images of a running machine's disk, from the top; a transient disk's changes
 * are not among them. (char *, transfer full) */
GPtrArray *qemu_disk_chain (const QemuCaps *caps, const DeviceDisk *disk);

/* The nodes of @chain that have a bitmap of that name: the first, and those below it as far as they have one
 * without a gap. NULL: the first has none, or one of them is inconsistent. (borrowed texts, transfer
 * container) */
GPtrArray *bitmap_chain (const NodeStates *states, const GPtrArray *chain, const char *name);
/* The finest granularity of those; all of them are there. */
guint64 bitmap_chain_granularity (const NodeStates *states, const GPtrArray *nodes, const char *name);

/* Actions of a transaction. @granularity 0: QEMU's choice. */
void bitmap_action_add (JsonArray *actions, const char *node, const char *name, gboolean persistent,
                        gboolean disabled, guint64 granularity);
/* Those of the name @from in @nodes (char *) are added to the bitmap @name of @node. */
void bitmap_action_merge (JsonArray *actions, const char *node, const char *name, const GPtrArray *nodes,
                          const char *from);
void bitmap_action_remove (JsonArray *actions, const char *node, const char *name);

/* The bitmaps that an image which is put on top of @below must have from its first write on, so that what is
 * recorded below goes on in it. */
void bitmap_actions_for_overlay (JsonArray *actions, const NodeStates *states, const char *below,
                                 const char *overlay);
/* The bitmaps that a copy of the disk must have when it takes the disk's place: those of the image on top,
 * and where the copy is one of the whole @chain what those below have noted too. */
void bitmap_actions_for_copy (JsonArray *actions, const NodeStates *states, const GPtrArray *chain,
                              const char *copy, gboolean whole);
/* What the images below the first of @chain have noted is noted in the first too, as they will go. */
void bitmap_actions_for_removal (JsonArray *actions, const NodeStates *states, const GPtrArray *chain);
/* What the images of @chain above @base have noted is noted in @base, into which they are written. */
void bitmap_actions_for_commit (JsonArray *actions, const NodeStates *states, const GPtrArray *chain,
                                const char *base);
