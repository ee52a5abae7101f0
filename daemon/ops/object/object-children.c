/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists, lookups and questions that are the same for every kind whose parent is an object. The kind is known
 * by its letter in the operation's shapes, or is that of the child the call is about. Lists have parents
 * before what follows them, which is one of the orders a client may ask for and right for all. What was
 * listed is kept until the tree changes: clients that show a tree ask again and again.
 */
#include "daemon/ops/object/object-children.h"

#include "daemon/ops/ops.h"
#include "wire/shape.h"

#define LISTS_MAX 8 /* that are kept of one owner */

/* A list that was asked for, and how its owner stood in it: that changes with each start. */
typedef struct {
  GVariant *owner;
  KeptAnswer *answer;
} KeptList;

static void
kept_list_free (gpointer data)
{
  KeptList *list = data;

  g_variant_unref (list->owner);
  kept_answer_free (list->answer);
  g_free (list);
}

/* Those of the call: of an owner, or below a child. */
typedef struct {
  const ChildTree *tree;
  const Child *top; /* NULL: all of the owner */
  guint flags;
  const Child *at;
} Walk;

static Walk
walk_begin (const Call *call, const ObjectKind *kind, guint flags)
{
  return (Walk){ call->child != NULL ? call->child->tree : child_tree_of (kind, call->object), call->child,
                 flags, NULL };
}

static gboolean
passes (const Walk *walk)
{
  const ChildKind *kind = walk->tree->kind->child;
  gboolean deep = (walk->flags & kind->roots) != 0;

  /* One flag says of an owner "only those that follow none", and of a child "also what follows those". */
  if (walk->top == NULL ? deep && walk->at->before != NULL : !deep && walk->at->before != walk->top)
    return FALSE;
  return object_flag_passes (walk->flags, kind->leaves, kind->no_leaves, walk->at->first == NULL)
         && (kind->passes == NULL || kind->passes (walk->at, walk->flags));
}

/* Where only the nearest are wanted, the rest is not walked. */
static const Child *
step (const Walk *walk)
{
  gboolean deep = (walk->flags & walk->tree->kind->child->roots) != 0;

  if (walk->at != NULL && (walk->top == NULL ? deep : !deep))
    return walk->at->next;
  return child_next (walk->tree, walk->top, walk->at);
}

static const Child *
walk_next (Walk *walk)
{
  do
    walk->at = step (walk);
  while (walk->at != NULL && !passes (walk));
  return walk->at;
}

static const ObjectKind *
kind_of_answer (const Call *call)
{
  const char *out = call->operation->out;

  return object_kind_of_letter (out[0] == 'a' ? out[1] : out[0]);
}

/* What was asked: of all or of those below a child, by which operation, with which arguments after the first.
 */
static char *
list_key (const Call *call)
{
  return g_strdup_printf ("%s %p %d %u", call->operation->name, (const void *)call->child, call_int (call, 1),
                          call_uint (call, 2));
}

/* The answer of before, when nothing has changed since. FALSE: there is none. */
static gboolean
answer_again (Call *call, const ChildTree *tree, const char *key, GVariant *owner)
{
  KeptList *list = tree->lists != NULL ? g_hash_table_lookup (tree->lists, key) : NULL;

  if (list == NULL || list->owner != owner)
    return FALSE;
  call_answer_kept (call, list->answer);
  return TRUE;
}

/* Takes @key; the call is answered. */
static void
answer_and_keep (Call *call, ChildTree *tree, char *key, GVariant *owner, GVariant *answer)
{
  KeptList *list = g_new0 (KeptList, 1);

  list->owner = g_variant_ref (owner);
  list->answer = kept_answer_new (answer);
  if (tree->lists == NULL)
    tree->lists = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, kept_list_free);
  else if (g_hash_table_size (tree->lists) >= LISTS_MAX)
    g_hash_table_remove_all (tree->lists);
  g_hash_table_replace (tree->lists, key, list);
  call_answer_kept (call, list->answer);
}
static GVariant *
make_list (const Call *call, const ObjectKind *kind, guint flags)
{
  GVariantBuilder list;
  int count = 0;
  Walk walk = walk_begin (call, kind, flags);

  g_variant_builder_init (&list, g_variant_type_first (shape_of (call->operation->out)->type));
  for (; walk_next (&walk) != NULL; count++)
    if (call_int (call, 1) != 0)
      g_variant_builder_add_value (&list, child_handle (walk.at));
  return g_variant_new ("(@*i)", g_variant_builder_end (&list), count);
}

