/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The reading walk: an element into a struct, and every mistake in words. It has two halves. The rows are
 * served in the table's order (a selector such as @type stands before what depends on it), each marking the
 * nodes it used; then the element is looked over once more for what no row used, which is either misspelt,
 * said twice, or not for this form of the element. So a name the table does not know is never passed over.
 */

#include "base/field.h"

#include <string.h>

#define NEAREST_WORDS_MAX   256 /* names of one level offered for a misspelt one */
#define ATTRIBUTES_SAID_MAX 10  /* all of them listed in a message */

typedef struct {
  FieldReader *reader;
  const FieldTable *table;
  gpointer object;
  xmlNode *element;
  GHashTable *used;   /* attributes and elements a row took; elements taken whole map to themselves */
  gboolean strangers; /* looking for names that the format does not have, and not for misplaced ones */
  GHashTable *meant;  /* rows that a misspelt name was taken for */
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
  return (ValueError){ element, attribute, VIR_ERR_XML_ERROR, VIR_FROM_XML, NULL };
}

/* What {word} stands for in the words of a ValueError. (transfer full) */
static char *
word_of_error (const Walk *walk, xmlNode *element, const char *word, const char *value)
{
  char *text = NULL;

  if (g_str_equal (word, "value"))
    return g_strdup (value);
  if (!g_str_equal (word, "name"))
    text = xml_node_attribute (element, word);
  else
    for (xmlNode *node = xml_document_root (walk->reader->document)->children; node != NULL && text == NULL;
         node = node->next)
      if (node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, "name"))
        text = xml_node_text (node);
  return text != NULL ? text : g_strdup ("");
}

static char *
fill_in_words (const Walk *walk, xmlNode *element, const char *words, const char *value)
{
  g_auto (GStrv) parts = g_strsplit_set (words, "{}", -1);

  /* Every second one stood in braces. */
  for (guint i = 1; parts[0] != NULL && parts[i] != NULL && parts[i + 1] != NULL; i += 2) {
    char *filled = word_of_error (walk, element, parts[i], value);

    g_free (parts[i]);
    parts[i] = filled;
  }
  return g_strjoinv (NULL, parts);
}

static gboolean
is_blank_text (const char *text)
{
  return text[strspn (text, " \t\r\n")] == '\0';
}

/* An empty element, where only a value would mean something: a lax reading takes it for none. Of attributes,
 * libvirt does so with few. */
static gboolean
takes_for_absent (const Walk *walk, const Field *field, xmlNode *element, gboolean is_attribute,
                  const char *text)
{
  if (!walk->reader->lax || !is_blank_text (text))
    return FALSE;
  if (is_attribute)
    return text[0] == '\0' && (field->flags & FIELD_EMPTY_IS_NONE) != 0;
  if (field->type->may_be_empty || (field->flags & (FIELD_FILLED | FIELD_REQUIRED)) != 0)
    return FALSE;
  diagnostics_warning (walk->reader->diagnostics,
                       xml_document_node_position (walk->reader->document, element),
                       VIR_ERR_XML_INVALID_SCHEMA, "element '%s' is empty: it is taken for absent",
                       (const char *)element->name);
  return TRUE;
}

/* Where the value begins: in a lax reading a number may have blanks and a plus sign before it. */
static const char *
value_in (const Walk *walk, const Field *field, const char *text)
{
  const char *value = text + strspn (text, " \t\r\n");

  if (!walk->reader->lax || !field->type->is_number)
    return text;
  return value[0] == '+' && g_ascii_isdigit (value[1]) ? value + 1 : value;
}

static const EnumTable *
words_of (const Field *field)
{
  if (field->type == &field_enum)
    return field->detail;
  if (field->type == &field_yes_no)
    return &yes_no_table;
  return field->type == &field_on_off ? &on_off_table : NULL;
}

