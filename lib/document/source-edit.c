/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Editing a document that is someone's own: the reader says where an element begins, a small scan of tags
 * finds its end, and only the bytes between are exchanged. The result is read again before it is given out,
 * so that a document this cannot cope with (an unusual encoding) is refused and not spoilt.
 */
#include "document/source-edit-private.h"

#include "base/xml-document.h"

#include <string.h>

static const char *const order[] = { "name",
                                     "uuid",
                                     "genid",
                                     "title",
                                     "description",
                                     "metadata",
                                     "maxMemory",
                                     "memory",
                                     "currentMemory",
                                     "memoryBacking",
                                     "blkiotune",
                                     "memtune",
                                     "vcpu",
                                     "vcpus",
                                     "iothreads",
                                     "iothreadids",
                                     "defaultiothread",
                                     "throttlegroups",
                                     "cputune",
                                     "numatune",
                                     "resource",
                                     "sysinfo",
                                     "bootloader",
                                     "os",
                                     "idmap",
                                     "features",
                                     "cpu",
                                     "clock",
                                     "on_poweroff",
                                     "on_reboot",
                                     "on_crash",
                                     "on_lockfailure",
                                     "pm",
                                     "perf" };

static const char *
skip_past (const char *text, const char *end)
{
  const char *found = strstr (text, end);

  return found != NULL ? found + strlen (end) : text + strlen (text);
}

/* Past the '>' of the tag that begins at @text; quotes may hide one. */
static const char *
skip_tag (const char *text)
{
  char quote = '\0';

  for (; *text != '\0'; text++)
    if (quote != '\0')
      quote = *text == quote ? '\0' : quote;
    else if (*text == '"' || *text == '\'')
      quote = *text;
    else if (*text == '>')
      return text + 1;
  return text;
}

/* Past the end of the element whose '<' is at @text. The document is well-formed: the reader has said so. */
const char *
source_skip_element (const char *text)
{
  guint depth = 0;

  while (*text != '\0') {
    if (*text != '<') {
      text++;
    } else if (g_str_has_prefix (text, "<!--")) {
      text = skip_past (text, "-->");
    } else if (g_str_has_prefix (text, "<![CDATA[")) {
      text = skip_past (text, "]]>");
    } else if (text[1] == '?') {
      text = skip_past (text, "?>");
    } else {
      gboolean closing = text[1] == '/';

      text = skip_tag (text);
      if (!closing && text[-2] != '/')
        depth++;
      else if (closing)
        depth--;
      if (depth == 0)
        return text;
    }
  }
  return text;
}

/* The byte at a place of the reader's: lines from 1, columns in characters. NULL when it lies outside. */
const char *
source_byte_at (const char *source, Position where)
{
  for (guint line = 1; line < where.line; line++) {
    source = strchr (source, '\n');
    if (source == NULL)
      return NULL;
    source++;
  }
  for (guint column = 1; column < where.column; column++) {
    if (*source == '\0')
      return NULL;
    source = g_utf8_next_char (source);
  }
  return source;
}

xmlNode *
source_find_child (xmlNode *root, const char *name)
{
  for (xmlNode *child = root->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && child->ns == NULL && g_str_equal (child->name, name))
      return child;
  return NULL;
}

/* The white space in front of @place, back to and with the line's beginning. */
const char *
source_line_start (const char *source, const char *place)
{
  while (place > source && (place[-1] == ' ' || place[-1] == '\t'))
    place--;
  return place > source && place[-1] == '\n' ? place - 1 : place;
}

char *
source_exchange (const char *source, const char *from, const char *to, const char *text)
{
  g_autofree char *before = g_strndup (source, (gsize)(from - source));

  return g_strconcat (before, text, to, NULL);
}

/* Behind the last of those that come before it, indented like it. */
static char *
add_element (XmlDocument *document, const char *source, const char *element, const char *replacement)
{
  xmlNode *root = xml_document_root (document), *before = NULL;
  const char *place;
  g_autofree char *indent = NULL, *text = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (order) && !g_str_equal (order[i], element); i++) {
    xmlNode *child = source_find_child (root, order[i]);

    before = child != NULL ? child : before;
  }
  place = source_byte_at (source, xml_document_node_position (document, before != NULL ? before : root));
  if (place == NULL || *place != '<')
    return NULL;
  if (before == NULL) {
    place = skip_tag (place);
    indent = g_strdup ("\n  ");
  } else {
    const char *line = source_line_start (source, place);

    indent = g_strndup (line, (gsize)(place - line));
    place = source_skip_element (place);
  }
  text = g_strconcat (indent, replacement, NULL);
  return source_exchange (source, place, place, text);
}

static char *
edit (XmlDocument *document, const char *source, const char *element, const char *replacement)
{
  xmlNode *child = source_find_child (xml_document_root (document), element);
  const char *start;

  if (child == NULL)
    return replacement != NULL ? add_element (document, source, element, replacement) : g_strdup (source);
  start = source_byte_at (source, xml_document_node_position (document, child));
  if (start == NULL || *start != '<' || !g_str_has_prefix (start + 1, element))
    return NULL;
  if (replacement != NULL)
    return source_exchange (source, start, source_skip_element (start), replacement);
  return source_exchange (source, source_line_start (source, start), source_skip_element (start), "");
}

char *
source_edit (const char *source, const char *element, const char *replacement, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (source, -1, diagnostics);
  g_autoptr (XmlDocument) check = NULL;
  g_autofree char *edited = document != NULL && g_utf8_validate (source, -1, NULL)
                                ? edit (document, source, element, replacement)
                                : NULL;

  if (edited != NULL)
    check = xml_document_parse (edited, -1, diagnostics);
  if (check != NULL
      && (source_find_child (xml_document_root (check), element) != NULL) == (replacement != NULL))
    return g_steal_pointer (&edited);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                  "<%s> cannot be changed inside the document; define the changed document instead", element);
  return NULL;
}
