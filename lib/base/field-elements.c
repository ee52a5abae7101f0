/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The types of fields that are whole elements: flags, sizes with a unit, nested tables, lists, and parts
 * kept verbatim. Nested ones walk the table in their field's detail with the walks of field.c.
 */

#include "base/field.h"

#include <string.h>

#define BYTES_PER_KIB 1024

static const FieldTable *
table_of (const Field *field)
{
  return field->detail;
}

/* A flag: the element is there or not. */

static void
flag_read (FieldReader *reader G_GNUC_UNUSED, const Field *field G_GNUC_UNUSED, gpointer member,
           xmlNode *element G_GNUC_UNUSED)
{
  *(gboolean *)member = TRUE;
}

static gboolean
flag_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return *(const gboolean *)member;
}

static void
flag_write (const Field *field G_GNUC_UNUSED, gconstpointer member G_GNUC_UNUSED, XmlElement *parent,
            const char *name, guint flags G_GNUC_UNUSED)
{
  xml_element_ensure (parent, name);
}

static char *
flag_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  if (!*(const gboolean *)a == !*(const gboolean *)b)
    return NULL;
  return g_strdup_printf ("%s is in only one of the two", field->path);
}

/* Attributes and children of a flag's element belong to other rows, hence an only_attribute that matches
 * none. */
const FieldType field_flag = {
  .size = sizeof (gboolean),
  .read = flag_read,
  .write = flag_write,
  .is_set = flag_is_set,
  .compare = flag_compare,
  .only_attribute = "",
};

/* Memory sizes. */

static Position
unit_position (XmlDocument *document, xmlNode *element)
{
  xmlAttr *attribute = xmlHasProp (element, (const xmlChar *)"unit");

  return attribute != NULL ? xml_document_attribute_position (document, attribute)
                           : xml_document_node_position (document, element);
}

/* "512 MiB" is what most people would write first. */
static void
report_size (FieldReader *reader, xmlNode *element, const char *text)
{
  const char *name = (const char *)element->name;
  g_autofree char *number = g_strndup (text, strspn (text, "0123456789"));
  g_autofree char *unit = g_strstrip (g_strdup (text + strlen (number)));
  g_autofree char *advice = NULL;
  guint64 bytes;

  if (number[0] != '\0' && unit[0] != '\0' && size_unit (unit, 1, &bytes))
    advice = g_strdup_printf (": <%s unit='%s'>%s</%s>", name, unit, number, name);
  diagnostics_error_from (
      reader->diagnostics, xml_document_node_position (reader->document, element), VIR_FROM_XML,
      VIR_ERR_XML_ERROR,
      "Invalid value '%s' for element <%s>: expected a whole number, with the unit in an attribute%s", text,
      name, advice != NULL ? advice : "");
}

static const FieldSize *
size_of_field (const Field *field)
{
  static const FieldSize kibibytes = { BYTES_PER_KIB, BYTES_PER_KIB, "KiB", BYTES_PER_KIB };

  return field->detail != NULL ? field->detail : &kibibytes;
}

static void
memory_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  const FieldSize *size = size_of_field (field);
  g_autofree char *text = xml_node_text (element);
  g_autofree char *unit = xml_node_attribute (element, "unit");
  Position where = xml_document_node_position (reader->document, element);
  guint64 value, unit_bytes;

  if (!size_unit (unit, size->unit, &unit_bytes)) {
    diagnostics_error_from (
        reader->diagnostics, unit_position (reader->document, element), VIR_FROM_NONE, VIR_ERR_INVALID_ARG,
        "unknown suffix '%s' as unit of <%s>: expected b, KiB, MiB, GiB, TiB, KB, MB, GB or TB", unit,
        (const char *)element->name);
    return;
  }
  if (text[0] == '\0' && reader->lax && (field->flags & FIELD_FILLED) == 0) {
    diagnostics_warning (reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
                         "element '%s' is empty: it is taken for absent", (const char *)element->name);
    return;
  }
  if (!parse_uint (reader->lax && text[0] == '+' ? text + 1 : text, G_MAXUINT64, &value)) {
    report_size (reader, element, text);
    return;
  }
  if (value > G_MAXINT64 / unit_bytes) {
    diagnostics_error (reader->diagnostics, where, VIR_ERR_OVERFLOW, "value '%s' of <%s> is too large", text,
                       (const char *)element->name);
    return;
  }
  *(Number *)member = NUMBER ((value * unit_bytes + size->kept - 1) / size->kept);
}

