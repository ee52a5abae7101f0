/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way in and the way out. In: the text becomes a tree, the tree becomes structs, and the structs are
 * completed and checked as a whole; each step with every mistake in words. A mistake does not end the way:
 * what is only misspelt is read as it was meant, what was not understood is doubted (base/field.h), the rest
 * is completed and checked all the same, so that one run tells them all, and the definition is thrown away.
 * The schema passes or refuses the tree: it is the gate, but it has the last word and not the first, because
 * the others explain better.
 */

#include "document/kept-check.h"
#include "document/schema.h"
#include "domain/complete-parts.h"
#include "domain/device-list.h"
#include "domain/verbatim.h"

#include <string.h>

/* Values that libvirt reads by hand, where it says so by these numbers. */
static const ValueError value_errors[] = {
  { "domain", "type", VIR_ERR_INTERNAL_ERROR, VIR_FROM_DOMAIN },
  { "uuid", NULL, VIR_ERR_INTERNAL_ERROR, VIR_FROM_DOMAIN },
  { "vcpu", NULL, VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN },
  { "mac", "address", VIR_ERR_XML_ERROR, VIR_FROM_DOMAIN },
  { "type", NULL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "on_poweroff", NULL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "on_reboot", NULL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "on_crash", NULL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "on_lockfailure", NULL, VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "clock", "offset", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "cpu", "mode", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_CPU },
  { "controller", "model", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "model", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "watchdog", "model", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "rng", "model", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "input", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "serial", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "parallel", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "console", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "channel", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "address", "type", VIR_ERR_CONFIG_UNSUPPORTED, VIR_FROM_DOMAIN },
  { "address", "slot", VIR_ERR_XML_ERROR, VIR_FROM_NONE },
  { NULL, NULL, VIR_ERR_OK, VIR_FROM_NONE },
};

static gboolean
check_root (XmlDocument *document, Diagnostics *diagnostics)
{
  xmlNode *root = xml_document_root (document);

  if (g_str_equal ((const char *)root->name, "domain"))
    return TRUE;
  diagnostics_error_from (diagnostics, xml_document_node_position (document, root), VIR_FROM_XML,
                          VIR_ERR_XML_ERROR, "expecting root element of 'domain', not '%s'",
                          (const char *)root->name);
  return FALSE;
}

/* Its type is what a client is told first, by libvirt's code; what was meant is what the rest is about. */
static void
check_type (FieldReader *reader, DomainDef *def)
{
  g_autofree char *type = xml_node_attribute (xml_document_root (reader->document), "type");
  g_autofree char *choices = enum_table_choices (&virt_types);
  const char *nearest;

  if (type == NULL || def->type != VIRT_TYPE_NONE)
    return;
  nearest = enum_table_nearest (&virt_types, type);
  diagnostics_error (reader->diagnostics, source_map_find (reader->map, &def->type, def),
                     VIR_ERR_CONFIG_UNSUPPORTED, "invalid domain type %s (%s%s%saccepted: %s)", type,
                     nearest != NULL ? "did you mean '" : "", nearest != NULL ? nearest : "",
                     nearest != NULL ? "'? " : "", choices);
  if (nearest != NULL)
    def->type = enum_table_value (&virt_types, nearest);
}

/* Does the document not say it, and nothing that might be meant for it? */
static gboolean
lacks (const FieldReader *reader, gconstpointer member)
{
  return source_map_find (reader->map, member, NULL).line == 0
         && !source_map_is_invalid (reader->map, member);
}

/* Does the document not say it, and does nothing of that name stand in a wrong place? */
static gboolean
lacks_element (const FieldReader *reader, gconstpointer member, const char *name)
{
  return lacks (reader, member) && !source_map_has_stray (reader->map, name);
}

