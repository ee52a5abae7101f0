/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The children of one object in memory. Siblings are a linked list in both directions and names a hash table,
 * so that one is found, added and taken out in one step however many there are; a walk goes from link to
 * link.
 */
#include "daemon/object/child.h"

#include "base/virt-error.h"
#include "daemon/core/main-loop.h"

static void
child_free (gpointer data)
{
  Child *child = data;

  document_unref (child->tree->kind->document, child->def);
  g_free (child->name);
  g_free (child);
}

ChildTree *
child_tree_new (const ObjectKind *kind, Object *owner)
{
  ChildTree *tree = g_new0 (ChildTree, 1);

  tree->kind = kind;
  tree->owner = owner;
  tree->by_name = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, child_free);
  return tree;
}

void
child_tree_free (ChildTree *tree)
{
  if (tree == NULL)
    return;
  g_clear_pointer (&tree->lists, g_hash_table_unref);
  g_hash_table_unref (tree->by_name);
  g_free (tree);
}

ChildTree *
child_tree_of (const ObjectKind *kind, const Object *owner)
{
  return G_STRUCT_MEMBER (ChildTree *, owner, kind->child->tree);
}

guint
child_tree_count (const ChildTree *tree)
{
  return g_hash_table_size (tree->by_name);
}

Child *
child_find (const ChildTree *tree, const char *name, GError **error)
{
  MAIN_LOOP_ONLY ();

  Child *child = g_hash_table_lookup (tree->by_name, name);

  if (child == NULL)
    virt_error_set_from (error, tree->kind->origin, tree->kind->missing, "no %s with matching name '%s'",
                         tree->kind->name, name);
  return child;
}

GVariant *
child_handle (const Child *child)
{
  const Object *owner = child->tree->owner;
  GVariant *members[] = { g_variant_new_string (child->name), owner->kind->handle (owner) };

  return g_variant_new_tuple (members, G_N_ELEMENTS (members));
}

char *
child_key (const ObjectKind *kind, GVariant *handle)
{
  g_autoptr (GVariant) owner = g_variant_get_child_value (handle, 1);
  g_autofree char *uuid = object_handle_key (kind->child->owner, owner);
  const char *name;

  g_variant_get_child (handle, 0, "&s", &name);
  return uuid != NULL ? g_strconcat (uuid, "/", name, NULL) : NULL;
}

Child *
child_next (const ChildTree *tree, const Child *top, const Child *child)
{
  if (child == NULL)
    return top != NULL ? top->first : tree->first;
  if (child->first != NULL)
    return child->first;
  while (child != NULL && child != top && child->next == NULL)
    child = child->before;
  return child != NULL && child != top ? child->next : NULL;
}

gboolean
child_is_below (const Child *child, const Child *other)
{
  while (child != NULL && child != other)
    child = child->before;
  return child != NULL;
}

gboolean
child_tree_check_parent (const ChildTree *tree, const char *name, const char *before, GError **error)
{
  const Child *self = g_hash_table_lookup (tree->by_name, name), *parent;

  if (before == NULL)
    return TRUE;
  parent = g_hash_table_lookup (tree->by_name, before);
  if (g_str_equal (before, name))
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot set moment %s as its own parent", name);
  else if (parent == NULL)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "parent %s for moment %s not found", before, name);
  else if (self != NULL && child_is_below (parent, self))
    virt_error_set (error, VIR_ERR_INVALID_ARG, "parent %s would create cycle to %s", before, name);
  else
    return TRUE;
  return FALSE;
}

static void
link_after (Child *child, Child *before)
{
  Child **first = before != NULL ? &before->first : &child->tree->first;
  Child **last = before != NULL ? &before->last : &child->tree->last;

  child->before = before;
  child->previous = *last;
  child->next = NULL;
  if (*last != NULL)
    (*last)->next = child;
  else
    *first = child;
  *last = child;
}

static void
unlink_child (Child *child)
{
  Child **first = child->before != NULL ? &child->before->first : &child->tree->first;
  Child **last = child->before != NULL ? &child->before->last : &child->tree->last;

  if (child->previous != NULL)
    child->previous->next = child->next;
  else
    *first = child->next;
  if (child->next != NULL)
    child->next->previous = child->previous;
  else
    *last = child->previous;
}

const char *
child_def_before (const ObjectKind *kind, gconstpointer def)
{
  return G_STRUCT_MEMBER (char *, def, kind->child->before);
}

gpointer
child_def_after (const ObjectKind *kind, gconstpointer def, const char *before)
{
  gpointer copy = document_copy (kind->document, def);
  char **member = &G_STRUCT_MEMBER (char *, copy, kind->child->before);

  g_free (*member);
  *member = g_strdup (before);
  return copy;
}

static Child *
child_new (ChildTree *tree, gpointer def)
{
  const DocumentKind *document = tree->kind->document;
  Child *child = g_new0 (Child, 1);

  child->tree = tree;
  child->name = g_strdup (document_name (document, def));
  child->def = document_ref (document, def);
  g_hash_table_insert (tree->by_name, child->name, child);
  return child;
}

static Child *
find_before (const ChildTree *tree, gconstpointer def)
{
  const char *before = child_def_before (tree->kind, def);

  return before != NULL ? g_hash_table_lookup (tree->by_name, before) : NULL;
}

