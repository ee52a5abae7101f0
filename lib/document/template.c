/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Rendering. Values first, in each file's own text and line by line, so that places stay; then the elements
 * that include are found by the reader and exchanged for the bytes of what they name. No bytes are written
 * anew, so what comes out is what people wrote, and each line of it is known to be some file's.
 */
#include "document/template.h"

#include "base/xml-document.h"
#include "document/source-edit-private.h"

#include <string.h>

#define XINCLUDE_NAMESPACE "http://www.w3.org/2001/XInclude"

typedef struct {
  const TemplateSource *source;
  GString *text;
  GPtrArray *files;
  GArray *lines;
  guint includes, depth;
} Render;

void
rendering_free (Rendering *rendering)
{
  if (rendering == NULL)
    return;
  g_free (rendering->text);
  g_ptr_array_unref (rendering->files);
  g_array_unref (rendering->lines);
  g_free (rendering);
}

const char *
rendering_origin (const Rendering *rendering, guint line, guint *ret_line)
{
  const TemplateLine *origin;

  *ret_line = line;
  if (line == 0 || line > rendering->lines->len)
    return g_ptr_array_index (rendering->files, 0);
  origin = &g_array_index (rendering->lines, TemplateLine, line - 1);
  *ret_line = origin->line;
  return g_ptr_array_index (rendering->files, origin->file);
}

/* Has the last line nothing but its indentation yet? */
static gboolean
is_blank_line (const GString *text)
{
  gsize at = text->len;

  while (at > 0 && (text->str[at - 1] == ' ' || text->str[at - 1] == '\t'))
    at--;
  return at == 0 || text->str[at - 1] == '\n';
}

/* Text of file number @file from its line @line on; *@line is that of what follows. */
static void
append (Render *render, const char *text, gsize length, guint file, guint *line)
{
  if (is_blank_line (render->text) && length > 0)
    g_array_index (render->lines, TemplateLine, render->lines->len - 1) = (TemplateLine){ file, *line };
  g_string_append_len (render->text, text, (gssize)length);
  for (gsize i = 0; i < length; i++)
    if (text[i] == '\n') {
      TemplateLine next = { file, ++*line };

      g_array_append_val (render->lines, next);
    }
}

/* Values. */

typedef struct {
  const char *start, *at;
  guint line;
  const char *line_start;
} Cursor;

static Position
place_of (const Cursor *cursor, const char *at)
{
  return (Position){ cursor->line, (guint)g_utf8_strlen (cursor->line_start, at - cursor->line_start) + 1 };
}

static gboolean
is_name (const char *name, gsize length)
{
  if (length == 0 || g_ascii_isdigit (name[0]))
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("_-.", name[i]) == NULL)
      return FALSE;
  return TRUE;
}

static gboolean
check_value (const Cursor *cursor, const char *name, const char *value, Diagnostics *diagnostics)
{
  if (strlen (value) <= TEMPLATE_VALUE_MAX && strchr (value, '\n') == NULL
      && g_utf8_validate (value, -1, NULL))
    return TRUE;
  diagnostics_error (diagnostics, place_of (cursor, cursor->at), VIR_ERR_XML_ERROR,
                     "the value of '%s' is not one line of text of at most %d bytes", name,
                     TEMPLATE_VALUE_MAX);
  return FALSE;
}

