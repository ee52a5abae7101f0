/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "device-harness.h"

#include "domain/complete.h"
#include "domain/devices/device-kinds.h"

#include <string.h>

static void
read_devices (FieldReader *reader, DomainDef *def)
{
  xmlNode *root = xml_document_root (reader->document);

  for (xmlNode *child = root->children; child != NULL; child = child->next) {
    const DeviceKind *kind =
        child->type == XML_ELEMENT_NODE ? device_kind_by_element ((const char *)child->name) : NULL;
    Device *device;

    if (kind == NULL)
      continue;
    device = device_new (kind);
    device_read (reader, device, child);
    if (kind->position != NULL)
      g_ptr_array_insert (def->devices, (int)kind->position (def, device), device);
    else
      domain_def_add_device (def, device);
  }
}

static void
complete_and_validate (DomainDef *def, Diagnostics *diagnostics, SourceMap *map)
{
  Completion completion = { .def = def, .diagnostics = diagnostics, .map = map };
  Validation validation = { .def = def, .diagnostics = diagnostics, .map = map };

  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind->complete != NULL)
      device->kind->complete (&completion, device);
  }
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind->validate != NULL)
      device->kind->validate (&validation, device);
  }
  g_clear_pointer (&completion.controllers, g_hash_table_unref);
  g_clear_pointer (&validation.controllers, g_hash_table_unref);
  g_clear_pointer (&validation.audios, g_hash_table_unref);
}

/* Without line ends, indentation and the enclosing element. */
static char *
on_one_line (const char *xml)
{
  g_auto (GStrv) lines = g_strsplit (xml, "\n", -1);
  GString *line = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++) {
    const char *text = g_strstrip (lines[i]);

    if (!g_str_has_suffix (text, "devices>") && !g_str_equal (text, "<devices/>"))
      g_string_append (line, text);
  }
  return g_string_free (line, FALSE);
}

static char *
write_devices (const DomainDef *def)
{
  g_autoptr (XmlElement) root = xml_element_new ("devices");
  g_autofree char *xml = NULL;

  for (guint i = 0; i < def->devices->len; i++)
    device_write (g_ptr_array_index (def->devices, i), root, FIELD_WRITE_SECURE);
  xml = xml_element_to_string (root);
  return on_one_line (xml);
}

static char *
mistakes_to_text (const Diagnostics *diagnostics)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *mistake = diagnostics_get (diagnostics, i);

    g_string_append_printf (text, "%s%u:%u: %s", i > 0 ? "\n" : "", mistake->where.line,
                            mistake->where.column, mistake->message);
  }
  return g_string_free (text, FALSE);
}

char *
devices_through (const char *machine, const char *devices)
{
  g_autofree char *text = g_strdup_printf ("<devices>\n%s\n</devices>", devices);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("t");
  g_autoptr (XmlDocument) document = xml_document_parse (text, -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  g_autoptr (DomainDef) def = domain_def_new ();
  FieldReader reader = { document, diagnostics, map, FALSE };

  assert_non_null (document);
  def->type = VIRT_TYPE_QEMU;
  def->os.arch = g_strdup ("x86_64");
  def->os.machine = g_strdup (machine);
  read_devices (&reader, def);
  if (!diagnostics_has_errors (diagnostics))
    complete_and_validate (def, diagnostics, map);
  if (diagnostics_count (diagnostics) > 0)
    return mistakes_to_text (diagnostics);

  /* Copies are written alike, and nothing differs from its copy. */
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);
    Device *copy = device_copy (device);

    assert_null (field_compare (&device->kind->table, device, copy, 0));
    device_free (g_ptr_array_index (def->devices, i));
    def->devices->pdata[i] = copy;
  }
  return write_devices (def);
}

void
check_device_cases_on (const char *machine, const DeviceCase *cases)
{
  for (const DeviceCase *one = cases; one->in != NULL; one++) {
    g_autofree char *out = devices_through (machine, one->in);

    assert_string_equal (out, one->out);
  }
}

void
check_device_cases (const DeviceCase *cases)
{
  check_device_cases_on ("pc-q35-7.2", cases);
}

void
check_device_mistakes (const DeviceCase *cases)
{
  for (const DeviceCase *one = cases; one->in != NULL; one++) {
    g_autofree char *out = devices_through ("pc-q35-7.2", one->in);

    if (!g_ascii_isdigit (out[0]) || strstr (out, one->out) == NULL)
      fail_msg ("%s\n  gives: %s\n  wanted: %s", one->in, out, one->out);
  }
}
