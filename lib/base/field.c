/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The walks over field tables that need no XML reader: allocating, freeing, copying, comparing, writing.
 * Each is one loop over the rows; what a row's value is made of is its type's business (field-types.c), so a
 * new field costs a row and never a line here. Reading, the only walk with mistakes to tell, is field-read.c.
 */

#include "base/field.h"

#include <string.h>

static gpointer
member_of (const Field *field, gconstpointer object)
{
  return (char *)object + field->offset;
}

static gsize
member_size (const Field *field)
{
  return field->type->size != 0 ? field->type->size : ((const FieldTable *)field->detail)->size;
}

/* Rows without a type are only there to be read over. */
static const Field *
next_kept (const Field *field)
{
  while (field->path != NULL && field->type == NULL)
    field++;
  return field->path != NULL ? field : NULL;
}

#define FOREACH_KEPT_FIELD(table, field) \
  for (const Field *field = next_kept ((table)->fields); field != NULL; field = next_kept (field + 1))

gpointer
field_new (const FieldTable *table)
{
  return g_malloc0 (table->size);
}

void
field_clear (const FieldTable *table, gpointer object)
{
  FOREACH_KEPT_FIELD (table, field)
  {
    if (field->type->clear != NULL)
      field->type->clear (field, member_of (field, object));
    else
      memset (member_of (field, object), 0, member_size (field));
  }
}

void
field_free (const FieldTable *table, gpointer object)
{
  if (object == NULL)
    return;
  field_clear (table, object);
  g_free (object);
}

/* Two rows may share a member (one for each form of the element), so all members are emptied before any is
 * filled. */
void
field_copy_into (const FieldTable *table, gpointer copy, gconstpointer object)
{
  memcpy (copy, object, table->size);

  FOREACH_KEPT_FIELD (table, field)
  {
    if (field->type->copy != NULL)
      memset (member_of (field, copy), 0, member_size (field));
  }

  FOREACH_KEPT_FIELD (table, field)
  {
    if (field->type->copy == NULL)
      continue;
    if (field->type->clear != NULL)
      field->type->clear (field, member_of (field, copy));
    field->type->copy (field, member_of (field, copy), member_of (field, object));
  }
}

gpointer
field_copy (const FieldTable *table, gconstpointer object)
{
  gpointer copy = field_new (table);

  field_copy_into (table, copy, object);
  return copy;
}

gboolean
field_applies (const Field *field, gconstpointer object)
{
  if (field->when.values == 0)
    return TRUE;

  int value = *(const int *)((const char *)object + field->when.offset);
  return value >= 0 && value < 64 && (field->when.values & FIELD_VALUE (value)) != 0;
}

gboolean
field_is_set (const Field *field, gconstpointer object)
{
  if (field->type->is_set != NULL)
    return field->type->is_set (field, member_of (field, object));

  g_autofree char *text = field->type->format (field, member_of (field, object));
  return text != NULL;
}

gboolean
field_table_is_empty (const FieldTable *table, gconstpointer object)
{
  FOREACH_KEPT_FIELD (table, field)
  {
    if (field_applies (field, object) && field_is_set (field, object))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_left_out (const Field *field, guint write_flags)
{
  return (field->flags & FIELD_IGNORED) != 0
         || ((field->flags & FIELD_LIVE) != 0 && (write_flags & FIELD_WRITE_LIVE) == 0)
         || ((field->flags & FIELD_SECRET) != 0 && (write_flags & FIELD_WRITE_SECURE) == 0);
}

/* Walk @path down from @element, making what is missing, as far as its last word, which is returned. */
static const char *
descend (XmlElement **element, const char *path)
{
  const char *slash;

  while ((slash = strchr (path, '/')) != NULL) {
    g_autofree char *name = g_strndup (path, slash - path);

    *element = xml_element_ensure (*element, name);
    path = slash + 1;
  }
  return path;
}

static void
write_scalar (const Field *field, gconstpointer member, XmlElement *element)
{
  g_autofree char *text = field->type->format (field, member);
  const char *last;

  if (text == NULL)
    return;
  last = descend (&element, field->path);
  if (last[0] == '@')
    xml_element_set (element, last + 1, text);
  else if (g_str_equal (last, "."))
    xml_element_set_text (element, text);
  else
    xml_element_set_text (xml_element_ensure (element, last), text);
}

void
field_write (const FieldTable *table, gconstpointer object, XmlElement *element, guint flags)
{
  FOREACH_KEPT_FIELD (table, field)
  {
    gconstpointer member = member_of (field, object);

    if (is_left_out (field, flags) || !field_applies (field, object))
      continue;
    if (field->type->write == NULL) {
      write_scalar (field, member, element);
    } else if (field->type->is_set (field, member)) {
      XmlElement *parent = element;
      const char *name = descend (&parent, field->path);

      field->type->write (field, member, parent, name, flags);
    }
  }
}

static char *
compare_scalars (const Field *field, gconstpointer a, gconstpointer b)
{
  g_autofree char *text_a = field->type->format (field, a);
  g_autofree char *text_b = field->type->format (field, b);

  if (g_strcmp0 (text_a, text_b) == 0)
    return NULL;
  return g_strdup_printf ("%s: %s%s%s and %s%s%s", field->path, text_a ? "'" : "",
                          text_a ? text_a : "nothing", text_a ? "'" : "", text_b ? "'" : "",
                          text_b ? text_b : "nothing", text_b ? "'" : "");
}

char *
field_compare (const FieldTable *table, gconstpointer a, gconstpointer b, guint flags)
{
  FOREACH_KEPT_FIELD (table, field)
  {
    char *difference;

    if ((field->flags & (FIELD_LIVE | FIELD_IGNORED)) != 0)
      continue;
    if ((flags & FIELD_COMPARE_ABI) != 0 && (field->flags & FIELD_NO_ABI) != 0)
      continue;
    if (!field_applies (field, a) && !field_applies (field, b))
      continue;
    if (field->type->compare != NULL)
      difference = field->type->compare (field, member_of (field, a), member_of (field, b), flags);
    else
      difference = compare_scalars (field, member_of (field, a), member_of (field, b));
    if (difference != NULL)
      return difference;
  }
  return NULL;
}