/* The value at @cursor, which is at "${", into @text; past its end. */
static const char *
add_value (const TemplateSource *source, const Cursor *cursor, GString *text, Diagnostics *diagnostics)
{
  const char *name_start = cursor->at + strlen ("${");
  const char *end = strchr (name_start, '}');
  const char *line_end = strchrnul (name_start, '\n');
  const char *rest = end != NULL ? g_strstr_len (name_start, end - name_start, ":-") : NULL;
  g_autofree char *name = NULL, *otherwise = NULL, *escaped = NULL;
  const char *value;

  if (end == NULL || end > line_end) {
    diagnostics_error (diagnostics, place_of (cursor, cursor->at), VIR_ERR_XML_ERROR,
                       "'${' without a '}' on its line; '$${' stands for '${' itself");
    return name_start;
  }
  name = g_strndup (name_start, (gsize)((rest != NULL ? rest : end) - name_start));
  otherwise = rest != NULL ? g_strndup (rest + 2, (gsize)(end - rest - 2)) : NULL;
  if (!is_name (name, strlen (name))) {
    diagnostics_error (diagnostics, place_of (cursor, cursor->at), VIR_ERR_XML_ERROR,
                       "'%s' is no name of a value: letters, digits, '_', '-' and '.' are", name);
    return end + 1;
  }
  value = source->value (name, source->data);
  if (value == NULL && otherwise != NULL) {
    g_string_append (text, otherwise); /* the document's own */
  } else if (value == NULL) {
    diagnostics_error (diagnostics, place_of (cursor, cursor->at), VIR_ERR_XML_ERROR,
                       "the value '%s' is not set, and has no default: ${%s:-DEFAULT}", name, name);
  } else if (check_value (cursor, name, value, diagnostics)) {
    escaped = g_markup_escape_text (value, -1);
    g_string_append (text, escaped);
  }
  return end + 1;
}

/* @text with its values; comments are left alone. (transfer full) */
static char *
fill_values (const TemplateSource *source, const char *text, Diagnostics *diagnostics)
{
  GString *filled = g_string_sized_new (strlen (text));
  Cursor cursor = { text, text, 1, text };

  while (*cursor.at != '\0') {
    const char *next = cursor.at + 1;

    if (g_str_has_prefix (cursor.at, "<!--")) {
      const char *end = strstr (cursor.at, "-->");

      next = end != NULL ? end : cursor.at + strlen (cursor.at);
      g_string_append_len (filled, cursor.at, next - cursor.at);
    } else if (g_str_has_prefix (cursor.at, "$${")) {
      g_string_append (filled, "${");
      next = cursor.at + strlen ("$${");
    } else if (g_str_has_prefix (cursor.at, "${")) {
      next = add_value (source, &cursor, filled, diagnostics);
    } else {
      g_string_append_c (filled, *cursor.at);
    }
    for (const char *c = cursor.at; c < next; c++)
      if (*c == '\n') {
        cursor.line++;
        cursor.line_start = c + 1;
      }
    cursor.at = next;
  }
  return g_string_free (filled, FALSE);
}

/* Includes. */

static gboolean
is_include (const xmlNode *node)
{
  return node->type == XML_ELEMENT_NODE && node->ns != NULL
         && xmlStrEqual (node->ns->href, BAD_CAST XINCLUDE_NAMESPACE)
         && xmlStrEqual (node->name, BAD_CAST "include");
}

/* In the document's order. */
static void
find_includes (xmlNode *element, GPtrArray *found)
{
  if (is_include (element)) {
    g_ptr_array_add (found, element);
    return;
  }
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      find_includes (child, found);
}

static void
select_path (xmlNode *element, char **words, GPtrArray *selected)
{
  if (!g_str_equal (words[0], "*") && !xmlStrEqual (element->name, BAD_CAST words[0]))
    return;
  if (words[1] == NULL) {
    g_ptr_array_add (selected, element);
    return;
  }
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      select_path (child, words + 1, selected);
}

/* The elements that @pointer names: "xpointer(/base/devices/ *)", NULL: the root. FALSE: it cannot be read.
 */
