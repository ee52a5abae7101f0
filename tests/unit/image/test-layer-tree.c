/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tree that layers make. A case is written a line an entry: "f PATH" a file, "d PATH" a folder, "s PATH
 * TARGET" and "h PATH TARGET" links, "c PATH" a device, "-" the next layer. What comes of it is a line a
 * path: the path, and the layer and number of the entry that it is, "implied" where it is of none.
 */
#include "cmocka-glib.h"

#include "base/virt-error.h"
#include "image/layer-tree.h"

#include <string.h>

typedef struct {
  const char *layers, *tree;
} MergeCase;

static gboolean
add_line (LayerTree *tree, const char *line, GError **error)
{
  static const char types[] = "fdshc"; /* by LayerEntryType */
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  const LayerEntry entry = {
    .path = words[1], .type = (LayerEntryType)(strchr (types, line[0]) - types), .link = words[2], .size = 1
  };

  return layer_tree_add (tree, &entry, error);
}

static LayerTree *
merge (const char *layers, GError **error)
{
  g_auto (GStrv) lines = g_strsplit (layers, "\n", -1);
  g_autoptr (LayerTree) tree = layer_tree_new ();

  layer_tree_begin (tree);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (g_str_equal (lines[i], "-"))
      layer_tree_begin (tree);
    else if (!add_line (tree, lines[i], error))
      return NULL;
  }
  return g_steal_pointer (&tree);
}

static int
compare_lines (gconstpointer one, gconstpointer other)
{
  return strcmp (*(const char *const *)one, *(const char *const *)other);
}

static char *
describe (LayerTree *tree)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) implied = layer_tree_implied (tree);

  for (guint i = 0; i < implied->len; i++) {
    const char *path = g_ptr_array_index (implied, i);

    if (*path != '\0')
      g_ptr_array_add (lines, g_strconcat (path, " implied", NULL));
  }
  for (guint layer = 0; layer < 3; layer++) {
    for (guint number = 0; number < 10; number++) {
      GPtrArray *paths = layer_tree_paths (tree, layer, number);

      for (guint i = 0; paths != NULL && i < paths->len; i++)
        g_ptr_array_add (lines,
                         g_strdup_printf ("%s %u.%u", (char *)g_ptr_array_index (paths, i), layer, number));
    }
  }
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **)lines->pdata);
}

