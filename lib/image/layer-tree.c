/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Layers laid over one another in memory. Each place in the tree knows which entry of which layer it came
 * from, and hard links are places that came from the same. A path is walked from the tree's own root and its
 * symbolic links are followed in the tree, as they would be below a chroot, so there is nowhere else that it
 * could lead; one that says ".." is no honest archive's and is refused.
 *
 * Whiteouts (".wh.NAME", and ".wh..wh..opq" for all of a folder) are of the layers below: what their own
 * layer brings stays, whichever comes first in it.
 */
#include "image/layer-tree.h"

#include "base/virt-error.h"

#include <string.h>

#define WHITEOUT  ".wh."
#define OPAQUE    ".wh..wh..opq"
#define AUFS_MARK ".wh..wh." /* other notes of AUFS, which mean nothing here */
#define SHOWN_MAX 200        /* bytes of a path in an error */
#define IMPLIED   G_MAXUINT64

typedef struct Place Place;
struct Place {
  char *name; /* "" is the root's */
  Place *parent;
  GHashTable *children; /* of a folder: name → Place; NULL of anything else */
  char *link;           /* of a symbolic link */
  guint64 source;       /* layer and number of the entry, or IMPLIED */
  guint layer;          /* that was the last to bring it */
};

struct LayerTree {
  Place *root;
  guint layer;   /* the current one, from 1 */
  guint number;  /* of the next entry in it */
  guint entries; /* so far, of all */
  guint64 bytes;
  GHashTable *paths; /* source → GPtrArray of paths, once asked for */
};

static void place_free (gpointer data);

static Place *
place_new (Place *parent, const char *name, gboolean folder)
{
  Place *place = g_new0 (Place, 1);

  place->name = g_strdup (name);
  place->parent = parent;
  place->source = IMPLIED;
  if (folder)
    place->children = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, place_free);
  if (parent != NULL)
    g_hash_table_replace (parent->children, place->name, place);
  return place;
}

/* As deep as LAYER_DEPTH_MAX at most. */
static void
place_free (gpointer data)
{
  Place *place = data;

  if (place->children != NULL)
    g_hash_table_unref (place->children);
  g_free (place->name);
  g_free (place->link);
  g_free (place);
}

LayerTree *
layer_tree_new (void)
{
  LayerTree *tree = g_new0 (LayerTree, 1);

  tree->root = place_new (NULL, "", TRUE);
  return tree;
}

void
layer_tree_free (LayerTree *tree)
{
  if (tree == NULL)
    return;
  place_free (tree->root);
  if (tree->paths != NULL)
    g_hash_table_unref (tree->paths);
  g_free (tree);
}

void
layer_tree_begin (LayerTree *tree)
{
  tree->layer++;
  tree->number = 0;
}

/* Paths. */

static gboolean
refuse (const LayerTree *tree, const char *path, const char *why, GError **error)
{
  g_autofree char *start = g_strndup (path, SHOWN_MAX);
  g_autofree char *shown = g_strescape (start, NULL);

  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' in layer %u of the image %s", shown, tree->layer,
                  why);
  return FALSE;
}

/* The names of a path of an archive, without those that are nothing. NULL with @error. */
static GPtrArray *
split (const LayerTree *tree, const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *why = NULL;

  if (strlen (path) > LAYER_PATH_MAX)
    why = "has too long a path";
  for (const char *at = path; why == NULL && *at != '\0';) {
    gsize length = strcspn (at, "/");

    if (length == 2 && strncmp (at, "..", 2) == 0)
      why = "climbs out of its folder";
    else if (length > LAYER_NAME_MAX)
      why = "has too long a name";
    else if (names->len >= LAYER_DEPTH_MAX)
      why = "is too deep";
    else if (length > 0 && !(length == 1 && *at == '.'))
      g_ptr_array_add (names, g_strndup (at, length));
    at += length;
    at += strspn (at, "/");
  }
  if (why == NULL)
    return g_steal_pointer (&names);
  refuse (tree, path, why, error);
  return NULL;
}

/* Whether there is room for @name in @folder: links may lead where no path of an archive would. */
static gboolean
is_deep (const Place *folder, const char *name)
{
  gsize length = strlen (name);
  guint depth = 1;

  for (; folder->parent != NULL; folder = folder->parent) {
    length += strlen (folder->name) + 1;
    depth++;
  }
  return depth > LAYER_DEPTH_MAX || length > LAYER_PATH_MAX;
}

typedef struct {
  LayerTree *tree;
  const char *path; /* for errors */
  guint links;      /* followed so far */
  gboolean make;    /* folders that are missing */
  GError **error;
} Walk;