static gboolean
select_elements (xmlNode *root, const char *pointer, GPtrArray *selected)
{
  g_autofree char *path = NULL;
  g_auto (GStrv) words = NULL;

  if (pointer == NULL) {
    g_ptr_array_add (selected, root);
    return TRUE;
  }
  if (!g_str_has_prefix (pointer, "xpointer(/") || !g_str_has_suffix (pointer, ")"))
    return FALSE;
  path = g_strndup (pointer + strlen ("xpointer(/"), strlen (pointer) - strlen ("xpointer(/)"));
  words = g_strsplit (path, "/", TEMPLATE_DEPTH_MAX);
  for (guint i = 0; words[i] != NULL; i++)
    if (!g_str_equal (words[i], "*") && !is_name (words[i], strlen (words[i])))
      return FALSE;
  if (words[0] == NULL)
    return FALSE;
  select_path (root, words, selected);
  return TRUE;
}

static guint
add_file (Render *render, const char *file)
{
  guint index;

  if (g_ptr_array_find_with_equal_func (render->files, file, g_str_equal, &index))
    return index;
  g_ptr_array_add (render->files, g_strdup (file));
  return render->files->len - 1;
}

/* The whole of one file, its includes exchanged. Its lines are known by themselves. NULL with mistakes. */
static Rendering *render_file (Render *outer, const char *file, const char *text, Diagnostics *diagnostics);

/* Append what is between two bytes of what an included file became. */
static void
append_part (Render *render, const Rendering *part, const char *from, const char *to)
{
  guint line = 1;

  for (const char *c = part->text; c < from; c++)
    line += *c == '\n';
  while (from < to) {
    const char *end = memchr (from, '\n', (gsize)(to - from));
    gsize length = (gsize)((end != NULL ? end + 1 : to) - from);
    guint own;
    const char *file = rendering_origin (part, line++, &own);

    append (render, from, length, add_file (render, file), &own);
    from += length;
  }
}

/* A line for each element. */
static void
append_break (Render *render)
{
  TemplateLine next = g_array_index (render->lines, TemplateLine, render->lines->len - 1);

  g_string_append_c (render->text, '\n');
  g_array_append_val (render->lines, next);
}

static gboolean
append_elements (Render *render, const Rendering *part, const char *pointer, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (part->text, -1, diagnostics);
  g_autoptr (GPtrArray) selected = g_ptr_array_new ();

  if (document == NULL)
    return FALSE;
  if (!select_elements (xml_document_root (document), pointer, selected) || selected->len == 0) {
    diagnostics_error (
        diagnostics, (Position){ 0, 0 }, VIR_ERR_XML_ERROR,
        "xpointer '%s' names nothing here: a path such as 'xpointer(/base/devices/*)' is needed", pointer);
    return FALSE;
  }
  for (guint i = 0; i < selected->len; i++) {
    Position where = xml_document_node_position (document, g_ptr_array_index (selected, i));
    const char *from = source_byte_at (part->text, where);

    if (from == NULL)
      continue;
    if (i > 0)
      append_break (render);
    append_part (render, part, from, source_skip_element (from));
  }
  return TRUE;
}

static gboolean
append_text (Render *render, const char *file, const char *text)
{
  g_autofree char *stripped = g_strchomp (g_strdup (text));
  g_autofree char *escaped = g_markup_escape_text (stripped, -1);
  guint line = 1;

  append (render, escaped, strlen (escaped), add_file (render, file), &line);
  return TRUE;
}

/* Those of an included file are told where it is included, a line each. */
static void
set_inner_mistakes (const Diagnostics *inner, GError **error)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  for (guint i = 0; i < diagnostics_count (inner); i++) {
    const Diagnostic *mistake = diagnostics_get (inner, i);

    g_string_append_printf (lines, "%s%s:%u:%u: %s", i > 0 ? "\n" : "", diagnostics_file_name (inner),
                            mistake->where.line, mistake->where.column, mistake->message);
  }
  g_set_error_literal (error, VIRT_ERROR, VIR_ERR_XML_ERROR, lines->str);
}

