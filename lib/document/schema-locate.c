/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where a refused document is wrong. libxml2 says of any mistake inside elements that come in any order
 * (nearly all here) only that the outermost one is "extra"; so we ask it more and smaller questions. Each
 * part of the domain and each device is checked alone, in a document with nothing else in it; inside a part
 * that is refused alone, what makes it acceptable by being taken away is the mistake. Where several are, all
 * are taken away and those that do harm when they are put back are the mistakes. What would be accepted is
 * found in the same way: the schema is asked about samples. This costs time only when a document is refused,
 * and the number of questions is bounded.
 */
#include "document/schema-locate.h"

#include <string.h>

#define NODES_MAX   500000 /* elements and attributes that all questions together may be about */
#define KNOWN_MAX   4096   /* nodes that may be looked for among the mistakes found before */
#define WORDS_MAX   200    /* bytes of a text that a message quotes */
#define TRIAL_NODES 8      /* about those of a trial without a part */

typedef struct {
  xmlRelaxNG *schema;
  XmlDocument *document;
  const Diagnostics *known; /* mistakes found before; NULL: none were */
  guint looked_for;         /* nodes, among those mistakes */
  Diagnostics *diagnostics;
  xmlDoc *trial; /* <domain> with its attributes, a <name>, and the part in question */
  xmlNode *root, *devices;
  guint nodes;  /* of the trial */
  guint budget; /* nodes that may still be asked about */
  guint found;
  gboolean exchanges; /* nothing can be taken away, so values are exchanged */
} Search;

static void
ignore_error (G_GNUC_UNUSED void *data, G_GNUC_UNUSED xmlError *error)
{
}

gboolean
schema_accepts (xmlRelaxNG *schema, xmlDoc *document)
{
  xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt (schema);
  int result;

  xmlRelaxNGSetValidStructuredErrors (context, (xmlStructuredErrorFunc)ignore_error, NULL);
  result = xmlRelaxNGValidateDoc (context, document);
  xmlRelaxNGFreeValidCtxt (context);
  return result == 0;
}

static gboolean
accepted (Search *search)
{
  if (search->budget < search->nodes)
    return FALSE;
  search->budget -= search->nodes;
  return schema_accepts (search->schema, search->trial);
}

/* A copy that knows the places of the original. */
static xmlNode *
copy_with_places (xmlNode *original, xmlDoc *document, int deep)
{
  xmlNode *copy = xmlDocCopyNode (original, document, deep);
  xmlNode *from = original, *to = copy;

  while (to != NULL) {
    to->_private = from->_private;
    if (to->type == XML_ELEMENT_NODE)
      for (xmlAttr *a = from->properties, *b = to->properties; a != NULL && b != NULL;
           a = a->next, b = b->next)
        b->_private = a->_private;
    if (deep == 1 && to->type == XML_ELEMENT_NODE && to->children != NULL) {
      from = from->children;
      to = to->children;
      continue;
    }
    while (to != copy && to->next == NULL) {
      to = to->parent;
      from = from->parent;
    }
    if (to == copy)
      break;
    to = to->next;
    from = from->next;
  }
  return copy;
}

static gboolean
is_known_at (Search *search, Position where)
{
  return diagnostics_has_error_at (search->known, where);
}

/* Was a mistake found in @element before, at any depth? */
static gboolean
has_known_mistake (Search *search, xmlNode *element)
{
  if (search->known == NULL)
    return FALSE;
  if (search->looked_for++ > KNOWN_MAX)
    return TRUE;
  if (is_known_at (search, xml_document_node_position (search->document, element)))
    return TRUE;
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    if (is_known_at (search, xml_document_attribute_position (search->document, attribute)))
      return TRUE;
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && has_known_mistake (search, child))
      return TRUE;
  return FALSE;
}

