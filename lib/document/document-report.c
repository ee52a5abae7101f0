/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Mistakes for programs. Who finds a mistake knows its place and not its path, and need not: the place is
 * that of an element or an attribute, so one walk over the document's tree finds the node of each, its path
 * as XPath has it, and the value that stands there. The document is read again for that, which costs time
 * only where there are mistakes and somebody asked for this form.
 */
#include "document/document-report.h"

#include "base/xml-document.h"

#include <json-glib/json-glib.h>
#include <string.h>

#define VALUE_BYTES_MAX 1000 /* of a value that is quoted */
#define SARIF_SCHEMA    "https://json.schemastore.org/sarif-2.1.0.json"

typedef struct {
  Diagnostic mistake; /* its texts are owned */
  char *path;         /* NULL: the place is not that of a node */
  char *value;        /* NULL: it has none */
  gboolean is_attribute;
} Finding;

typedef struct {
  char *name;
  GPtrArray *findings;
} ReportedDocument;

struct DocumentReport {
  GPtrArray *documents;
};

static void
finding_free (gpointer data)
{
  Finding *finding = data;

  g_free (finding->mistake.message);
  g_strfreev (finding->mistake.accepted);
  g_free (finding->mistake.nearest);
  g_free (finding->path);
  g_free (finding->value);
  g_free (finding);
}

static void
reported_document_free (gpointer data)
{
  ReportedDocument *document = data;

  g_free (document->name);
  g_ptr_array_unref (document->findings);
  g_free (document);
}

DocumentReport *
document_report_new (void)
{
  DocumentReport *report = g_new0 (DocumentReport, 1);

  report->documents = g_ptr_array_new_with_free_func (reported_document_free);
  return report;
}

void
document_report_free (DocumentReport *report)
{
  if (report == NULL)
    return;
  g_ptr_array_unref (report->documents);
  g_free (report);
}

/* Where it stands among those of its name: 0 when it is the only one. */
static guint
number_among_siblings (const xmlNode *element)
{
  guint number = 1;
  gboolean alone = TRUE;

  for (const xmlNode *node = element->prev; node != NULL; node = node->prev)
    if (node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, element->name))
      number++;
  for (const xmlNode *node = element->next; node != NULL && alone; node = node->next)
    alone = node->type != XML_ELEMENT_NODE || !xmlStrEqual (node->name, element->name);
  return number == 1 && alone ? 0 : number;
}

static char *
path_of (const xmlNode *node)
{
  GString *path = g_string_new (NULL);

  for (; node != NULL && node->type != XML_DOCUMENT_NODE; node = node->parent) {
    gboolean is_attribute = node->type == XML_ATTRIBUTE_NODE;
    guint number = is_attribute ? 0 : number_among_siblings (node);
    g_autofree char *step =
        number > 0 ? g_strdup_printf ("/%s[%u]", (const char *)node->name, number)
                   : g_strdup_printf ("/%s%s", is_attribute ? "@" : "", (const char *)node->name);

    g_string_prepend (path, step);
  }
  return g_string_free (path, FALSE);
}

/* The findings by their places: a list for each. */
static gpointer
place_key (Position where)
{
  return GSIZE_TO_POINTER ((gsize)where.line << 32 | where.column);
}

static void
describe (GHashTable *places, Position where, const xmlNode *node, const char *value)
{
  for (GSList *found = g_hash_table_lookup (places, place_key (where)); found != NULL; found = found->next) {
    Finding *finding = found->data;

    finding->path = path_of (node);
    finding->value = value != NULL ? g_strndup (value, VALUE_BYTES_MAX) : NULL;
    finding->is_attribute = node->type == XML_ATTRIBUTE_NODE;
  }
}

static void
describe_nodes (GHashTable *places, XmlDocument *document, xmlNode *element)
{
  Position where = xml_document_node_position (document, element);

  if (g_hash_table_contains (places, place_key (where))) {
    g_autofree char *text = xmlFirstElementChild (element) == NULL ? xml_node_text (element) : g_strdup ("");

    describe (places, where, element, text[0] != '\0' ? text : NULL);
  }
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next) {
    where = xml_document_attribute_position (document, attribute);
    if (g_hash_table_contains (places, place_key (where))) {
      g_autofree char *text = xml_node_attribute (element, (const char *)attribute->name);

      describe (places, where, (const xmlNode *)attribute, text);
    }
  }
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      describe_nodes (places, document, child);
}

static void
free_list (gpointer list)
{
  g_slist_free (list);
}

