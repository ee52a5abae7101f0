/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * XML written as libvirt writes it: two spaces a level, attributes in single quotes in the order they were
 * set, an empty element closed at once, text on the element's own line. A tree is built first, so that
 * several fields can meet in one element, and an element that stayed empty can be left out.
 */
typedef struct XmlElement XmlElement;

XmlElement *xml_element_new (const char *name);
void xml_element_free (XmlElement *element);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (XmlElement, xml_element_free)

/* A new last child; owned by @parent. */
XmlElement *xml_element_add (XmlElement *parent, const char *name);
/* The last child of that name, or a new one. */
XmlElement *xml_element_ensure (XmlElement *parent, const char *name);
void xml_element_set (XmlElement *element, const char *attribute, const char *value);
/* It gets an end tag even if it stays empty. */
void xml_element_set_open (XmlElement *element);
void xml_element_set_text (XmlElement *element, const char *text);
/* One already written element (from xml_document_verbatim), indented to its new depth. */
void xml_element_add_verbatim (XmlElement *parent, const char *xml);
/* The same, but in this writer's own form: libvirt's quotes and layout, comments left out. NULL when @xml is
 * no element. */
XmlElement *xml_element_add_parsed (XmlElement *parent, const char *xml);
/* The same of an element that is in this writer's form, from xml_normalize or xml_element_to_string: it is
 * indented and not read again. */
void xml_element_add_written (XmlElement *parent, const char *xml);
/* @xml in this writer's form, so that equal elements are equal texts; as it is when it is no element.
 * (transfer full) */
char *xml_normalize (const char *xml);
/* Take an attribute away again. */
void xml_element_unset (XmlElement *element, const char *attribute);
gboolean xml_element_is_empty (const XmlElement *element); /* no attributes, text or children */

/* The text, with a final newline. (transfer full) */
char *xml_element_to_string (const XmlElement *element);
