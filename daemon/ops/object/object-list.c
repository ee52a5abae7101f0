/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Lists, lookups and questions that are the same for every kind of object. The kind is known by its letter in
 * the operation's shapes, or is that of the object the call is about.
 */
#include "daemon/ops/object/object-list.h"

#include "daemon/ops/ops.h"
#include "wire/shape.h"

void
op_object_list_all (Call *call)
{
  const ObjectKind *kind = object_kind_of_letter (call->operation->out[1]); /* "aS{16384}u" */
  guint flags = call_uint (call, 1), count = 0;
  g_autoptr (GPtrArray) objects = NULL;
  GVariantBuilder list;

  if (!call_check_flags (call, flags, kind->list_flags))
    return;
  objects = registry_list (manager_registry (call->manager, kind));
  g_variant_builder_init (&list, g_variant_type_first (shape_of (call->operation->out)->type));
  for (guint i = 0; i < objects->len; i++) {
    const Object *object = g_ptr_array_index (objects, i);

    if (!kind->passes (object, flags))
      continue;
    count++;
    if (call_int (call, 0) != 0)
      g_variant_builder_add_value (&list, kind->handle (object));
  }
  call_answer (call, g_variant_new ("(@*u)", g_variant_builder_end (&list), count));
}

void
object_answer_count (Call *call, const ObjectKind *kind, guint flags)
{
  g_autoptr (GPtrArray) objects = registry_list (manager_registry (call->manager, kind));
  int count = 0;

  for (guint i = 0; i < objects->len; i++)
    count += kind->passes (g_ptr_array_index (objects, i), flags);
  call_answer (call, g_variant_new ("(i)", count));
}

void
object_answer_names (Call *call, const ObjectKind *kind, guint flags)
{
  g_autoptr (GPtrArray) objects = registry_list (manager_registry (call->manager, kind));
  int room = call_int (call, 0);
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < objects->len && room > 0; i++) {
    const Object *object = g_ptr_array_index (objects, i);

    if (!kind->passes (object, flags))
      continue;
    g_variant_builder_add (&names, "s", object->name);
    room--;
  }
  call_answer (call, g_variant_new ("(as)", &names));
}

void
object_answer (Call *call, const Object *object, GError *error)
{
  GVariant *handle;

  if (object == NULL) {
    call_fail (call, error);
    return;
  }
  handle = object->kind->handle (object);
  call_answer (call, g_variant_new_tuple (&handle, 1));
}

static Registry *
registry_of_answer (const Call *call)
{
  return manager_registry (call->manager, object_kind_of_letter (call->operation->out[0]));
}

void
op_object_lookup_by_name (Call *call)
{
  GError *error = NULL;
  Object *object = registry_find_name (registry_of_answer (call), call_string (call, 0), &error);

  object_answer (call, object, error);
}

void
op_object_lookup_by_uuid (Call *call)
{
  g_autofree char *uuid = call_uuid (call, 0);
  GError *error = NULL;
  Object *object = registry_find_uuid (registry_of_answer (call), uuid != NULL ? uuid : "", &error);

  object_answer (call, object, error);
}

static void
answer_flag (Call *call, gboolean flag)
{
  call_answer (call, g_variant_new ("(i)", flag ? 1 : 0));
}

void
op_object_get_autostart (Call *call)
{
  answer_flag (call, call->object->autostart);
}

void
op_object_is_active (Call *call)
{
  answer_flag (call, call->object->active);
}

void
op_object_is_persistent (Call *call)
{
  answer_flag (call, call->object->persistent);
}

void
op_object_name (Call *call)
{
  call_answer (call, g_variant_new ("(s)", call->object->name));
}

void
op_object_uuid (Call *call)
{
  call_answer (call, g_variant_new ("(s)", call->object->uuid));
}
