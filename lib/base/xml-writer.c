/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Writing XML in libvirt's form. People diff it and scripts pick lines from it, so the form is part of the
 * interface: single quotes, five escapes, two spaces a level, one element a line. Where libvirt's form
 * would lose something (a line break or tab in an attribute comes back as a space) a character
 * reference is written instead, which reads the same.
 */
#include "base/xml-writer.h"

#include "base/xml-parser.h"

#include <string.h>

#define INDENT 2 /* spaces a level */

typedef struct {
  char *name, *value;
} Attribute;

/* An element, or one already written: @verbatim, by anybody, or @written, by this writer. */
struct XmlElement {
  char *name;
  GArray *attributes;  /* Attribute; NULL when none */
  GPtrArray *children; /* XmlElement; NULL when none */
  char *text;
  char *verbatim, *written;
  gboolean open; /* has an end tag in any case */
};

static void
attribute_clear (gpointer data)
{
  Attribute *attribute = data;

  g_free (attribute->name);
  g_free (attribute->value);
}

XmlElement *
xml_element_new (const char *name)
{
  XmlElement *element = g_new0 (XmlElement, 1);

  element->name = g_strdup (name);
  return element;
}

void
xml_element_free (XmlElement *element)
{
  if (element == NULL)
    return;
  g_clear_pointer (&element->attributes, g_array_unref);
  g_clear_pointer (&element->children, g_ptr_array_unref);
  g_free (element->text);
  g_free (element->verbatim);
  g_free (element->written);
  g_free (element->name);
  g_free (element);
}

static XmlElement *
add_child (XmlElement *parent, XmlElement *child)
{
  if (parent->children == NULL)
    parent->children = g_ptr_array_new_with_free_func ((GDestroyNotify)xml_element_free);
  g_ptr_array_add (parent->children, child);
  return child;
}

XmlElement *
xml_element_add (XmlElement *parent, const char *name)
{
  return add_child (parent, xml_element_new (name));
}

XmlElement *
xml_element_ensure (XmlElement *parent, const char *name)
{
  for (guint i = parent->children != NULL ? parent->children->len : 0; i > 0; i--) {
    XmlElement *child = g_ptr_array_index (parent->children, i - 1);

    if (child->name != NULL && g_str_equal (child->name, name))
      return child;
  }
  return xml_element_add (parent, name);
}

void
xml_element_set (XmlElement *element, const char *attribute, const char *value)
{
  Attribute added;

  if (value == NULL)
    return;
  if (element->attributes == NULL) {
    element->attributes = g_array_new (FALSE, FALSE, sizeof (Attribute));
    g_array_set_clear_func (element->attributes, attribute_clear);
  }
  for (guint i = 0; i < element->attributes->len; i++) {
    Attribute *old = &g_array_index (element->attributes, Attribute, i);

    if (g_str_equal (old->name, attribute)) {
      g_free (old->value);
      old->value = g_strdup (value);
      return;
    }
  }
  added = (Attribute){ g_strdup (attribute), g_strdup (value) };
  g_array_append_val (element->attributes, added);
}

void
xml_element_set_open (XmlElement *element)
{
  element->open = TRUE;
}

void
xml_element_set_text (XmlElement *element, const char *text)
{
  g_free (element->text);
  element->text = g_strdup (text);
}

void
xml_element_add_verbatim (XmlElement *parent, const char *xml)
{
  XmlElement *child = g_new0 (XmlElement, 1);

  child->verbatim = g_strdup (xml);
  add_child (parent, child);
}

void
xml_element_add_written (XmlElement *parent, const char *xml)
{
  XmlElement *child = g_new0 (XmlElement, 1);

  child->written = g_strdup (xml);
  add_child (parent, child);
}

gboolean
xml_element_is_empty (const XmlElement *element)
{
  return element->attributes == NULL && element->children == NULL && element->text == NULL
         && element->verbatim == NULL && element->written == NULL;
}

