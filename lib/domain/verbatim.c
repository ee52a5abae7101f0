/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parts of libvirt's format that have no meaning here yet. They are kept as they stand and written back
 * in their place, so that a document loses nothing; and they are listed by name, so that a target refuses
 * what it cannot honour instead of leaving it out. A part that becomes fields leaves this list.
 */

#include "domain/verbatim.h"

#include "document/namespace.h"

typedef struct {
  const char *name; /* the element's path */
  gsize offset;     /* in DomainDef, of a char * that is NULL when the document has no such part */
} UnmodelledPart;

#define PART(name_, member)                      \
  {                                              \
    (name_), G_STRUCT_OFFSET (DomainDef, member) \
  }

static const UnmodelledPart parts[] = {
  PART ("bootloader", verbatim.bootloader),
  PART ("bootloader_args", verbatim.bootloader_arguments),
  PART ("os/nvram/source", os.nvram_source),
  PART ("lxc:namespace", verbatim.lxc_namespace),
  PART ("xen:commandline", verbatim.xen_commandline),
  PART ("bhyve:commandline", verbatim.bhyve_commandline),
  PART ("vmware:datacenterpath", verbatim.vmware_datacenter_path),
};

static const char *const namespace_prefixes[] = { "qemu", "lxc", "xen", "bhyve", "vmware" };

static char *
namespace_uri (const char *prefix)
{
  return g_strdup_printf ("http://libvirt.org/schemas/domain/%s/1.0", prefix);
}

static void
claim_declarations (xmlNode *element, gboolean is_root)
{
  for (guint i = 0; i < G_N_ELEMENTS (namespace_prefixes); i++) {
    g_autofree char *uri = namespace_uri (namespace_prefixes[i]);

    namespace_claim (element, namespace_prefixes[i], uri, is_root);
  }
}

void
verbatim_claim_namespaces (xmlNode *root)
{
  claim_declarations (root, TRUE);
  for (xmlNode *child = root->children; child != NULL; child = child->next) {
    if (child->type == XML_ELEMENT_NODE)
      claim_declarations (child, FALSE);
  }
}

/* Reading, comparing and copying are those of any verbatim element. */

static void
namespaced_read (FieldReader *reader, const Field *field, gpointer member, xmlNode *element)
{
  field_verbatim.read (reader, field, member, element);
}

static void
namespaced_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
                  const char *name, guint flags G_GNUC_UNUSED)
{
  XmlElement *element = xml_element_add_parsed (parent, *(char *const *)member);
  g_autofree char *prefix = g_strndup (name, strcspn (name, ":"));
  g_autofree char *declaration = g_strconcat ("xmlns:", prefix, NULL);
  g_autofree char *uri = namespace_uri (prefix);

  if (element == NULL)
    return;
  xml_element_unset (element, declaration);
  xml_element_set (parent, declaration, uri);
}

static gboolean
namespaced_is_set (const Field *field, gconstpointer member)
{
  return field_verbatim.is_set (field, member);
}

static char *
namespaced_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  return field_verbatim.compare (field, a, b, flags);
}

static void
namespaced_clear (const Field *field, gpointer member)
{
  field_verbatim.clear (field, member);
}

static void
namespaced_copy (const Field *field, gpointer member, gconstpointer from)
{
  field_verbatim.copy (field, member, from);
}

const FieldType field_namespaced = {
  .size = sizeof (char *),
  .read = namespaced_read,
  .write = namespaced_write,
  .is_set = namespaced_is_set,
  .compare = namespaced_compare,
  .clear = namespaced_clear,
  .copy = namespaced_copy,
};

static gboolean
is_asked_for (const DomainDef *def, const UnmodelledPart *part)
{
  return *(gconstpointer *)((const char *)def + part->offset) != NULL;
}

GStrv
domain_def_unmodelled (const DomainDef *def)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (is_asked_for (def, &parts[i]))
      g_strv_builder_add (names, parts[i].name);
  }
  return g_strv_builder_end (names);
}