/* What every definition must say, in libvirt's words and with its codes. */
static void
check_read (FieldReader *reader, DomainDef *def)
{
  Position where = xml_document_node_position (reader->document, xml_document_root (reader->document));

  check_type (reader, def);
  if (lacks_element (reader, &def->name, "name")
      || (def->name != NULL && def->name[strspn (def->name, " \t\r\n")] == '\0'))
    diagnostics_error (reader->diagnostics, source_map_find (reader->map, &def->name, def), VIR_ERR_NO_NAME,
                       "the domain needs a <name>");
  if (lacks_element (reader, &def->os.type, "type") && !source_map_has_stray (reader->map, "os")
      && (source_map_find (reader->map, &def->os, NULL).line != 0 || lacks (reader, &def->os)))
    diagnostics_error (reader->diagnostics,
                       def->verbatim.bootloader != NULL ? where
                                                        : source_map_find (reader->map, &def->os, def),
                       VIR_ERR_XML_ERROR, "an os <type> must be specified");
  if (lacks_element (reader, &def->memory, "memory") && !source_map_is_invalid (reader->map, &def->cpu)
      && (def->cpu == NULL || def->cpu->numa.cells == NULL))
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "Memory size must be specified via <memory> or in the <numa> configuration");
}

/* Ids, and aliases other than the user's own, are only true while a machine runs. */
static void
forget_running_state (DomainDef *def)
{
  for (guint i = def->seclabels != NULL ? def->seclabels->len : 0; i > 0; i--) {
    Seclabel *seclabel = g_ptr_array_index (def->seclabels, i - 1);

    if (seclabel->implied)
      field_free (&seclabel_table, g_ptr_array_remove_index (def->seclabels, i - 1));
    else if (seclabel->type == SECLABEL_DYNAMIC)
      g_clear_pointer (&seclabel->label, g_free);
  }
  if (def->seclabels != NULL && def->seclabels->len == 0)
    g_clear_pointer (&def->seclabels, g_ptr_array_unref);
  def->id.set = FALSE;
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->alias != NULL && !g_str_has_prefix (device->alias, USER_ALIAS_PREFIX))
      g_clear_pointer (&device->alias, g_free);
  }
}

static DomainDef *
read_definition (FieldReader *reader, guint flags)
{
  DomainDef *def = domain_def_new ();

  verbatim_claim_namespaces (xml_document_root (reader->document));
  field_read (reader, &domain_table, def, xml_document_root (reader->document));
  source_map_trust (reader->map, def); /* each part of it is doubted by itself */
  def->policy = policy_read_document (reader, xml_document_root (reader->document));
  check_read (reader, def);
  if ((flags & DOMAIN_READ_LIVE) == 0)
    forget_running_state (def);
  if ((flags & DOMAIN_READ_NO_SCHEMA) == 0) {
    kept_check (reader, xml_document_root (reader->document));
    device_list_arrange (def);
  }
  return def;
}

/* Misspellings inside of what was misspelt show one level at a time. */
#define CORRECTING_ROUNDS_MAX 4

/* Once more, as what is only misspelt was meant: mistakes that it hid come to light. Takes @def. */
static DomainDef *
read_as_meant (FieldReader *reader, guint flags, DomainDef *def)
{
  for (guint i = 0; i < CORRECTING_ROUNDS_MAX && corrections_apply (reader->corrections); i++) {
    g_autoptr (Diagnostics) further = diagnostics_new (NULL);
    FieldReader again = { reader->document,   further, reader->map, reader->lax, reader->value_errors,
                          reader->corrections };

    domain_def_unref (def);
    source_map_clear (reader->map);
    def = read_definition (&again, flags);
    diagnostics_add_further (reader->diagnostics, further);
  }
  return def;
}

/*
 * What the schema refuses is a mistake, unless something better was said about the same line. In a lax
 * reading it is a warning: libvirt's clients rely on documents being taken without the schema unless they ask
 * for it, and every value that has a meaning here has been read and checked without it.
 */
static void
add_refusals (Diagnostics *diagnostics, const Diagnostics *refusals, gboolean lax)
{
  if (!lax)
    diagnostics_explain (diagnostics, refusals);
  for (guint i = 0; lax && i < diagnostics_count (refusals); i++) {
    const Diagnostic *refusal = diagnostics_get (refusals, i);

    diagnostics_warning (diagnostics, refusal->where, refusal->code, "%s", refusal->message);
  }
}

