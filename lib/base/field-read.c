/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The reading walk: an element into a struct, and every mistake in words. It has two halves. The rows are
 * served in the table's order (a selector such as @type stands before what depends on it), each marking the
 * nodes it used; then the element is looked over once more for what no row used, which is either misspelt,
 * said twice, or not for this form of the element. So a name the table does not know is never passed over.
 */

#include "base/field.h"

#include <string.h>

#define NEAREST_WORDS_MAX 256 /* names of one level offered for a misspelt one */

typedef struct {
  FieldReader *reader;
  const FieldTable *table;
  gpointer object;
  xmlNode *element;
  GHashTable *used; /* attributes and elements a row took; elements taken whole map to themselves */
} Walk;

static gboolean
name_matches (const char *prefix, const char *name, const char *wanted, gsize wanted_length)
{
  if (prefix != NULL) {
    gsize prefix_length = strlen (prefix);

    if (wanted_length <= prefix_length || strncmp (wanted, prefix, prefix_length) != 0
        || wanted[prefix_length] != ':')
      return FALSE;
    wanted += prefix_length + 1;
    wanted_length -= prefix_length + 1;
  }
  return strlen (name) == wanted_length && strncmp (name, wanted, wanted_length) == 0;
}

static gboolean
element_matches (const xmlNode *node, const char *wanted, gsize length)
{
  const char *prefix = node->ns != NULL ? (const char *)node->ns->prefix : NULL;

  return node->type == XML_ELEMENT_NODE && name_matches (prefix, (const char *)node->name, wanted, length);
}

static xmlNode *
next_element (xmlNode *node, const char *wanted, gsize length)
{
  while (node != NULL && !element_matches (node, wanted, length))
    node = node->next;
  return node;
}

/* The element that holds the last word of @path, or NULL when the document does not have it; the last word in
 * @ret_last. */
static xmlNode *
find_parent (Walk *walk, const char *path, const char **ret_last)
{
  xmlNode *element = walk->element;
  const char *slash;

  *ret_last = path;
  while ((slash = strchr (path, '/')) != NULL) {
    element = next_element (element->children, path, slash - path);
    if (element == NULL)
      return NULL;
    g_hash_table_insert (walk->used, element, NULL);
    path = slash + 1;
  }
  *ret_last = path;
  return element;
}

static xmlAttr *
find_attribute (xmlNode *element, const char *name)
{
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    if (attribute->ns == NULL && g_str_equal ((const char *)attribute->name, name))
      return attribute;
  }
  return NULL;
}

static char *
attribute_text (xmlNode *element, xmlAttr *attribute)
{
  xmlChar *value = xmlNodeListGetString (element->doc, attribute->children, 1);
  char *text = g_strdup (value != NULL ? (const char *)value : "");

  xmlFree (value);
  return text;
}

static char *
element_text (xmlNode *element)
{
  xmlChar *value = xmlNodeGetContent (element);
  char *text = g_strdup (value != NULL ? (const char *)value : "");

  xmlFree (value);
  return text;
}

/* The error of a bad or missing value, as libvirt numbers it. @attribute is NULL for an element's text. */
static ValueError
value_error (const FieldReader *reader, const char *element, const char *attribute)
{
  for (const ValueError *error = reader->value_errors; error != NULL && error->element != NULL; error++)
    if (g_str_equal (error->element, element) && g_strcmp0 (error->attribute, attribute) == 0)
      return *error;
  return (ValueError){ element, attribute, VIR_ERR_XML_ERROR, VIR_FROM_XML };
}

static void
parse_scalar (Walk *walk, const Field *field, xmlNode *element, xmlAttr *attribute)
{
  gpointer member = (char *)walk->object + field->offset;
  g_autofree char *text = attribute != NULL ? attribute_text (element, attribute) : element_text (element);
  g_autofree char *accepted = NULL;
  Position where = attribute != NULL ? xml_document_attribute_position (walk->reader->document, attribute)
                                     : xml_document_node_position (walk->reader->document, element);

  if (!field->type->keeps_space)
    g_strstrip (text);
  source_map_add (walk->reader->map, member, where);
  if (field->type->parse (field, member, text, &accepted))
    return;

  const ValueError error = value_error (walk->reader, (const char *)element->name,
                                        attribute != NULL ? (const char *)attribute->name : NULL);
  if (attribute != NULL)
    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Invalid value for attribute '%s' in element '%s': '%s' (%s)", error.attribute,
                            error.element, text, accepted);
  else
    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Invalid value for element '%s': '%s' (%s)", error.element, text, accepted);
}

