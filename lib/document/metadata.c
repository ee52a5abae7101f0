/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Elements of <metadata>, taken out and put in as libvirt does: the namespace a client names is declared on
 * its element with its key as the prefix, and given to every element inside that has none.
 */
#include "document/metadata.h"

#include "base/xml-document.h"
#include <libxml/tree.h>
#include <string.h>

#define EMPTY_METADATA "<metadata/>"

/* The reader leaves an ampersand of an attribute as its reference, for the attribute's own reading; of a
 * namespace nobody else makes it an ampersand again. */
static void
unescape_namespaces (xmlNode *node)
{
  for (xmlNs *space = node->nsDef; space != NULL; space = space->next)
    if (space->href != NULL && strstr ((const char *)space->href, "&#38;") != NULL) {
      GString *uri = g_string_new ((const char *)space->href);

      g_string_replace (uri, "&#38;", "&", 0);
      xmlFree ((xmlChar *)space->href);
      space->href = xmlStrdup ((const xmlChar *)uri->str);
      g_string_free (uri, TRUE);
    }
  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      unescape_namespaces (child);
}

/* A document is XML of ours or a client's: bounded and checked by the same reader as all others. */
static XmlDocument *
parse (const char *text, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("(metadata_xml)");
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);

  if (!diagnostics_check (diagnostics, error))
    return NULL;
  unescape_namespaces (xml_document_root (document));
  return g_steal_pointer (&document);
}

static xmlNode *
find_element (xmlNode *metadata, const char *uri)
{
  for (xmlNode *child = metadata->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && child->ns != NULL
        && g_strcmp0 ((const char *)child->ns->href, uri) == 0)
      return child;
  return NULL;
}

/* As it stands in an attribute: libxml2 writes a namespace as it is, and it may hold anything. (transfer
 * full) */
static xmlChar *
escape_namespace (const xmlChar *uri)
{
  GString *escaped = g_string_new (NULL);

  for (const char *c = (const char *)uri; *c != '\0'; c++)
    if (strchr ("<>&\"\t\n\r", *c) != NULL)
      g_string_append_printf (escaped, "&#%d;", *c);
    else
      g_string_append_c (escaped, *c);
  g_autofree char *text = g_string_free (escaped, FALSE);
  return xmlStrdup ((const xmlChar *)text);
}

static void
escape_namespaces (xmlNode *node)
{
  for (xmlNs *space = node->nsDef; space != NULL; space = space->next)
    if (space->href != NULL) {
      xmlChar *escaped = escape_namespace (space->href);

      xmlFree ((xmlChar *)space->href);
      space->href = escaped;
    }
  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      escape_namespaces (child);
}

/* @node is written and not used any more. */
static char *
node_to_text (xmlDoc *document, xmlNode *node, gboolean indented)
{
  xmlBuffer *buffer = xmlBufferCreate ();
  char *text;

  escape_namespaces (node);
  xmlNodeDump (buffer, document, node, 0, indented);
  text = g_strdup ((const char *)xmlBufferContent (buffer));
  xmlBufferFree (buffer);
  return text;
}

/* The declaration goes, too: nothing uses it any more. */
static void
remove_declaration (xmlNode *node, const char *uri)
{
  for (xmlNs **place = &node->nsDef; *place != NULL;) {
    xmlNs *declared = *place;

    if (g_strcmp0 ((const char *)declared->href, uri) != 0) {
      place = &declared->next;
      continue;
    }
    *place = declared->next;
    xmlFreeNs (declared);
  }
}

static void
take_off_namespace (xmlNode *node, const char *uri)
{
  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      take_off_namespace (child, uri);
  if (node->ns != NULL && g_strcmp0 ((const char *)node->ns->href, uri) == 0)
    node->ns = NULL;
  for (xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
    if (attribute->ns != NULL && g_strcmp0 ((const char *)attribute->ns->href, uri) == 0)
      attribute->ns = NULL;
  remove_declaration (node, uri);
}

static void
put_on_namespace (xmlNode *node, xmlNs *space)
{
  if (node->ns == NULL)
    node->ns = space;
  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      put_on_namespace (child, space);
}

char *
metadata_get (const char *metadata, const char *uri, GError **error)
{
  g_autoptr (XmlDocument) document = metadata != NULL ? parse (metadata, NULL) : NULL;
  xmlNode *element = document != NULL ? find_element (xml_document_root (document), uri) : NULL;
  xmlNode *copy;
  char *text;

  if (element == NULL) {
    virt_error_set (error, VIR_ERR_NO_DOMAIN_METADATA, "Requested metadata element is not present");
    return NULL;
  }
  copy = xmlDocCopyNode (element, xml_document_tree (document), 1);
  take_off_namespace (copy, uri);
  text = node_to_text (xml_document_tree (document), copy, TRUE);
  xmlFreeNode (copy);
  return text;
}

/* @key becomes a prefix, so it must be one; a prefix the element uses for something else cannot be it. */
static gboolean
add_element (xmlNode *root, XmlDocument *document, XmlDocument *addition, const char *key, const char *uri,
             GError **error)
{
  xmlNode *element = xmlDocCopyNode (xml_document_root (addition), xml_document_tree (document), 1);
  xmlNs *space = uri[0] != '\0' && xmlValidateNCName ((const xmlChar *)key, 0) == 0
                     ? xmlNewNs (element, (const xmlChar *)uri, (const xmlChar *)key)
                     : NULL;

  if (space == NULL) {
    xmlFreeNode (element);
    virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' cannot be the prefix of namespace '%s'", key, uri);
    return FALSE;
  }
  put_on_namespace (element, space);
  xmlAddChild (root, element);
  return TRUE;
}

static gboolean
has_elements (xmlNode *node)
{
  for (xmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE)
      return TRUE;
  return FALSE;
}

gboolean
metadata_set (const char *metadata, const char *xml, const char *key, const char *uri, char **ret,
              GError **error)
{
  g_autoptr (XmlDocument) document = parse (metadata != NULL ? metadata : EMPTY_METADATA, error);
  g_autoptr (XmlDocument) addition = document != NULL && xml != NULL ? parse (xml, error) : NULL;
  xmlNode *root, *old;

  if (document == NULL || (xml != NULL && addition == NULL))
    return FALSE;
  root = xml_document_root (document);
  old = find_element (root, uri);
  if (old != NULL) {
    xmlUnlinkNode (old);
    xmlFreeNode (old);
  }
  if (addition != NULL && !add_element (root, document, addition, key, uri, error))
    return FALSE;
  *ret = has_elements (root) ? node_to_text (xml_document_tree (document), root, FALSE) : NULL;
  return TRUE;
}
