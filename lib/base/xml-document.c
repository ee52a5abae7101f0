/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading XML. The text is first brought to UTF-8 and bounded (xml-encoding.c, xml-scan.c), so that libxml2
 * only ever sees a document of known size, depth and number of nodes and without a document type; then
 * libxml2 builds its tree. Each element that it begins must be the next one that the scan found: what the
 * scan did not see was not bounded, and the document is refused there. The places found are kept with the
 * elements and attributes as byte offsets, which turn into line and column when someone asks. Blanks between
 * elements are not kept, as libvirt does not keep them. Whatever libxml2 says goes to the diagnostics,
 * nothing to stderr.
 */
#include "base/xml-document.h"

#include "base/xml-encoding.h"
#include "base/xml-parser.h"
#include "base/xml-scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_CHUNK      (64 * 1024)
#define CHARACTERS_STEP 1024 /* bytes */

struct XmlDocument {
  char *text; /* UTF-8 */
  gsize length;
  GArray *lines;      /* guint32: where each line begins */
  GArray *characters; /* guint32: how many characters begin before each multiple of CHARACTERS_STEP */
  xmlDoc *tree;
};

/* What libxml2's callbacks need. */
typedef struct {
  XmlDocument *document;
  Diagnostics *diagnostics;
  const guint32 *next, *end; /* the places that the scan found and libxml2 has not come to */
  startElementNsSAX2Func start_element;
  commentSAXFunc comment;
  processingInstructionSAXFunc instruction;
  guint sections; /* comments, instructions and CDATA sections begun */
  gboolean failed;
} Parse;

static void
index_lines (XmlDocument *document)
{
  const char *end = document->text + document->length;
  guint32 offset = 0;

  document->lines = g_array_new (FALSE, FALSE, sizeof (guint32));
  g_array_append_val (document->lines, offset);
  for (const char *at = document->text; (at = memchr (at, '\n', (gsize)(end - at))) != NULL;) {
    offset = (guint32)(++at - document->text);
    g_array_append_val (document->lines, offset);
  }
}

static gboolean
begins_character (char byte)
{
  return ((guint8)byte & 0xc0) != 0x80;
}

/* So that no column costs more than a step, however long its line is. */
static void
index_characters (XmlDocument *document)
{
  guint32 count = 0;

  document->characters = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (gsize offset = 0; offset < document->length; offset++) {
    if (offset % CHARACTERS_STEP == 0)
      g_array_append_val (document->characters, count);
    count += begins_character (document->text[offset]);
  }
  g_array_append_val (document->characters, count);
}

/* How many characters begin before @offset. */
static guint
characters_before (const XmlDocument *document, gsize offset)
{
  gsize step = offset < document->length ? offset / CHARACTERS_STEP : document->characters->len - 1;
  guint count = g_array_index (document->characters, guint32, step);

  for (gsize at = step * CHARACTERS_STEP; at < MIN (offset, document->length); at++)
    count += begins_character (document->text[at]);
  return count;
}

static Position
position_at (const XmlDocument *document, gsize offset)
{
  guint low = 0, high = document->lines->len;
  guint32 start;

  while (high - low > 1) {
    guint middle = low + (high - low) / 2;

    if (g_array_index (document->lines, guint32, middle) <= offset)
      low = middle;
    else
      high = middle;
  }
  start = g_array_index (document->lines, guint32, low);
  return (Position){ low + 1,
                     characters_before (document, offset) - characters_before (document, start) + 1 };
}

/* libxml2's words, as one line without its final newline. */
static char *
error_words (const xmlError *error)
{
  char *words = g_strdup (error->message != NULL ? error->message : "the document is not well-formed");

  return g_strstrip (g_strdelimit (words, "\n", ' '));
}

static gsize
parser_offset (const XmlDocument *document, xmlParserCtxt *context)
{
  return (gsize)CLAMP (xmlByteConsumed (context), 0, (long)document->length);
}