static void
read_elements (Walk *walk, const Field *field, xmlNode *parent, const char *name)
{
  gpointer member = (char *)walk->object + field->offset;
  gsize length = strlen (name);

  for (xmlNode *element = next_element (parent->children, name, length); element != NULL;
       element = next_element (element->next, name, length)) {
    const char *attribute_name = field->type != NULL ? field->type->only_attribute : NULL;

    if (attribute_name == NULL) {
      g_hash_table_insert (walk->used, element, element);
    } else {
      xmlAttr *attribute = find_attribute (element, attribute_name);

      g_hash_table_insert (walk->used, element, NULL);
      if (attribute != NULL)
        g_hash_table_insert (walk->used, attribute, NULL);
    }
    if (field->type != NULL && (field->flags & FIELD_IGNORED) == 0) {
      source_map_add (walk->reader->map, member,
                      xml_document_node_position (walk->reader->document, element));
      field->type->read (walk->reader, field, member, element);
    }
    if (field->type != NULL && !field->type->repeats)
      return;
  }
}

/* Serve one row; FALSE when the document has nothing for it. */
static gboolean
read_field (Walk *walk, const Field *field)
{
  const char *last;
  xmlNode *parent = find_parent (walk, field->path, &last);
  gboolean kept = field->type != NULL && (field->flags & FIELD_IGNORED) == 0;

  if (parent == NULL)
    return FALSE;

  if (last[0] == '@') {
    xmlAttr *attribute = find_attribute (parent, last + 1);

    if (attribute == NULL)
      return FALSE;
    g_hash_table_insert (walk->used, attribute, NULL);
    if (kept)
      parse_scalar (walk, field, parent, attribute);
    return TRUE;
  }

  if (g_str_equal (last, ".")) {
    if (parent->children == NULL)
      return FALSE;
    parse_scalar (walk, field, parent, NULL);
    return TRUE;
  }

  xmlNode *element = next_element (parent->children, last, strlen (last));
  if (element == NULL)
    return FALSE;
  if (field->type == NULL || field->type->read != NULL) {
    read_elements (walk, field, parent, last);
  } else {
    g_hash_table_insert (walk->used, element, NULL);
    if (kept)
      parse_scalar (walk, field, element, NULL);
  }
  return TRUE;
}

static void
report_missing (Walk *walk, const Field *field)
{
  const char *last = strrchr (field->path, '/');
  Position where = xml_document_node_position (walk->reader->document, walk->element);
  const char *name = (const char *)walk->element->name;

  last = last != NULL ? last + 1 : field->path;
  if (last[0] == '@') {
    g_autofree char *element =
        last == field->path ? g_strdup (name) : g_strndup (field->path, (gsize)(last - field->path - 1));
    const ValueError error = value_error (walk->reader, element, last + 1);

    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Missing required attribute '%s' in element '%s'", last + 1, element);
  } else
    diagnostics_error (walk->reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "element '%s' lacks the required '%s'", name, field->path);
}

/* What a word of a row's path says about the level at @path (of @length; "" for the element itself): the word
 * that follows, if the row passes through there. */
static const char *
word_below (const Field *field, const char *level, gsize level_length, gsize *ret_length)
{
  const char *rest = field->path;
  const char *slash;

  if (level_length > 0) {
    if (strncmp (rest, level, level_length) != 0 || rest[level_length] != '/')
      return NULL;
    rest += level_length + 1;
  }
  slash = strchr (rest, '/');
  *ret_length = slash != NULL ? (gsize)(slash - rest) : strlen (rest);
  return rest;
}

/* Is @name (with its '@' for an attribute) a word of the table at @level, whatever form the element has? */
static gboolean
level_knows (Walk *walk, const char *level, const char *name)
{
  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word = word_below (field, level, strlen (level), &length);

    if (word != NULL && length == strlen (name) && strncmp (word, name, length) == 0)
      return TRUE;
    if (name[0] == '@' && field->type != NULL && field->type->only_attribute != NULL && word != NULL
        && g_str_equal (field->path, level) && g_str_equal (field->type->only_attribute, name + 1))
      return TRUE;
  }
  return FALSE;
}

/* Does the field's type read the element at @level together with an attribute of its own? */
static gboolean
has_own_attribute (const Field *field, const char *level)
{
  return field->type != NULL && field->type->only_attribute != NULL && g_str_equal (field->path, level)
         && field->type->only_attribute[0] != '\0';
}