Child *
child_tree_put (ChildTree *tree, gpointer def)
{
  MAIN_LOOP_ONLY ();

  Child *child = g_hash_table_lookup (tree->by_name, document_name (tree->kind->document, def));
  Child *before = find_before (tree, def);

  g_clear_pointer (&tree->lists, g_hash_table_unref);
  if (child == NULL) {
    child = child_new (tree, def);
    link_after (child, before);
    return child;
  }
  document_ref (tree->kind->document, def);
  document_unref (tree->kind->document, child->def);
  child->def = def;
  if (before != child->before && (before == NULL || !child_is_below (before, child))) {
    unlink_child (child);
    link_after (child, before);
  }
  return child;
}

static int
compare_created (gconstpointer a, gconstpointer b)
{
  const Child *one = *(const Child *const *)a, *other = *(const Child *const *)b;
  gsize offset = one->tree->kind->child->created;
  const Number *first = &G_STRUCT_MEMBER (Number, one->def, offset);
  const Number *second = &G_STRUCT_MEMBER (Number, other->def, offset);

  if (first->value != second->value)
    return first->value < second->value ? -1 : 1;
  return g_strcmp0 (one->name, other->name);
}

/* Those that hang together with none that follows none: a circle, or one that would follow what is not there.
 * @reached: those that hang. */
static void
link_lost (Child *child)
{
  g_warning ("%s '%s' of %s '%s' follows '%s', which is not there or follows it: it follows none now",
             child->tree->kind->name, child->name, child->tree->owner->kind->name, child->tree->owner->name,
             child_def_before (child->tree->kind, child->def));
  link_after (child, NULL);
}

/* Everything that is to follow @child, and what is to follow that. */
static void
link_all_after (Child *child, GHashTable *following, GHashTable *linked)
{
  g_autoptr (GQueue) queue = g_queue_new ();

  for (g_queue_push_tail (queue, child); (child = g_queue_pop_head (queue)) != NULL;) {
    const GPtrArray *next = g_hash_table_lookup (following, child->name);

    g_hash_table_add (linked, child);
    for (guint i = 0; next != NULL && i < next->len; i++) {
      Child *one = g_ptr_array_index (next, i);

      if (g_hash_table_contains (linked, one))
        continue;
      link_after (one, child);
      g_queue_push_tail (queue, one);
    }
  }
}

/* The name of the one before → those after it. */
static GHashTable *
group_by_before (const ChildTree *tree, const GPtrArray *children)
{
  GHashTable *following =
      g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_ptr_array_unref);

  for (guint i = 0; i < children->len; i++) {
    Child *child = g_ptr_array_index (children, i);
    const char *before = child_def_before (tree->kind, child->def);
    GPtrArray *group = before != NULL ? g_hash_table_lookup (following, before) : NULL;

    if (before != NULL && group == NULL)
      g_hash_table_insert (following, (gpointer)before, group = g_ptr_array_new ());
    if (group != NULL)
      g_ptr_array_add (group, child);
  }
  return following;
}

void
child_tree_fill (ChildTree *tree, const GPtrArray *defs, const char *current)
{
  MAIN_LOOP_ONLY ();

  g_autoptr (GPtrArray) children = g_ptr_array_new ();
  g_autoptr (GHashTable) following = NULL;
  g_autoptr (GHashTable) linked = g_hash_table_new (NULL, NULL);

  g_clear_pointer (&tree->lists, g_hash_table_unref);
  for (guint i = 0; i < defs->len; i++)
    if (!g_hash_table_contains (tree->by_name,
                                document_name (tree->kind->document, g_ptr_array_index (defs, i))))
      g_ptr_array_add (children, child_new (tree, g_ptr_array_index (defs, i)));
  g_ptr_array_sort (children, compare_created);
  following = group_by_before (tree, children);
  for (guint i = 0; i < children->len; i++) {
    Child *child = g_ptr_array_index (children, i);

    if (child_def_before (tree->kind, child->def) != NULL)
      continue;
    link_after (child, NULL);
    link_all_after (child, following, linked);
  }
  for (guint i = 0; i < children->len; i++) {
    Child *child = g_ptr_array_index (children, i);

    if (g_hash_table_contains (linked, child))
      continue;
    link_lost (child);
    link_all_after (child, following, linked);
  }
  tree->current = current != NULL ? g_hash_table_lookup (tree->by_name, current) : NULL;
}

void
child_tree_clear (ChildTree *tree)
{
  MAIN_LOOP_ONLY ();

  g_clear_pointer (&tree->lists, g_hash_table_unref);
  tree->first = tree->last = tree->current = NULL;
  g_hash_table_remove_all (tree->by_name);
}

void
child_tree_remove (Child *child)
{
  MAIN_LOOP_ONLY ();

  ChildTree *tree = child->tree;
  const ObjectKind *kind = tree->kind;
  Child *before = child->before, *one;

  g_clear_pointer (&tree->lists, g_hash_table_unref);
  while ((one = child->first) != NULL) {
    gpointer def = child_def_after (kind, one->def, before != NULL ? before->name : NULL);

    document_unref (kind->document, one->def);
    one->def = def;
    unlink_child (one);
    link_after (one, before);
  }
  if (tree->current == child)
    tree->current = before;
  unlink_child (child);
  g_hash_table_remove (tree->by_name, child->name);
}