static gboolean
number_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return ((const Number *)member)->set;
}

static void
memory_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name,
              guint flags G_GNUC_UNUSED)
{
  const FieldSize *size = size_of_field (field);
  guint64 value = ((const Number *)member)->value;
  g_autofree char *text =
      g_strdup_printf ("%" G_GUINT64_FORMAT,
                       size->kept == size->written_unit ? value : value * size->kept / size->written_unit);
  XmlElement *element = xml_element_ensure (parent, name);

  xml_element_set (element, "unit", size->written);
  xml_element_set_text (element, text);
}

static char *
memory_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  const Number *one = a, *other = b;

  if (!one->set == !other->set && one->value == other->value)
    return NULL;
  return g_strdup_printf ("%s: %" G_GUINT64_FORMAT " KiB and %" G_GUINT64_FORMAT " KiB", field->path,
                          one->value, other->value);
}

const FieldType field_memory = {
  .size = sizeof (Number),
  .read = memory_read,
  .write = memory_write,
  .is_set = number_is_set,
  .compare = memory_compare,
  .only_attribute = "unit",
};

/* A nested struct, embedded. */

static void
struct_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  field_read (reader, table_of (field), member, element);
}

static gboolean
struct_is_set (const Field *field, gconstpointer member)
{
  return !field_table_is_empty (table_of (field), member);
}

static void
struct_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  field_write (table_of (field), member, xml_element_ensure (parent, name), flags);
}

static char *
below (const Field *field, char *difference)
{
  g_autofree char *inner = difference;

  return inner != NULL ? g_strdup_printf ("%s/%s", field->path, inner) : NULL;
}

static char *
struct_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  return below (field, field_compare (table_of (field), a, b, flags));
}

static void
struct_clear (const Field *field, gpointer member)
{
  field_clear (table_of (field), member);
}

static void
struct_copy (const Field *field, gpointer member, gconstpointer from)
{
  field_copy_into (table_of (field), member, from);
}

const FieldType field_struct = {
  .read = struct_read,
  .write = struct_write,
  .is_set = struct_is_set,
  .compare = struct_compare,
  .clear = struct_clear,
  .copy = struct_copy,
};

/* A nested struct by pointer: NULL when the element is absent. */

static void
optional_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  gpointer *object = member;

  if (*object == NULL)
    *object = field_new (table_of (field));
  field_read (reader, table_of (field), *object, element);
}

static gboolean
pointer_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return *(gconstpointer const *)member != NULL;
}

static void
optional_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  field_write (table_of (field), *(gconstpointer const *)member, xml_element_ensure (parent, name), flags);
}

static char *
optional_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  gconstpointer one = *(gconstpointer const *)a, other = *(gconstpointer const *)b;

  if (one == NULL && other == NULL)
    return NULL;
  if (one == NULL || other == NULL)
    return g_strdup_printf ("%s is in only one of the two", field->path);
  return below (field, field_compare (table_of (field), one, other, flags));
}

static void
optional_clear (const Field *field, gpointer member)
{
  field_free (table_of (field), *(gpointer *)member);
  *(gpointer *)member = NULL;
}

static void
optional_copy (const Field *field, gpointer member, gconstpointer from)
{
  gconstpointer object = *(gconstpointer const *)from;

  *(gpointer *)member = object != NULL ? field_copy (table_of (field), object) : NULL;
}

const FieldType field_optional = {
  .size = sizeof (gpointer),
  .read = optional_read,
  .write = optional_write,
  .is_set = pointer_is_set,
  .compare = optional_compare,
  .clear = optional_clear,
  .copy = optional_copy,
};

