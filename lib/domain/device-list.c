/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The devices of a definition as a list: read and written as one field, kept grouped by kind in the order
 * libvirt writes the kinds, whatever the order of the document.
 */

#include "domain/device-list.h"

#include "domain/complete-parts.h"
#include "domain/devices/device-kinds.h"

#define ELEMENTS_MAX 64 /* kinds of device, for the offer of a near spelling */

/* The field's member is the list; the definition around it holds the emulator too. */
static DomainDef *
definition_of (gconstpointer member)
{
  return (DomainDef *)((char *)member - G_STRUCT_OFFSET (DomainDef, devices));
}

static guint
kind_rank (const DeviceKind *kind)
{
  guint rank = 0;

  while (device_kinds[rank] != NULL && device_kinds[rank] != kind)
    rank++;
  return rank;
}

/* Behind the last device of this kind or of an earlier one. */
static guint
index_after_kind (const DomainDef *def, const DeviceKind *kind)
{
  guint rank = kind_rank (kind);
  guint index = def->devices->len;

  while (index > 0 && kind_rank (((const Device *)g_ptr_array_index (def->devices, index - 1))->kind) > rank)
    index--;
  return index;
}

void
domain_def_add_device (DomainDef *def, Device *device)
{
  g_ptr_array_insert (def->devices, (int)index_after_kind (def, device->kind), device);
}

void
device_list_arrange (DomainDef *def)
{
  g_autoptr (GPtrArray) as_written = g_steal_pointer (&def->devices);

  def->devices = device_list_new ();
  g_ptr_array_set_free_func (as_written, NULL);
  for (guint i = 0; i < as_written->len; i++) {
    Device *device = g_ptr_array_index (as_written, i);
    guint index = device->kind->position != NULL ? device->kind->position (def, device)
                                                 : index_after_kind (def, device->kind);

    g_ptr_array_insert (def->devices, (int)index, device);
  }
}

guint
domain_def_count_devices (const DomainDef *def, const DeviceKind *kind)
{
  guint count = 0;

  for (guint i = 0; i < def->devices->len; i++)
    count += ((const Device *)g_ptr_array_index (def->devices, i))->kind == kind;
  return count;
}

Device *
domain_def_find_alias (const DomainDef *def, const char *alias)
{
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (g_strcmp0 (device->alias, alias) == 0)
      return device;
  }
  return NULL;
}

static void
report_unknown_element (FieldReader *reader, xmlNode *element)
{
  const char *words[ELEMENTS_MAX + 1] = { "emulator" };
  const char *name = (const char *)element->name;
  Position where = xml_document_node_position (reader->document, element);
  void (*report) (Diagnostics *, Position, virErrorNumber, const char *, ...) =
      reader->lax ? diagnostics_warning : diagnostics_error;
  const char *nearest;

  for (guint i = 0; device_kinds[i] != NULL && i + 1 < ELEMENTS_MAX; i++)
    words[i + 1] = device_kinds[i]->element;
  nearest = nearest_word (name, words);
  if (!reader->lax)
    source_map_mark_invalid (reader->map, nearest != NULL ? device_kind_by_element (nearest) : ANY_KIND);
  if (!reader->lax && nearest != NULL)
    corrections_add_name (reader->corrections, element, nearest);
  if (nearest != NULL)
    report (reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
            "unknown element '%s' in element 'devices': did you mean '%s'?", name, nearest);
  else {
    report (reader->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA,
            "unknown element '%s' in element 'devices': there is no such kind of device", name);
    diagnostics_mark_vague (reader->diagnostics);
    source_map_add_stray (reader->map, name);
  }
}

static void
read_emulator (FieldReader *reader, DomainDef *def, xmlNode *element)
{
  g_free (def->emulator);
  def->emulator = xml_node_text (element);
  source_map_add (reader->map, &def->emulator, xml_document_node_position (reader->document, element));
}

/* Others may need what the device was meant to be. An address that is not what was meant is none. */
static void
doubt_kind (SourceMap *map, Device *device)
{
  source_map_mark_invalid (map, device->kind);
  if (source_map_is_invalid (map, &device->address))
    field_address.clear (NULL, &device->address);
}

static void
read_device (FieldReader *reader, DomainDef *def, const DeviceKind *kind, xmlNode *element)
{
  Device *device = device_new (kind);

  field_read (reader, &kind->table, device, element);
  if (source_map_is_invalid (reader->map, device))
    doubt_kind (reader->map, device);
  domain_def_add_device (def, device);
}

static void
devices_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  DomainDef *def = definition_of (member);

  for (xmlNode *child = element->children; child != NULL; child = child->next) {
    const DeviceKind *kind;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    if (g_str_equal ((const char *)child->name, "emulator")) {
      read_emulator (reader, def, child);
    } else if ((kind = device_kind_by_element ((const char *)child->name)) == NULL) {
      report_unknown_element (reader, child);
    } else {
      read_device (reader, def, kind, child);
    }
  }
}

static gboolean
devices_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  const DomainDef *def = definition_of (member);

  return def->emulator != NULL || (def->devices != NULL && def->devices->len > 0);
}

static void
devices_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent, const char *name,
               guint flags)
{
  const DomainDef *def = definition_of (member);
  XmlElement *element = xml_element_ensure (parent, name);

  if (def->emulator != NULL)
    xml_element_set_text (xml_element_add (element, "emulator"), def->emulator);
  for (guint i = 0; i < def->devices->len; i++)
    device_write (g_ptr_array_index (def->devices, i), element, flags);
}

static char *
devices_compare (const Field *field, gconstpointer a, gconstpointer b, guint flags)
{
  const GPtrArray *one = *(GPtrArray *const *)a, *other = *(GPtrArray *const *)b;

  for (guint i = 0; i < MAX (one->len, other->len); i++) {
    const Device *left = i < one->len ? g_ptr_array_index (one, i) : NULL;
    const Device *right = i < other->len ? g_ptr_array_index (other, i) : NULL;
    g_autofree char *difference = NULL;

    if (left == NULL || right == NULL || left->kind != right->kind) {
      const Device *extra =
          right == NULL || (left != NULL && kind_rank (left->kind) < kind_rank (right->kind)) ? left : right;
      g_autofree char *what = device_describe (extra);

      return g_strdup_printf ("%s: %s is in only one of the two", field->path, what);
    }
    difference = field_compare (&left->kind->table, left, right, flags);
    if (difference != NULL) {
      g_autofree char *what = device_describe (left);

      return g_strdup_printf ("%s/%s: %s", field->path, what, difference);
    }
  }
  return NULL;
}

static void
devices_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  g_clear_pointer ((GPtrArray **)member, g_ptr_array_unref);
}

static void
devices_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  GPtrArray *devices = *(GPtrArray *const *)from;
  GPtrArray *copy = device_list_new ();

  for (guint i = 0; devices != NULL && i < devices->len; i++)
    g_ptr_array_add (copy, device_copy (g_ptr_array_index (devices, i)));
  *(GPtrArray **)member = copy;
}

const FieldType field_devices = {
  .size = sizeof (GPtrArray *),
  .read = devices_read,
  .write = devices_write,
  .is_set = devices_is_set,
  .compare = devices_compare,
  .clear = devices_clear,
  .copy = devices_copy,
};
