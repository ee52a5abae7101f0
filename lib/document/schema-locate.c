/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where a refused document is wrong. libxml2 says of any mistake inside elements that come in any order
 * (nearly all here) only that the outermost one is "extra"; so we ask it more and smaller questions. Each
 * part of the domain and each device is checked alone, in a document with nothing else in it; inside a part
 * that is refused alone, what makes it acceptable by being taken away is the mistake. This costs time only
 * when a document is refused, and the number of questions is bounded.
 */
#include "document/schema-locate.h"

#define NODES_MAX   500000 /* elements and attributes that all questions together may be about */
#define KNOWN_MAX   4096   /* nodes that may be looked for among the mistakes found before */
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

/* Is @attribute what is wrong with its element? */
static gboolean
try_attribute (Search *search, xmlAttr *attribute)
{
  xmlNode *element = attribute->parent;
  g_autofree char *value = xml_node_attribute (element, (const char *)attribute->name);
  gboolean guilty;

  xmlUnlinkNode ((xmlNode *)attribute);
  guilty = accepted (search);
  xmlAddChild (element, (xmlNode *)attribute);
  if (guilty)
    report (search, xml_document_attribute_position (search->document, attribute),
            "<%s> cannot have the attribute %s='%s' here", element->name, attribute->name,
            value != NULL ? value : "");
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
  if (guilty)
    report (search, xml_document_node_position (search->document, child),
            "<%s> in <%s> is not accepted here as it is", child->name, parent->name);
  return guilty;
}

static gboolean
try_text (Search *search, xmlNode *element)
{
  xmlNode *text = element->children;
  g_autofree char *words = xml_node_text (element);
  gboolean guilty;

  if (text == NULL || text->next != NULL || text->type != XML_TEXT_NODE)
    return FALSE;
  xmlUnlinkNode (text);
  guilty = accepted (search);
  xmlAddChild (element, text);
  if (guilty)
    report (search, xml_document_node_position (search->document, element), "<%s> cannot have the value '%s'",
            element->name, words);
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

/* One part of the domain, or one device, alone in @parent. */
static void
try_part (Search *search, xmlNode *parent, xmlNode *original)
{
  xmlNode *part = xmlAddChild (parent, copy_with_places (original, search->trial, 1));

  search->nodes = TRIAL_NODES + count_nodes (part);
  if (!accepted (search) && !try_contents (search, part) && !has_known_mistake (search, original))
    report (search, xml_document_node_position (search->document, part),
            "<%s> in <%s> is not what the schema allows", part->name, parent->name);
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