/* For programs: what the value of @field may be, by its words or as @accepted says it. */
static void
offer_values (const Walk *walk, const Field *field, const char *text, const char *accepted)
{
  static const char *const leads[] = { "accepted: ", "expected " };
  const EnumTable *table = words_of (field);
  g_autofree const char **words = table != NULL ? enum_table_words (table) : NULL;
  const char *description[] = { accepted, NULL };

  for (guint i = 0; accepted != NULL && i < G_N_ELEMENTS (leads); i++)
    if (g_str_has_prefix (accepted, leads[i]))
      description[0] = accepted + strlen (leads[i]);
  diagnostics_offer (walk->reader->diagnostics, words != NULL ? words : description,
                     table != NULL && text != NULL ? enum_table_nearest (table, text) : NULL);
}

static void
parse_scalar (Walk *walk, const Field *field, xmlNode *element, xmlAttr *attribute)
{
  gpointer member = (char *)walk->object + field->offset;
  g_autofree char *text = attribute != NULL ? attribute_text (element, attribute) : element_text (element);
  g_autofree char *accepted = NULL;
  Position where = attribute != NULL ? xml_document_attribute_position (walk->reader->document, attribute)
                                     : xml_document_node_position (walk->reader->document, element);

  if (field->type->strips_space)
    g_strstrip (text);
  if (takes_for_absent (walk, field, element, attribute != NULL, text))
    return;
  source_map_add (walk->reader->map, member, where);
  if (field->type->parse (field, member, value_in (walk, field, text), &accepted))
    return;
  if (field->type == &field_enum && enum_table_nearest (field->detail, text) != NULL)
    corrections_add_value (walk->reader->corrections, attribute != NULL ? (xmlNode *)attribute : element,
                           enum_table_nearest (field->detail, text));

  const ValueError error = value_error (walk->reader, (const char *)element->name,
                                        attribute != NULL ? (const char *)attribute->name : NULL);
  if (error.words != NULL) {
    g_autofree char *words = fill_in_words (walk, element, error.words, text);

    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code, "%s (%s)", words,
                            accepted);
  } else if (attribute != NULL)
    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Invalid value for attribute '%s' in element '%s': '%s' (%s)", error.attribute,
                            error.element, text, accepted);
  else
    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Invalid value for element '%s': '%s' (%s)", error.element, text, accepted);
  offer_values (walk, field, text, accepted);
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
  g_autofree char *choices = NULL;

  last = last != NULL ? last + 1 : field->path;
  if (field->type == &field_enum)
    choices = enum_table_choices (field->detail);
  if (last[0] == '@') {
    g_autofree char *element =
        last == field->path ? g_strdup (name) : g_strndup (field->path, (gsize)(last - field->path - 1));
    const ValueError error = value_error (walk->reader, element, last + 1);

    diagnostics_error_from (walk->reader->diagnostics, where, error.origin, error.code,
                            "Missing required attribute '%s' in element '%s'%s%s", last + 1, element,
                            choices != NULL ? ": expected " : "", choices != NULL ? choices : "");
  } else
    diagnostics_error (walk->reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "element '%s' lacks the required '%s'", name, field->path);
  offer_values (walk, field, NULL, NULL);
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

/* The row of which @name (with its '@' for an attribute) is a word at @level, whatever form the element has.
 */
static const Field *
row_with_word (Walk *walk, const char *level, const char *name)
{
  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word = word_below (field, level, strlen (level), &length);

    if (word != NULL && length == strlen (name) && strncmp (word, name, length) == 0)
      return field;
    if (name[0] == '@' && field->type != NULL && field->type->only_attribute != NULL && word != NULL
        && g_str_equal (field->path, level) && g_str_equal (field->type->only_attribute, name + 1))
      return field;
  }
  return NULL;
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

/* Was it for the document to say this row, and did it not? */
static gboolean
is_unsaid (Walk *walk, const Field *field)
{
  return source_map_find (walk->reader->map, (char *)walk->object + field->offset, NULL).line == 0;
}

