/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The conversions between RPC values and D-Bus values, one small function each, and the two tables that find
 * one by the pair of types. libvirt-dbus chose its signatures member by member, but with the same few habits:
 * all of them are here, so that a new member of the table needs no code.
 */
#include "daemon/dbus/convert.h"

#include <string.h>

#include "base/scalars.h"
#include "daemon/dbus/paths.h"
#include "wire/typed-parameters.h"

static gboolean
is_number (ShapeKind kind)
{
  return kind == SHAPE_INT || kind == SHAPE_UINT || kind == SHAPE_HYPER || kind == SHAPE_UHYPER;
}

static gboolean
type_is_number (const GVariantType *type)
{
  return g_variant_type_equal (type, G_VARIANT_TYPE_INT32)
         || g_variant_type_equal (type, G_VARIANT_TYPE_UINT32)
         || g_variant_type_equal (type, G_VARIANT_TYPE_INT64)
         || g_variant_type_equal (type, G_VARIANT_TYPE_UINT64);
}

/* A number of @value's type as one of @type, or NULL when it does not fit. (floating) */
static GVariant *
number_as (GVariant *value, const GVariantType *type, virErrorNumber code, GError **error)
{
  g_autofree char *text = NULL;
  gboolean negative = FALSE;
  guint64 number;

  switch (g_variant_classify (value)) {
    case G_VARIANT_CLASS_INT32:
      number = (guint64)(gint64)g_variant_get_int32 (value);
      negative = g_variant_get_int32 (value) < 0;
      break;
    case G_VARIANT_CLASS_INT64:
      number = (guint64)g_variant_get_int64 (value);
      negative = g_variant_get_int64 (value) < 0;
      break;
    case G_VARIANT_CLASS_UINT32:
      number = g_variant_get_uint32 (value);
      break;
    case G_VARIANT_CLASS_BYTE: /* small positive numbers: states and types */
      number = g_variant_get_byte (value);
      break;
    default:
      number = g_variant_get_uint64 (value);
  }

  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT64) && (negative || number <= G_MAXINT64))
    return g_variant_new_int64 ((gint64)number);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT64) && !negative)
    return g_variant_new_uint64 (number);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_UINT32) && !negative && number <= G_MAXUINT32)
    return g_variant_new_uint32 ((guint32)number);
  if (g_variant_type_equal (type, G_VARIANT_TYPE_INT32)
      && (negative ? (gint64)number >= G_MININT32 : number <= G_MAXINT32))
    return g_variant_new_int32 ((gint32)(gint64)number);

  text = g_variant_print (value, FALSE);
  virt_error_set (error, code, "%s is out of the range of the number expected here", text);
  return NULL;
}

static GVariant *
from_same (const Shape *shape G_GNUC_UNUSED, GVariant *value, GError **error G_GNUC_UNUSED)
{
  return g_variant_ref (value);
}

static GVariant *
from_number (const Shape *shape, GVariant *value, GError **error)
{
  GVariant *number = number_as (value, shape->type, VIR_ERR_INVALID_ARG, error);

  return number != NULL ? g_variant_ref_sink (number) : NULL;
}

static GVariant *
from_boolean (const Shape *shape G_GNUC_UNUSED, GVariant *value, GError **error G_GNUC_UNUSED)
{
  return g_variant_ref_sink (g_variant_new_int32 (g_variant_get_boolean (value) ? 1 : 0));
}

static GVariant *
from_text (const Shape *shape G_GNUC_UNUSED, GVariant *value, GError **error G_GNUC_UNUSED)
{
  return g_variant_ref_sink (g_variant_new_maybe (NULL, value));
}

static GVariant *
from_uuid_text (const Shape *shape G_GNUC_UNUSED, GVariant *value, GError **error)
{
  const char *text = g_variant_get_string (value, NULL);
  guint8 bytes[UUID_BYTES];

  if (uuid_parse (text, bytes))
    return g_variant_ref_sink (g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, UUID_BYTES, 1));
  virt_error_set (error, VIR_ERR_INVALID_ARG, "Invalid UUID: '%s'", text);
  return NULL;
}

/* A list of b as a CPU map. */
static GVariant *
from_bits (const Shape *shape, GVariant *value, GError **error)
{
  g_autofree guint8 *map = NULL;
  const guint8 *bits;
  gsize count;

  bits = g_variant_get_fixed_array (value, &count, 1);
  if ((count + 7) / 8 > shape->limit) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "%" G_GSIZE_FORMAT " CPUs where at most %u are allowed",
                    count, shape->limit * 8);
    return NULL;
  }
  map = g_malloc0 ((count + 7) / 8);
  for (gsize i = 0; i < count; i++)
    if (bits[i])
      map[i / 8] |= (guint8)(1 << (i % 8));
  return g_variant_ref_sink (g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, map, (count + 7) / 8, 1));
}

