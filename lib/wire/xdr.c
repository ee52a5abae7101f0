/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * XDR from bytes to GVariant, by shape: one reader for all procedures. (The writer: xdr-write.c)
 *
 * The bytes come from anybody who can open the socket. So the reader believes no number it has not compared
 * with the shape's limit and with the bytes that are really left (each item of a list takes at least its
 * shape's wire_minimum), and it descends only where the shape does: no input can make it go deep or allocate
 * more than a fixed multiple of the input's own size. What it does not care for is what libvirt does not care
 * for either: surplus bytes, the contents of padding, and which number says "true".
 */
#include "wire/xdr-private.h"

#include <string.h>

typedef struct {
  const guint8 *bytes;
  gsize length, at;
  ShapePlace place;
  GError **error;
} Reader;

static GVariant *read_value (Reader *reader, const Shape *shape);

static gpointer G_GNUC_PRINTF (2, 3) reader_fail (Reader *reader, const char *format, ...)
{
  g_autofree char *where = shape_place_text (&reader->place);
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (reader->error, VIR_ERR_RPC, "Unable to decode message payload: %s: %s", where, what);
  return NULL;
}

/* The next @length bytes, or NULL when there are not that many. */
static const guint8 *
reader_take (Reader *reader, gsize length)
{
  const guint8 *taken = reader->bytes + reader->at;

  if (length > reader->length - reader->at)
    return reader_fail (reader, "%" G_GSIZE_FORMAT " bytes are needed and %" G_GSIZE_FORMAT " are left",
                        length, reader->length - reader->at);
  reader->at += length;
  return taken;
}

static gboolean
read_word (Reader *reader, guint32 *ret)
{
  const guint8 *taken = reader_take (reader, 4);

  if (taken == NULL)
    return FALSE;
  memcpy (ret, taken, 4);
  *ret = GUINT32_FROM_BE (*ret);
  return TRUE;
}

static gboolean
read_double_word (Reader *reader, guint64 *ret)
{
  const guint8 *taken = reader_take (reader, 8);

  if (taken == NULL)
    return FALSE;
  memcpy (ret, taken, 8);
  *ret = GUINT64_FROM_BE (*ret);
  return TRUE;
}

/* A count, within @limit, of things that take @minimum bytes each. */
static gboolean
read_count (Reader *reader, guint32 limit, gsize minimum, guint32 *ret)
{
  if (!read_word (reader, ret))
    return FALSE;
  if (*ret > limit)
    return reader_fail (reader, "a length of %u where at most %u is allowed", *ret, limit) != NULL;
  if (minimum > 0 && *ret > (reader->length - reader->at) / minimum)
    return reader_fail (reader, "a length of %u in the last %" G_GSIZE_FORMAT " bytes", *ret,
                        reader->length - reader->at)
           != NULL;
  return TRUE;
}

static char *
read_text (Reader *reader, guint32 limit)
{
  const guint8 *taken;
  guint32 length;

  if (!read_count (reader, limit, 1, &length) || (taken = reader_take (reader, PADDED (length))) == NULL)
    return NULL;
  if (!g_utf8_validate_len ((const char *)taken, length, NULL))
    return reader_fail (reader, "the text is not valid UTF-8");
  return g_strndup ((const char *)taken, length);
}

static GVariant *
read_string (Reader *reader, guint32 limit)
{
  char *text = read_text (reader, limit);

  return text != NULL ? g_variant_new_take_string (text) : NULL;
}

static GVariant *
read_bytes (Reader *reader, const Shape *shape)
{
  const guint8 *taken;
  guint32 length = shape->limit;

  if (!shape->exact && !read_count (reader, shape->limit, 1, &length))
    return NULL;
  taken = reader_take (reader, PADDED (length));
  return taken != NULL ? g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, taken, length, 1) : NULL;
}

static GVariant *
read_array (Reader *reader, const Shape *shape)
{
  GVariantBuilder items;
  guint32 count = shape->limit;

  if (!shape->exact && !read_count (reader, shape->limit, shape->members[0]->wire_minimum, &count))
    return NULL;

  g_variant_builder_init (&items, shape->type);
  shape_place_enter (&reader->place, shape);
  for (guint32 i = 0; i < count; i++) {
    GVariant *item;
    shape_place_move (&reader->place, i);
    item = read_value (reader, shape->members[0]);
    if (item == NULL) {
      g_variant_builder_clear (&items);
      return NULL;
    }
    g_variant_builder_add_value (&items, item);
  }
  shape_place_leave (&reader->place);
  return g_variant_builder_end (&items);
}

static GVariant *
read_struct (Reader *reader, const Shape *shape)
{
  GVariantBuilder members;

  g_variant_builder_init (&members, shape->type);
  shape_place_enter (&reader->place, shape);
  for (guint i = 0; i < shape->n_members; i++) {
    GVariant *member;
    shape_place_move (&reader->place, i);
    member = read_value (reader, shape->members[i]);
    if (member == NULL) {
      g_variant_builder_clear (&members);
      return NULL;
    }
    g_variant_builder_add_value (&members, member);
  }
  shape_place_leave (&reader->place);
  return g_variant_builder_end (&members);
}

