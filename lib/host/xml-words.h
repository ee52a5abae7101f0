/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/xml-writer.h"
#include "targets/qemu/caps.h"

/* What the two capabilities documents are written with. */

/* <name>text</name> */
static inline XmlElement *
words_text (XmlElement *parent, const char *name, const char *text)
{
  XmlElement *element = xml_element_add (parent, name);

  xml_element_set_text (element, text);
  return element;
}

static inline void
words_number (XmlElement *element, const char *attribute, guint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GUINT64_FORMAT, number);

  xml_element_set (element, attribute, text);
}

/* <name supported='yes'/> */
static inline XmlElement *
words_supported (XmlElement *parent, const char *name, gboolean supported)
{
  XmlElement *element = xml_element_add (parent, name);

  xml_element_set (element, "supported", supported ? "yes" : "no");
  return element;
}
