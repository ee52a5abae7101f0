/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The places of a document's elements and attributes, found by one pass over the text before any parser
 * sees it, and the limits that the parser itself cannot keep. Internal to the XML reader.
 */
#define XML_MAX_ATTRIBUTES 256 /* of one element; the parser compares each with each */
#define XML_MAX_NAMESPACES 256 /* declared in the whole document; the parser searches them one by one */

/* What is said of markup that the parser comes to and the scan has not found. It is never said: a fuzz target
 * compares the two readings. */
#define XML_UNSEEN "the document is not read here as its limits were checked"

typedef struct {
  GArray *
      places; /* guint32 byte offsets: each element's '<', then its attributes' names (xmlns too), in order */
  gsize mistake;    /* where a limit was broken */
  const char *text; /* what is wrong there; NULL when nothing is */
} XmlScan;

/*
 * FALSE, with @ret's mistake set, when a limit is broken or a document type is declared. TRUE says nothing
 * about well-formedness: at the first thing that no well-formed document has, the scan ends and leaves
 * it to the parser to say what it is. Free with xml_scan_clear in either case.
 */
gboolean xml_scan (const char *text, gsize length, XmlScan *ret);
void xml_scan_clear (XmlScan *scan);