/* A list of b as the text of a CPU set. */
static GVariant *
from_bits_to_text (const Shape *shape G_GNUC_UNUSED, GVariant *value, GError **error)
{
  g_autoptr (CpuSet) set = NULL;
  const guint8 *bits;
  gsize count;

  bits = g_variant_get_fixed_array (value, &count, 1);
  if (count > CPU_SET_MAX) {
    virt_error_set (error, VIR_ERR_INVALID_ARG, "%" G_GSIZE_FORMAT " CPUs where at most %d are allowed",
                    count, CPU_SET_MAX);
    return NULL;
  }
  set = cpu_set_new ();
  for (gsize i = 0; i < count; i++)
    if (bits[i])
      cpu_set_add (set, (guint)i);
  return g_variant_ref_sink (g_variant_new_take_string (cpu_set_to_string (set)));
}

DbusFromClient
dbus_from_client (const Shape *shape, const GVariantType *type)
{
  gboolean bits = g_variant_type_equal (type, G_VARIANT_TYPE ("ab"));

  if (g_variant_type_equal (type, shape->type))
    return from_same;
  if (is_number (shape->kind) && type_is_number (type))
    return from_number;
  if (shape->kind == SHAPE_INT && g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return from_boolean;
  if (shape->kind == SHAPE_OPTIONAL && shape->members[0]->kind == SHAPE_STRING
      && g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    return from_text;
  if (shape->letter == 'U' && g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    return from_uuid_text;
  if (shape->kind == SHAPE_BYTES && bits)
    return from_bits;
  if (shape->kind == SHAPE_STRING && bits)
    return from_bits_to_text;
  return NULL;
}

static gboolean
holds_parameters (const Shape *shape)
{
  for (guint i = 0; i < shape->n_members; i++)
    if (holds_parameters (shape->members[i]))
      return TRUE;
  return shape->kind == SHAPE_PARAMETER;
}

static GVariant *
to_same (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
  return g_variant_ref (value);
}

static GVariant *
to_parameters (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
               GError **error G_GNUC_UNUSED)
{
  return g_variant_ref_sink (typed_parameters_wrap (value));
}

static GVariant *
to_number (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type, GError **error)
{
  GVariant *number = number_as (value, type, VIR_ERR_INTERNAL_ERROR, error);

  return number != NULL ? g_variant_ref_sink (number) : NULL;
}

static GVariant *
to_boolean (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
            GError **error G_GNUC_UNUSED)
{
  return g_variant_ref_sink (g_variant_new_boolean (g_variant_get_int32 (value) != 0));
}

static GVariant *
to_text (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
  g_autoptr (GVariant) text = g_variant_get_maybe (value);

  return text != NULL ? g_steal_pointer (&text) : g_variant_ref_sink (g_variant_new_string (""));
}

/* libvirt's char arrays end at the first NUL or with the array. */
static GVariant *
to_text_of_characters (const Shape *shape G_GNUC_UNUSED, GVariant *value,
                       const GVariantType *type G_GNUC_UNUSED, GError **error G_GNUC_UNUSED)
{
  gsize length;
  const char *characters = g_variant_get_fixed_array (value, &length, 1);

  length = length > 0 ? strnlen (characters, length) : 0;
  return g_variant_ref_sink (
      g_variant_new_take_string (g_utf8_make_valid (characters != NULL ? characters : "", (gssize)length)));
}

static GVariant *
to_name (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
  return g_variant_get_child_value (value, 0);
}

static GVariant *
to_path (const Shape *shape, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
  g_autofree char *path = dbus_path_of (shape, value);

  return g_variant_ref_sink (g_variant_new_object_path (path));
}

GVariant *
dbus_bits_to_client (const guint8 *map, gsize length, gsize count)
{
  GVariantBuilder bits;

  g_variant_builder_init (&bits, G_VARIANT_TYPE ("ab"));
  for (gsize i = 0; i < count; i++)
    g_variant_builder_add (&bits, "b", i / 8 < length && (map[i / 8] & (1 << (i % 8))) != 0);
  return g_variant_builder_end (&bits);
}

static GVariant *
to_bits (const Shape *shape G_GNUC_UNUSED, GVariant *value, const GVariantType *type G_GNUC_UNUSED,
         GError **error G_GNUC_UNUSED)
{
  gsize length;
  const guint8 *map = g_variant_get_fixed_array (value, &length, 1);

  return g_variant_ref_sink (dbus_bits_to_client (map, length, length * 8));
}

static GVariant *
to_list (const Shape *shape, GVariant *value, const GVariantType *type, GError **error)
{
  const GVariantType *item_type = g_variant_type_element (type);
  DbusToClient convert = dbus_to_client (shape->members[0], item_type);
  gsize n = g_variant_n_children (value);
  GVariantBuilder list;

  g_variant_builder_init (&list, type);
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) item = g_variant_get_child_value (value, i);
    g_autoptr (GVariant) converted = convert (shape->members[0], item, item_type, error);
    if (converted == NULL) {
      g_variant_builder_clear (&list);
      return NULL;
    }
    g_variant_builder_add_value (&list, converted);
  }
  return g_variant_ref_sink (g_variant_builder_end (&list));
}

/* A struct, or an entry of a dictionary. */
static GVariant *
to_struct (const Shape *shape, GVariant *value, const GVariantType *type, GError **error)
{
  const GVariantType *member_type = g_variant_type_first (type);
  GVariantBuilder members;

  g_variant_builder_init (&members, type);
  for (guint i = 0; i < shape->n_members; i++, member_type = g_variant_type_next (member_type)) {
    g_autoptr (GVariant) member = g_variant_get_child_value (value, i);
    DbusToClient convert = dbus_to_client (shape->members[i], member_type);
    g_autoptr (GVariant) converted = convert (shape->members[i], member, member_type, error);
    if (converted == NULL) {
      g_variant_builder_clear (&members);
      return NULL;
    }
    g_variant_builder_add_value (&members, converted);
  }
  return g_variant_ref_sink (g_variant_builder_end (&members));
}

static gboolean
members_fit (const Shape *shape, const GVariantType *type)
{
  const GVariantType *member = g_variant_type_first (type);

  for (guint i = 0; i < shape->n_members; i++, member = g_variant_type_next (member))
    if (member == NULL || dbus_to_client (shape->members[i], member) == NULL)
      return FALSE;
  return member == NULL;
}

/* What libvirt's objects become: a path, or in records a name. */
static DbusToClient
object_to_client (const Shape *shape, const GVariantType *type)
{
  if (g_variant_type_equal (type, G_VARIANT_TYPE_OBJECT_PATH) && dbus_path_exists (shape))
    return to_path;
  return shape->letter == 'D' && g_variant_type_equal (type, G_VARIANT_TYPE_STRING) ? to_name : NULL;
}

static DbusToClient
list_to_client (const Shape *shape, const GVariantType *type)
{
  if (shape->members[0]->kind == SHAPE_CHAR && g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    return to_text_of_characters;
  if (!g_variant_type_is_array (type))
    return NULL;
  if (shape->members[0]->kind == SHAPE_PARAMETER)
    return g_variant_type_equal (type, G_VARIANT_TYPE_VARDICT) ? to_parameters : NULL;
  return dbus_to_client (shape->members[0], g_variant_type_element (type)) != NULL ? to_list : NULL;
}

DbusToClient
dbus_to_client (const Shape *shape, const GVariantType *type)
{
  if (g_variant_type_equal (type, shape->type) && !holds_parameters (shape))
    return to_same;
  if ((is_number (shape->kind) || shape->kind == SHAPE_CHAR || shape->kind == SHAPE_UCHAR)
      && type_is_number (type))
    return to_number;
  if (shape->kind == SHAPE_INT && g_variant_type_equal (type, G_VARIANT_TYPE_BOOLEAN))
    return to_boolean;
  if (shape->kind == SHAPE_OPTIONAL && shape->members[0]->kind == SHAPE_STRING
      && g_variant_type_equal (type, G_VARIANT_TYPE_STRING))
    return to_text;
  if (shape->kind == SHAPE_BYTES && g_variant_type_equal (type, G_VARIANT_TYPE ("ab")))
    return to_bits;
  if (shape->letter != 0 && object_to_client (shape, type) != NULL)
    return object_to_client (shape, type);
  if (shape->kind == SHAPE_ARRAY)
    return list_to_client (shape, type);
  if (shape->kind == SHAPE_STRUCT && (g_variant_type_is_tuple (type) || g_variant_type_is_dict_entry (type))
      && members_fit (shape, type))
    return to_struct;
  return NULL;
}