static Place *walk_names (Walk *walk, Place *from, char *const *names, guint count);

/* Where the symbolic link @place leads, as a folder; ".." of the root is the root. */
static Place *
follow (Walk *walk, Place *place)
{
  g_auto (GStrv) names = g_strsplit (place->link, "/", -1);

  if (++walk->links > LAYER_LINKS_MAX) {
    refuse (walk->tree, walk->path, "goes through too many symbolic links", walk->error);
    return NULL;
  }
  return walk_names (walk, place->link[0] == '/' ? walk->tree->root : place->parent, names,
                     g_strv_length (names));
}

/* The folder @name in @folder. */
static Place *
step (Walk *walk, Place *folder, const char *name)
{
  Place *place = g_hash_table_lookup (folder->children, name);

  if (*name == '\0' || g_str_equal (name, "."))
    return folder;
  if (g_str_equal (name, ".."))
    return folder->parent != NULL ? folder->parent : folder;
  if (place != NULL && place->link != NULL)
    return follow (walk, place);
  if (place != NULL && place->children != NULL)
    return place;
  if (place != NULL) {
    refuse (walk->tree, walk->path, "is below a file", walk->error);
    return NULL;
  }
  if (!walk->make) {
    refuse (walk->tree, walk->path, "is a link to something that is not there", walk->error);
    return NULL;
  }
  if (is_deep (folder, name) || strlen (name) > LAYER_NAME_MAX || ++walk->tree->entries > LAYER_ENTRIES_MAX) {
    refuse (walk->tree, walk->path, "is too deep", walk->error);
    return NULL;
  }
  place = place_new (folder, name, TRUE);
  place->layer = walk->tree->layer;
  return place;
}

static Place *
walk_names (Walk *walk, Place *from, char *const *names, guint count)
{
  for (guint i = 0; from != NULL && i < count; i++)
    from = step (walk, from, names[i]);
  return from;
}

/* Whiteouts. */

static gboolean take_lower (Place *place, guint layer);

/* Takes away what @folder has of layers below @layer. */
static void
take_lower_children (Place *folder, guint layer)
{
  GHashTableIter iter;
  gpointer child;

  g_hash_table_iter_init (&iter, folder->children);
  while (g_hash_table_iter_next (&iter, NULL, &child)) {
    if (take_lower (child, layer))
      g_hash_table_iter_remove (&iter);
  }
}

/* TRUE: nothing of @place is of @layer, it can go. */
static gboolean
take_lower (Place *place, guint layer)
{
  if (place->children == NULL)
    return place->layer < layer;
  take_lower_children (place, layer);
  if (place->layer < layer && g_hash_table_size (place->children) > 0)
    place->source = IMPLIED; /* the folder was hidden; what this layer has in it stays */
  return place->layer < layer && g_hash_table_size (place->children) == 0;
}

static gboolean
white_out (LayerTree *tree, Place *folder, const char *path, const char *name, GError **error)
{
  const char *hidden = name + strlen (WHITEOUT);
  Place *place;

  if (g_str_equal (name, OPAQUE)) {
    take_lower_children (folder, tree->layer);
    return TRUE;
  }
  if (g_str_has_prefix (name, AUFS_MARK))
    return TRUE;
  if (*hidden == '\0' || g_str_equal (hidden, ".") || g_str_equal (hidden, ".."))
    return refuse (tree, path, "takes nothing away that can be", error);
  place = g_hash_table_lookup (folder->children, hidden);
  if (place != NULL && take_lower (place, tree->layer))
    g_hash_table_remove (folder->children, hidden);
  return TRUE;
}

/* Entries. */

/* The entry that a hard link means: the link's own last name is not followed. */
static gboolean
find_linked (LayerTree *tree, const LayerEntry *entry, Place **ret_place, GError **error)
{
  g_autoptr (GPtrArray) names = split (tree, entry->link != NULL ? entry->link : "", error);
  Walk walk = { .tree = tree, .path = entry->path, .error = error };
  Place *folder, *place;

  if (names == NULL)
    return FALSE;
  if (names->len == 0)
    return refuse (tree, entry->path, "is a link to nothing", error);
  folder = walk_names (&walk, tree->root, (char *const *)names->pdata, names->len - 1);
  if (folder == NULL)
    return FALSE;
  place = g_hash_table_lookup (folder->children, g_ptr_array_index (names, names->len - 1));
  if (place == NULL)
    return refuse (tree, entry->path, "is a link to something that is not there", error);
  if (place->children != NULL)
    return refuse (tree, entry->path, "is a hard link to a folder", error);
  *ret_place = place;
  return TRUE;
}

