/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Shapes: the signature alphabet of libvirt's RPC protocol, parsed into a tree that the codecs walk.
 *
 * One short string says everything about a message: its types, its limits and its objects. So a procedure is
 * a row in a table and not a pair of functions, and each limit stands once, where the decoder, the encoder
 * and the check of what a D-Bus client sent all find it. The tree is made when a signature is first asked for
 * and kept: there are a few hundred signatures, all known when the program is written.
 */
#include "wire/shape.h"

#include <string.h>

typedef struct {
  char letter;
  const char *signature; /* what the letter stands for */
} ShapeLetter;

static const ShapeLetter letters[] = {
  { 'U', "ay[16]" }, /* UUID */
  { 'D', "(sUi)" },  /* domain: name, uuid, id (-1 when not running) */
  { 'N', "(sU)" },   /* network */
  { 'F', "(sU)" },   /* nwfilter */
  { 'S', "(sU)" },   /* storage pool */
  { 'O', "(NU)" },   /* network port */
  { 'B', "(ss)" },   /* nwfilter binding: port device, filter */
  { 'I', "(ss)" },   /* host interface: name, MAC */
  { 'V', "(sss)" },  /* storage volume: pool, name, key */
  { 'E', "(s)" },    /* node device */
  { 'K', "(Uis)" },  /* secret: uuid, usage type, usage id */
  { 'C', "(sD)" },   /* checkpoint */
  { 'Z', "(sD)" },   /* snapshot */
};

typedef struct {
  ShapeKind kind;
  char letter;
  const char *type;
  gsize wire_minimum, alignment, fixed_size;
} ShapeScalar;

static const ShapeScalar scalars[] = {
  { SHAPE_INT, 'i', "i", 4, 4, 4 },           { SHAPE_UINT, 'u', "u", 4, 4, 4 },
  { SHAPE_HYPER, 'x', "x", 8, 8, 8 },         { SHAPE_UHYPER, 't', "t", 8, 8, 8 },
  { SHAPE_DOUBLE, 'd', "d", 8, 8, 8 },        { SHAPE_CHAR, 'c', "y", 4, 1, 1 },
  { SHAPE_UCHAR, 'y', "y", 4, 1, 1 },         { SHAPE_USHORT, 'q', "q", 4, 2, 2 },
  { SHAPE_STRING, 's', "s", 4, 1, 0 },        { SHAPE_VALUE, 'T', "v", 8, 8, 0 },
  { SHAPE_PARAMETER, 'P', "{sv}", 12, 8, 0 },
};

typedef struct {
  const char *signature, *at;
  guint depth;
  GError **error;
} ShapeParser;

static Shape *parse_one (ShapeParser *parser);

static Shape *
shape_new (ShapeKind kind, GVariantType *type, gsize wire_minimum)
{
  Shape *shape = g_new0 (Shape, 1);

  shape->kind = kind;
  shape->type = type;
  shape->wire_minimum = wire_minimum;
  shape->alignment = 1;
  return shape;
}

static void
shape_free (Shape *shape)
{
  for (guint i = 0; i < shape->n_members; i++)
    shape_free ((Shape *)shape->members[i]);
  g_free (shape->members);
  g_variant_type_free (shape->type);
  g_free (shape);
}

static gpointer
parser_fail (ShapeParser *parser, const char *what)
{
  virt_error_set (parser->error, VIR_ERR_INTERNAL_ERROR, "signature '%s', character %u: %s",
                  parser->signature, (guint)(parser->at - parser->signature) + 1, what);
  return NULL;
}

/* "{N}" or "[N]". */
static gboolean
parse_limit (ShapeParser *parser, char open, char close, guint32 *ret)
{
  guint64 limit = 0;
  const char *at = parser->at;

  if (*at != open)
    return FALSE;
  for (at++; g_ascii_isdigit (*at) && limit <= G_MAXINT32; at++)
    limit = limit * 10 + (guint64)(*at - '0');
  if (*at != close || limit == 0 || limit > G_MAXINT32)
    return FALSE;
  parser->at = at + 1;
  *ret = (guint32)limit;
  return TRUE;
}

