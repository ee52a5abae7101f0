/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of the kinds of document: a row for each, which lies in the folder of its kind. Root elements are
 * unique, so nobody needs to say what a file is.
 */
#include "kinds/document-kinds.h"

#include "domain/domain-def.h"
#include "interface/interface-document.h"
#include "network/network-def.h"
#include "network/network-port.h"
#include "nwfilter/filter-document.h"
#include "secret/secret-document.h"
#include "snapshot/backup-document.h"
#include "snapshot/checkpoint-document.h"
#include "snapshot/snapshot-document.h"
#include "storage/storage-volume.h"

/* Those that nothing here works with: they are only checked. */
#define CHECKED(root_, schema_)                                                                   \
  {                                                                                               \
    .root = (root_), .schema = (schema_), .name = DOCUMENT_NO_MEMBER, .uuid = DOCUMENT_NO_MEMBER, \
  }

static const DocumentKind node_device_document = CHECKED ("device", SCHEMA_NODE_DEVICE);
static const DocumentKind cpu_document = CHECKED ("cpu", SCHEMA_CPU);
static const DocumentKind capabilities_document = CHECKED ("capabilities", SCHEMA_CAPABILITIES);
static const DocumentKind domain_capabilities_document =
    CHECKED ("domainCapabilities", SCHEMA_DOMAIN_CAPABILITIES);
static const DocumentKind storage_pool_capabilities_document =
    CHECKED ("storagepoolCapabilities", SCHEMA_STORAGE_POOL_CAPABILITIES);

const DocumentKind *const document_kinds[] = {
  &domain_document,
  &snapshot_document,
  &checkpoint_document,
  &backup_document,
  &storage_pool_document,
  &storage_volume_document,
  &secret_document,
  &network_document,
  &network_port_document,
  &host_interface_document,
  &filter_document,
  &filter_binding_document,
  &node_device_document,
  &cpu_document,
  &capabilities_document,
  &domain_capabilities_document,
  &storage_pool_capabilities_document,
  NULL,
};

const DocumentKind *
document_kind_of_root (const char *root)
{
  for (const DocumentKind *const *kind = document_kinds; *kind != NULL; kind++)
    if (g_str_equal ((*kind)->root, root))
      return *kind;
  return NULL;
}

static void
report_unknown (XmlDocument *document, DiagnosticSeverity severity, Diagnostics *diagnostics)
{
  xmlNode *root = xml_document_root (document);
  const char *name = (const char *)root->name;
  g_autoptr (GPtrArray) roots = g_ptr_array_new ();
  g_autofree char *all = NULL;
  const char *nearest;

  for (const DocumentKind *const *kind = document_kinds; *kind != NULL; kind++)
    g_ptr_array_add (roots, (gpointer)(*kind)->root);
  g_ptr_array_add (roots, NULL);
  nearest = nearest_word (name, (const char *const *)roots->pdata);
  all = g_strjoinv ("', '", (char **)roots->pdata);
  (severity == DIAGNOSTIC_ERROR ? diagnostics_error : diagnostics_warning) (
      diagnostics, xml_document_node_position (document, root), VIR_ERR_XML_ERROR,
      "no kind of document has the root element '%s': %s%s%saccepted: '%s'", name,
      nearest != NULL ? "did you mean '" : "", nearest != NULL ? nearest : "", nearest != NULL ? "'? " : "",
      all);
  diagnostics_offer (diagnostics, (const char *const *)roots->pdata, nearest);
}

const DocumentKind *
document_kind_of_text (const char *text, gssize length, DiagnosticSeverity unknown, Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  const DocumentKind *kind;

  if (document == NULL)
    return NULL;
  kind = document_kind_of_root ((const char *)xml_document_root (document)->name);
  if (kind == NULL)
    report_unknown (document, unknown, diagnostics);
  return kind;
}
