/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists, lookups and questions that are the same for every kind whose parent is an object. The kind is known
 * by its letter in the operation's shapes, or is that of the child the call is about. Lists have parents
 * before what follows them, which is one of the orders a client may ask for and right for all.
 */
#include "daemon/ops/object/object-children.h"

#include "daemon/ops/ops.h"
#include "wire/shape.h"

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

void
op_child_list_all (Call *call)
{
  const ObjectKind *kind = kind_of_answer (call);
  guint flags = call_uint (call, 2);
  GVariantBuilder list;
  int count = 0;
  Walk walk;

  if (!call_check_flags (call, flags, kind->child->list_flags))
    return;
  walk = walk_begin (call, kind, flags);
  g_variant_builder_init (&list, g_variant_type_first (shape_of (call->operation->out)->type));
  for (; walk_next (&walk) != NULL; count++)
    if (call_int (call, 1) != 0)
      g_variant_builder_add_value (&list, child_handle (walk.at));
  call_answer (call, g_variant_new ("(@*i)", g_variant_builder_end (&list), count));
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
  guint flags = call_uint (call, 2);
  int room = call_int (call, 1);
  GVariantBuilder names;
  Walk walk;

  if (!call_check_flags (call, flags, kind->child->list_flags))
    return;
  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (walk = walk_begin (call, kind, flags); room > 0 && walk_next (&walk) != NULL; room--)
    g_variant_builder_add (&names, "s", walk.at->name);
  call_answer (call, g_variant_new ("(as)", &names));
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
