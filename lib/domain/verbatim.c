/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The parts of libvirt's format that have no meaning here yet. They are kept as they stand and written back
 * in their place, so that a document loses nothing; and they are listed by name, so that a target refuses
 * what it cannot honour instead of leaving it out. A part that becomes fields leaves this list.
 */

#include "domain/verbatim.h"

typedef struct {
  const char *name; /* the element's path */
  gsize offset;     /* in DomainDef, of a char * that is NULL when the document has no such part */
} UnmodelledPart;

#define PART(name_, member)                      \
  {                                              \
    (name_), G_STRUCT_OFFSET (DomainDef, member) \
  }

static const UnmodelledPart parts[] = {
  PART ("cputune/cachetune", cputune.cachetunes),
  PART ("cputune/memorytune", cputune.memorytunes),
  PART ("resource/fibrechannel", resource.fibrechannel),
  PART ("bootloader", verbatim.bootloader),
  PART ("bootloader_args", verbatim.bootloader_arguments),
  PART ("os/init", os.init),
  PART ("os/initarg", os.init_arguments),
  PART ("os/initenv", os.init_environment),
  PART ("os/initdir", os.init_directory),
  PART ("os/inituser", os.init_user),
  PART ("os/initgroup", os.init_group),
  PART ("os/nvram/source", os.nvram_source),
  PART ("idmap", verbatim.idmap),
  PART ("features/capabilities", features.capabilities),
  PART ("features/gic", features.gic),
  PART ("features/smm/tseg", features.smm_tseg),
  PART ("features/hpt", features.hpt),
  PART ("features/xen", features.xen),
  PART ("keywrap", verbatim.keywrap),
  PART ("launchSecurity", verbatim.launch_security),
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

/* In the place of one of these prefixes that stands for something else; no row of a table begins so. */
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

/*
 * The namespace counts, whatever prefix the document gives it, and a prefix by itself means nothing. A
 * default namespace of the root is that of every element below, and none of them is one of ours.
 */
static void
claim_prefix (xmlNode *element, const char *prefix, gboolean is_root)
{
  g_autofree char *uri = namespace_uri (prefix);

  for (xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next)
    if (g_strcmp0 ((const char *)ns->prefix, prefix) == 0 && g_strcmp0 ((const char *)ns->href, uri) != 0)
      set_prefix (ns, FOREIGN_PREFIX);
  for (xmlNs *ns = element->nsDef; ns != NULL; ns = ns->next)
    if (g_strcmp0 ((const char *)ns->href, uri) == 0 && !declares_prefix (element, prefix)
        && (ns->prefix != NULL || !is_root))
      set_prefix (ns, prefix);
}

static void
claim_declarations (xmlNode *element, gboolean is_root)
{
  for (guint i = 0; i < G_N_ELEMENTS (namespace_prefixes); i++)
    claim_prefix (element, namespace_prefixes[i], is_root);
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

static gboolean
has_memory_caches (const DomainCpu *cpu)
{
  for (guint i = 0; cpu->numa.cells != NULL && i < cpu->numa.cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (cpu->numa.cells, i))->caches != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
is_counted (const GPtrArray *events)
{
  for (guint i = 0; events != NULL && i < events->len; i++)
    if (((const PerfEvent *)g_ptr_array_index (events, i))->enabled == TRISTATE_YES)
      return TRUE;
  return FALSE;
}

GStrv
domain_def_unmodelled (const DomainDef *def)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (is_asked_for (def, &parts[i]))
      g_strv_builder_add (names, parts[i].name);
  }
  if (def->resource.partition != NULL && !g_str_equal (def->resource.partition, PARTITION_DEFAULT))
    g_strv_builder_add (names, "resource/partition");
  if (def->cpu != NULL && def->cpu->numa.interconnects != NULL)
    g_strv_builder_add (names, "cpu/numa/interconnects");
  if (is_counted (def->perf_events))
    g_strv_builder_add (names, "perf/event");
  if (def->cpu != NULL && has_memory_caches (def->cpu))
    g_strv_builder_add (names, "cpu/numa/cell/cache");
  return g_strv_builder_end (names);
}
