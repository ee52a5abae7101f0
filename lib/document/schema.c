/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The schemas at work. They are files for people and editors, and texts inside the program for us, so that
 * a daemon needs no data directory and never runs with schemas other than those it was tested with. The
 * includes of the start file are replaced by what they name, in memory: libxml2 would look for files, and
 * its hook for finding them elsewhere is one for the whole process. Compiling takes some hundred times as
 * long as checking a document and happens once.
 */
#include "document/schema.h"

#include "base/xml-parser.h"
#include "document/schema-explain.h"
#include "document/schema-texts.h"

#include <libxml/relaxng.h>
#include <libxml/xmlschemastypes.h>

/* Where each kind of document starts. */
static const char *const start_files[] = {
  [SCHEMA_DOMAIN] = "domain.rng",
  [SCHEMA_STORAGE_POOL] = "storagepool.rng",
  [SCHEMA_STORAGE_VOLUME] = "storagevol.rng",
  [SCHEMA_CPU] = "cpu.rng",
  [SCHEMA_SECRET] = "secret.rng",
  [SCHEMA_NETWORK] = "network.rng",
  [SCHEMA_NETWORK_PORT] = "networkport.rng",
  [SCHEMA_INTERFACE] = "interface.rng",
  [SCHEMA_DOMAIN_SNAPSHOT] = "domainsnapshot.rng",
  [SCHEMA_DOMAIN_CHECKPOINT] = "domaincheckpoint.rng",
  [SCHEMA_DOMAIN_BACKUP] = "domainbackup.rng",
  [SCHEMA_NODE_DEVICE] = "nodedev.rng",
  [SCHEMA_CAPABILITIES] = "capability.rng",
  [SCHEMA_DOMAIN_CAPABILITIES] = "domaincaps.rng",
  [SCHEMA_STORAGE_POOL_CAPABILITIES] = "storagepoolcaps.rng",
  [SCHEMA_NWFILTER] = "nwfilter.rng",
  [SCHEMA_NWFILTER_BINDING] = "nwfilterbinding.rng",
};

/* Children of one element: libxml2's time grows with their square. No host has room for as many devices. */
#define CHILDREN_MAX 2048

static const SchemaText *
find_text (const char *name)
{
  for (const SchemaText *text = schema_texts; text->name != NULL; text++)
    if (g_str_equal (text->name, name))
      return text;
  return NULL;
}

const char *
schema_text (const char *name)
{
  const SchemaText *text = find_text (name);

  return text != NULL ? text->text : NULL;
}

const char *const *
schema_names (void)
{
  return schema_text_names;
}

/* The schemas are part of the program: a mistake in one is a mistake in the program. */
static void
on_schema_error (G_GNUC_UNUSED void *data, xmlError *error)
{
  if (error->level != XML_ERR_WARNING)
    g_error ("a built-in schema is wrong: line %d: %s", error->line, error->message);
}

static xmlDoc *
read_grammar (const char *name)
{
  const SchemaText *text = find_text (name);
  xmlParserCtxt *context;
  xmlDoc *document;

  if (text == NULL)
    g_error ("there is no built-in schema '%s'", name);
  context = xml_parser_new (text->text, text->length, (xmlStructuredErrorFunc)on_schema_error);
  xmlParseDocument (context);
  document = xml_parser_take_document (context);
  xmlFreeParserCtxt (context);
  return document;
}

static gboolean
is_named (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, BAD_CAST name);
}

static xmlNode *
child_named (const xmlNode *parent, const char *name)
{
  xmlNode *child = parent->children;

  while (child != NULL && !is_named (child, name))
    child = child->next;
  return child;
}

static void join_includes (xmlNode *parent);

/* <include href="X"/> becomes <div> with X's definitions, which means the same; a <start> inside of it stands
 * for X's own. */
static void
replace_include (xmlNode *include)
{
  g_autofree char *name = xml_node_attribute (include, "href");
  xmlDoc *document = read_grammar (name);
  xmlNode *division = xmlDocCopyNode (xmlDocGetRootElement (document), include->doc, 1);
  xmlNode *start = child_named (include, "start"), *replaced = child_named (division, "start");

  if (start != NULL) {
    xmlUnlinkNode (replaced);
    xmlFreeNode (replaced);
    xmlAddChild (division, xmlDocCopyNode (start, include->doc, 1));
  }
  xmlNodeSetName (division, (const xmlChar *)"div");
  xmlReplaceNode (include, division);
  xmlFreeNode (include);
  xmlFreeDoc (document);
  join_includes (division);
}