static Shape *
bytes_new (guint32 limit, gboolean exact)
{
  Shape *shape = shape_new (SHAPE_BYTES, g_variant_type_new ("ay"), exact ? (limit + 3) & ~(gsize)3 : 4);

  shape->limit = limit;
  shape->exact = exact;
  return shape;
}

static Shape *
container_new (ShapeKind kind, Shape *item, guint32 limit, gboolean exact)
{
  Shape *shape;

  if (kind == SHAPE_OPTIONAL)
    shape = shape_new (kind, g_variant_type_new_maybe (item->type), 4);
  else
    shape = shape_new (kind, g_variant_type_new_array (item->type), exact ? limit * item->wire_minimum : 4);
  shape->limit = limit;
  shape->exact = exact;
  shape->alignment = item->alignment;
  shape->n_members = 1;
  shape->members = g_new (const Shape *, 1);
  shape->members[0] = item;
  return shape;
}

/* As GVariant does: members one after the other, each aligned, and the whole as its most aligned member. */
static void
lay_out (Shape *shape)
{
  gboolean fixed = TRUE;
  gsize size = 0;

  for (guint i = 0; i < shape->n_members; i++) {
    const Shape *member = shape->members[i];

    shape->alignment = MAX (shape->alignment, member->alignment);
    fixed = fixed && member->fixed_size > 0;
    size = (size + member->alignment - 1) / member->alignment * member->alignment + member->fixed_size;
  }
  if (shape->n_members == 0)
    shape->fixed_size = 1; /* nothing is a byte */
  else if (fixed)
    shape->fixed_size = (size + shape->alignment - 1) / shape->alignment * shape->alignment;
}

static Shape *
struct_new (GPtrArray *members)
{
  g_autofree const GVariantType **types = g_new0 (const GVariantType *, members->len + 1);
  gsize wire_minimum = 0;
  Shape *shape;

  for (guint i = 0; i < members->len; i++) {
    const Shape *member = members->pdata[i];
    types[i] = member->type;
    wire_minimum += member->wire_minimum;
  }
  shape = shape_new (SHAPE_STRUCT, g_variant_type_new_tuple (types, (gint)members->len), wire_minimum);
  shape->n_members = members->len;
  shape->members = g_new (const Shape *, members->len + 1);
  for (guint i = 0; i < members->len; i++)
    shape->members[i] = members->pdata[i];
  g_ptr_array_set_free_func (members, NULL);
  lay_out (shape);
  return shape;
}

/* Types up to @end, which is left unread. */
static Shape *
parse_members (ShapeParser *parser, char end)
{
  g_autoptr (GPtrArray) members = g_ptr_array_new_with_free_func ((GDestroyNotify)shape_free);

  while (*parser->at != end) {
    Shape *member = parse_one (parser);
    if (member == NULL)
      return NULL;
    g_ptr_array_add (members, member);
  }
  return struct_new (members);
}

static Shape *
parse_array (ShapeParser *parser)
{
  Shape *item;
  guint32 limit;

  if (*parser->at == 'y') {
    parser->at++;
    if (parse_limit (parser, '{', '}', &limit))
      return bytes_new (limit, FALSE);
    if (parse_limit (parser, '[', ']', &limit))
      return bytes_new (limit, TRUE);
    return parser_fail (parser, "packed bytes need a limit: {N} or [N]");
  }

  item = parse_one (parser);
  if (item == NULL)
    return NULL;
  if (item->wire_minimum == 0 || !parse_limit (parser, '{', '}', &limit)) {
    shape_free (item);
    return parser_fail (parser, "an array needs items that are something, and a limit {N}");
  }
  return container_new (SHAPE_ARRAY, item, limit, FALSE);
}

static Shape *
parse_struct (ShapeParser *parser)
{
  Shape *shape = parse_members (parser, ')');

  if (shape != NULL)
    parser->at++;
  return shape;
}