/* Of a device that was not understood nothing more is to be said, and nothing by comparing others with it. */
static void
leave_out_invalid (DomainDef *def, const SourceMap *map)
{
  for (guint i = def->devices->len; i > 0; i--)
    if (source_map_is_invalid (map, g_ptr_array_index (def->devices, i - 1)))
      g_ptr_array_remove_index (def->devices, i - 1);
}

static void
complete_and_check (DomainDef *def, guint flags, const Platform *platform, FieldReader *reader)
{
  g_autoptr (Diagnostics) completing = diagnostics_new (NULL);
  g_autoptr (Diagnostics) checking = diagnostics_new (NULL);
  gboolean kept = (flags & DOMAIN_READ_NO_SCHEMA) != 0;
  gboolean anywhere = (flags & DOMAIN_READ_ANYWHERE) != 0;
  Validation validation = { def, platform, checking, reader->map, reader->lax || kept, anywhere };

  domain_complete (&(Completion){ def, platform, completing, reader->map, (flags & DOMAIN_READ_LIVE) != 0,
                                  reader->lax || kept, kept, anywhere });
  diagnostics_add_further (reader->diagnostics, completing);
  domain_validate_shared (&validation);
  leave_out_invalid (def, reader->map);
  domain_validate (&validation);
  diagnostics_add_further (reader->diagnostics, checking);
}

/* In a lax reading the names let through are all the schema would speak of. */
static gboolean
needs_schema (const FieldReader *reader, guint flags)
{
  if ((flags & DOMAIN_READ_NO_SCHEMA) != 0)
    return FALSE;
  return !reader->lax || diagnostics_count (reader->diagnostics) == 0;
}

DomainDef *
domain_def_parse (const char *text, gssize length, guint flags, const Platform *platform,
                  Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (Diagnostics) refusals = diagnostics_new (NULL);
  g_autoptr (Corrections) corrections = corrections_new ();
  FieldReader reader = {
    document, diagnostics, map, (flags & DOMAIN_READ_LAX) != 0, value_errors, corrections
  };
  g_autoptr (DomainDef) def = NULL;
  gboolean asks_schema;

  if (document == NULL || !check_root (document, diagnostics))
    return NULL;
  def = read_as_meant (&reader, flags, read_definition (&reader, flags));
  asks_schema = needs_schema (&reader, flags);
  complete_and_check (def, flags, platform, &reader);
  if (asks_schema)
    schema_validate_rest (SCHEMA_DOMAIN, document, diagnostics, refusals);
  add_refusals (diagnostics, refusals, reader.lax);
  return diagnostics_has_errors (diagnostics) ? NULL : g_steal_pointer (&def);
}

static gboolean
has_given_aliases (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (device->alias != NULL && !g_str_has_prefix (device->alias, USER_ALIAS_PREFIX))
      return TRUE;
  }
  return FALSE;
}

static gboolean
has_running_label (const DomainDef *def)
{
  for (guint i = 0; def->seclabels != NULL && i < def->seclabels->len; i++) {
    const Seclabel *seclabel = g_ptr_array_index (def->seclabels, i);

    if (seclabel->implied || (seclabel->type == SECLABEL_DYNAMIC && seclabel->label != NULL))
      return TRUE;
  }
  return FALSE;
}

char *
domain_def_to_xml (const DomainDef *def, guint flags)
{
  g_autoptr (XmlElement) root = xml_element_new ("domain");

  if ((flags & DOMAIN_WRITE_LIVE) == 0 && (has_given_aliases (def) || has_running_label (def))) {
    g_autoptr (DomainDef) inactive = domain_def_copy (def);

    forget_running_state (inactive);
    return domain_def_to_xml (inactive, flags);
  }
  field_write (&domain_table, def, root, flags);
  if (!qemu_namespace_is_empty (&def->qemu))
    xml_element_set (root, "xmlns:qemu", QEMU_NAMESPACE);
  return xml_element_to_string (root);
}