/* What XML does not allow at all is left out, as libvirt does. */
static void
append_escaped (GString *out, const char *text, gboolean in_attribute)
{
  for (; *text != '\0'; text++) {
    switch (*text) {
      case '<':
        g_string_append (out, "&lt;");
        break;
      case '>':
        g_string_append (out, "&gt;");
        break;
      case '&':
        g_string_append (out, "&amp;");
        break;
      case '"':
        g_string_append (out, "&quot;");
        break;
      case '\'':
        g_string_append (out, "&apos;");
        break;
      case '\n':
      case '\t':
        if (in_attribute)
          g_string_append_printf (out, "&#%d;", *text);
        else
          g_string_append_c (out, *text);
        break;
      case '\r':
        g_string_append (out, "&#13;");
        break;
      default:
        if ((guint8)*text >= 0x20)
          g_string_append_c (out, *text);
    }
  }
}

static void
append_indent (GString *out, guint level)
{
  for (guint i = 0; i < level * INDENT; i++)
    g_string_append_c (out, ' ');
}

static void
ignore_error (G_GNUC_UNUSED void *data, G_GNUC_UNUSED xmlError *error)
{
}

static xmlDoc *
parse_verbatim (const char *xml)
{
  xmlParserCtxt *context = xml_parser_new (xml, strlen (xml), (xmlStructuredErrorFunc)ignore_error);
  xmlDoc *document;

  xmlParseDocument (context);
  document = xml_parser_take_document (context);
  xmlFreeParserCtxt (context);
  return document;
}

static char *
qualified_name (const xmlNs *ns, const xmlChar *name)
{
  return ns != NULL && ns->prefix != NULL ? g_strdup_printf ("%s:%s", ns->prefix, name)
                                          : g_strdup ((const char *)name);
}

static void
copy_attributes (XmlElement *element, const xmlNode *node)
{
  for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
    g_autofree char *name =
        ns->prefix != NULL ? g_strdup_printf ("xmlns:%s", ns->prefix) : g_strdup ("xmlns");

    xml_element_set (element, name, (const char *)ns->href);
  }
  for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next) {
    g_autofree char *name = qualified_name (attribute->ns, attribute->name);
    xmlChar *value = xmlNodeListGetString (node->doc, attribute->children, 1);

    xml_element_set (element, name, value != NULL ? (const char *)value : "");
    xmlFree (value);
  }
}

/* The depth is bounded by the parser's limit. */
static XmlElement *
copy_node (XmlElement *parent, const xmlNode *node)
{
  g_autofree char *name = qualified_name (node->ns, node->name);
  XmlElement *element = xml_element_add (parent, name);
  g_autoptr (GString) text = g_string_new (NULL);

  copy_attributes (element, node);
  for (const xmlNode *child = node->children; child != NULL; child = child->next) {
    if (child->type == XML_ELEMENT_NODE)
      copy_node (element, child);
    else if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE)
             && child->content != NULL)
      g_string_append (text, (const char *)child->content);
  }
  if (element->children != NULL)
    g_string_assign (text, g_strstrip (text->str));
  if (text->str[0] != '\0')
    xml_element_set_text (element, text->str);
  return element;
}

XmlElement *
xml_element_add_parsed (XmlElement *parent, const char *xml)
{
  xmlDoc *document = parse_verbatim (xml);
  xmlNode *root = document != NULL ? xmlDocGetRootElement (document) : NULL;
  XmlElement *element = root != NULL ? copy_node (parent, root) : NULL;

  xmlFreeDoc (document);
  return element;
}

void
xml_element_unset (XmlElement *element, const char *attribute)
{
  for (guint i = 0; element->attributes != NULL && i < element->attributes->len; i++) {
    if (g_str_equal (g_array_index (element->attributes, Attribute, i).name, attribute))
      g_array_remove_index (element->attributes, i--);
  }
  if (element->attributes != NULL && element->attributes->len == 0)
    g_clear_pointer (&element->attributes, g_array_unref);
}