static void
join_includes (xmlNode *parent)
{
  xmlNode *next;

  for (xmlNode *node = parent->children; node != NULL; node = next) {
    next = node->next;
    if (is_named (node, "include"))
      replace_include (node);
  }
}

static xmlDoc *
joined_grammar (const char *start_file)
{
  xmlDoc *document = read_grammar (start_file);

  join_includes (xmlDocGetRootElement (document));
  return document;
}

static gpointer
compile (gpointer start_file)
{
  xmlDoc *document = joined_grammar (start_file);
  xmlRelaxNGParserCtxt *context;
  xmlRelaxNG *schema;

  xmlSchemaInitTypes ();
  context = xmlRelaxNGNewDocParserCtxt (document);
  xmlRelaxNGSetParserStructuredErrors (context, (xmlStructuredErrorFunc)on_schema_error, NULL);
  schema = xmlRelaxNGParse (context);
  xmlRelaxNGFreeParserCtxt (context);
  xmlFreeDoc (document);
  return schema;
}

/* For the first document that is refused. */
static gpointer
compile_grammar (gpointer start_file)
{
  xmlDoc *document = joined_grammar (start_file);
  const Grammar *grammar = grammar_new (document);

  xmlFreeDoc (document);
  return (gpointer)grammar;
}

static xmlRelaxNG *
compiled_schema (SchemaKind kind)
{
  static GOnce once[G_N_ELEMENTS (start_files)]; /* all of them G_ONCE_INIT, which is zeros */

  return g_once (&once[kind], compile, (gpointer)start_files[kind]);
}

static const Grammar *
compiled_grammar (SchemaKind kind)
{
  static GOnce once[G_N_ELEMENTS (start_files)];

  return g_once (&once[kind], compile_grammar, (gpointer)start_files[kind]);
}

static void
ignore_error (G_GNUC_UNUSED void *data, G_GNUC_UNUSED xmlError *error)
{
}

static gboolean
schema_accepts (xmlRelaxNG *schema, xmlDoc *document)
{
  xmlRelaxNGValidCtxt *context = xmlRelaxNGNewValidCtxt (schema);
  int result;

  xmlRelaxNGSetValidStructuredErrors (context, (xmlStructuredErrorFunc)ignore_error, NULL);
  result = xmlRelaxNGValidateDoc (context, document);
  xmlRelaxNGFreeValidCtxt (context);
  return result == 0;
}

/* The first child that is one too many, anywhere in @element. */
static const xmlNode *
find_surplus (const xmlNode *element)
{
  const xmlNode *surplus = NULL;
  guint children = 0;

  for (const xmlNode *child = element->children; child != NULL && surplus == NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      surplus = ++children > CHILDREN_MAX ? child : find_surplus (child);
  return surplus;
}

static gboolean
validate (SchemaKind kind, XmlDocument *document, const Diagnostics *known, Diagnostics *diagnostics)
{
  xmlRelaxNG *schema = compiled_schema (kind);
  const xmlNode *surplus = find_surplus (xml_document_root (document));

  if (surplus != NULL) {
    diagnostics_error (diagnostics, xml_document_node_position (document, surplus),
                       VIR_ERR_XML_INVALID_SCHEMA, "<%s> has more than %d children", surplus->parent->name,
                       CHILDREN_MAX);
    return FALSE;
  }
  if (schema_accepts (schema, xml_document_tree (document)))
    return TRUE;
  schema_explain (compiled_grammar (kind), document, known, diagnostics);
  return FALSE;
}

gboolean
schema_validate_as (SchemaKind kind, XmlDocument *document, Diagnostics *diagnostics)
{
  return validate (kind, document, NULL, diagnostics);
}

gboolean
schema_validate (XmlDocument *document, Diagnostics *diagnostics)
{
  return schema_validate_as (SCHEMA_DOMAIN, document, diagnostics);
}

void
schema_validate_rest (SchemaKind kind, XmlDocument *document, const Diagnostics *known,
                      Diagnostics *diagnostics)
{
  validate (kind, document, known, diagnostics);
}