/* Where the parser stands; for an end tag that fits nothing, where that tag begins. */
static Position
error_position (const XmlDocument *document, xmlParserCtxt *context, const xmlError *error)
{
  gsize offset = parser_offset (document, context);

  if (error->code == XML_ERR_TAG_NAME_MISMATCH)
    while (offset > 0 && document->text[offset] != '<')
      offset--;
  return position_at (document, offset);
}

/* The first fatal error is the one that means something; those after it are mostly its echoes. */
static void
on_error (void *data, xmlError *error)
{
  xmlParserCtxt *context = data;
  Parse *parse = context->_private;
  g_autofree char *words = NULL;
  Position where;

  if (parse->failed)
    return;
  words = error_words (error);
  where = error_position (parse->document, context, error);
  if (error->level == XML_ERR_FATAL) {
    parse->failed = TRUE;
    diagnostics_error (parse->diagnostics, where, VIR_ERR_XML_DETAIL, "%s", words);
    xmlStopParser (context);
  } else {
    diagnostics_warning (parse->diagnostics, where, VIR_ERR_XML_DETAIL, "%s", words);
  }
}

/* The places of one element's attributes. */
typedef struct {
  const char *text;
  const guint32 *first, *end;
} AttributePlaces;

static gboolean
is_name_at (const char *text, const char *prefix, const char *name)
{
  if (prefix != NULL) {
    if (!g_str_has_prefix (text, prefix) || text[strlen (prefix)] != ':')
      return FALSE;
    text += strlen (prefix) + 1;
  }
  return g_str_has_prefix (text, name) && strchr (" \t\r\n=", text[strlen (name)]) != NULL;
}

/* Found by name: the parser's attributes are not always all that were written. */
static guint32
find_attribute (const AttributePlaces *places, const xmlAttr *attribute, guint32 fallback)
{
  const char *prefix = attribute->ns != NULL ? (const char *)attribute->ns->prefix : NULL;

  for (const guint32 *place = places->first; place < places->end; place++)
    if (is_name_at (places->text + *place, prefix, (const char *)attribute->name))
      return *place;
  return fallback;
}

/* Offsets are kept in libxml2's _private, one more than they are so that none is NULL. */
static void
lay_places (xmlNode *element, Parse *parse)
{
  AttributePlaces places = { parse->document->text, NULL, NULL };
  guint32 start = *parse->next++;

  places.first = parse->next;
  while (parse->next < parse->end && places.text[*parse->next] != '<')
    parse->next++;
  places.end = parse->next;
  element->_private = GSIZE_TO_POINTER ((gsize)start + 1);
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    attribute->_private = GSIZE_TO_POINTER ((gsize)find_attribute (&places, attribute, start) + 1);
}

/* The last '<' before the parser: there is none inside a start tag or a document type's name. */
static gsize
markup_start (const XmlDocument *document, xmlParserCtxt *context)
{
  gsize offset = parser_offset (document, context);

  while (offset > 0 && (offset == document->length || document->text[offset] != '<'))
    offset--;
  return offset;
}

static void
refuse_unseen (xmlParserCtxt *context)
{
  Parse *parse = context->_private;

  if (!parse->failed)
    diagnostics_error (parse->diagnostics,
                       position_at (parse->document, markup_start (parse->document, context)),
                       VIR_ERR_XML_ERROR, XML_UNSEEN);
  parse->failed = TRUE;
  xmlStopParser (context);
}

static void
on_start_element (void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                  int namespace_count, const xmlChar **namespaces, int attribute_count, int default_count,
                  const xmlChar **attributes)
{
  xmlParserCtxt *context = data;
  Parse *parse = context->_private;

  if (parse->next == parse->end || *parse->next != markup_start (parse->document, context)) {
    refuse_unseen (context);
    return;
  }
  parse->start_element (context, name, prefix, uri, namespace_count, namespaces, attribute_count,
                        default_count, attributes);
  if (context->node != NULL)
    lay_places (context->node, parse);
}

static void
on_document_type (void *data, const xmlChar *name G_GNUC_UNUSED, const xmlChar *public_id G_GNUC_UNUSED,
                  const xmlChar *system_id G_GNUC_UNUSED)
{
  refuse_unseen (data);
}