static void
open_optional_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name,
                     guint flags)
{
  optional_write (field, member, parent, name, flags);
  xml_element_set_open (xml_element_ensure (parent, name));
}

const FieldType field_open_optional = {
  .size = sizeof (gpointer),
  .read = optional_read,
  .write = open_optional_write,
  .is_set = pointer_is_set,
  .compare = optional_compare,
  .clear = optional_clear,
  .copy = optional_copy,
};

/* A list of structs. */

static void
list_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  GPtrArray **list = member;
  gpointer object = field_new (table_of (field));

  if (*list == NULL)
    *list = g_ptr_array_new ();
  g_ptr_array_add (*list, object);
  field_read (reader, table_of (field), object, element);
}

static gboolean
list_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  return list != NULL && list->len > 0;
}

static void
list_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  for (guint i = 0; i < list->len; i++)
    field_write (table_of (field), g_ptr_array_index (list, i), xml_element_add (parent, name), flags);
}

static guint
list_length (gconstpointer member)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  return list != NULL ? list->len : 0;
}

static char *
list_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  guint length = list_length (a);

  if (length != list_length (b))
    return g_strdup_printf ("%s: %u and %u of them", field->path, length, list_length (b));
  for (guint i = 0; i < length; i++) {
    gconstpointer one = g_ptr_array_index (*(GPtrArray *const *)a, i);
    gconstpointer other = g_ptr_array_index (*(GPtrArray *const *)b, i);
    char *difference = field_compare (table_of (field), one, other, flags);

    if (difference != NULL)
      return below (field, difference);
  }
  return NULL;
}

static void
list_clear (const Field *field, gpointer member)
{
  GPtrArray *list = *(GPtrArray **)member;

  if (list == NULL)
    return;
  for (guint i = 0; i < list->len; i++)
    field_free (table_of (field), g_ptr_array_index (list, i));
  g_ptr_array_unref (list);
  *(GPtrArray **)member = NULL;
}

static void
list_copy (const Field *field, gpointer member, gconstpointer from)
{
  GPtrArray *list = *(GPtrArray *const *)from;
  GPtrArray *copy;

  if (list == NULL)
    return;
  copy = g_ptr_array_sized_new (list->len);
  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add (copy, field_copy (table_of (field), g_ptr_array_index (list, i)));
  *(GPtrArray **)member = copy;
}

const FieldType field_list = {
  .size = sizeof (GPtrArray *),
  .repeats = TRUE,
  .read = list_read,
  .write = list_write,
  .is_set = list_is_set,
  .compare = list_compare,
  .clear = list_clear,
  .copy = list_copy,
};

static void
open_list_write (const Field *field, gconstpointer member, XmlElement *parent, const char *name, guint flags)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  for (guint i = 0; i < list->len; i++) {
    XmlElement *element = xml_element_add (parent, name);

    xml_element_set_open (element);
    field_write (table_of (field), g_ptr_array_index (list, i), element, flags);
  }
}

const FieldType field_open_list = {
  .size = sizeof (GPtrArray *),
  .repeats = TRUE,
  .read = list_read,
  .write = open_list_write,
  .is_set = list_is_set,
  .compare = list_compare,
  .clear = list_clear,
  .copy = list_copy,
};

/* Lists of texts: repeated elements' contents, or the elements themselves as they stand. */

static void
texts_add (gpointer member, char *text)
{
  GPtrArray **list = member;

  if (*list == NULL)
    *list = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (*list, text);
}

static void
texts_read (FieldReader *reader G_GNUC_UNUSED, const Field *field G_GNUC_UNUSED, gpointer member,
            xmlNode *element)
{
  texts_add (member, xml_node_text (element));
}

static void
texts_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
             guint flags G_GNUC_UNUSED)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  for (guint i = 0; i < list->len; i++)
    xml_element_set_text (xml_element_add (parent, name), g_ptr_array_index (list, i));
}