static void
test_layers_make_one_tree (void **state G_GNUC_UNUSED)
{
  static const MergeCase cases[] = {
    { "d ./\nd ./etc/\nf ./etc/passwd\nf /bin", " 0.0\nbin 0.3\netc 0.1\netc/passwd 0.2" },
    { "f a/b/c", "a implied\na/b implied\na/b/c 0.0" },
    { "f a\nf a", "a 0.1" }, /* the last one counts, as for tar */
    { "f a\nf b\n-\nf a", "a 1.0\nb 0.1" },
    { "d a\nf a/b\n-\nd a", "a 1.0\na/b 0.1" }, /* a folder keeps what is in it */
    { "d a\nf a/b\n-\nf a", "a 1.0" },
    { "f a\n-\nd a\nf a/b", "a 1.0\na/b 1.1" },
    { "c dev/null", "dev implied\ndev/null 0.0" },
    /* whiteouts */
    { "f a/b\nf a/c\n-\nf a/.wh.b", "a implied\na/c 0.1" },
    { "d a\nf a/b\n-\nf .wh.a", "" },
    { "f a\n-\nf .wh.a\nf a", "a 1.1" },
    { "f a\n-\nf a\nf .wh.a", "a 1.0" }, /* what the whiteout's own layer brings stays, in any order */
    { "d a\nf a/b\n-\nd a\nf a/c\nf .wh.a", "a 1.0\na/c 1.1" },
    { "d a\nf a/b\n-\nf a/c\nf .wh.a", "a implied\na/c 1.0" },
    { "f .wh.nothing", "" },
    { "f a\n-\nf .wh..wh.plnk", "a 0.0" },
    { "d a\nf a/b\nf a/d/e\n-\nf a/c\nf a/.wh..wh..opq", "a 0.0\na/c 1.0" },
    { "d a\nf a/b\n-\nf a/.wh..wh..opq\n-\nf a/b", "a 0.0\na/b 2.0" },
    /* hard links */
    { "f a\nh b a", "a 0.0\nb 0.0" },
    { "f a\nh b ./a\n-\nf .wh.a", "b 0.0" },
    { "f a\nh b a\n-\nf a", "a 1.0\nb 0.0" },
    { "f a\n-\nh b /a", "a 0.0\nb 0.0" },
    { "f a\nh a a", "a 0.0" },
    { "s a /etc\nh b a", "a 0.0\nb 0.0" },
    /* symbolic links are names; on the way to something they are followed, inside the tree alone */
    { "s a /etc/passwd", "a 0.0" },
    { "s lib usr/lib\n-\nf lib/x", "lib 0.0\nusr implied\nusr/lib implied\nusr/lib/x 1.0" },
    { "s lib ../../../usr\nf lib/x", "lib 0.0\nusr implied\nusr/x 0.1" },
    { "d usr\ns lib /usr\nf usr/a\nh usr/b lib/a", "lib 0.1\nusr 0.0\nusr/a 0.2\nusr/b 0.2" },
    { "f a/b\ns c a\n-\nf c/.wh.b", "a implied\nc 0.1" },
    { "s a b\nf b\n-\nf a", "a 1.0\nb 0.1" }, /* an entry replaces a link and is not written through it */
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (LayerTree) tree = merge (cases[i].layers, &error);
    g_autofree char *found = NULL;

    if (tree == NULL)
      fail_msg ("%s: %s", cases[i].layers, error->message);
    found = describe (tree);
    if (!g_str_equal (found, cases[i].tree))
      fail_msg ("of:\n%s\ncame:\n%s", cases[i].layers, found);
  }
}

