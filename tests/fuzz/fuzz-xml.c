/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a document. What is refused has said so; what is read has a place within the text for every
 * element and attribute, and each element written out by itself can be read again. What bounds a document
 * reads it as libxml2 does.
 */
#include "base/xml-document.h"
#include "base/xml-scan.h"
#include "base/xml-writer.h"

#include <string.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check_places (XmlDocument *document, xmlNode *element)
{
  g_assert_cmpuint (xml_document_node_position (document, element).line, >, 0);
  for (xmlAttr *attribute = element->properties; attribute != NULL; attribute = attribute->next)
    g_assert_cmpuint (xml_document_attribute_position (document, attribute).line, >, 0);
  for (xmlNode *child = element->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      check_places (document, child);
}

static void
check_verbatim (XmlDocument *document)
{
  g_autofree char *text = xml_document_verbatim (document, xml_document_root (document));
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) again = xml_document_parse (text, -1, diagnostics);
  g_autoptr (XmlElement) parent = xml_element_new ("parent");
  g_autofree char *written = NULL;

  xml_element_add_verbatim (parent, text);
  written = xml_element_to_string (parent);
  /* What is longer once escaped may be beyond a limit; nothing else may be wrong with it. */
  if (again == NULL)
    g_assert_cmpuint (strlen (text), >, XML_MAX_BYTES);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse ((const char *)data, (gssize)size, diagnostics);
  g_autofree char *text = diagnostics_to_text (diagnostics);

  g_assert_true ((document == NULL) == diagnostics_has_errors (diagnostics));
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_null (strstr (text, ": error: " XML_UNSEEN "\n"));
  if (document == NULL)
    return 0;
  check_places (document, xml_document_root (document));
  check_verbatim (document);
  return 0;
}
