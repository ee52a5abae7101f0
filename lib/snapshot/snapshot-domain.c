/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot's <domain> and <inactiveDomain>. A thousand snapshots are a thousand definitions, and nearly
 * none of them is ever needed: so they are texts, and become structs for who goes back to one.
 */
#include "snapshot/snapshot-domain.h"

#include "base/virt-error.h"
#include "base/xml-writer.h"

#include <libvirt/virterror.h>
#include <string.h>

#define ROOT          "domain"
#define INACTIVE_ROOT "inactiveDomain"

/* The same element under another name. */
static char *
rename_root (const char *xml, const char *from, const char *to)
{
  g_autofree char *begin = g_strconcat ("<", from, NULL), *end = g_strconcat ("</", from, NULL);
  const char *last = g_strrstr (xml, end);

  g_return_val_if_fail (g_str_has_prefix (xml, begin) && last != NULL, g_strdup (xml));
  return g_strdup_printf ("<%s%.*s</%s%s", to, (int)(last - xml - (gssize)strlen (begin)),
                          xml + strlen (begin), to, last + strlen (end));
}

/* In the writer's own form; what is kept as somebody else wrote it, as metadata are, is brought into it. */
char *
snapshot_domain_text (const DomainDef *domain, guint flags)
{
  g_autofree char *xml = domain_def_to_xml (domain, flags);

  return strstr (xml, "<metadata") != NULL ? xml_normalize (xml) : g_steal_pointer (&xml);
}

void
snapshot_set_domain (SnapshotDef *def, const DomainDef *domain, const DomainDef *inactive)
{
  g_autofree char *xml = inactive != NULL ? snapshot_domain_text (inactive, DOMAIN_WRITE_SECURE) : NULL;

  g_free (def->domain);
  g_free (def->inactive_domain);
  def->domain = snapshot_domain_text (domain, DOMAIN_WRITE_SECURE);
  def->inactive_domain = xml != NULL ? rename_root (xml, ROOT, INACTIVE_ROOT) : NULL;
}

gboolean
snapshot_has_domain (const SnapshotDef *def)
{
  return def->domain != NULL && strstr (def->domain, "<devices") != NULL;
}

static DomainDef *
parse (const char *xml, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("the snapshot's domain");
  DomainDef *def = domain_def_parse (xml, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);

  if (diagnostics_check (diagnostics, error))
    return def;
  domain_def_unref (def);
  return NULL;
}

DomainDef *
snapshot_read_domain (const SnapshotDef *def, const Platform *platform, GError **error)
{
  if (def->domain != NULL)
    return parse (def->domain, platform, error);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing domain in snapshot");
  return NULL;
}

DomainDef *
snapshot_read_inactive (const SnapshotDef *def, const Platform *platform, GError **error)
{
  g_autofree char *xml = NULL;

  if (def->inactive_domain == NULL)
    return NULL;
  xml = rename_root (def->inactive_domain, INACTIVE_ROOT, ROOT);
  return parse (xml, platform, error);
}

gboolean
snapshot_has_secrets (const SnapshotDef *def)
{
  return (def->domain != NULL && domain_xml_has_secrets (def->domain))
         || (def->inactive_domain != NULL && domain_xml_has_secrets (def->inactive_domain));
}

SnapshotDef *
snapshot_without_secrets (const SnapshotDef *def, const Platform *platform, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autoptr (DomainDef) domain = NULL;
  g_autoptr (DomainDef) inactive = NULL;
  SnapshotDef *copy;

  if (def->domain != NULL)
    domain = parse (def->domain, platform, error);
  if (def->domain != NULL && domain == NULL)
    return NULL;
  inactive = snapshot_read_inactive (def, platform, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return NULL;
  }
  copy = document_copy (&snapshot_document, def);
  if (domain != NULL) {
    g_free (copy->domain);
    copy->domain = snapshot_domain_text (domain, 0);
  }
  if (inactive != NULL) {
    g_autofree char *xml = snapshot_domain_text (inactive, 0);

    g_free (copy->inactive_domain);
    copy->inactive_domain = rename_root (xml, ROOT, INACTIVE_ROOT);
  }
  return copy;
}