/* Each costs libxml2 a node of more bytes than it is written with. FALSE: that was one too many. */
static gboolean
count_section (xmlParserCtxt *context)
{
  Parse *parse = context->_private;

  if (parse->failed || ++parse->sections <= XML_MAX_SECTIONS)
    return !parse->failed;
  diagnostics_error (parse->diagnostics,
                     position_at (parse->document, parser_offset (parse->document, context)),
                     VIR_ERR_XML_ERROR,
                     "the document has more than " G_STRINGIFY (XML_MAX_SECTIONS) " comments, processing "
                                                                                  "instructions and CDATA "
                                                                                  "sections");
  parse->failed = TRUE;
  xmlStopParser (context);
  return FALSE;
}

static void
on_comment (void *data, const xmlChar *text)
{
  xmlParserCtxt *context = data;

  if (count_section (context))
    ((Parse *)context->_private)->comment (context, text);
}

static void
on_instruction (void *data, const xmlChar *target, const xmlChar *text)
{
  xmlParserCtxt *context = data;

  if (count_section (context))
    ((Parse *)context->_private)->instruction (context, target, text);
}

/* libxml2 would copy each section's text behind that of the section before it, from the first one on. */
static void
on_cdata (void *data, const xmlChar *text, int length)
{
  xmlParserCtxt *context = data;

  if (count_section (context))
    xmlAddChild (context->node, xmlNewCDataBlock (context->myDoc, text, length));
}

static gboolean
build_tree (XmlDocument *document, const GArray *places, Diagnostics *diagnostics)
{
  const guint32 *first = (const guint32 *)(const void *)places->data;
  Parse parse = { .document = document,
                  .diagnostics = diagnostics,
                  .next = first,
                  .end = first != NULL ? first + places->len : NULL };
  gboolean well_formed;
  xmlParserCtxt *context;

  if (document->length == 0) {
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_DETAIL, "the document is empty");
    return FALSE;
  }
  context = xml_parser_new (document->text, document->length, (xmlStructuredErrorFunc)on_error);
  context->_private = &parse;
  parse.start_element = context->sax->startElementNs;
  context->sax->startElementNs = on_start_element;
  context->sax->internalSubset = on_document_type;
  parse.comment = context->sax->comment;
  context->sax->comment = on_comment;
  parse.instruction = context->sax->processingInstruction;
  context->sax->processingInstruction = on_instruction;
  context->sax->cdataBlock = on_cdata;
  xmlParseDocument (context);
  document->tree = xml_parser_take_document (context);
  well_formed = context->wellFormed && !parse.failed && document->tree != NULL
                && xmlDocGetRootElement (document->tree) != NULL;
  xmlFreeParserCtxt (context);

  if (!well_formed && !parse.failed)
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_XML_DETAIL,
                       "the document is not well-formed");
  return well_formed;
}

static Position
position_of (XmlDocument *document, gconstpointer place)
{
  return place != NULL ? position_at (document, GPOINTER_TO_SIZE (place) - 1) : (Position){ 0, 0 };
}

Position
xml_document_node_position (XmlDocument *document, const xmlNode *element)
{
  return position_of (document, element->_private);
}

Position
xml_document_attribute_position (XmlDocument *document, const xmlAttr *attribute)
{
  return position_of (document, attribute->_private);
}

static gboolean
scan_and_build (XmlDocument *document, Diagnostics *diagnostics)
{
  XmlScan scan;
  gboolean built = FALSE;

  if (!xml_scan (document->text, document->length, &scan))
    diagnostics_error (diagnostics, position_at (document, scan.mistake), VIR_ERR_XML_ERROR, "%s", scan.text);
  else
    built = build_tree (document, scan.places, diagnostics);
  xml_scan_clear (&scan);
  return built;
}