static gboolean
load_and_append (Render *render, const xmlNode *include, const char *file, GError **error)
{
  g_autofree char *href = xml_node_attribute (include, "href"),
                  *parse = xml_node_attribute (include, "parse");
  g_autofree char *pointer = xml_node_attribute (include, "xpointer"), *name = NULL, *text = NULL;
  g_autoptr (Rendering) part = NULL;
  g_autoptr (Diagnostics) inner = NULL;
  gboolean done;

  if (href == NULL || href[0] == '\0') {
    g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR, "an include needs an 'href': a file beside it");
    return FALSE;
  }
  if (++render->includes > TEMPLATE_INCLUDES_MAX || render->depth >= TEMPLATE_DEPTH_MAX) {
    g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR,
                 "'%s' is not included: a document can include %d files, %d in one another", href,
                 TEMPLATE_INCLUDES_MAX, TEMPLATE_DEPTH_MAX);
    return FALSE;
  }
  text = render->source->load (file, href, &name, render->source->data, error);
  if (text == NULL)
    return FALSE;
  if (g_strcmp0 (parse, "text") == 0)
    return append_text (render, name, text);
  inner = diagnostics_new (name);
  part = render_file (render, name, text, inner);
  done = part != NULL && append_elements (render, part, pointer, inner);
  if (!done)
    set_inner_mistakes (inner, error);
  return done;
}

static void
exchange_includes (Render *render, const char *file, const char *text, XmlDocument *document,
                   Diagnostics *diagnostics)
{
  g_autoptr (GPtrArray) includes = g_ptr_array_new ();
  guint number = add_file (render, file), line = 1;
  const char *at = text;

  find_includes (xml_document_root (document), includes);
  for (guint i = 0; i < includes->len; i++) {
    const xmlNode *include = g_ptr_array_index (includes, i);
    Position where = xml_document_node_position (document, include);
    const char *from = source_byte_at (text, where);
    const char *to = from != NULL ? source_skip_element (from) : NULL;
    g_autoptr (GError) error = NULL;

    if (from == NULL || render->text->len > XML_MAX_BYTES)
      break;
    append (render, at, (gsize)(from - at), number, &line);
    if (!load_and_append (render, include, file, &error))
      diagnostics_error (diagnostics, where, VIR_ERR_XML_ERROR, "%s", error->message);
    for (const char *c = from; c < to; c++)
      line += *c == '\n';
    at = to;
  }
  append (render, at, strlen (at), number, &line);
  if (render->text->len > XML_MAX_BYTES)
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_XML_ERROR,
                       "with all that it includes the document has more than %d bytes", XML_MAX_BYTES);
}

static Rendering *
render_file (Render *outer, const char *file, const char *text, Diagnostics *diagnostics)
{
  g_autofree char *filled = fill_values (outer->source, text, diagnostics);
  g_autoptr (XmlDocument) document = NULL;
  TemplateLine first = { 0, 1 };
  Render render = { outer->source,
                    g_string_new (NULL),
                    g_ptr_array_new_with_free_func (g_free),
                    g_array_new (FALSE, FALSE, sizeof (TemplateLine)),
                    outer->includes,
                    outer->depth + 1 };
  g_autoptr (Rendering) rendering = g_new0 (Rendering, 1);
  guint line = 1;

  g_array_append_val (render.lines, first);
  add_file (&render, file);
  if (strstr (filled, XINCLUDE_NAMESPACE) != NULL) {
    document = xml_document_parse (filled, -1, diagnostics);
    if (document != NULL)
      exchange_includes (&render, file, filled, document, diagnostics);
  } else {
    append (&render, filled, strlen (filled), 0, &line);
  }
  outer->includes = render.includes;
  *rendering = (Rendering){ g_string_free (render.text, FALSE), render.files, render.lines };
  return diagnostics_has_errors (diagnostics) ? NULL : g_steal_pointer (&rendering);
}

Rendering *
template_render (const TemplateSource *source, const char *file, const char *text, Diagnostics *diagnostics)
{
  Render none = { .source = source };

  return render_file (&none, file, text, diagnostics);
}
