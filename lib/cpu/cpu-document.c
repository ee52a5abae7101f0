/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reading a <cpu> outside of any domain. Clients take it from capabilities, from a domain's document or write
 * it by hand, so two forms have to be told apart, and what belongs to the other form is refused as libvirt
 * refuses it.
 */
#include "cpu/cpu-document.h"

#include "document/schema.h"

#include <string.h>

#define VENDOR_ID_LENGTH 12 /* bytes of the CPUID vendor string */

void
cpu_document_free (CpuDocument *document)
{
  if (document == NULL)
    return;
  field_free (&domain_cpu_table, document->cpu);
  g_free (document->arch);
  g_free (document);
}

char *
cpu_to_xml (const DomainCpu *cpu)
{
  g_autoptr (XmlElement) root = xml_element_new ("cpu");

  field_write (&domain_cpu_table, cpu, root, 0);
  return xml_element_to_string (root);
}

static xmlNode *
find_child (xmlNode *root, const char *name)
{
  for (xmlNode *child = root->children; child != NULL; child = child->next)
    if (child->type == XML_ELEMENT_NODE && strcmp ((const char *)child->name, name) == 0)
      return child;
  return NULL;
}

static gboolean
refuse (GError **error, virErrorNumber code, const char *text)
{
  virt_error_set (error, code, "%s", text);
  return FALSE;
}

/* Which of the two it is, and whether it mixes them. */
static gboolean
read_kind (CpuDocument *document, xmlNode *root, guint flags, GError **error)
{
  xmlNode *arch = find_child (root, "arch");
  g_autofree char *mode = xml_node_attribute (root, "mode"), *match = xml_node_attribute (root, "match");

  document->is_host = arch != NULL || (flags & CPU_DOCUMENT_HOST_ONLY) != 0;
  if (!document->is_host)
    return TRUE;
  if (match != NULL && arch != NULL && (flags & CPU_DOCUMENT_HOST_ONLY) == 0)
    return refuse (error, VIR_ERR_XML_ERROR,
                   "'arch' element cannot be used inside 'cpu' element with 'match' attribute'");
  if (mode != NULL)
    return refuse (error, VIR_ERR_CONFIG_UNSUPPORTED, "Attribute mode is only allowed for guest CPU");
  if (arch == NULL)
    return refuse (error, VIR_ERR_XML_ERROR, "Missing CPU architecture");
  document->arch = xml_node_text (arch);
  return TRUE;
}

gboolean
architecture_is_known (const char *arch)
{
  static const char *const known[] = { "aarch64",     "alpha",    "armv6l",     "armv7b",       "armv7l",
                                       "cris",        "i686",     "ia64",       "itanium",      "lm32",
                                       "loongarch64", "m68k",     "microblaze", "microblazeel", "mips",
                                       "mips64",      "mips64el", "mipsel",     "or32",         "parisc",
                                       "parisc64",    "ppc",      "ppc64",      "ppc64le",      "ppcemb",
                                       "riscv32",     "riscv64",  "s390",       "s390x",        "sh4",
                                       "sh4eb",       "sparc",    "sparc64",    "unicore32",    "x86_64",
                                       "xtensa",      "xtensaeb", NULL };

  return g_strv_contains (known, arch);
}

static gboolean
check_arch (const char *arch, GError **error)
{
  if (arch == NULL || architecture_is_known (arch))
    return TRUE;
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture %s", arch);
  return FALSE;
}

static gboolean
check_features (const DomainCpu *cpu, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; cpu->features != NULL && i < cpu->features->len; i++) {
    const CpuFeature *feature = g_ptr_array_index (cpu->features, i);

    if (feature->name == NULL || *feature->name == '\0')
      return refuse (error, VIR_ERR_XML_ERROR, "Invalid CPU feature name: it is empty");
    if (g_hash_table_add (seen, feature->name))
      continue;
    virt_error_set (error, VIR_ERR_XML_ERROR, "CPU feature '%s' specified more than once", feature->name);
    return FALSE;
  }
  return TRUE;
}

/* What holds for both. */
static gboolean
check (const CpuDocument *document, GError **error)
{
  const DomainCpu *cpu = document->cpu;
  gboolean no_model = cpu->model == NULL || *cpu->model == '\0';
  gboolean wants_model = cpu->mode == CPU_MODE_NONE || cpu->mode == CPU_MODE_CUSTOM;

  if (!check_arch (document->arch, error))
    return FALSE;
  if (no_model && (document->is_host || cpu->fallback != CPU_FALLBACK_NONE || cpu->vendor_id != NULL))
    return refuse (error, VIR_ERR_XML_ERROR, "Missing CPU model name");
  if (cpu->vendor_id != NULL && strlen (cpu->vendor_id) != VENDOR_ID_LENGTH)
    return refuse (error, VIR_ERR_XML_ERROR, "vendor_id must be exactly 12 characters long");
  if (no_model && cpu->vendor != NULL)
    return refuse (error, VIR_ERR_XML_ERROR, "CPU vendor specified without CPU model");
  if (no_model && wants_model && cpu->features != NULL)
    return refuse (error, VIR_ERR_XML_ERROR, "Non-empty feature list specified without CPU model");
  return check_features (cpu, error);
}

/* Errors are those of @diagnostics. */
static gboolean
read_all (CpuDocument *ret, XmlDocument *document, guint flags, Diagnostics *diagnostics, GError **error)
{
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, TRUE };
  xmlNode *root = xml_document_root (document);

  if (strcmp ((const char *)root->name, "cpu") != 0)
    return refuse (error, VIR_ERR_XML_ERROR, "XML does not contain expected 'cpu' element");
  if ((flags & CPU_DOCUMENT_VALIDATE) != 0 && !schema_validate_as (SCHEMA_CPU, document, diagnostics))
    return diagnostics_check (diagnostics, error);
  if (!read_kind (ret, root, flags, error))
    return FALSE;
  field_read (&reader, &domain_cpu_table, ret->cpu, root);
  if (!diagnostics_check (diagnostics, error))
    return FALSE;
  if (ret->cpu->model != NULL && *ret->cpu->model == '\0')
    g_clear_pointer (&ret->cpu->model, g_free);
  return check (ret, error);
}

CpuDocument *
cpu_document_parse (const char *text, guint flags, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("(CPU_definition)");
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  g_autoptr (CpuDocument) result = NULL;

  if (document == NULL) {
    diagnostics_check (diagnostics, error);
    return NULL;
  }
  result = g_new0 (CpuDocument, 1);
  result->cpu = field_new (&domain_cpu_table);
  return read_all (result, document, flags, diagnostics, error) ? g_steal_pointer (&result) : NULL;
}
