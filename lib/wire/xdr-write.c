/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * XDR from GVariant, by shape: one writer for all procedures.
 *
 * It walks the value as GVariant lays it out in memory, and not child by child through GLib, which makes an
 * object of each: the statistics of five thousand machines are a hundred thousand small values. The layout is
 * GVariant's documented and unchanging serialisation: each type has an alignment and perhaps a fixed size; in
 * an array or a struct, the ends of the items that have none are numbers behind the items, as small as the
 * whole allows and little-endian; in a struct they stand from the end backwards, and the last item needs
 * none. Everything is compared with the bytes that are there, so a value that is not in normal form is an
 * error and nothing worse.
 */
#include "wire/xdr-private.h"

#include <string.h>

/* A value, or what is left of one. */
typedef struct {
  const guint8 *data;
  gsize size;
} Span;

typedef struct {
  GByteArray *bytes;
  guint start; /* of the message: a header may stand before it */
  ShapePlace place;
  GError **error;
} Writer;

static gboolean write_value (Writer *writer, const Shape *shape, Span value);

static gboolean G_GNUC_PRINTF (2, 3) writer_fail (Writer *writer, const char *format, ...)
{
  g_autofree char *where = shape_place_text (&writer->place);
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (writer->error, VIR_ERR_RPC, "Unable to encode message payload: %s: %s", where, what);
  return FALSE;
}

static gboolean
fail_malformed (Writer *writer)
{
  return writer_fail (writer, "a value that is not in normal form");
}

/* Bytes out. */

/* @length bytes and their padding. */
static gboolean
write_padded (Writer *writer, gconstpointer data, gsize length)
{
  gsize position = writer->bytes->len, padded = PADDED (length);

  if (length > XDR_MESSAGE_MAX || padded > XDR_MESSAGE_MAX - (position - writer->start))
    return writer_fail (writer, "the message would be longer than %d bytes", XDR_MESSAGE_MAX);
  g_byte_array_set_size (writer->bytes, (guint)(position + padded));
  if (length > 0)
    memcpy (writer->bytes->data + position, data, length);
  memset (writer->bytes->data + position + length, 0, padded - length);
  return TRUE;
}

static gboolean
write_word (Writer *writer, guint32 word)
{
  word = GUINT32_TO_BE (word);
  return write_padded (writer, &word, sizeof word);
}

static gboolean
write_double_word (Writer *writer, guint64 word)
{
  word = GUINT64_TO_BE (word);
  return write_padded (writer, &word, sizeof word);
}

/* The count before @length things, which the shape may leave out. */
static gboolean
write_count (Writer *writer, const Shape *shape, gsize length)
{
  if (length > shape->limit || (shape->exact && length != shape->limit))
    return writer_fail (writer, "a length of %" G_GSIZE_FORMAT " where %s %u is allowed", length,
                        shape->exact ? "exactly" : "at most", shape->limit);
  return shape->exact || write_word (writer, (guint32)length);
}

/* GVariant's layout. */

static gsize
aligned (gsize position, gsize alignment)
{
  return (position + alignment - 1) & ~(alignment - 1);
}

/* How many bytes each end takes in a container of @size bytes. */
static gsize
end_bytes (gsize size)
{
  return size <= G_MAXUINT8 ? 1 : size <= G_MAXUINT16 ? 2 : size <= G_MAXUINT32 ? 4 : 8;
}

static gsize
read_end (const guint8 *at, gsize bytes)
{
  guint64 end = 0;

  memcpy (&end, at, bytes);
  return (gsize)GUINT64_FROM_LE (end);
}

/* The bytes from @start to @end of @whole, which must be there. A span of none may have no address. */
static gboolean
cut (Writer *writer, Span whole, gsize start, gsize end, Span *ret)
{
  if (start > end || end > whole.size)
    return fail_malformed (writer);
  *ret = (Span){ whole.data != NULL ? whole.data + start : NULL, end - start };
  return TRUE;
}

/* Exactly as many bytes as the type has. */
static gboolean
take (Writer *writer, Span value, gpointer ret, gsize size)
{
  if (value.size != size)
    return fail_malformed (writer);
  memcpy (ret, value.data, size);
  return TRUE;
}

/* Values. */

