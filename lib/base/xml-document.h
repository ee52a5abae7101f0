/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include <libxml/tree.h>

/*
 * An XML document read for its meaning and its places: libxml2's tree, with the line and column of each
 * element's and attribute's first character. No network, no DTD, no entities but XML's own five, and every
 * dimension bounded: documents are hostile until read.
 */
#define XML_MAX_BYTES    (8 * 1024 * 1024)
#define XML_MAX_DEPTH    128
#define XML_MAX_NODES    200000 /* elements and attributes together */
#define XML_MAX_SECTIONS 100000 /* comments, processing instructions and CDATA sections together */

typedef struct XmlDocument XmlDocument;

/* Called at the beginning of each reading, in its thread: for a program in which not every thread may read.
 * Set before there are others. */
void xml_document_set_guard (void (*guard) (void));

/* NULL, with the mistakes in @diagnostics, when @text is no well-formed document within the limits.
 * @length is in bytes, -1 for a NUL-terminated text. */
XmlDocument *xml_document_parse (const char *text, gssize length, Diagnostics *diagnostics);
/* The same for a file; @error (not @diagnostics) says when it cannot be read. */
XmlDocument *xml_document_load (const char *path, Diagnostics *diagnostics, GError **error);
void xml_document_free (XmlDocument *document);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (XmlDocument, xml_document_free)

xmlDoc *xml_document_tree (XmlDocument *document);
xmlNode *xml_document_root (XmlDocument *document);

/* The place of an element (its '<') or an attribute (its name's first character). */
Position xml_document_node_position (XmlDocument *document, const xmlNode *element);
Position xml_document_attribute_position (XmlDocument *document, const xmlAttr *attribute);

/* @element written out again by itself, namespaces declared, as kept in <metadata>. (transfer full) */
char *xml_document_verbatim (XmlDocument *document, xmlNode *element);

/* The text directly inside @element, stripped; "" when there is none. (transfer full) */
char *xml_node_text (const xmlNode *element);
/* An attribute without namespace, or NULL. (transfer full) */
char *xml_node_attribute (const xmlNode *element, const char *name);
