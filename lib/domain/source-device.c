/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's document is theirs, comments, order and all, and often lives in git. So a device that a client
 * attaches, detaches or updates in the definition is edited in it and nothing else: the change in git is the
 * change that was made. The element of a device is found by what it says, with the same rules by which a
 * client's description of a device is matched, since a document does not say what completion chose.
 */
#include "domain/source-device.h"

#include "document/source-edit-private.h"
#include "domain/device-match.h"

#include <string.h>

#define DEVICE_INDENT "    "

typedef struct {
  const char *text;
  XmlDocument *document;
  xmlNode *devices; /* NULL when it has none */
} Source;

static void
source_clear (Source *source)
{
  g_clear_pointer (&source->document, xml_document_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

static gboolean
source_read (Source *source, const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  source->text = text;
  source->document = g_utf8_validate (text, -1, NULL) ? xml_document_parse (text, -1, diagnostics) : NULL;
  if (source->document == NULL)
    return FALSE;
  source->devices = source_find_child (xml_document_root (source->document), "devices");
  return source->devices != NULL;
}

/* The '<' of an element; NULL when the scan and the reader do not agree. */
static const char *
element_start (const Source *source, const xmlNode *element)
{
  const char *start = source_byte_at (source->text, xml_document_node_position (source->document, element));

  if (start == NULL || *start != '<' || !g_str_has_prefix (start + 1, (const char *)element->name))
    return NULL;
  return start;
}

/* The edited text, when it is still a document. Takes @edited. */
static char *
checked (char *edited)
{
  g_autofree char *text = edited;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = text != NULL ? xml_document_parse (text, -1, diagnostics) : NULL;

  return document != NULL ? g_steal_pointer (&text) : NULL;
}

/* The element of a client's text alone, its lines moved to @indent. (transfer full) */
static char *
indented_element (const char *xml, const char *indent)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document =
      g_utf8_validate (xml, -1, NULL) ? xml_document_parse (xml, -1, diagnostics) : NULL;
  const char *start =
      document != NULL
          ? source_byte_at (xml, xml_document_node_position (document, xml_document_root (document)))
          : NULL;
  g_autofree char *element = NULL;
  g_auto (GStrv) lines = NULL;
  gsize common;
  GString *text;

  if (start == NULL || *start != '<')
    return NULL;
  element = g_strndup (start, (gsize)(source_skip_element (start) - start));
  lines = g_strsplit (element, "\n", -1);
  /* The closing tag stands where the first did. */
  common = strspn (lines[g_strv_length (lines) - 1], " \t");
  text = g_string_new (lines[0]);
  for (guint i = 1; lines[i] != NULL; i++) {
    gsize space = strspn (lines[i], " \t");

    g_string_append_printf (text, "\n%s%s", indent, lines[i] + MIN (space, common));
  }
  return g_string_free (text, FALSE);
}

/* How far the devices of the document stand in. (transfer full) */
static char *
device_indent (const Source *source)
{
  for (xmlNode *child = source->devices->children; child != NULL; child = child->next) {
    const char *start = child->type == XML_ELEMENT_NODE ? element_start (source, child) : NULL;
    const char *line = start != NULL ? source_line_start (source->text, start) : NULL;

    if (line != NULL && *line == '\n')
      return g_strndup (line + 1, (gsize)(start - line - 1));
  }
  return g_strdup (DEVICE_INDENT);
}

/* "<devices/>", or "<devices>" with white space only: made anew. */
static char *
add_first (const Source *source, const char *start, const char *element)
{
  const char *line = source_line_start (source->text, start);
  g_autofree char *outer = *line == '\n' ? g_strndup (line, (gsize)(start - line)) : g_strdup ("\n");
  g_autofree char *text = g_strconcat ("<devices>", outer, "  ", element, outer, "</devices>", NULL);

  return source_exchange (source->text, start, source_skip_element (start), text);
}

char *
source_add_device (const char *text, const char *xml)
{
  g_auto (Source) source = { 0 };
  g_autofree char *indent = NULL, *element = NULL, *addition = NULL;
  const char *start, *end, *line;

  if (!source_read (&source, text) || (start = element_start (&source, source.devices)) == NULL)
    return NULL;
  indent = device_indent (&source);
  element = indented_element (xml, indent);
  if (element == NULL)
    return NULL;
  end = source_skip_element (start);
  while (end > start && *end != '<')
    end--;
  if (end == start)
    return checked (add_first (&source, start, element));

  line = source_line_start (text, end);
  addition = *line == '\n' ? g_strconcat ("\n", indent, element, NULL) : g_strdup (element);
  return checked (source_exchange (text, line, line, addition));
}

static Device *
read_element (const Source *source, xmlNode *element, const DeviceKind *kind)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { source->document, diagnostics, map, TRUE };
  Device *device = device_new (kind);

  device_read (&reader, device, element);
  return device;
}