static GVariant *
make_names (const Call *call, const ObjectKind *kind, guint flags)
{
  int room = call_int (call, 1);
  GVariantBuilder names;
  Walk walk = walk_begin (call, kind, flags);

  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (; room > 0 && walk_next (&walk) != NULL; room--)
    g_variant_builder_add (&names, "s", walk.at->name);
  return g_variant_new ("(as)", &names);
}

/* Argument 2 has the flags. */
static void
answer_list (Call *call, const ObjectKind *kind,
             GVariant *(*make) (const Call *call, const ObjectKind *kind, guint flags))
{
  guint flags = call_uint (call, 2);
  ChildTree *tree = call->child != NULL ? call->child->tree : child_tree_of (kind, call->object);
  GVariant *owner = tree->owner->kind->handle (tree->owner);
  g_autofree char *key = NULL;

  if (!call_check_flags (call, flags, kind->child->list_flags))
    return;
  key = list_key (call);
  if (!answer_again (call, tree, key, owner))
    answer_and_keep (call, tree, g_steal_pointer (&key), owner, make (call, kind, flags));
}

void
op_child_list_all (Call *call)
{
  answer_list (call, kind_of_answer (call), make_list);
}

void
op_child_list_all_children (Call *call)
{
  op_child_list_all (call);
}

void
children_answer_count (Call *call, const ObjectKind *kind)
{
  guint flags = call_uint (call, 1);
  int count = 0;
  Walk walk;

  if (!call_check_flags (call, flags, kind->child->list_flags))
    return;
  for (walk = walk_begin (call, kind, flags); walk_next (&walk) != NULL;)
    count++;
  call_answer (call, g_variant_new ("(i)", count));
}

void
op_child_count_children (Call *call)
{
  children_answer_count (call, call->child->tree->kind);
}

void
children_answer_names (Call *call, const ObjectKind *kind)
{
  answer_list (call, kind, make_names);
}

void
op_child_list_children_names (Call *call)
{
  children_answer_names (call, call->child->tree->kind);
}

void
child_answer (Call *call, const Child *child, GError *error)
{
  GVariant *handle;

  if (child == NULL) {
    call_fail (call, error);
    return;
  }
  handle = child_handle (child);
  call_answer (call, g_variant_new_tuple (&handle, 1));
}

void
op_child_lookup_by_name (Call *call)
{
  const ObjectKind *kind = kind_of_answer (call);
  GError *error = NULL;

  if (call_check_flags (call, call_uint (call, 2), 0)) {
    const Child *child = child_find (child_tree_of (kind, call->object), call_string (call, 1), &error);

    child_answer (call, child, error);
  }
}

void
op_child_get_parent (Call *call)
{
  const Child *child = call->child;
  const ObjectKind *kind = child->tree->kind;
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  if (child->before == NULL)
    virt_error_set_from (&error, kind->origin, kind->missing, "%s '%s' does not have a parent",
                         kind->short_name, child->name);
  child_answer (call, child->before, error);
}

void
children_answer_has_current (Call *call, const ObjectKind *kind)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    call_answer (call, g_variant_new ("(i)", child_tree_of (kind, call->object)->current != NULL));
}

void
op_child_current (Call *call)
{
  const ObjectKind *kind = kind_of_answer (call);
  const ChildTree *tree = child_tree_of (kind, call->object);
  GError *error = NULL;

  if (!call_check_flags (call, call_uint (call, 1), 0))
    return;
  if (tree->current == NULL)
    virt_error_set_from (&error, kind->origin, kind->missing, "the %s does not have a current %s",
                         call->object->kind->name, kind->short_name);
  child_answer (call, tree->current, error);
}

void
op_child_is_current (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    call_answer (call, g_variant_new ("(i)", call->child->tree->current == call->child));
}

/* Every one that is known here is kept here. */
void
op_child_has_metadata (Call *call)
{
  if (call_check_flags (call, call_uint (call, 1), 0))
    call_answer (call, g_variant_new ("(i)", 1));
}

Child *
call_find_child_again (Call *call)
{
  return operation_find_object (call) ? call->child : NULL;
}
