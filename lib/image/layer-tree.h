/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The tree of files that a container image's layers make, by name only. Layers are added from the lowest;
 * each entry stands where an unpacker would put it, whiteouts take away what lower layers brought, and at the
 * end the tree says of each entry of each layer under which paths it is to be found, if at all. Nothing is
 * unpacked: no path of a layer is ever given to the host's kernel.
 */
#define LAYER_ENTRIES_MAX 1000000u /* of all layers */
#define LAYER_PATH_MAX    4096u    /* bytes */
#define LAYER_NAME_MAX    255u     /* bytes between slashes */
#define LAYER_DEPTH_MAX   256u     /* folders below one another */
#define LAYER_LINKS_MAX   40u      /* symbolic links on the way to one entry, as Linux has it */
#define LAYER_BYTES_MAX   (G_GUINT64_CONSTANT (64) << 30) /* of all files of all layers */

typedef enum {
  LAYER_FILE,
  LAYER_FOLDER,
  LAYER_SYMLINK,  /* link: what it says, anything */
  LAYER_HARDLINK, /* link: the path of a file that is there already */
  LAYER_SPECIAL,  /* a device or a pipe */
} LayerEntryType;

typedef struct {
  const char *path; /* as the archive has it: "./etc/passwd", "/etc/passwd" */
  LayerEntryType type;
  const char *link;
  guint64 size; /* bytes, of a file */
} LayerEntry;

typedef struct LayerTree LayerTree;

LayerTree *layer_tree_new (void);
void layer_tree_free (LayerTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LayerTree, layer_tree_free)

/* What follows is of the next layer. */
void layer_tree_begin (LayerTree *tree);
/* The next entry of the layer. FALSE with @error, which names it: the image is refused. */
gboolean layer_tree_add (LayerTree *tree, const LayerEntry *entry, GError **error);

/* The paths ("etc/passwd"; "" is the root) of the entry @number (from 0) of @layer (from 0), in order of
 * their names; NULL: it is not in the tree. After the last layer_tree_add. */
GPtrArray *layer_tree_paths (LayerTree *tree, guint layer, guint number);
/* Folders that no layer has an entry of, parents first. (transfer full) (element-type filename) */
GPtrArray *layer_tree_implied (LayerTree *tree);
