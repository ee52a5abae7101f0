/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Prefixes of namespaces. The reading walk compares prefixes, as rows have them; so a document's own ones are
 * exchanged for those of the rows before it is read.
 */
#include "document/namespace.h"

#include <glib.h>

/* In the place of a prefix that stands for something else; no row of a table begins so. */
#define FOREIGN_PREFIX "foreign"

static gboolean
declares_prefix (const xmlNode *element, const char *prefix)
{
  for (const xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next) {
    if (g_strcmp0 ((const char *)ns->prefix, prefix) == 0)
      return TRUE;
  }
  return FALSE;
}

static void
set_prefix (xmlNs *ns, const char *prefix)
{
  xmlFree ((xmlChar *)ns->prefix);
  ns->prefix = xmlStrdup ((const xmlChar *)prefix);
}

void
namespace_claim (xmlNode *element, const char *prefix, const char *uri, int is_root)
{
  for (xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next)
    if (g_strcmp0 ((const char *)ns->prefix, prefix) == 0 && g_strcmp0 ((const char *)ns->href, uri) != 0)
      set_prefix (ns, FOREIGN_PREFIX);
  for (xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next)
    if (g_strcmp0 ((const char *)ns->href, uri) == 0 && !declares_prefix (element, prefix)
        && (ns->prefix != NULL || !is_root))
      set_prefix (ns, prefix);
}