/* The known name nearest to @name at @level, attributes for attributes and elements for elements. (transfer
 * full) */
static char *
nearest_at_level (Walk *walk, const char *level, const char *name)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  gboolean is_attribute = name[0] == '@';
  const char *nearest;

  for (const Field *field = walk->table->fields; field->path != NULL && words->len < NEAREST_WORDS_MAX;
       field++) {
    gsize length;
    const char *word = word_below (field, level, strlen (level), &length);

    if (word != NULL && (word[0] == '@') == is_attribute && word[0] != '.')
      g_ptr_array_add (words, g_strndup (word + is_attribute, length - is_attribute));
    if (is_attribute && has_own_attribute (field, level))
      g_ptr_array_add (words, g_strdup (field->type->only_attribute));
  }
  g_ptr_array_add (words, NULL);
  nearest = nearest_word (name + is_attribute, (const char *const *)words->pdata);
  return g_strdup (nearest);
}

static void
report_unknown (Walk *walk, Position where, const char *level, const xmlNode *inside, const char *name)
{
  void (*report) (Diagnostics *, Position, virErrorNumber, const char *, ...) =
      walk->reader->lax ? diagnostics_warning : diagnostics_error;
  gboolean is_attribute = name[0] == '@';
  const char *what = is_attribute ? "attribute" : "element";
  const char *bare = is_attribute ? name + 1 : name;

  if (level_knows (walk, level, name)) {
    report (walk->reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
            is_attribute ? "%s '%s' does not belong to this form of element '%s'"
                         : "%s '%s' is not expected here in element '%s': it was said before, or this form "
                           "does not have it",
            what, bare, (const char *)inside->name);
    return;
  }

  g_autofree char *nearest = nearest_at_level (walk, level, name);
  if (nearest != NULL)
    report (walk->reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
            "unknown %s '%s' in element '%s': did you mean '%s'?", what, bare, (const char *)inside->name,
            nearest);
  else
    report (walk->reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA, "unknown %s '%s' in element '%s'",
            what, bare, (const char *)inside->name);
}

static gboolean
has_text_row (Walk *walk, const char *level)
{
  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word;

    if (g_str_equal (field->path, level))
      return TRUE;
    word = word_below (field, level, strlen (level), &length);
    if (word != NULL && g_str_equal (word, "."))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_blank (const xmlNode *text)
{
  for (const xmlChar *c = text->content; c != NULL && *c != '\0'; c++) {
    if (!g_ascii_isspace (*c))
      return FALSE;
  }
  return TRUE;
}

/* Look over @element, which stands at @level of the table, for what no row used. */
static void
look_over (Walk *walk, xmlNode *element, const char *level)
{
  XmlDocument *document = walk->reader->document;

  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    if (!g_hash_table_contains (walk->used, attribute)) {
      g_autofree char *name = g_strconcat ("@", (const char *)attribute->name, NULL);

      report_unknown (walk, xml_document_attribute_position (document, attribute), level, element, name);
    }
  }

  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    gpointer whole;

    if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) && !is_blank (child)
        && !has_text_row (walk, level)) {
      diagnostics_error (walk->reader->diagnostics, xml_document_node_position (document, element),
                         VIR_ERR_XML_ERROR, "element '%s' holds text, but takes none",
                         (const char *)element->name);
    }
    if (child->type != XML_ELEMENT_NODE)
      continue;
    if (!g_hash_table_lookup_extended (walk->used, child, NULL, &whole)) {
      report_unknown (walk, xml_document_node_position (document, child), level, element,
                      (const char *)child->name);
    } else if (whole == NULL) {
      g_autofree char *below = level[0] != '\0' ? g_strconcat (level, "/", (const char *)child->name, NULL)
                                                : g_strdup ((const char *)child->name);

      look_over (walk, child, below);
    }
  }
}

void
field_read (FieldReader *reader, const FieldTable *table, gpointer object, xmlNode *element)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);
  Walk walk = { reader, table, object, element, used };

  source_map_add (reader->map, object, xml_document_node_position (reader->document, element));
  for (const Field *field = table->fields; field->path != NULL; field++) {
    if (!field_applies (field, object))
      continue;
    if (!read_field (&walk, field) && (field->flags & FIELD_REQUIRED) != 0)
      report_missing (&walk, field);
  }
  look_over (&walk, element, "");
}