static Shape *
parse_letter (ShapeParser *parser, char letter)
{
  for (gsize i = 0; i < G_N_ELEMENTS (scalars); i++) {
    if (scalars[i].letter == letter) {
      Shape *shape =
          shape_new (scalars[i].kind, g_variant_type_new (scalars[i].type), scalars[i].wire_minimum);
      shape->limit = scalars[i].kind == SHAPE_STRING ? SHAPE_STRING_MAX : 0;
      shape->alignment = scalars[i].alignment;
      shape->fixed_size = scalars[i].fixed_size;
      return shape;
    }
  }
  for (gsize i = 0; i < G_N_ELEMENTS (letters); i++) {
    if (letters[i].letter == letter) {
      ShapeParser object = { letters[i].signature, letters[i].signature, parser->depth, parser->error };
      Shape *shape = parse_one (&object);
      if (shape != NULL)
        shape->letter = letter;
      return shape;
    }
  }
  parser->at--;
  return parser_fail (parser, letter == '\0' ? "it ends too early" : "no type begins with this character");
}

/* One type and, behind it, "[N]": exactly that many of it. */
static Shape *
parse_one (ShapeParser *parser)
{
  char letter = *parser->at;
  guint32 limit;
  Shape *shape, *item;

  if (++parser->depth > SHAPE_DEPTH_MAX / 2 - 1) /* "[N]" makes one more level of each */
    return parser_fail (parser, "nested too deeply");
  parser->at++;
  switch (letter) {
    case 'a':
      shape = parse_array (parser);
      break;
    case 'm':
      item = parse_one (parser);
      shape = item != NULL ? container_new (SHAPE_OPTIONAL, item, 1, FALSE) : NULL;
      break;
    case '(':
      shape = parse_struct (parser);
      break;
    default:
      shape = parse_letter (parser, letter);
  }
  parser->depth--;
  if (shape != NULL && shape->wire_minimum > 0 && parse_limit (parser, '[', ']', &limit))
    shape = container_new (SHAPE_ARRAY, shape, limit, TRUE);
  return shape;
}

static const Shape *
find_or_parse (GHashTable *known, const char *signature, GError **error)
{
  ShapeParser parser = { signature, signature, 0, error };
  Shape *shape = g_hash_table_lookup (known, signature);

  if (shape != NULL)
    return shape;
  if (strcmp (signature, "-") == 0)
    parser.at++;
  shape = parse_members (&parser, '\0');
  if (shape != NULL)
    g_hash_table_insert (known, g_strdup (signature), shape);
  return shape;
}

const Shape *
shape_parse (const char *signature, GError **error)
{
  static GMutex lock;
  static GHashTable *known;
  const Shape *shape;

  g_mutex_lock (&lock);
  if (known == NULL)
    known = g_hash_table_new (g_str_hash, g_str_equal);
  shape = find_or_parse (known, signature, error);
  g_mutex_unlock (&lock);
  return shape;
}

const Shape *
shape_of (const char *signature)
{
  g_autoptr (GError) error = NULL;
  const Shape *shape = shape_parse (signature, &error);

  if (shape == NULL)
    g_error ("%s", error->message);
  return shape;
}

gboolean
shape_is_tagged_type (const GVariantType *type)
{
  const char *text = g_variant_type_peek_string (type);

  return g_variant_type_get_string_length (type) == 1 && strchr ("iuxtdbs", text[0]) != NULL;
}

void
shape_place_enter (ShapePlace *place, const Shape *shape)
{
  g_assert (place->depth < SHAPE_DEPTH_MAX);
  place->levels[place->depth].kind = shape->kind;
  place->levels[place->depth].index = 0;
  place->depth++;
}

void
shape_place_move (ShapePlace *place, guint index)
{
  place->levels[place->depth - 1].index = index;
}

void
shape_place_leave (ShapePlace *place)
{
  place->depth--;
}

char *
shape_place_text (const ShapePlace *place)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < place->depth; i++) {
    const char *what = i == 0 ? "argument" : place->levels[i].kind == SHAPE_STRUCT ? "member" : "item";
    if (place->levels[i].kind == SHAPE_OPTIONAL)
      continue;
    g_string_append_printf (text, "%s%s %u", text->len > 0 ? ", " : "", what, place->levels[i].index + 1);
  }
  return g_string_free (text, FALSE);
}

