/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libxml2 is set up in one place, so that no way of reading can forget an option. Its library-wide
 * initialisation is safe in threads only when nothing else of it runs at the same time.
 */
#include "base/xml-parser.h"

static void
initialise_once (void)
{
  static gsize initialised = 0;

  if (g_once_init_enter (&initialised)) {
    xmlInitParser ();
    g_once_init_leave (&initialised, 1);
  }
}

/* No document type, and so no entity and no attribute's default, is ever read: a reader that wants to say so
 * has a handler of its own. */
static void
on_document_type (void *data, const xmlChar *name G_GNUC_UNUSED, const xmlChar *public_id G_GNUC_UNUSED,
                  const xmlChar *system_id G_GNUC_UNUSED)
{
  xmlParserCtxt *context = data;

  context->wellFormed = 0;
  xmlStopParser (context);
}

xmlParserCtxt *
xml_parser_new (const char *text, gsize length, xmlStructuredErrorFunc on_error)
{
  xmlParserCtxt *context;

  initialise_once ();
  context = xmlCreateMemoryParserCtxt (text, (int)length);
  if (context == NULL)
    g_error ("out of memory for an XML parser");
  context->sax->serror = on_error;
  context->sax->internalSubset = on_document_type;
  xmlCtxtUseOptions (context,
                     XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_IGNORE_ENC | XML_PARSE_BIG_LINES);
  return context;
}

/* Without the mark libxml2 would write what is not ASCII as character references. */
xmlDoc *
xml_parser_take_document (xmlParserCtxt *context)
{
  xmlDoc *document = g_steal_pointer (&context->myDoc);

  if (document != NULL) {
    xmlFree ((xmlChar *)document->encoding);
    document->encoding = xmlStrdup ((const xmlChar *)"UTF-8");
  }
  return document;
}