static char *
texts_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  guint length = list_length (a);

  if (length != list_length (b))
    return g_strdup_printf ("%s: %u and %u of them", field->path, length, list_length (b));
  for (guint i = 0; i < length; i++) {
    const char *one = g_ptr_array_index (*(GPtrArray *const *)a, i);
    const char *other = g_ptr_array_index (*(GPtrArray *const *)b, i);

    if (!g_str_equal (one, other))
      return g_strdup_printf ("%s: '%s' and '%s'", field->path, one, other);
  }
  return NULL;
}

static void
texts_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((GPtrArray **)member, g_ptr_array_unref);
}

static void
texts_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  for (guint i = 0; i < list_length (from); i++)
    texts_add (member, g_strdup (g_ptr_array_index (*(GPtrArray *const *)from, i)));
}

const FieldType field_texts = {
  .size = sizeof (GPtrArray *),
  .repeats = TRUE,
  .read = texts_read,
  .write = texts_write,
  .is_set = list_is_set,
  .compare = texts_compare,
  .clear = texts_clear,
  .copy = texts_copy,
};

static void
verbatims_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  g_autofree char *xml = xml_document_verbatim (reader->document, element);

  texts_add (member, xml_normalize (xml));
}

static void
verbatims_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
                 const char *name G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  GPtrArray *list = *(GPtrArray *const *)member;

  for (guint i = 0; i < list->len; i++)
    xml_element_add_parsed (parent, g_ptr_array_index (list, i));
}

const FieldType field_verbatims = {
  .size = sizeof (GPtrArray *),
  .repeats = TRUE,
  .read = verbatims_read,
  .write = verbatims_write,
  .is_set = list_is_set,
  .compare = texts_compare,
  .clear = texts_clear,
  .copy = texts_copy,
};

static void
verbatim_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  g_autofree char *xml = xml_document_verbatim (reader->document, element);

  g_free (*(char **)member);
  *(char **)member = xml_normalize (xml);
}

static void
verbatim_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
                const char *name G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  xml_element_add_parsed (parent, *(char *const *)member);
}

static char *
verbatim_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags G_GNUC_UNUSED)
{
  if (g_strcmp0 (*(char *const *)a, *(char *const *)b) == 0)
    return NULL;
  return g_strdup_printf ("%s is not the same", field->path);
}

static void
verbatim_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((char **)member, g_free);
}

static void
verbatim_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  *(char **)member = g_strdup (*(char *const *)from);
}

const FieldType field_verbatim = {
  .size = sizeof (char *),
  .read = verbatim_read,
  .write = verbatim_write,
  .is_set = pointer_is_set,
  .compare = verbatim_compare,
  .clear = verbatim_clear,
  .copy = verbatim_copy,
};

static void
written_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
               const char *name G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  xml_element_add_written (parent, *(char *const *)member);
}

const FieldType field_written = {
  .size = sizeof (char *),
  .read = verbatim_read,
  .write = written_write,
  .is_set = pointer_is_set,
  .compare = verbatim_compare,
  .clear = verbatim_clear,
  .copy = verbatim_copy,
};

static void
foreign_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  g_free (*(char **)member);
  *(char **)member = xml_document_verbatim (reader->document, element);
}

/* Its layout changes as it is written at another depth; that is no difference. */
static char *
foreign_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  g_autofree char *one = *(char *const *)a != NULL ? xml_normalize (*(char *const *)a) : NULL;
  g_autofree char *other = *(char *const *)b != NULL ? xml_normalize (*(char *const *)b) : NULL;

  return verbatim_compare (field, &one, &other, flags);
}

static void
foreign_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
               const char *name G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  xml_element_add_verbatim (parent, *(char *const *)member);
}

const FieldType field_foreign = {
  .size = sizeof (char *),
  .read = foreign_read,
  .write = foreign_write,
  .is_set = pointer_is_set,
  .compare = foreign_compare,
  .clear = verbatim_clear,
  .copy = verbatim_copy,
};