static gboolean check_value (const Shape *shape, GVariant *value, ShapePlace *place, GError **error);

static gboolean
check_length (gsize length, const Shape *shape, const char *unit, ShapePlace *place, GError **error)
{
  g_autofree char *where = NULL;

  if (length <= shape->limit && (!shape->exact || length == shape->limit))
    return TRUE;
  where = shape_place_text (place);
  virt_error_set (error, VIR_ERR_INVALID_ARG, "%s: %" G_GSIZE_FORMAT " %s where %s %u are allowed", where,
                  length, unit, shape->exact ? "exactly" : "at most", shape->limit);
  return FALSE;
}

static gboolean
check_string (GVariant *text, gsize limit, ShapePlace *place, GError **error)
{
  g_autofree char *where = NULL;
  gsize length;

  g_variant_get_string (text, &length);
  if (length <= limit)
    return TRUE;
  where = shape_place_text (place);
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "%s: a text of %" G_GSIZE_FORMAT " bytes where at most %" G_GSIZE_FORMAT " are allowed",
                  where, length, limit);
  return FALSE;
}

/* @value is the "v" of a tagged value. */
static gboolean
check_tagged (GVariant *value, ShapePlace *place, GError **error)
{
  g_autoptr (GVariant) inner = g_variant_get_variant (value);
  g_autofree char *where = NULL;

  if (shape_is_tagged_type (g_variant_get_type (inner)))
    return !g_variant_is_of_type (inner, G_VARIANT_TYPE_STRING)
           || check_string (inner, SHAPE_STRING_MAX, place, error);
  where = shape_place_text (place);
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "%s: a value of type '%s' where one of i, u, x, t, d, b, s is expected", where,
                  g_variant_get_type_string (inner));
  return FALSE;
}

static gboolean
check_parameter (GVariant *entry, ShapePlace *place, GError **error)
{
  g_autoptr (GVariant) name = g_variant_get_child_value (entry, 0);
  g_autoptr (GVariant) value = g_variant_get_child_value (entry, 1);

  return check_string (name, SHAPE_VALUE_NAME_MAX - 1, place, error) && check_tagged (value, place, error);
}

static gboolean
check_children (const Shape *shape, GVariant *value, ShapePlace *place, GError **error)
{
  gsize n = g_variant_n_children (value);

  shape_place_enter (place, shape);
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (value, i);
    shape_place_move (place, (guint)i);
    if (!check_value (shape->members[shape->kind == SHAPE_STRUCT ? i : 0], child, place, error))
      return FALSE;
  }
  shape_place_leave (place);
  return TRUE;
}

static gboolean
check_value (const Shape *shape, GVariant *value, ShapePlace *place, GError **error)
{
  switch (shape->kind) {
    case SHAPE_STRING:
      return check_string (value, shape->limit, place, error);
    case SHAPE_BYTES:
      return check_length (g_variant_n_children (value), shape, "bytes", place, error);
    case SHAPE_ARRAY:
      return check_length (g_variant_n_children (value), shape, "items", place, error)
             && check_children (shape, value, place, error);
    case SHAPE_OPTIONAL:
    case SHAPE_STRUCT:
      return check_children (shape, value, place, error);
    case SHAPE_VALUE:
      return check_tagged (value, place, error);
    case SHAPE_PARAMETER:
      return check_parameter (value, place, error);
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
  return TRUE;
}

gboolean
shape_check (const Shape *shape, GVariant *value, GError **error)
{
  ShapePlace place = { 0 };

  if (!g_variant_is_of_type (value, shape->type)) {
    g_autofree char *expected = g_variant_type_dup_string (shape->type);
    virt_error_set (error, VIR_ERR_INVALID_ARG, "a value of type '%s' where '%s' is expected",
                    g_variant_get_type_string (value), expected);
    return FALSE;
  }
  return check_value (shape, value, &place, error);
}