/*
 * Only a parser can tell indentation from text that means something, so the element is read once more and
 * written by libxml2 at its new depth. That is also how libvirt writes such elements, double quotes and all.
 */
static void
append_verbatim (GString *out, const char *xml, guint level)
{
  xmlDoc *document = parse_verbatim (xml);
  xmlBuffer *buffer;

  append_indent (out, level);
  if (document == NULL || xmlDocGetRootElement (document) == NULL) {
    g_string_append (out, xml);
  } else {
    buffer = xmlBufferCreate ();
    xmlNodeDump (buffer, document, xmlDocGetRootElement (document), (int)level, 1);
    g_string_append (out, (const char *)xmlBufferContent (buffer));
    xmlBufferFree (buffer);
  }
  g_string_append_c (out, '\n');
  if (document != NULL)
    xmlFreeDoc (document);
}

/* Is the line break at @at one of the layout? A text's own stands after a text or before one; and one alone
 * between a start tag and its end tag is the element's text. */
static gboolean
is_layout (const char *xml, const char *at, gboolean after_start)
{
  const char *next = at + 1 + strspn (at + 1, " ");

  if (*next != '<')
    return FALSE;
  return next[1] != '/' || (at > xml && at[-1] == '>' && !after_start);
}

/* What this writer wrote has one layout, so that lines are indented with no parser: this is what a thousand
 * documents of snapshots cost. */
static void
append_written (GString *out, const char *xml, guint level)
{
  gboolean after_start = FALSE;
  const char *line = xml;

  append_indent (out, level);
  for (const char *at = xml; (at = strpbrk (at, "<\n")) != NULL; at++) {
    if (*at == '<') {
      const char *end = strchr (at, '>');

      after_start = at[1] != '/' && end != NULL && end[-1] != '/';
    } else if (at[1] != '\0' && is_layout (xml, at, after_start)) {
      g_string_append_len (out, line, at + 1 - line);
      append_indent (out, level);
      line = at + 1;
    }
  }
  g_string_append (out, line);
  if (out->str[out->len - 1] != '\n')
    g_string_append_c (out, '\n');
}

static void
append_start (GString *out, const XmlElement *element)
{
  g_string_append_printf (out, "<%s", element->name);
  for (guint i = 0; element->attributes != NULL && i < element->attributes->len; i++) {
    const Attribute *attribute = &g_array_index (element->attributes, Attribute, i);

    g_string_append_printf (out, " %s='", attribute->name);
    append_escaped (out, attribute->value, TRUE);
    g_string_append_c (out, '\'');
  }
}

static void
append_element (GString *out, const XmlElement *element, guint level)
{
  if (element->verbatim != NULL) {
    append_verbatim (out, element->verbatim, level);
    return;
  }
  if (element->written != NULL) {
    append_written (out, element->written, level);
    return;
  }

  append_indent (out, level);
  append_start (out, element);
  if (element->text == NULL && element->children == NULL && !element->open) {
    g_string_append (out, "/>\n");
    return;
  }
  g_string_append_c (out, '>');
  if (element->text != NULL)
    append_escaped (out, element->text, FALSE);
  if (element->children != NULL || (element->open && element->text == NULL)) {
    g_string_append_c (out, '\n');
    for (guint i = 0; element->children != NULL && i < element->children->len; i++)
      append_element (out, g_ptr_array_index (element->children, i), level + 1);
    append_indent (out, level);
  }
  g_string_append_printf (out, "</%s>\n", element->name);
}

char *
xml_element_to_string (const XmlElement *element)
{
  GString *out = g_string_new (NULL);

  append_element (out, element, 0);
  return g_string_free (out, FALSE);
}

char *
xml_normalize (const char *xml)
{
  g_autoptr (XmlElement) parent = xml_element_new ("parent");
  XmlElement *element = xml_element_add_parsed (parent, xml);

  return element != NULL ? xml_element_to_string (element) : g_strdup (xml);
}