static gboolean
put (LayerTree *tree, Place *folder, const char *name, const LayerEntry *entry, guint64 source,
     GError **error)
{
  Place *place = g_hash_table_lookup (folder->children, name);
  g_autofree char *link = NULL;

  if (entry->type == LAYER_HARDLINK) {
    Place *other = NULL;

    if (!find_linked (tree, entry, &other, error))
      return FALSE;
    link = g_strdup (other->link);
    source = other->source;
  } else if (entry->type == LAYER_SYMLINK) {
    if (entry->link == NULL || *entry->link == '\0' || strlen (entry->link) > LAYER_PATH_MAX)
      return refuse (tree, entry->path, "is a symbolic link to nothing, or to too much", error);
    link = g_strdup (entry->link);
  }
  /* A folder keeps what is in it when another layer says it again; everything else is replaced. */
  if (place == NULL || place->children == NULL || entry->type != LAYER_FOLDER)
    place = place_new (folder, name, entry->type == LAYER_FOLDER);
  g_free (place->link);
  place->link = g_steal_pointer (&link);
  place->source = source;
  place->layer = tree->layer;
  return TRUE;
}

gboolean
layer_tree_add (LayerTree *tree, const LayerEntry *entry, GError **error)
{
  g_autoptr (GPtrArray) names = split (tree, entry->path, error);
  Walk walk = { .tree = tree, .path = entry->path, .make = TRUE, .error = error };
  guint64 source = ((guint64)tree->layer << 32) | tree->number++;
  const char *name;
  Place *folder;

  if (names == NULL)
    return FALSE;
  if (++tree->entries > LAYER_ENTRIES_MAX)
    return refuse (tree, entry->path, "is one file too many: an image may have a million", error);
  if (entry->type == LAYER_FILE && entry->size > LAYER_BYTES_MAX - tree->bytes)
    return refuse (tree, entry->path, "is too large: an image may unpack to 64 GiB", error);
  tree->bytes += entry->type == LAYER_FILE ? entry->size : 0;
  if (names->len == 0 && entry->type != LAYER_FOLDER)
    return refuse (tree, entry->path, "is the root, and no folder", error);
  if (names->len == 0) {
    tree->root->source = source;
    return TRUE;
  }
  folder = walk_names (&walk, tree->root, (char *const *)names->pdata, names->len - 1);
  if (folder == NULL)
    return FALSE;
  name = g_ptr_array_index (names, names->len - 1);
  if (g_str_has_prefix (name, WHITEOUT))
    return white_out (tree, folder, entry->path, name, error);
  if (is_deep (folder, name))
    return refuse (tree, entry->path, "is too deep", error);
  return put (tree, folder, name, entry, source, error);
}

/* What came of it. */

static int
compare_places (gconstpointer one, gconstpointer other)
{
  return strcmp ((*(Place *const *)one)->name, (*(Place *const *)other)->name);
}

static void
collect (Place *place, const char *path, GHashTable *paths)
{
  GPtrArray *same = g_hash_table_lookup (paths, &place->source);
  g_autoptr (GPtrArray) children = NULL;
  GHashTableIter iter;
  gpointer child;

  if (same == NULL) {
    same = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (paths, g_memdup2 (&place->source, sizeof place->source), same);
  }
  g_ptr_array_add (same, g_strdup (path));
  if (place->children == NULL)
    return;
  children = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, place->children);
  while (g_hash_table_iter_next (&iter, NULL, &child))
    g_ptr_array_add (children, child);
  g_ptr_array_sort (children, compare_places);
  for (guint i = 0; i < children->len; i++) {
    Place *one = g_ptr_array_index (children, i);
    g_autofree char *below = *path != '\0' ? g_strconcat (path, "/", one->name, NULL) : g_strdup (one->name);

    collect (one, below, paths);
  }
}

static GPtrArray *
paths_of (LayerTree *tree, guint64 source)
{
  if (tree->paths == NULL) {
    tree->paths =
        g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    collect (tree->root, "", tree->paths);
  }
  return g_hash_table_lookup (tree->paths, &source);
}

GPtrArray *
layer_tree_paths (LayerTree *tree, guint layer, guint number)
{
  return paths_of (tree, ((guint64)(layer + 1) << 32) | number);
}

GPtrArray *
layer_tree_implied (LayerTree *tree)
{
  GPtrArray *found = paths_of (tree, IMPLIED);

  return found != NULL ? g_ptr_array_ref (found) : g_ptr_array_new ();
}
