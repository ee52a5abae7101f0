/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Reading a document goes the same way for every kind: well-formed, the right root, the fields with their
 * places, the kind's own checks, the schema, and then what was left open is filled in. All mistakes of a step
 * are found before the next one is refused.
 */
#include "document/document-kind.h"

#include "document/namespace.h"

static gint *
ref_count (const DocumentKind *kind, gpointer def)
{
  return &G_STRUCT_MEMBER (gint, def, kind->ref_count);
}

static gboolean
check_root (const DocumentKind *kind, XmlDocument *document, Diagnostics *diagnostics)
{
  xmlNode *root = xml_document_root (document);

  if (g_str_equal ((const char *)root->name, kind->root))
    return TRUE;
  diagnostics_error_from (diagnostics, xml_document_node_position (document, root), VIR_FROM_XML,
                          VIR_ERR_XML_ERROR, "expecting root element of '%s', not '%s'", kind->root,
                          (const char *)root->name);
  return FALSE;
}

/* Declared at the root, or at the element itself. */
void
document_claim_namespaces (const DocumentKind *kind, xmlNode *root)
{
  for (const DocumentNamespace *ns = kind->namespaces; ns != NULL && ns->prefix != NULL; ns++) {
    namespace_claim (root, ns->prefix, ns->uri, TRUE);
    for (xmlNode *child = root->children; child != NULL; child = child->next)
      if (child->type == XML_ELEMENT_NODE)
        namespace_claim (child, ns->prefix, ns->uri, FALSE);
  }
}

static void
complete (const DocumentKind *kind, gpointer def)
{
  if (kind->uuid != DOCUMENT_NO_MEMBER && document_uuid (kind, def) == NULL) {
    guint8 bytes[UUID_BYTES];
    char text[UUID_TEXT];

    uuid_generate (bytes);
    uuid_format (bytes, text);
    document_set_uuid (kind, def, text);
  }
  if (kind->complete != NULL)
    kind->complete (def);
}

/* What the walk and the checks told is in better words than the schema's, where both say something of a line.
 */
static void
ask_schema (const DocumentKind *kind, XmlDocument *document, Diagnostics *diagnostics)
{
  g_autoptr (Diagnostics) refusals = diagnostics_new (NULL);

  schema_validate_rest (kind->schema, document, diagnostics, refusals);
  diagnostics_explain (diagnostics, refusals);
}

gpointer
document_read (const DocumentKind *kind, const char *text, gssize length, guint flags,
               Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, (flags & DOCUMENT_LAX) != 0, kind->value_errors, NULL };
  gpointer def;

  if (document == NULL || !check_root (kind, document, diagnostics))
    return NULL;
  document_claim_namespaces (kind, xml_document_root (document));
  def = document_new (kind);
  field_read (&reader, kind->table, def, xml_document_root (document));
  if (kind->validate != NULL)
    kind->validate (def, &reader, flags);
  if ((flags & DOCUMENT_LAX) == 0)
    ask_schema (kind, document, diagnostics);
  if (diagnostics_has_errors (diagnostics)) {
    document_unref (kind, def);
    return NULL;
  }
  complete (kind, def);
  return def;
}

gboolean
document_check (const DocumentKind *kind, const char *text, gssize length, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = NULL;
  gpointer def;

  if (kind->table == NULL) {
    document = xml_document_parse (text, length, diagnostics);
    return document != NULL && check_root (kind, document, diagnostics)
           && schema_validate_as (kind->schema, document, diagnostics);
  }
  def = document_read (kind, text, length, 0, diagnostics);
  document_unref (kind, def);
  return def != NULL;
}

gpointer
document_new (const DocumentKind *kind)
{
  gpointer def = field_new (kind->table);

  *ref_count (kind, def) = 1;
  return def;
}

gpointer
document_copy (const DocumentKind *kind, gconstpointer def)
{
  gpointer copy = field_copy (kind->table, def);

  *ref_count (kind, copy) = 1;
  return copy;
}

gpointer
document_ref (const DocumentKind *kind, gpointer def)
{
  g_atomic_int_inc (ref_count (kind, def));
  return def;
}

void
document_unref (const DocumentKind *kind, gpointer def)
{
  if (def != NULL && g_atomic_int_dec_and_test (ref_count (kind, def)))
    field_free (kind->table, def);
}

char *
document_to_xml (const DocumentKind *kind, gconstpointer def, guint flags)
{
  g_autoptr (XmlElement) root = xml_element_new (kind->root);

  field_write (kind->table, def, root, flags);
  if (kind->open)
    xml_element_set_open (root);
  for (const DocumentNamespace *ns = kind->namespaces; ns != NULL && ns->prefix != NULL; ns++) {
    g_autofree char *attribute = g_strconcat ("xmlns:", ns->prefix, NULL);

    if (ns->is_used != NULL && ns->is_used (def))
      xml_element_set (root, attribute, ns->uri);
  }
  return xml_element_to_string (root);
}

static const char *
text_member (gconstpointer def, gsize offset)
{
  return offset == DOCUMENT_NO_MEMBER ? NULL : G_STRUCT_MEMBER (char *, def, offset);
}

const char *
document_name (const DocumentKind *kind, gconstpointer def)
{
  return text_member (def, kind->name);
}

const char *
document_uuid (const DocumentKind *kind, gconstpointer def)
{
  return text_member (def, kind->uuid);
}

void
document_set_uuid (const DocumentKind *kind, gpointer def, const char *uuid)
{
  char **member = &G_STRUCT_MEMBER (char *, def, kind->uuid);

  g_free (*member);
  *member = g_strdup (uuid);
}