/* @name was meant to be @nearest, or where nothing is near, it may have been any that is not said. */
static void
doubt_rows (Walk *walk, const char *level, const char *name, const char *nearest)
{
  gboolean is_attribute = name[0] == '@';

  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word = word_below (field, level, strlen (level), &length);
    gboolean own = is_attribute && has_own_attribute (field, level);

    if ((word == NULL || (word[0] == '@') != is_attribute) && !own)
      continue;
    if (nearest == NULL ? !is_unsaid (walk, field)
                        : !own
                              && (length - is_attribute != strlen (nearest)
                                  || strncmp (word + is_attribute, nearest, strlen (nearest)) != 0))
      continue;
    source_map_mark_invalid (walk->reader->map, (char *)walk->object + field->offset);
    if (nearest != NULL)
      g_hash_table_add (walk->meant, (gpointer)field);
  }
}

typedef void Report (Diagnostics *, Position, virErrorNumber, const char *, ...);

static Report *
report_of (const Walk *walk)
{
  return walk->reader->lax ? diagnostics_warning : diagnostics_error;
}

/* The row whose value says which form the element of @field has, as "type='bridge'". (transfer full) */
static char *
form_of (Walk *walk, const Field *field)
{
  for (const Field *row = walk->table->fields; row->path != NULL; row++) {
    g_autofree char *value = NULL;

    if (field->when.values == 0 || row->offset != field->when.offset || row->type == NULL
        || row->type->format == NULL || row->path[0] != '@')
      continue;
    value = row->type->format (row, (char *)walk->object + row->offset);
    if (value != NULL)
      return g_strdup_printf ("%s='%s'", row->path + 1, value);
  }
  return g_strdup ("this form");
}

/* "'bridge' and 'mode'": the attributes that the element at @level has in its form; empty when it has none,
 * or more than anyone would read. (transfer full) */
static char *
attributes_at (Walk *walk, const char *level)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *last = NULL;
  guint count = 0;

  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word = word_below (field, level, strlen (level), &length);

    if (word == NULL || word[0] != '@' || field->type == NULL || !field_applies (field, walk->object)
        || (last != NULL && strncmp (last, word + 1, length - 1) == 0))
      continue;
    if (last != NULL)
      g_string_append_printf (text, "%s'%s'", text->len > 0 ? ", " : "", last);
    count++;
    g_free (last);
    last = g_strndup (word + 1, length - 1);
  }
  if (last != NULL)
    g_string_append_printf (text, "%s'%s'", text->len > 0 ? " and " : "", last);
  if (count > ATTRIBUTES_SAID_MAX)
    return g_strdup ("");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static const xmlNode *
said_before (const xmlNode *element)
{
  for (const xmlNode *node = element->prev; node != NULL; node = node->prev)
    if (node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, (const char *)element->name))
      return node;
  return NULL;
}

/* Why a name of the format has no meaning where it stands. (transfer full) */
static char *
why_misplaced (Walk *walk, const Field *field, const char *level, const xmlNode *node)
{
  gboolean is_attribute = node->type == XML_ATTRIBUTE_NODE;
  const xmlNode *before = is_attribute ? NULL : said_before (node);
  g_autofree char *form = form_of (walk, field);
  g_autofree char *has = attributes_at (walk, level);

  if (before != NULL)
    return g_strdup_printf ("it was said before, in line %u",
                            xml_document_node_position (walk->reader->document, before).line);
  if (is_attribute && has[0] != '\0')
    return g_strdup_printf ("with %s it has %s", form, has);
  return g_strdup_printf ("%s does not have it", form);
}

/* A name of the format in a place where it has no meaning; which form the element has, is not known while
 * what says so was not understood. */