static void
test_hostile_layers_are_refused (void **state G_GNUC_UNUSED)
{
  static const MergeCase cases[] = {
    { "f ../etc/passwd", "'../etc/passwd' in layer 1 of the image climbs out of its folder" },
    { "f a/../../etc/passwd", "'a/../../etc/passwd' in layer 1 of the image climbs out of its folder" },
    { "d ..", "'..' in layer 1 of the image climbs out of its folder" },
    { "h a ../../etc/shadow", "'../../etc/shadow' in layer 1 of the image climbs out of its folder" },
    { "h a /etc/shadow", "'a' in layer 1 of the image is a link to something that is not there" },
    { "h a b\nf b", "'a' in layer 1 of the image is a link to something that is not there" },
    { "h a /", "'a' in layer 1 of the image is a link to nothing" },
    { "h a", "'a' in layer 1 of the image is a link to nothing" },
    { "s e /etc\nh a e/shadow", "'a' in layer 1 of the image is a link to something that is not there" },
    { "d a\nh b a", "'b' in layer 1 of the image is a hard link to a folder" },
    { "s a", "'a' in layer 1 of the image is a symbolic link to nothing, or to too much" },
    { "s a b\ns b a\n-\nf a/x", "'a/x' in layer 2 of the image goes through too many symbolic links" },
    { "s a a/a/a\nf a/x", "'a/x' in layer 1 of the image goes through too many symbolic links" },
    { "f a\nf a/b", "'a/b' in layer 1 of the image is below a file" },
    { "c a\nf a/b", "'a/b' in layer 1 of the image is below a file" },
    { "f /", "'/' in layer 1 of the image is the root, and no folder" },
    { "s . /etc", "'.' in layer 1 of the image is the root, and no folder" },
    { "f .wh.", "'.wh.' in layer 1 of the image takes nothing away that can be" },
    { "f a/.wh...", "'a/.wh...' in layer 1 of the image takes nothing away that can be" },
    { "f a/.wh..", "'a/.wh..' in layer 1 of the image takes nothing away that can be" },
    { "f ../.wh.etc", "'../.wh.etc' in layer 1 of the image climbs out of its folder" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (LayerTree) tree = merge (cases[i].layers, &error);

    if (tree != NULL)
      fail_msg ("%s was not refused", cases[i].layers);
    assert_string_equal (virt_error_detail (error), cases[i].tree);
  }
}

static void
assert_refused (LayerTree *tree, const LayerEntry *entry, const char *why)
{
  g_autoptr (GError) error = NULL;

  assert_false (layer_tree_add (tree, entry, &error));
  assert_non_null (strstr (error->message, why));
}

static void
test_everything_has_a_limit (void **state G_GNUC_UNUSED)
{
  g_autoptr (LayerTree) tree = layer_tree_new ();
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autofree char *name = g_strnfill (LAYER_NAME_MAX + 1, 'n');
  g_autofree char *path = g_strnfill (LAYER_PATH_MAX + 1, '/');
  g_autoptr (GError) error = NULL;

  layer_tree_begin (tree);
  for (guint i = 0; i <= LAYER_DEPTH_MAX; i++)
    g_string_append (deep, "d/");
  assert_refused (tree, &(LayerEntry){ deep->str, LAYER_FOLDER, NULL, 0 }, "is too deep");
  assert_refused (tree, &(LayerEntry){ name, LAYER_FILE, NULL, 0 }, "has too long a name");
  assert_refused (tree, &(LayerEntry){ path, LAYER_FILE, NULL, 0 }, "has too long a path");
  assert_true (
      layer_tree_add (tree, &(LayerEntry){ "half", LAYER_FILE, NULL, LAYER_BYTES_MAX / 2 + 1 }, &error));
  assert_refused (tree, &(LayerEntry){ "half", LAYER_FILE, NULL, LAYER_BYTES_MAX / 2 }, "is too large");
  assert_refused (tree, &(LayerEntry){ "all", LAYER_FILE, NULL, G_MAXUINT64 }, "is too large");
}

/* Links lead deeper than any one path could. */
static void
test_links_do_not_lead_below_the_depth (void **state G_GNUC_UNUSED)
{
  g_autoptr (LayerTree) tree = layer_tree_new ();
  g_autoptr (GString) deep = g_string_new (NULL);
  g_autoptr (GError) error = NULL;

  layer_tree_begin (tree);
  for (guint i = 0; i < LAYER_DEPTH_MAX - 2; i++)
    g_string_append (deep, "d/");
  assert_true (layer_tree_add (tree, &(LayerEntry){ "link", LAYER_SYMLINK, deep->str, 0 }, &error));
  assert_true (layer_tree_add (tree, &(LayerEntry){ "link/a", LAYER_FOLDER, NULL, 0 }, &error));
  assert_true (layer_tree_add (tree, &(LayerEntry){ "link/a/b", LAYER_FOLDER, NULL, 0 }, &error));
  assert_refused (tree, &(LayerEntry){ "link/a/b/c", LAYER_FILE, NULL, 0 }, "is too deep");
  assert_refused (tree, &(LayerEntry){ "link/a/b/c/d", LAYER_FILE, NULL, 0 }, "is too deep");
}

static void
test_a_million_files_are_enough (void **state G_GNUC_UNUSED)
{
  g_autoptr (LayerTree) tree = layer_tree_new ();
  g_autoptr (GError) error = NULL;

  layer_tree_begin (tree);
  for (guint i = 0; i < LAYER_ENTRIES_MAX; i++) { /* the same again and again costs as well */
    if (!layer_tree_add (tree, &(LayerEntry){ "a", LAYER_FILE, NULL, 0 }, &error))
      fail_msg ("%s", error->message);
  }
  assert_refused (tree, &(LayerEntry){ "a", LAYER_FILE, NULL, 0 }, "is one file too many");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_layers_make_one_tree),
    cmocka_unit_test (test_hostile_layers_are_refused),
    cmocka_unit_test (test_everything_has_a_limit),
    cmocka_unit_test (test_links_do_not_lead_below_the_depth),
    cmocka_unit_test (test_a_million_files_are_enough),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