/* The first byte that is no UTF-8 or not allowed in XML is named; libxml2 would stop at the same place. */
static gboolean
check_utf8 (const XmlDocument *document, Diagnostics *diagnostics)
{
  const char *invalid;
  Position where;

  if (g_utf8_validate_len (document->text, document->length, &invalid))
    return TRUE;
  where = position_at (document, (gsize)(invalid - document->text));
  if (*invalid == '\0')
    diagnostics_error (diagnostics, where, VIR_ERR_XML_DETAIL, "a NUL byte is not allowed in XML");
  else
    diagnostics_error (
        diagnostics, where, VIR_ERR_XML_DETAIL,
        "the byte 0x%02x is not valid UTF-8; save the document as UTF-8 or declare its encoding",
        (guint8)*invalid);
  return FALSE;
}

static gboolean
check_size (gsize length, Diagnostics *diagnostics)
{
  if (length <= XML_MAX_BYTES)
    return TRUE;
  diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_XML_ERROR, "the document is larger than %d MiB",
                     XML_MAX_BYTES / 1024 / 1024);
  return FALSE;
}

static void (*parse_guard) (void);

void
xml_document_set_guard (void (*guard) (void))
{
  parse_guard = guard;
}

XmlDocument *
xml_document_parse (const char *text, gssize length, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = NULL;
  gsize bytes = length < 0 ? strlen (text) : (gsize)length;

  if (parse_guard != NULL)
    parse_guard ();
  if (!check_size (bytes, diagnostics))
    return NULL;

  document = g_new0 (XmlDocument, 1);
  document->text = xml_to_utf8 (text, bytes, &document->length, diagnostics);
  if (document->text == NULL || !check_size (document->length, diagnostics))
    return NULL;
  index_lines (document);
  index_characters (document);
  if (!check_utf8 (document, diagnostics) || !scan_and_build (document, diagnostics))
    return NULL;
  return g_steal_pointer (&document);
}

/* All of @fd, or as much as shows that it is too much. */
static GByteArray *
read_bounded (int fd)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  while (bytes->len <= XML_MAX_BYTES) {
    guint had = bytes->len;
    gssize got;

    g_byte_array_set_size (bytes, had + READ_CHUNK);
    do
      got = read (fd, bytes->data + had, READ_CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
      return NULL;
    g_byte_array_set_size (bytes, had + (guint)got);
    if (got == 0)
      break;
  }
  return g_steal_pointer (&bytes);
}

XmlDocument *
xml_document_load (const char *path, Diagnostics *diagnostics, GError **error)
{
  g_autoptr (GByteArray) bytes = NULL;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

  if (fd >= 0) {
    int saved;

    bytes = read_bounded (fd);
    saved = errno;
    close (fd);
    errno = saved;
  }
  if (bytes == NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read '%s': %s", path, g_strerror (errno));
    return NULL;
  }
  return xml_document_parse ((const char *)bytes->data, (gssize)bytes->len, diagnostics);
}

void
xml_document_free (XmlDocument *document)
{
  if (document == NULL)
    return;
  if (document->tree != NULL)
    xmlFreeDoc (document->tree);
  g_clear_pointer (&document->lines, g_array_unref);
  g_clear_pointer (&document->characters, g_array_unref);
  g_free (document->text);
  g_free (document);
}

xmlDoc *
xml_document_tree (XmlDocument *document)
{
  return document->tree;
}

xmlNode *
xml_document_root (XmlDocument *document)
{
  return xmlDocGetRootElement (document->tree);
}

/* A copy takes along the namespaces that were declared further up: the text stands by itself. */
char *
xml_document_verbatim (XmlDocument *document, xmlNode *element)
{
  xmlNode *copy = xmlDocCopyNode (element, document->tree, 1);
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  xmlNodeDump (buffer, document->tree, copy, 0, 1);
  text = g_strdup ((const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  xmlFreeNode (copy);
  return text;
}

char *
xml_node_text (const xmlNode *element)
{
  GString *text = g_string_new (NULL);

  for (const xmlNode *child = element->children; child != NULL; child = child->next)
    if ((child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE) && child->content != NULL)
      g_string_append (text, (const char *)child->content);
  return g_strstrip (g_string_free (text, FALSE));
}

char *
xml_node_attribute (const xmlNode *element, const char *name)
{
  xmlChar *value = xmlGetNoNsProp (element, (const xmlChar *)name);
  char *copy = g_strdup ((const char *)value);

  xmlFree (value);
  return copy;
}