static void
report_misplaced (Walk *walk, const Field *field, Position where, const char *level, const xmlNode *node)
{
  gboolean is_attribute = node->type == XML_ATTRIBUTE_NODE;
  g_autofree char *why = NULL;

  if (field->when.values != 0
      && source_map_is_invalid (walk->reader->map, (char *)walk->object + field->when.offset))
    return;
  why = why_misplaced (walk, field, level, node);
  report_of (walk) (walk->reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
                    is_attribute ? "attribute '%s' does not belong to this form of element '%s': %s"
                                 : "element '%s' is not expected here in element '%s': %s",
                    (const char *)node->name, (const char *)node->parent->name, why);
}

/* Does the document say @name itself, so that @node would be the second of what there is only one? */
static gboolean
is_said_beside (Walk *walk, const char *level, const xmlNode *node, const char *name)
{
  const Field *field;

  if (node->type == XML_ATTRIBUTE_NODE)
    return find_attribute (node->parent, name) != NULL;
  field = row_with_word (walk, level, name);
  return (field == NULL || field->type == NULL || !field->type->repeats)
         && next_element (node->parent->children, name, strlen (name)) != NULL;
}

/* What to write instead of a name that is like none: what is an element was said as an attribute, or the
 * other way; or else the attributes there are. Empty when there is nothing short to say. (transfer full) */
static char *
advice_for (Walk *walk, const char *level, const xmlNode *node)
{
  gboolean is_attribute = node->type == XML_ATTRIBUTE_NODE;
  const char *name = (const char *)node->name;
  g_autofree char *other = is_attribute ? g_strdup (name) : g_strconcat ("@", name, NULL);
  g_autofree char *has = attributes_at (walk, level);

  if (row_with_word (walk, level, other) != NULL)
    return is_attribute ? g_strdup_printf (": it is an element of its own, <%s>", name)
                        : g_strdup_printf (": it is an attribute, %s='...'", name);
  return is_attribute && has[0] != '\0' ? g_strdup_printf (": it has %s", has) : g_strdup ("");
}

static void
report_stranger (Walk *walk, Position where, const char *level, xmlNode *node, const char *name)
{
  const char *what = name[0] == '@' ? "attribute" : "element";
  g_autofree char *nearest = nearest_at_level (walk, level, name);
  g_autofree char *advice =
      nearest != NULL ? g_strdup_printf (": did you mean '%s'?", nearest) : advice_for (walk, level, node);

  if (!walk->reader->lax)
    doubt_rows (walk, level, name, nearest);
  /* What is wrong behind the last mistake that is shown need not be found. */
  if (!walk->reader->lax && nearest != NULL
      && diagnostics_errors_reported (walk->reader->diagnostics) < DIAGNOSTICS_MAX
      && !is_said_beside (walk, level, node, nearest))
    corrections_add_name (walk->reader->corrections, node, nearest);
  report_of (walk) (walk->reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
                    "unknown %s '%s' in element '%s'%s", what, (const char *)node->name,
                    (const char *)node->parent->name, advice);
  diagnostics_offer (walk->reader->diagnostics, NULL, nearest);
  if (advice[0] == '\0')
    diagnostics_mark_vague (walk->reader->diagnostics);
  if (name[0] != '@' && nearest == NULL)
    source_map_add_stray (walk->reader->map, name);
}

static void
report_unused (Walk *walk, Position where, const char *level, xmlNode *node, const char *name)
{
  const Field *field = row_with_word (walk, level, name);

  if (walk->strangers && field == NULL)
    report_stranger (walk, where, level, node, name);
  else if (!walk->strangers && field != NULL)
    report_misplaced (walk, field, where, level, node);
}

