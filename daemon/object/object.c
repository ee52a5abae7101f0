/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What follows from the row of a kind alone: handles and filters.
 */
#include "daemon/object/object.h"

#include "wire/shape.h"

const ObjectKind *
object_kind_of_letter (char letter)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->letter == letter)
      return *kind;
  return NULL;
}

const ObjectKind *
object_kind_of_family (EventFamily family)
{
  for (const ObjectKind *const *kind = object_kinds; *kind != NULL; kind++)
    if ((*kind)->family == family)
      return *kind;
  return NULL;
}

gboolean
object_key_is_uuid (const ObjectKind *kind)
{
  char letter[] = { kind->letter, '\0' };
  const Shape *handle = shape_of (letter)->members[0];

  return !g_variant_type_equal (handle->members[kind->key]->type, G_VARIANT_TYPE_STRING);
}

char *
object_handle_key (const ObjectKind *kind, GVariant *handle)
{
  g_autoptr (GVariant) key = g_variant_get_child_value (handle, kind->key);
  const guint8 *bytes;
  char text[UUID_TEXT];
  gsize length;

  if (g_variant_is_of_type (key, G_VARIANT_TYPE_STRING))
    return g_variant_dup_string (key, NULL);
  bytes = g_variant_get_fixed_array (key, &length, 1);
  if (length != UUID_BYTES)
    return NULL;
  uuid_format (bytes, text);
  return g_strdup (text);
}

gboolean
object_flag_passes (guint flags, guint yes, guint no, gboolean is)
{
  return (flags & (yes | no)) == 0 || (flags & (is ? yes : no)) != 0;
}
