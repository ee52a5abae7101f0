/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Objects of any kind as people name them: by the element of their documents and a name or UUID. What is the
 * same for all kinds is asked for so, by one operation and not by one of each kind.
 */
#include "daemon/ops/object/object-named.h"

const ObjectKind *
object_kind_named (const char *element, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++) {
    if ((*kind)->folder == NULL || (*kind)->size == 0)
      continue;
    if (g_str_equal ((*kind)->document->root, element))
      return *kind;
    g_string_append_printf (known, "%s'%s'", known->len > 0 ? ", " : "", (*kind)->document->root);
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' is no kind of definition: expected one of %s", element,
                  known->str);
  return NULL;
}

Object *
object_named (Call *call, GError **error)
{
  const ObjectKind *kind = object_kind_named (call_string (call, 0), error);
  Registry *registry = kind != NULL ? manager_registry (call->manager, kind) : NULL;
  const char *name = call_string (call, 1);
  Object *object = NULL;

  if (registry != NULL && g_uuid_string_is_valid (name))
    object = registry_find_uuid (registry, name, NULL);
  if (registry != NULL && object == NULL)
    object = registry_find_name (registry, name, error);
  return object;
}