static gboolean
write_string (Writer *writer, Span value)
{
  gsize length = value.size - 1;

  if (value.size == 0 || value.data[length] != '\0')
    return fail_malformed (writer);
  if (length > SHAPE_STRING_MAX)
    return writer_fail (writer, "a text of %" G_GSIZE_FORMAT " bytes where at most %d are allowed", length,
                        SHAPE_STRING_MAX);
  return write_word (writer, (guint32)length) && write_padded (writer, value.data, length);
}

static gboolean
write_bytes (Writer *writer, const Shape *shape, Span value)
{
  return write_count (writer, shape, value.size) && write_padded (writer, value.data, value.size);
}

static gboolean
write_fixed_items (Writer *writer, const Shape *shape, Span value)
{
  const Shape *item = shape->members[0];
  gsize count = value.size / item->fixed_size;

  if (value.size % item->fixed_size != 0)
    return fail_malformed (writer);
  if (!write_count (writer, shape, count))
    return FALSE;
  shape_place_enter (&writer->place, shape);
  for (gsize i = 0; i < count; i++) {
    shape_place_move (&writer->place, (guint)i);
    if (!write_value (writer, item, (Span){ value.data + i * item->fixed_size, item->fixed_size }))
      return FALSE;
  }
  shape_place_leave (&writer->place);
  return TRUE;
}

static gboolean
write_items (Writer *writer, const Shape *shape, Span value)
{
  const Shape *item = shape->members[0];
  gsize bytes = end_bytes (value.size), start = 0;
  gsize ends = value.size > 0 ? read_end (value.data + value.size - bytes, bytes) : 0;
  gsize count = ends < value.size ? (value.size - ends) / bytes : 0;

  if (ends > value.size || (value.size - ends) % bytes != 0)
    return fail_malformed (writer);
  if (!write_count (writer, shape, count))
    return FALSE;
  shape_place_enter (&writer->place, shape);
  for (gsize i = 0; i < count; i++) {
    gsize end = read_end (value.data + ends + i * bytes, bytes);
    Span one;

    shape_place_move (&writer->place, (guint)i);
    if (end > ends || !cut (writer, value, aligned (start, item->alignment), end, &one))
      return end > ends ? fail_malformed (writer) : FALSE;
    if (!write_value (writer, item, one))
      return FALSE;
    start = end;
  }
  shape_place_leave (&writer->place);
  return TRUE;
}

static gboolean
write_array (Writer *writer, const Shape *shape, Span value)
{
  return shape->members[0]->fixed_size > 0 ? write_fixed_items (writer, shape, value)
                                           : write_items (writer, shape, value);
}

static gboolean
write_optional (Writer *writer, const Shape *shape, Span value)
{
  gboolean fixed = shape->members[0]->fixed_size > 0;

  if (value.size == 0)
    return write_word (writer, 0);
  if (!write_word (writer, 1))
    return FALSE;
  shape_place_enter (&writer->place, shape);
  /* What has no fixed size is followed by a zero, so that it is something even when it is empty. */
  if (!write_value (writer, shape->members[0], (Span){ value.data, fixed ? value.size : value.size - 1 }))
    return FALSE;
  shape_place_leave (&writer->place);
  return TRUE;
}

static gboolean
write_struct (Writer *writer, const Shape *shape, Span value)
{
  gsize bytes = end_bytes (value.size), position = 0, ends = value.size;
  Span one;

  shape_place_enter (&writer->place, shape);
  for (guint i = 0; i < shape->n_members; i++) {
    const Shape *member = shape->members[i];
    gsize start = aligned (position, member->alignment);
    gboolean last = i + 1 == shape->n_members;

    shape_place_move (&writer->place, i);
    if (member->fixed_size > 0) {
      position = start + member->fixed_size;
    } else if (last) {
      position = ends;
    } else {
      if (ends < bytes)
        return fail_malformed (writer);
      ends -= bytes;
      position = read_end (value.data + ends, bytes);
    }
    if (position > ends)
      return fail_malformed (writer);
    if (!cut (writer, value, start, position, &one) || !write_value (writer, member, one))
      return FALSE;
  }
  shape_place_leave (&writer->place);
  return TRUE;
}