static void
find_nodes (const GPtrArray *findings, const char *text, gssize length)
{
  g_autoptr (GHashTable) places = g_hash_table_new_full (NULL, NULL, NULL, free_list);
  g_autoptr (Diagnostics) ignored = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, ignored);

  if (document == NULL)
    return;
  for (guint i = 0; i < findings->len; i++) {
    Finding *finding = g_ptr_array_index (findings, i);
    gpointer key = place_key (finding->mistake.where);
    gpointer list;

    if (!g_hash_table_steal_extended (places, key, NULL, &list))
      list = NULL;
    g_hash_table_insert (places, key, g_slist_prepend (list, finding));
  }
  describe_nodes (places, document, xml_document_root (document));
}

/* What is not shown is said, as it is to people. */
static void
add_dropped (GPtrArray *findings, const Diagnostics *diagnostics)
{
  Finding *finding = g_new0 (Finding, 1);

  finding->mistake.severity = diagnostics_has_errors (diagnostics) ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING;
  finding->mistake.code = VIR_ERR_XML_ERROR;
  finding->mistake.message =
      g_strdup_printf ("%u more mistakes are not shown", diagnostics_dropped (diagnostics));
  g_ptr_array_add (findings, finding);
}

void
document_report_add (DocumentReport *report, const Diagnostics *diagnostics, const char *text, gssize length)
{
  ReportedDocument *document = g_new0 (ReportedDocument, 1);

  document->name = g_strdup (diagnostics_file_name (diagnostics));
  document->findings = g_ptr_array_new_with_free_func (finding_free);
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *mistake = diagnostics_get (diagnostics, i);
    Finding *finding = g_new0 (Finding, 1);

    finding->mistake = *mistake;
    finding->mistake.message = g_strdup (mistake->message);
    finding->mistake.accepted = g_strdupv (mistake->accepted);
    finding->mistake.nearest = g_strdup (mistake->nearest);
    g_ptr_array_add (document->findings, finding);
  }
  if (diagnostics_dropped (diagnostics) > 0)
    add_dropped (document->findings, diagnostics);
  if (text != NULL && document->findings->len > 0)
    find_nodes (document->findings, text, length);
  g_ptr_array_add (report->documents, document);
}

static void
add_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
begin_member (JsonBuilder *builder, const char *name, gboolean is_array)
{
  json_builder_set_member_name (builder, name);
  if (is_array)
    json_builder_begin_array (builder);
  else
    json_builder_begin_object (builder);
}

static const char *
severity_word (const Finding *finding)
{
  return finding->mistake.severity == DIAGNOSTIC_ERROR ? "error" : "warning";
}

/* What is known of the value: members of the object that is open. */
static void
add_value (JsonBuilder *builder, const Finding *finding)
{
  if (finding->value != NULL)
    add_string (builder, "value", finding->value);
  if (finding->mistake.accepted != NULL) {
    begin_member (builder, "accepted", TRUE);
    for (char **word = finding->mistake.accepted; *word != NULL; word++)
      json_builder_add_string_value (builder, *word);
    json_builder_end_array (builder);
  }
  if (finding->mistake.nearest != NULL)
    add_string (builder, "nearest", finding->mistake.nearest);
}

static void
add_finding (JsonBuilder *builder, const char *file, const Finding *finding)
{
  json_builder_begin_object (builder);
  add_string (builder, "severity", severity_word (finding));
  add_string (builder, "file", file);
  add_number (builder, "line", finding->mistake.where.line);
  add_number (builder, "column", finding->mistake.where.column);
  add_number (builder, "code", finding->mistake.code);
  add_string (builder, "message", finding->mistake.message);
  if (finding->path != NULL)
    add_string (builder, "path", finding->path);
  add_value (builder, finding);
  json_builder_end_object (builder);
}

static char *
take_text (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);

  return json_to_string (root, TRUE);
}

char *
document_report_to_json (const DocumentReport *report)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  for (guint i = 0; i < report->documents->len; i++) {
    const ReportedDocument *document = g_ptr_array_index (report->documents, i);

    begin_member (builder, document->name, TRUE);
    for (guint k = 0; k < document->findings->len; k++)
      add_finding (builder, document->name, g_ptr_array_index (document->findings, k));
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
  return take_text (builder);
}

