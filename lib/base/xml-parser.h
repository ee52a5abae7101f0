/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/parserInternals.h>

/*
 * libxml2's parser with the options that reading and writing share: no network, no document type (where one
 * begins, parsing ends), blanks between elements dropped, @text taken as UTF-8, errors to @on_error only.
 * @text must outlive the context, whose _private is the caller's. Internal to the XML reader and writer; free
 * with xmlFreeParserCtxt.
 */
xmlParserCtxt *xml_parser_new (const char *text, gsize length, xmlStructuredErrorFunc on_error);

/* The document that @context read, which may be NULL, marked as UTF-8 whatever it declared. (transfer full)
 */
xmlDoc *xml_parser_take_document (xmlParserCtxt *context);