/* The value, a zero, and the type's text. */
static gboolean
write_tagged (Writer *writer, Span value)
{
  const guint8 *zero = value.size > 0 ? memrchr (value.data, '\0', value.size) : NULL;
  gsize size = zero != NULL ? (gsize)(zero - value.data) : 0;
  Span inner = { value.data, size };
  guint32 word = 0;
  guint64 double_word = 0;

  if (zero == NULL)
    return fail_malformed (writer);
  switch (value.size - size == 2 ? zero[1] : '\0') {
    case 'i':
      return take (writer, inner, &word, sizeof word) && write_word (writer, TAG_INT)
             && write_word (writer, word);
    case 'u':
      return take (writer, inner, &word, sizeof word) && write_word (writer, TAG_UINT)
             && write_word (writer, word);
    case 'x':
      return take (writer, inner, &double_word, sizeof double_word) && write_word (writer, TAG_LLONG)
             && write_double_word (writer, double_word);
    case 't':
      return take (writer, inner, &double_word, sizeof double_word) && write_word (writer, TAG_ULLONG)
             && write_double_word (writer, double_word);
    case 'd':
      return take (writer, inner, &double_word, sizeof double_word) && write_word (writer, TAG_DOUBLE)
             && write_double_word (writer, double_word);
    case 'b':
      return inner.size == 1 ? write_word (writer, TAG_BOOLEAN) && write_word (writer, inner.data[0] != 0)
                             : fail_malformed (writer);
    case 's':
      return write_word (writer, TAG_STRING) && write_string (writer, inner);
    default:
      return writer_fail (writer, "a typed parameter of type '%.*s'", (int)(value.size - size - 1), zero + 1);
  }
}

/* Name and value: a struct of a text and a variant. */
static gboolean
write_parameter (Writer *writer, Span value)
{
  gsize bytes = end_bytes (value.size);
  gsize name = value.size >= bytes ? read_end (value.data + value.size - bytes, bytes) : G_MAXSIZE;
  Span tagged;

  if (name > value.size - bytes)
    return fail_malformed (writer);
  if (name > SHAPE_VALUE_NAME_MAX)
    return writer_fail (writer, "a parameter's name of more than %d bytes", SHAPE_VALUE_NAME_MAX - 1);
  return cut (writer, value, aligned (name, 8), value.size - bytes, &tagged)
         && write_string (writer, (Span){ value.data, name }) && write_tagged (writer, tagged);
}

static gboolean
write_scalar (Writer *writer, ShapeKind kind, Span value)
{
  guint64 double_word = 0;
  guint32 word = 0;
  guint16 half = 0;

  switch (kind) {
    case SHAPE_INT:
    case SHAPE_UINT:
      return take (writer, value, &word, sizeof word) && write_word (writer, word);
    case SHAPE_HYPER:
    case SHAPE_UHYPER:
    case SHAPE_DOUBLE:
      return take (writer, value, &double_word, sizeof double_word)
             && write_double_word (writer, double_word);
    case SHAPE_CHAR:
      return value.size == 1 ? write_word (writer, (guint32)(gint32)(gint8)value.data[0])
                             : fail_malformed (writer);
    case SHAPE_UCHAR:
      return value.size == 1 ? write_word (writer, value.data[0]) : fail_malformed (writer);
    case SHAPE_USHORT:
      return take (writer, value, &half, sizeof half) && write_word (writer, half);
    default:
      g_return_val_if_reached (FALSE);
  }
}

static gboolean
write_value (Writer *writer, const Shape *shape, Span value)
{
  switch (shape->kind) {
    case SHAPE_STRING:
      return write_string (writer, value);
    case SHAPE_BYTES:
      return write_bytes (writer, shape, value);
    case SHAPE_ARRAY:
      return write_array (writer, shape, value);
    case SHAPE_OPTIONAL:
      return write_optional (writer, shape, value);
    case SHAPE_STRUCT:
      return write_struct (writer, shape, value);
    case SHAPE_VALUE:
      return write_tagged (writer, value);
    case SHAPE_PARAMETER:
      return write_parameter (writer, value);
    default:
      return write_scalar (writer, shape->kind, value);
  }
}

gboolean
xdr_encode (const Shape *shape, GVariant *value, GByteArray *bytes, GError **error)
{
  Writer writer = { bytes, bytes->len, { 0 }, error };
  Span whole = { g_variant_get_data (value), g_variant_get_size (value) };

  if (!g_variant_is_of_type (value, shape->type)) {
    g_autofree char *expected = g_variant_type_dup_string (shape->type);
    return writer_fail (&writer, "a value of type '%s' where '%s' is expected",
                        g_variant_get_type_string (value), expected);
  }
  if (write_value (&writer, shape, whole))
    return TRUE;
  g_byte_array_set_size (bytes, writer.start);
  return FALSE;
}