/* The rules of a log: what kind of mistake it is, by libvirt's number. */
static const struct {
  virErrorNumber code; /* VIR_ERR_OK: all others; the last row */
  const char *id, *description;
} rules[] = {
  { VIR_ERR_XML_DETAIL, "not-well-formed", "The document is well-formed XML in UTF-8." },
  { VIR_ERR_XML_INVALID_SCHEMA, "schema",
    "The document has the elements, attributes and values of the format." },
  { VIR_ERR_XML_ERROR, "meaning", "What the document says has a meaning." },
  { VIR_ERR_CONFIG_UNSUPPORTED, "unsupported", "What the document asks for can be had." },
  { VIR_ERR_OK, "other", "The document can be used." },
};

static guint
rule_of (const Finding *finding)
{
  guint rule = 0;

  while (rules[rule].code != VIR_ERR_OK && rules[rule].code != finding->mistake.code)
    rule++;
  return rule;
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  begin_member (builder, name, FALSE);
  add_string (builder, "text", text);
  json_builder_end_object (builder);
}

static void
add_driver (JsonBuilder *builder, const char *version)
{
  begin_member (builder, "tool", FALSE);
  begin_member (builder, "driver", FALSE);
  add_string (builder, "name", "domctl");
  add_string (builder, "version", version);
  begin_member (builder, "rules", TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++) {
    json_builder_begin_object (builder);
    add_string (builder, "id", rules[i].id);
    add_text (builder, "shortDescription", rules[i].description);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

/* A file's name as a URI: relative ones stay so, as tools put the checkout's own root before them. */
static char *
uri_of (const char *name)
{
  g_autofree char *uri = g_path_is_absolute (name) ? g_filename_to_uri (name, NULL, NULL) : NULL;

  return uri != NULL ? g_steal_pointer (&uri) : g_uri_escape_string (name, "/", FALSE);
}

static void
add_artifact_location (JsonBuilder *builder, const char *member, const char *name)
{
  g_autofree char *uri = uri_of (name);

  begin_member (builder, member, FALSE);
  add_string (builder, "uri", uri);
  json_builder_end_object (builder);
}

static void
add_location (JsonBuilder *builder, const char *name, const Finding *finding)
{
  json_builder_begin_object (builder);
  begin_member (builder, "physicalLocation", FALSE);
  add_artifact_location (builder, "artifactLocation", name);
  if (finding->mistake.where.line > 0) {
    begin_member (builder, "region", FALSE);
    add_number (builder, "startLine", finding->mistake.where.line);
    add_number (builder, "startColumn", MAX (finding->mistake.where.column, 1));
    json_builder_end_object (builder);
  }
  json_builder_end_object (builder);
  if (finding->path != NULL) {
    begin_member (builder, "logicalLocations", TRUE);
    json_builder_begin_object (builder);
    add_string (builder, "fullyQualifiedName", finding->path);
    add_string (builder, "kind", finding->is_attribute ? "attribute" : "element");
    json_builder_end_object (builder);
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
}

static void
add_result (JsonBuilder *builder, const char *name, const Finding *finding)
{
  guint rule = rule_of (finding);

  json_builder_begin_object (builder);
  add_string (builder, "ruleId", rules[rule].id);
  add_number (builder, "ruleIndex", rule);
  add_string (builder, "level", severity_word (finding));
  add_text (builder, "message", finding->mistake.message);
  begin_member (builder, "locations", TRUE);
  add_location (builder, name, finding);
  json_builder_end_array (builder);
  begin_member (builder, "properties", FALSE);
  add_number (builder, "libvirtCode", finding->mistake.code);
  add_value (builder, finding);
  json_builder_end_object (builder);
  json_builder_end_object (builder);
}

static void
add_artifacts (JsonBuilder *builder, const DocumentReport *report)
{
  begin_member (builder, "artifacts", TRUE);
  for (guint i = 0; i < report->documents->len; i++) {
    const ReportedDocument *document = g_ptr_array_index (report->documents, i);

    json_builder_begin_object (builder);
    add_artifact_location (builder, "location", document->name);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

char *
document_report_to_sarif (const DocumentReport *report, const char *version)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_string (builder, "$schema", SARIF_SCHEMA);
  add_string (builder, "version", "2.1.0");
  begin_member (builder, "runs", TRUE);
  json_builder_begin_object (builder);
  add_driver (builder, version);
  add_string (builder, "columnKind", "unicodeCodePoints");
  add_artifacts (builder, report);
  begin_member (builder, "results", TRUE);
  for (guint i = 0; i < report->documents->len; i++) {
    const ReportedDocument *document = g_ptr_array_index (report->documents, i);

    for (guint k = 0; k < document->findings->len; k++)
      add_result (builder, document->name, g_ptr_array_index (document->findings, k));
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return take_text (builder);
}