static gboolean
has_text_row (Walk *walk, const char *level)
{
  for (const Field *field = walk->table->fields; field->path != NULL; field++) {
    gsize length;
    const char *word;

    if (!field_applies (field, walk->object) || field->type == &field_flag)
      continue;
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

static void
report_text (Walk *walk, xmlNode *element, const char *level)
{
  g_autofree char *has = attributes_at (walk, level);

  report_of (walk) (walk->reader->diagnostics, xml_document_node_position (walk->reader->document, element),
                    VIR_ERR_XML_ERROR, "element '%s' holds text, but takes none%s%s",
                    (const char *)element->name, has[0] != '\0' ? "; it has " : "", has);
}

/* The path of @element, which stands below @level, as rows have it: with its prefix. (transfer full) */
static char *
level_below (const char *level, const xmlNode *element)
{
  const char *prefix = element->ns != NULL ? (const char *)element->ns->prefix : NULL;

  return g_strconcat (level, level[0] != '\0' ? "/" : "", prefix != NULL ? prefix : "",
                      prefix != NULL ? ":" : "", (const char *)element->name, NULL);
}

/* Look over @element, which stands at @level of the table, for what no row used. */
static void
look_over (Walk *walk, xmlNode *element, const char *level)
{
  XmlDocument *document = walk->reader->document;

  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    if (!g_hash_table_contains (walk->used, attribute)) {
      g_autofree char *name = g_strconcat ("@", (const char *)attribute->name, NULL);

      report_unused (walk, xml_document_attribute_position (document, attribute), level, (xmlNode *)attribute,
                     name);
    }
  }

  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    gpointer whole;

    if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) && !is_blank (child)
        && walk->strangers && !has_text_row (walk, level)) {
      report_text (walk, element, level);
    }
    if (child->type != XML_ELEMENT_NODE)
      continue;
    if (!g_hash_table_lookup_extended (walk->used, child, NULL, &whole)) {
      report_unused (walk, xml_document_node_position (document, child), level, child,
                     (const char *)child->name);
    } else if (whole == NULL) {
      g_autofree char *below = level_below (level, child);

      look_over (walk, child, below);
    }
  }
}

/* Required rows the document has nothing for, unless a misspelt name is what it has. */
static void
look_for_missing (Walk *walk, const GPtrArray *missing)
{
  for (guint i = 0; i < missing->len; i++) {
    const Field *field = g_ptr_array_index (missing, i);

    if (!g_hash_table_contains (walk->meant, field))
      report_missing (walk, field);
  }
}

static gboolean
is_demanded (const Walk *walk, const Field *field)
{
  guint demands = FIELD_REQUIRED | (walk->reader->lax ? 0 : FIELD_EXPECTED);

  return (field->flags & demands) != 0;
}

void
field_read (FieldReader *reader, const FieldTable *table, gpointer object, xmlNode *element)
{
  g_autoptr (GHashTable) used = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) meant = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) missing = g_ptr_array_new ();
  Walk walk = { reader, table, object, element, used, TRUE, meant };
  guint errors = diagnostics_errors_reported (reader->diagnostics);

  source_map_add (reader->map, object, xml_document_node_position (reader->document, element));
  for (const Field *field = table->fields; field->path != NULL; field++) {
    guint before = diagnostics_errors_reported (reader->diagnostics);

    if (!field_applies (field, object))
      continue;
    if (!read_field (&walk, field) && is_demanded (&walk, field))
      g_ptr_array_add (missing, (gpointer)field);
    if (diagnostics_errors_reported (reader->diagnostics) != before)
      source_map_mark_invalid (reader->map, (char *)object + field->offset);
  }
  look_over (&walk, element, "");
  walk.strangers = FALSE;
  look_over (&walk, element, "");
  look_for_missing (&walk, missing);
  if (diagnostics_errors_reported (reader->diagnostics) != errors)
    source_map_mark_invalid (reader->map, object);
}

gboolean
field_reader_has_misspelt (const FieldReader *reader, const xmlNode *element, const char *name)
{
  const char *const words[] = { name, NULL };

  for (const xmlAttr *attribute = element->properties; attribute != NULL && !reader->lax;
       attribute = attribute->next)
    if (nearest_word ((const char *)attribute->name, words) != NULL)
      return TRUE;
  return FALSE;
}
