/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The exchange of values in a definition and in the document it was made from. The document is the user's:
 * so each value is exchanged where it stands, and comments, order and spelling of all else stay. Which
 * elements hold a value is said by one table; a value that is not among those that change is passed over.
 */
#include "bundle/import-source.h"

#include "document/source-edit-private.h"
#include "domain/devices/disk.h"
#include "domain/devices/interface.h"

#include <string.h>

#define EDITS_MAX 1024

/* The definition. */

/* Takes the place of *@path where it is one that changes. */
static gboolean
exchange (GHashTable *values, char **path)
{
  const char *other = *path != NULL ? g_hash_table_lookup (values, *path) : NULL;

  if (other == NULL)
    return FALSE;
  g_free (*path);
  *path = g_strdup (other);
  return TRUE;
}

static void
exchange_source (GHashTable *paths, int *type, char **file, char **dev)
{
  exchange (paths, file);
  if (!exchange (paths, dev))
    return;
  g_free (*file);
  *file = g_steal_pointer (dev);
  *type = DISK_TYPE_FILE;
}

static void
exchange_address (GHashTable *addresses, DeviceInterface *interface)
{
  g_autofree char *lower = interface->mac != NULL ? g_ascii_strdown (interface->mac, -1) : NULL;
  const char *other = lower != NULL ? g_hash_table_lookup (addresses, lower) : NULL;

  if (other == NULL)
    return;
  g_free (interface->mac);
  interface->mac = g_strdup (other);
}

static void
set_text (char **place, const char *text)
{
  if (text == NULL)
    return;
  g_free (*place);
  *place = g_strdup (text);
}

void
import_values_set (const ImportValues *values, DomainDef *def)
{
  char **const files[] = { &def->os.kernel, &def->os.initrd, &def->os.dtb, &def->os.nvram };

  set_text (&def->name, values->name);
  set_text (&def->uuid, values->uuid);
  if (def->genid != NULL)
    set_text (&def->genid, values->genid);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    exchange (values->paths, files[i]);
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    exchange_source (values->paths, &disk->type, &disk->file, &disk->dev);
    for (DiskBacking *below = disk->backing; below != NULL; below = below->backing)
      exchange_source (values->paths, &below->type, &below->file, &below->dev);
  }
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    exchange_address (values->addresses, interface);
  }
}

/* The document. */

typedef struct {
  const char *from, *to; /* in the text */
  char *text;
} Edit;

typedef struct {
  const ImportValues *values;
  const char *text;
  XmlDocument *document;
  GArray *edits; /* Edit, in the text's order */
  gboolean failed;
  Position where; /* of the last place asked for, ... */
  const char *at; /* ... which is here: those asked for next are mostly behind it */
} Editing;

static void
edit_clear (gpointer data)
{
  g_free (((Edit *)data)->text);
}

static void
add_edit (Editing *editing, const char *from, const char *to, const char *value)
{
  Edit edit = { from, to, NULL };

  if (from == NULL || to == NULL || to < from || editing->edits->len >= EDITS_MAX) {
    editing->failed = TRUE;
    return;
  }
  edit.text = g_markup_escape_text (value, -1);
  g_array_append_val (editing->edits, edit);
}

static const char *
byte_at (Editing *editing, Position where)
{
  Position further = where;

  if (editing->at == NULL || position_compare (where, editing->where) < 0) {
    editing->at = editing->text;
    editing->where = (Position){ 1, 1 };
  }
  /* On the line it is on the column counts from there. */
  further.line -= editing->where.line - 1;
  if (further.line == 1)
    further.column -= editing->where.column - 1;
  editing->at = source_byte_at (editing->at, further);
  editing->where = where;
  return editing->at;
}

/* The end of the start tag whose '<' is at @at, and its last character; NULL when it has none. */
static const char *
end_of_start_tag (const char *at)
{
  char quote = '\0';

  for (; *at != '\0'; at++) {
    if (quote != '\0')
      quote = *at == quote ? '\0' : quote;
    else if (*at == '\'' || *at == '"')
      quote = *at;
    else if (*at == '>')
      return at;
  }
  return NULL;
}

/* All between the tags of an element that holds text alone. */
static void
edit_text (Editing *editing, xmlNode *element, const char *value)
{
  const char *start = byte_at (editing, xml_document_node_position (editing->document, element));
  const char *tag = start != NULL && *start == '<' ? end_of_start_tag (start) : NULL;
  const char *end = tag != NULL ? strchr (tag, '<') : NULL;

  if (end == NULL || tag[-1] == '/' || end[1] != '/')
    editing->failed = TRUE;
  else
    add_edit (editing, tag + 1, end, value);
}

/* Between the quotes of an attribute; @name: its new name, or NULL. */
static void
edit_attribute (Editing *editing, xmlNode *element, const char *attribute, const char *name,
                const char *value)
{
  const xmlAttr *found = xmlHasProp (element, BAD_CAST attribute);
  const char *start =
      found != NULL ? byte_at (editing, xml_document_attribute_position (editing->document, found)) : NULL;
  const char *quote = start != NULL && g_str_has_prefix (start, attribute) ? strpbrk (start, "'\"") : NULL;
  const char *end = quote != NULL ? strchr (quote + 1, *quote) : NULL;

  if (end == NULL) {
    editing->failed = TRUE;
    return;
  }
  if (name != NULL)
    add_edit (editing, start, start + strlen (attribute), name);
  add_edit (editing, quote + 1, end, value);
}

