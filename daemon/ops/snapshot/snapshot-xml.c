/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot's document, with the domain's of its time; secrets are for those who may see them. Lists ask for
 * each document of a tree, and nearly all have no secrets: these are not read to be shown, and the small ones
 * are answered at once.
 */
#include "daemon/ops/ops.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "snapshot/snapshot-domain.h"

#include <string.h>

#define AT_ONCE_MAX (64 * 1024) /* bytes of definitions */

static void
unref_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

static GVariant *
make_xml (const Call *call, gpointer data, GError **error)
{
  SnapshotDef *shown = data;
  g_autofree char *xml = NULL;

  if ((call_uint (call, 1) & VIR_DOMAIN_SNAPSHOT_XML_SECURE) || !snapshot_has_secrets (data)) {
    xml = document_to_xml (&snapshot_document, data, FIELD_WRITE_SECURE);
    return g_variant_new ("(s)", xml);
  }
  shown = snapshot_without_secrets (data, call->manager->platform, error);
  if (shown == NULL)
    return NULL;
  xml = document_to_xml (&snapshot_document, shown, 0);
  document_unref (&snapshot_document, shown);
  return g_variant_new ("(s)", xml);
}

void
op_domain_snapshot_get_xml_desc (Call *call)
{
  SnapshotDef *def = call->child->def;
  gsize bytes;

  if (!call_check_flags (call, call_uint (call, 1), VIR_DOMAIN_SNAPSHOT_XML_SECURE))
    return;
  bytes = (def->domain != NULL ? strlen (def->domain) : 0)
          + (def->inactive_domain != NULL ? strlen (def->inactive_domain) : 0);
  if (bytes <= AT_ONCE_MAX && !snapshot_has_secrets (def))
    call_answer (call, make_xml (call, def, NULL));
  else
    call_make (call, bytes, "snapshot-xml", make_xml, document_ref (&snapshot_document, def), unref_def);
}
