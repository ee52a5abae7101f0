/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The documents besides machines' that domctl can check and complete without a daemon. What only the host
 * could choose (the name of a network's bridge) is left open. */
#include "cli/document-kinds.h"

#include "network/network-def.h"
#include "network/network-port.h"

static const DocumentKind *const kinds[] = { &network_document, &network_port_document };

const DocumentKind *
document_kind_of (const char *text, gsize length)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (text, (gssize)length, diagnostics);

  for (guint i = 0; document != NULL && i < G_N_ELEMENTS (kinds); i++)
    if (g_str_equal (kinds[i]->root, (const char *)xml_document_root (document)->name))
      return kinds[i];
  return NULL;
}

char *
document_complete (const DocumentKind *kind, const char *text, gsize length, Diagnostics *diagnostics)
{
  gpointer def = document_read (kind, text, (gssize)length, 0, diagnostics);
  char *xml = def != NULL ? document_to_xml (kind, def, FIELD_WRITE_SECURE) : NULL;

  document_unref (kind, def);
  return xml;
}
