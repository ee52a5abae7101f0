/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The way in and the way out. In: the text becomes a tree, the tree becomes structs (with every mistake in
 * words), and structs without mistakes are completed and checked as a whole. The schema passes or refuses the
 * tree: it is the gate, but it has the last word and not the first, because the others explain better.
 */

#include "model/complete-parts.h"
#include "model/device-list.h"
#include "model/schema.h"
#include "model/verbatim.h"

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

/* What every definition must say, in libvirt's words and with its codes. */
static void
check_read (FieldReader *reader, const DomainDef *def)
{
  xmlNode *root = xml_document_root (reader->document);
  Position where = xml_document_node_position (reader->document, root);
  g_autofree char *type = xml_node_attribute (root, "type");

  if (type != NULL && def->type == VIRT_TYPE_NONE) {
    g_autofree char *choices = enum_table_choices (&virt_types);
    const char *nearest = enum_table_nearest (&virt_types, type);

    diagnostics_error (reader->diagnostics, source_map_find (reader->map, &def->type, def),
                       VIR_ERR_CONFIG_UNSUPPORTED, "invalid domain type %s (%s%s%saccepted: %s)", type,
                       nearest != NULL ? "did you mean '" : "", nearest != NULL ? nearest : "",
                       nearest != NULL ? "'? " : "", choices);
  }
  if (def->name == NULL || def->name[strspn (def->name, " \t\r\n")] == '\0')
    diagnostics_error (reader->diagnostics, source_map_find (reader->map, &def->name, def), VIR_ERR_NO_NAME,
                       "the domain needs a <name>");
  if (source_map_find (reader->map, &def->os.type, NULL).line == 0)
    diagnostics_error (reader->diagnostics,
                       def->verbatim.bootloader != NULL ? where
                                                        : source_map_find (reader->map, &def->os, def),
                       VIR_ERR_XML_ERROR, "an os <type> must be specified");
  if (source_map_find (reader->map, &def->memory, NULL).line == 0
      && (def->cpu == NULL || def->cpu->numa.cells == NULL))
    diagnostics_error (reader->diagnostics, where, VIR_ERR_XML_ERROR,
                       "Memory size must be specified via <memory> or in the <numa> configuration");
}

/* Ids, and aliases other than the user's own, are only true while a machine runs. */
static void
forget_running_state (DomainDef *def)
{
  def->id.set = FALSE;
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->alias != NULL && !g_str_has_prefix (device->alias, USER_ALIAS_PREFIX))
      g_clear_pointer (&device->alias, g_free);
  }
}

static gboolean
has_error_at (const Diagnostics *diagnostics, Position where)
{
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    if (diagnostic->severity == DIAGNOSTIC_ERROR && diagnostic->where.line == where.line
        && diagnostic->where.column == where.column)
      return TRUE;
  }
  return FALSE;
}

/* A document with mistakes is not completed, but what is wrong with the parts that were read is told in the
 * same run; not of a place where something was said already, for that may only be what follows from it. */
static void
check_what_was_read (FieldReader *reader, DomainDef *def, const Platform *platform)
{
  g_autoptr (Diagnostics) further = diagnostics_new (NULL);

  complete_target (&(Completion){ def, platform, further, reader->map, FALSE });
  domain_validate_parts (&(Validation){ def, platform, further, reader->map });
  for (guint i = 0; i < diagnostics_count (further); i++) {
    const Diagnostic *mistake = diagnostics_get (further, i);

    if (mistake->severity == DIAGNOSTIC_ERROR && !has_error_at (reader->diagnostics, mistake->where))
      diagnostics_error (reader->diagnostics, mistake->where, mistake->code, "%s", mistake->message);
  }
}

static DomainDef *
read_definition (FieldReader *reader, guint flags, const Platform *platform)
{
  g_autoptr (DomainDef) def = domain_def_new ();

  verbatim_claim_namespaces (xml_document_root (reader->document));
  field_read (reader, &domain_table, def, xml_document_root (reader->document));
  check_read (reader, def);
  if (diagnostics_has_errors (reader->diagnostics)) {
    check_what_was_read (reader, def, platform);
    return NULL;
  }
  if ((flags & DOMAIN_READ_LIVE) == 0)
    forget_running_state (def);
  if ((flags & DOMAIN_READ_NO_SCHEMA) == 0)
    device_list_arrange (def);
  return g_steal_pointer (&def);
}

static gboolean
has_error_on_line (const Diagnostics *diagnostics, guint line)
{
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    if (diagnostic->severity == DIAGNOSTIC_ERROR && diagnostic->where.line == line)
      return TRUE;
  }
  return FALSE;
}

/*
 * What the schema refuses is a mistake, unless something better was said about the same line. In a lax
 * reading it is a warning: libvirt's clients rely on documents being taken without the schema unless they ask
 * for it, and every value that has a meaning here has been read and checked without it.
 */
static void
add_refusals (Diagnostics *diagnostics, const Diagnostics *refusals, gboolean lax)
{
  for (guint i = 0; i < diagnostics_count (refusals); i++) {
    const Diagnostic *refusal = diagnostics_get (refusals, i);

    if (lax)
      diagnostics_warning (diagnostics, refusal->where, refusal->code, "%s", refusal->message);
    else if (!has_error_on_line (diagnostics, refusal->where.line))
      diagnostics_error (diagnostics, refusal->where, refusal->code, "%s", refusal->message);
  }
}

static void
complete_and_check (DomainDef *def, guint flags, const Platform *platform, FieldReader *reader)
{
  gboolean live = (flags & DOMAIN_READ_LIVE) != 0;

  domain_complete (&(Completion){ def, platform, reader->diagnostics, reader->map, live });
  if (!diagnostics_has_errors (reader->diagnostics))
    domain_validate (&(Validation){ def, platform, reader->diagnostics, reader->map });
}

DomainDef *
domain_def_parse (const char *text, gssize length, guint flags, const Platform *platform,
                  Diagnostics *diagnostics)
{
  g_autoptr (XmlDocument) document = xml_document_parse (text, length, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (Diagnostics) refusals = diagnostics_new (NULL);
  FieldReader reader = { document, diagnostics, map, (flags & DOMAIN_READ_LAX) != 0, value_errors };
  g_autoptr (DomainDef) def = NULL;

  if (document == NULL || !check_root (document, diagnostics))
    return NULL;
  def = read_definition (&reader, flags, platform);
  if (def == NULL)
    return NULL;

  /* Names let through by a lax reading are all the schema would speak of. */
  if ((flags & DOMAIN_READ_NO_SCHEMA) == 0 && diagnostics_count (diagnostics) == 0)
    schema_validate (document, refusals);
  complete_and_check (def, flags, platform, &reader);
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

char *
domain_def_to_xml (const DomainDef *def, guint flags)
{
  g_autoptr (XmlElement) root = xml_element_new ("domain");

  if ((flags & DOMAIN_WRITE_LIVE) == 0 && has_given_aliases (def)) {
    g_autoptr (DomainDef) inactive = domain_def_copy (def);

    forget_running_state (inactive);
    return domain_def_to_xml (inactive, flags);
  }
  field_write (&domain_table, def, root, flags);
  return xml_element_to_string (root);
}