/* The element that means @device, or else the last that says nothing untrue of it: like devices are
 * interchangeable. */
static xmlNode *
find_element (const Source *source, const DomainDef *def, const Device *device)
{
  xmlNode *found = NULL;

  for (xmlNode *child = source->devices->children; child != NULL; child = child->next) {
    Device *said;
    gboolean means, fits;

    if (child->type != XML_ELEMENT_NODE || !g_str_equal ((const char *)child->name, device->kind->element))
      continue;
    said = read_element (source, child, device->kind);
    means = device_match (def, said, NULL) == device;
    fits = device_difference (said, device, NULL) == NULL;
    device_free (said);
    if (means)
      return child;
    if (fits)
      found = child;
  }
  return found;
}

char *
source_remove_device (const char *text, const DomainDef *def, const Device *device)
{
  g_auto (Source) source = { 0 };
  xmlNode *element;
  const char *start;

  if (!source_read (&source, text))
    return NULL;
  element = find_element (&source, def, device);
  if (element == NULL)
    return g_strdup (text);
  start = element_start (&source, element);
  if (start == NULL)
    return NULL;
  return checked (source_exchange (text, source_line_start (text, start), source_skip_element (start), ""));
}

char *
source_replace_device (const char *text, const DomainDef *def, const Device *device, const char *xml)
{
  g_auto (Source) source = { 0 };
  g_autofree char *indent = NULL, *replacement = NULL;
  xmlNode *element;
  const char *start;

  if (!source_read (&source, text))
    return NULL;
  element = find_element (&source, def, device);
  if (element == NULL)
    return source_add_device (text, xml);
  indent = device_indent (&source);
  replacement = indented_element (xml, indent);
  start = element_start (&source, element);
  if (start == NULL || replacement == NULL)
    return NULL;
  return checked (source_exchange (text, start, source_skip_element (start), replacement));
}

static char *
in_one_line (const char *xml)
{
  g_auto (GStrv) lines = g_strsplit (xml, "\n", -1);

  for (char **line = lines; *line != NULL; line++)
    g_strstrip (*line);
  return g_strjoinv ("", lines);
}

/* Before the end of @element, in a line of its own where its other children have one. */
static char *
add_child (const Source *source, xmlNode *element, const char *replacement)
{
  const char *start = element_start (source, element), *end, *line;
  g_autofree char *outer = NULL, *text = NULL;

  end = start != NULL ? source_skip_element (start) : NULL;
  if (end == NULL || end - start < 2 || end[-2] == '/')
    return NULL;
  while (end > start && *end != '<')
    end--;
  line = source_line_start (source->text, end);
  if (*line != '\n') {
    text = in_one_line (replacement);
    return source_exchange (source->text, end, end, text);
  }
  outer = g_strndup (line, (gsize)(end - line));
  text = g_strconcat (outer, "  ", NULL);
  g_autofree char *indented = indented_element (replacement, text + 1);
  g_autofree char *addition = indented != NULL ? g_strconcat (text, indented, NULL) : NULL;
  return addition != NULL ? source_exchange (source->text, line, line, addition) : NULL;
}

char *
source_edit_device (const char *text, const DomainDef *def, const Device *device, const char *child,
                    const char *replacement)
{
  g_auto (Source) source = { 0 };
  xmlNode *element, *old;
  const char *start, *line;

  if (!source_read (&source, text) || (element = find_element (&source, def, device)) == NULL)
    return NULL;
  old = source_find_child (element, child);
  if (old == NULL)
    return replacement != NULL ? checked (add_child (&source, element, replacement)) : g_strdup (text);
  start = element_start (&source, old);
  if (start == NULL)
    return NULL;
  line = source_line_start (text, start);
  if (replacement == NULL)
    return checked (source_exchange (text, line, source_skip_element (start), ""));
  g_autofree char *indent = *line == '\n' ? g_strndup (line + 1, (gsize)(start - line - 1)) : g_strdup ("");
  g_autofree char *indented = indented_element (replacement, indent);
  if (indented == NULL)
    return NULL;
  return checked (source_exchange (text, start, source_skip_element (start), indented));
}