static GVariant *
read_optional (Reader *reader, const Shape *shape)
{
  GVariant *value;
  guint32 present;

  if (!read_word (reader, &present))
    return NULL;
  if (present == 0)
    return g_variant_new_maybe (shape->members[0]->type, NULL);
  shape_place_enter (&reader->place, shape);
  value = read_value (reader, shape->members[0]);
  shape_place_leave (&reader->place);
  return value != NULL ? g_variant_new_maybe (NULL, value) : NULL;
}

static GVariant *
read_scalar (Reader *reader, ShapeKind kind)
{
  guint32 word = 0;
  guint64 long_word = 0;
  double number;

  if (kind == SHAPE_HYPER || kind == SHAPE_UHYPER || kind == SHAPE_DOUBLE) {
    if (!read_double_word (reader, &long_word))
      return NULL;
    if (kind == SHAPE_HYPER)
      return g_variant_new_int64 ((gint64)long_word);
    if (kind == SHAPE_UHYPER)
      return g_variant_new_uint64 (long_word);
    memcpy (&number, &long_word, sizeof number);
    return g_variant_new_double (number);
  }

  if (!read_word (reader, &word))
    return NULL;
  if (kind == SHAPE_INT)
    return g_variant_new_int32 ((gint32)word);
  if (kind == SHAPE_UINT)
    return g_variant_new_uint32 (word);
  return kind == SHAPE_USHORT ? g_variant_new_uint16 ((guint16)word) : g_variant_new_byte ((guint8)word);
}

static GVariant *
read_tagged (Reader *reader)
{
  GVariant *value = NULL;
  guint32 tag, word;

  if (!read_word (reader, &tag))
    return NULL;
  switch (tag) {
    case TAG_INT:
      value = read_scalar (reader, SHAPE_INT);
      break;
    case TAG_UINT:
      value = read_scalar (reader, SHAPE_UINT);
      break;
    case TAG_LLONG:
      value = read_scalar (reader, SHAPE_HYPER);
      break;
    case TAG_ULLONG:
      value = read_scalar (reader, SHAPE_UHYPER);
      break;
    case TAG_DOUBLE:
      value = read_scalar (reader, SHAPE_DOUBLE);
      break;
    case TAG_BOOLEAN:
      value = read_word (reader, &word) ? g_variant_new_boolean (word != 0) : NULL;
      break;
    case TAG_STRING:
      value = read_string (reader, SHAPE_STRING_MAX);
      break;
    default:
      return reader_fail (reader, "%u is no type of a typed parameter", tag);
  }
  return value != NULL ? g_variant_new_variant (value) : NULL;
}

static GVariant *
read_parameter (Reader *reader)
{
  g_autofree char *name = read_text (reader, SHAPE_STRING_MAX);
  GVariant *value;

  if (name == NULL)
    return NULL;
  if (strlen (name) >= SHAPE_VALUE_NAME_MAX)
    return reader_fail (reader, "a parameter's name of more than %d bytes", SHAPE_VALUE_NAME_MAX - 1);
  value = read_tagged (reader);
  return value != NULL ? g_variant_new_dict_entry (g_variant_new_string (name), value) : NULL;
}

static GVariant *
read_value (Reader *reader, const Shape *shape)
{
  switch (shape->kind) {
    case SHAPE_STRING:
      return read_string (reader, shape->limit);
    case SHAPE_BYTES:
      return read_bytes (reader, shape);
    case SHAPE_ARRAY:
      return read_array (reader, shape);
    case SHAPE_OPTIONAL:
      return read_optional (reader, shape);
    case SHAPE_STRUCT:
      return read_struct (reader, shape);
    case SHAPE_VALUE:
      return read_tagged (reader);
    case SHAPE_PARAMETER:
      return read_parameter (reader);
    case SHAPE_INT:
    case SHAPE_UINT:
    case SHAPE_HYPER:
    case SHAPE_UHYPER:
    case SHAPE_DOUBLE:
    case SHAPE_CHAR:
    case SHAPE_UCHAR:
    case SHAPE_USHORT:
      break;
  }
  return read_scalar (reader, shape->kind);
}

GVariant *
xdr_decode_prefix (const Shape *shape, const guint8 *bytes, gsize length, gsize *ret_taken, GError **error)
{
  Reader reader = { bytes, length, 0, { 0 }, error };
  GVariant *value;

  if (length > XDR_MESSAGE_MAX)
    return reader_fail (&reader, "%" G_GSIZE_FORMAT " bytes where at most %d are allowed", length,
                        XDR_MESSAGE_MAX);
  value = read_value (&reader, shape);
  if (value == NULL)
    return NULL;
  *ret_taken = reader.at;
  return g_variant_ref_sink (value);
}

GVariant *
xdr_decode (const Shape *shape, const guint8 *bytes, gsize length, GError **error)
{
  gsize taken;

  return xdr_decode_prefix (shape, bytes, length, &taken, error);
}