static void
edit_path_text (Editing *editing, xmlNode *element)
{
  g_autofree char *path = xml_node_text (element);
  const char *other = g_hash_table_lookup (editing->values->paths, path);

  if (other != NULL)
    edit_text (editing, element, other);
}

/* <source> of a disk or an image below one; its parent says the type. */
static void
edit_source (Editing *editing, xmlNode *element)
{
  g_autofree char *file = xml_node_attribute (element, "file");
  g_autofree char *dev = xml_node_attribute (element, "dev");
  const char *other_file = file != NULL ? g_hash_table_lookup (editing->values->paths, file) : NULL;
  const char *other_dev = dev != NULL ? g_hash_table_lookup (editing->values->paths, dev) : NULL;

  if (other_file != NULL)
    edit_attribute (editing, element, "file", NULL, other_file);
  if (other_dev == NULL)
    return;
  edit_attribute (editing, element->parent, "type", NULL, "file");
  edit_attribute (editing, element, "dev", "file", other_dev);
}

static void
edit_address (Editing *editing, xmlNode *element)
{
  g_autofree char *address = xml_node_attribute (element, "address");
  g_autofree char *lower = address != NULL ? g_ascii_strdown (address, -1) : NULL;
  const char *other = lower != NULL ? g_hash_table_lookup (editing->values->addresses, lower) : NULL;

  if (other != NULL)
    edit_attribute (editing, element, "address", NULL, other);
}

static void
edit_name (Editing *editing, xmlNode *element)
{
  if (editing->values->name != NULL)
    edit_text (editing, element, editing->values->name);
}

static void
edit_uuid (Editing *editing, xmlNode *element)
{
  if (editing->values->uuid != NULL)
    edit_text (editing, element, editing->values->uuid);
}

/* One that is empty is made anew in any case. */
static void
edit_genid (Editing *editing, xmlNode *element)
{
  g_autofree char *said = xml_node_text (element);

  if (editing->values->genid != NULL && said[0] != '\0')
    edit_text (editing, element, editing->values->genid);
}

/* Which elements hold values, by the names of their parents. */
static const struct {
  const char *parent, *element;
  void (*edit) (Editing *editing, xmlNode *element);
} places[] = {
  { "domain", "name", edit_name },           { "domain", "uuid", edit_uuid },
  { "domain", "genid", edit_genid },         { "os", "kernel", edit_path_text },
  { "os", "initrd", edit_path_text },        { "os", "dtb", edit_path_text },
  { "os", "nvram", edit_path_text },         { "disk", "source", edit_source },
  { "backingStore", "source", edit_source }, { "interface", "mac", edit_address },
};

static void
edit_element (Editing *editing, xmlNode *element)
{
  if (element->ns != NULL)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (xmlStrEqual (element->parent->name, BAD_CAST places[i].parent)
        && xmlStrEqual (element->name, BAD_CAST places[i].element))
      places[i].edit (editing, element);
}

/* Every element below @root in the document's order; the reader has bounded how many and how deep. */
static void
edit_elements (Editing *editing, xmlNode *root)
{
  xmlNode *node = root;

  do {
    if (node != root && node->type == XML_ELEMENT_NODE)
      edit_element (editing, node);
    if (node->type == XML_ELEMENT_NODE && node->children != NULL
        && !xmlStrEqual (node->name, BAD_CAST "metadata")) {
      node = node->children;
      continue;
    }
    while (node != root && node->next == NULL)
      node = node->parent;
    if (node != root)
      node = node->next;
  } while (node != root);
}

static int
compare_edits (gconstpointer a, gconstpointer b)
{
  const Edit *one = a, *other = b;

  return (one->from > other->from) - (one->from < other->from);
}

static char *
apply_edits (const Editing *editing)
{
  g_autoptr (GString) edited = g_string_new (NULL);
  const char *at = editing->text;

  g_array_sort (editing->edits, compare_edits);
  for (guint i = 0; i < editing->edits->len; i++) {
    const Edit *edit = &g_array_index (editing->edits, Edit, i);

    if (edit->from < at)
      return NULL;
    g_string_append_len (edited, at, edit->from - at);
    g_string_append (edited, edit->text);
    at = edit->to;
  }
  g_string_append (edited, at);
  return g_string_free (g_steal_pointer (&edited), FALSE);
}

char *
import_values_edit (const ImportValues *values, const char *source)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document =
      g_utf8_validate (source, -1, NULL) ? xml_document_parse (source, -1, diagnostics) : NULL;
  Editing editing = { .values = values, .text = source, .document = document };
  char *edited = NULL;

  if (document == NULL)
    return NULL;
  editing.edits = g_array_new (FALSE, FALSE, sizeof (Edit));
  g_array_set_clear_func (editing.edits, edit_clear);
  edit_elements (&editing, xml_document_root (document));
  if (!editing.failed)
    edited = apply_edits (&editing);
  g_array_unref (editing.edits);
  return edited;
}