static void report (Search *search, Position where, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
report (Search *search, Position where, const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (search->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA, "%s", message);
  search->found++;
}

/* Values that stand for a kind of value: the first kind that is accepted says what was expected. */
static const struct {
  const char *value, *kind;
} samples[] = {
  { "word", "a word" },
  { "1", "a whole number" },
  { "0x1", "a hexadecimal number" },
  { "/path", "an absolute path" },
  { "yes", "'yes' or 'no'" },
  { "on", "'on' or 'off'" },
  { "c7a5fdbd-cdaf-9455-926a-d65c16db1809", "a UUID" },
  { "52:54:00:00:00:01", "a MAC address" },
  { "192.0.2.1", "an IP address" },
};

static gboolean
is_numeric (const char *value)
{
  char *end = NULL;

  g_ascii_strtoull (value, &end, 0);
  return value[0] != '\0' && *end == '\0';
}

/* What the text of @node, an element or an attribute without children but text, should be; NULL: not known.
 */
static const char *
expected_value (Search *search, xmlNode *node)
{
  xmlNode *content = node->children;
  const char *kind = NULL;

  if (content != NULL && (content->next != NULL || content->type != XML_TEXT_NODE))
    return NULL;
  if (content != NULL)
    xmlUnlinkNode (content);
  for (guint i = 0; i < G_N_ELEMENTS (samples) && kind == NULL; i++) {
    xmlNode *sample = xmlNewDocText (search->trial, BAD_CAST samples[i].value);

    xmlAddChild (node, sample);
    if (accepted (search))
      kind = samples[i].kind;
    xmlUnlinkNode (sample);
    xmlFreeNode (sample);
  }
  if (content != NULL)
    xmlAddChild (node, content);
  if (kind != NULL && content != NULL && is_numeric ((const char *)content->content)
      && g_str_has_suffix (kind, "number"))
    return "a number within its limits";
  return kind;
}

/* Is @attribute what is wrong with its element? */
static gboolean
try_attribute (Search *search, xmlAttr *attribute)
{
  xmlNode *element = attribute->parent;
  g_autofree char *value = xml_node_attribute (element, (const char *)attribute->name);
  const char *expected = NULL;
  gboolean guilty;

  xmlUnlinkNode ((xmlNode *)attribute);
  guilty = accepted (search);
  xmlAddChild (element, (xmlNode *)attribute);
  if (guilty || search->exchanges)
    expected = expected_value (search, (xmlNode *)attribute);
  guilty = guilty || expected != NULL;
  if (guilty)
    report (search, xml_document_attribute_position (search->document, attribute),
            "<%s> cannot have the attribute %s='%s' here%s%s", element->name, attribute->name,
            value != NULL ? value : "", expected != NULL ? ": expected " : "",
            expected != NULL ? expected : "");
  return guilty;
}

static gboolean
try_attributes (Search *search, xmlNode *element)
{
  guint count = 0;

  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    count++;
  /* Each goes to the end of the list when it is put back, so the first is always the next to try. */
  for (; count > 0; count--)
    if (try_attribute (search, element->properties))
      return TRUE;
  return FALSE;
}

static gboolean try_contents (Search *search, xmlNode *element);
static gboolean try_several (Search *search, xmlNode *element);
static gboolean try_exchange (Search *search, xmlNode *element);
static gboolean try_text (Search *search, xmlNode *element);

static gboolean
try_child (Search *search, xmlNode *child)
{
  xmlNode *parent = child->parent, *next = child->next;
  gboolean guilty;

  if (try_contents (search, child))
    return TRUE;
  xmlUnlinkNode (child);
  guilty = accepted (search);
  if (next != NULL)
    xmlAddPrevSibling (next, child);
  else
    xmlAddChild (parent, child);
  if (guilty && !try_exchange (search, child) && !try_several (search, child))
    report (search, xml_document_node_position (search->document, child),
            "<%s> in <%s> is not accepted here as it is", child->name, parent->name);
  return guilty;
}

static gboolean
try_text (Search *search, xmlNode *element)
{
  xmlNode *text = element->children;
  g_autofree char *words = xml_node_text (element);
  const char *expected = NULL;
  gboolean guilty = FALSE;

  if (text != NULL && text->next == NULL && text->type == XML_TEXT_NODE) {
    xmlUnlinkNode (text);
    guilty = accepted (search);
    xmlAddChild (element, text);
  }
  if (guilty || search->exchanges)
    expected = expected_value (search, element);
  guilty = guilty || expected != NULL;
  if (guilty)
    report (search, xml_document_node_position (search->document, element),
            "<%s> cannot have the value '%s'%s%s", element->name, words,
            expected != NULL ? ": expected " : "", expected != NULL ? expected : "");
  return guilty;
}

/* The smallest thing that is wrong: what is inside comes before what it is in. */
static gboolean
try_contents (Search *search, xmlNode *element)
{
  if (try_attributes (search, element) || try_text (search, element))
    return TRUE;
  for (xmlNode *child = element->children, *next; child != NULL; child = next) {
    next = child->next;
    if (child->type == XML_ELEMENT_NODE && try_child (search, child))
      return TRUE;
  }
  return FALSE;
}

/* What cannot be taken away, as it must be there, may have another value. */
static gboolean
try_exchange (Search *search, xmlNode *element)
{
  gboolean before = search->exchanges, found;

  search->exchanges = TRUE;
  found = try_contents (search, element);
  search->exchanges = before;
  return found;
}

/* The attributes and elements of @element in their order; to be put back in the same. */
static GPtrArray *
parts_of (xmlNode *element)
{
  GPtrArray *parts = g_ptr_array_new ();

  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    g_ptr_array_add (parts, attribute);
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      g_ptr_array_add (parts, child);
  return parts;
}

/* @element has those of its parts that are not in @left_out, in their order. */
static void
set_parts (xmlNode *element, const GPtrArray *parts, GHashTable *left_out)
{
  for (guint i = 0; i < parts->len; i++)
    xmlUnlinkNode (g_ptr_array_index (parts, i));
  for (guint i = 0; i < parts->len; i++)
    if (!g_hash_table_contains (left_out, g_ptr_array_index (parts, i)))
      xmlAddChild (element, g_ptr_array_index (parts, i));
}

static gpointer
part_at (const GPtrArray *parts, guint index, gboolean backwards)
{
  return g_ptr_array_index (parts, backwards ? parts->len - 1 - index : index);
}

/* Leave out one part after the other until the rest is accepted, and give back each that does no harm: left
 * out is then what is wrong. FALSE when the element is not accepted without all of them. */
static gboolean
leave_out_wrong (Search *search, xmlNode *element, const GPtrArray *parts, gboolean backwards,
                 GHashTable *left_out)
{
  guint count = 0;

  g_hash_table_remove_all (left_out);
  while (count < parts->len && (count == 0 || !accepted (search))) {
    g_hash_table_add (left_out, part_at (parts, count++, backwards));
    set_parts (element, parts, left_out);
  }
  if (!accepted (search))
    return FALSE;
  while (count-- > 0) {
    g_hash_table_remove (left_out, part_at (parts, count, backwards));
    set_parts (element, parts, left_out);
    if (!accepted (search))
      g_hash_table_add (left_out, part_at (parts, count, backwards));
  }
  return TRUE;
}

/* Several mistakes in one element, none of which alone makes it acceptable by being taken away: each is
 * looked at while the others are not there. */
static gboolean
try_several (Search *search, xmlNode *element)
{
  g_autoptr (GPtrArray) parts = parts_of (element);
  g_autoptr (GHashTable) left_out = g_hash_table_new (NULL, NULL), others = g_hash_table_new (NULL, NULL);
  guint before = search->found;

  /* What must be there mostly stands first. */
  if (leave_out_wrong (search, element, parts, TRUE, left_out)
      || leave_out_wrong (search, element, parts, FALSE, left_out))
    for (guint i = 0; i < parts->len; i++) {
      gpointer part = g_ptr_array_index (parts, i);
      GHashTableIter iter;
      gpointer other;

      if (!g_hash_table_contains (left_out, part))
        continue;
      g_hash_table_remove_all (others);
      g_hash_table_iter_init (&iter, left_out);
      while (g_hash_table_iter_next (&iter, &other, NULL))
        if (other != part)
          g_hash_table_add (others, other);
      set_parts (element, parts, others);
      if (((xmlNode *)part)->type == XML_ATTRIBUTE_NODE)
        try_attribute (search, part);
      else
        try_child (search, part);
    }
  g_hash_table_remove_all (others);
  set_parts (element, parts, others);
  return search->found > before;
}

static guint
count_nodes (const xmlNode *element)
{
  guint count = 1;

  for (const xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    count++;
  for (const xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      count += count_nodes (child);
  return count;
}

/* Nothing of it could be pointed at: it is not known here, or it lacks something. */
static void
report_part (Search *search, const xmlNode *parent, xmlNode *part)
{
  g_autofree char *words = xmlFirstElementChild (part) == NULL ? xml_node_text (part) : g_strdup ("");
  gboolean has_words = words[0] != '\0' && strlen (words) <= WORDS_MAX;

  report (search, xml_document_node_position (search->document, part),
          "<%s> in <%s>%s%s%s is not what the schema allows", part->name, parent->name, has_words ? " (" : "",
          has_words ? words : "", has_words ? ")" : "");
}

/* One part of the domain, or one device, alone in @parent. */
static void
try_part (Search *search, xmlNode *parent, xmlNode *original)
{
  xmlNode *part = xmlAddChild (parent, copy_with_places (original, search->trial, 1));

  search->nodes = TRIAL_NODES + count_nodes (part);
  if (!accepted (search) && !try_contents (search, part) && !try_exchange (search, part)
      && !try_several (search, part) && !has_known_mistake (search, original))
    report_part (search, parent, part);
  xmlUnlinkNode (part);
  xmlFreeNode (part);
}

static void
begin_trial (Search *search)
{
  search->trial = xmlNewDoc ((const xmlChar *)"1.0");
  search->root = copy_with_places (xml_document_root (search->document), search->trial, 2);
  xmlDocSetRootElement (search->trial, search->root);
  xmlNewChild (search->root, NULL, (const xmlChar *)"name", (const xmlChar *)"name");
}

static gboolean
is_named (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && g_str_equal ((const char *)node->name, name);
}

static void
try_name (Search *search, xmlNode *original)
{
  xmlNode *stand_in = search->root->children;

  xmlUnlinkNode (stand_in);
  try_part (search, search->root, original);
  xmlAddChild (search->root, stand_in);
}

static void
try_devices (Search *search, xmlNode *original)
{
  search->devices = xmlAddChild (search->root, copy_with_places (original, search->trial, 2));
  if (!accepted (search) && !try_attributes (search, search->devices))
    report (search, xml_document_node_position (search->document, original), "<devices> has no attributes");
  else
    for (xmlNode *device = original->children; device != NULL && search->budget >= search->nodes;
         device = device->next)
      if (device->type == XML_ELEMENT_NODE)
        try_part (search, search->devices, device);
  xmlUnlinkNode (search->devices);
  xmlFreeNode (search->devices);
}

static void
try_parts (Search *search)
{
  for (xmlNode *part = xml_document_root (search->document)->children;
       part != NULL && search->budget >= search->nodes; part = part->next) {
    if (is_named (part, "name"))
      try_name (search, part);
    else if (is_named (part, "devices"))
      try_devices (search, part);
    else if (part->type == XML_ELEMENT_NODE)
      try_part (search, search->root, part);
  }
}

/* Parts that are each right alone can still be one too many. */
static void
report_repeated (Search *search)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (xmlNode *part = xml_document_root (search->document)->children; part != NULL; part = part->next)
    if (part->type == XML_ELEMENT_NODE && !g_hash_table_add (seen, (gpointer)part->name))
      report (search, xml_document_node_position (search->document, part), "<%s> is there more than once",
              part->name);
}

/* The document's own attributes that were found wrong must not make each part look wrong. */
static void
leave_out_known (Search *search)
{
  xmlAttr *next;

  for (xmlAttr *attribute = search->root->properties; attribute != NULL; attribute = next) {
    next = attribute->next;
    if (is_known_at (search, xml_document_attribute_position (search->document, attribute)))
      xmlRemoveProp (attribute);
  }
  if (!xmlHasProp (search->root, (const xmlChar *)"type"))
    xmlNewProp (search->root, (const xmlChar *)"type", (const xmlChar *)"qemu");
}

void
schema_locate (xmlRelaxNG *schema, XmlDocument *document, const Diagnostics *known, Diagnostics *diagnostics)
{
  Search search = { .schema = schema,
                    .document = document,
                    .known = known,
                    .diagnostics = diagnostics,
                    .nodes = TRIAL_NODES,
                    .budget = NODES_MAX };
  xmlNode *root = xml_document_root (document);

  begin_trial (&search);
  if (known != NULL)
    leave_out_known (&search);
  if (accepted (&search))
    try_parts (&search);
  else
    try_attributes (&search, search.root);
  xmlFreeDoc (search.trial);

  if (known != NULL && diagnostics_has_errors (known))
    return;
  if (search.found == 0)
    report_repeated (&search);
  if (search.found == 0)
    report (&search, xml_document_node_position (document, root), "<%s> is not what the schema allows",
            root->name);
}
