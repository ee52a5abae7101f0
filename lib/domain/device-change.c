/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Definitions with one device changed. The new device goes through the same completion and the same checks as
 * a whole document, in a copy of the definition it joins: so it gets the address that it would have got
 * there, and what two devices must not share is refused in one place. A running machine differs in one thing
 * only: it cannot grow another bus, so what completion would add for the device must itself be something that
 * can be plugged in.
 */
#include "domain/device-change.h"

#include "base/virt-error.h"
#include "domain/complete.h"
#include "domain/devices/device-kinds.h"

#include <string.h>

Device *
device_from_xml (const char *xml, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse (xml, -1, diagnostics);
  g_autoptr (SourceMap) map = source_map_new ();
  FieldReader reader = { document, diagnostics, map, TRUE, NULL };
  const DeviceKind *kind;
  const char *name;
  Device *device;

  if (document == NULL) {
    diagnostics_check (diagnostics, error);
    return NULL;
  }
  name = (const char *)xml_document_root (document)->name;
  kind = device_kind_by_element (name);
  if (kind == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown device type '%s'", name);
    return NULL;
  }
  device = device_new (kind);
  device_read (&reader, device, xml_document_root (document));
  if (!diagnostics_check (diagnostics, error)) {
    device_free (device);
    return NULL;
  }
  if (kind->read_alone != NULL)
    kind->read_alone (device);
  return device;
}

guint
domain_def_device_index (const DomainDef *def, const Device *device)
{
  guint index = def->devices->len;

  g_ptr_array_find (def->devices, device, &index);
  return index;
}

/* Where libvirt puts it among those of its kind. */
static void
put_in_place (DomainDef *def, Device *device)
{
  guint index = G_MAXUINT;

  if (device->kind->before_position != NULL)
    device->kind->before_position (device);
  if (device->kind->position != NULL)
    index = device->kind->position (def, device);
  if (index <= def->devices->len)
    g_ptr_array_insert (def->devices, (int)index, device);
  else
    domain_def_add_device (def, device);
}

DomainDef *
domain_def_with_devices (const DomainDef *def, const GPtrArray *devices)
{
  DomainDef *changed = domain_def_copy (def);

  for (guint i = 0; i < devices->len; i++)
    put_in_place (changed, device_copy (g_ptr_array_index (devices, i)));
  domain_def_sum_memory (changed);
  return changed;
}

DomainDef *
domain_def_without_device (const DomainDef *def, guint index)
{
  DomainDef *changed = domain_def_copy (def);

  g_ptr_array_remove_index (changed->devices, index);
  domain_def_sum_memory (changed);
  return changed;
}

static gboolean
is_alias_of_user (const char *alias)
{
  return alias != NULL && g_str_has_prefix (alias, USER_ALIAS_PREFIX);
}

/* The names that only one device can have. */
static gboolean
check_names (const DomainDef *def, const Device *device, DeviceChange change, GError **error)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *other = g_ptr_array_index (def->devices, i);

    if (is_alias_of_user (device->alias) && g_strcmp0 (device->alias, other->alias) == 0) {
      virt_error_set (error, VIR_ERR_XML_ERROR, "non unique alias detected: %s", device->alias);
      return FALSE;
    }
    if (other->kind == device->kind && device->kind->check_names != NULL
        && !device->kind->check_names (device, other, change, error))
      return FALSE;
  }
  return TRUE;
}

/* A slot is plugged as a whole, by its function 0. */
static gboolean
check_function (const Device *device, DeviceChange change, GError **error)
{
  if (change != DEVICE_CHANGE_LIVE || device->address.type != ADDRESS_PCI
      || device->address.function.value == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "Only PCI device addresses with function=0 are supported");
  return FALSE;
}

static gboolean
complete_whole (DomainDef *def, DeviceChange change, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (SourceMap) map = source_map_new ();

  domain_complete (&(Completion){ def, platform, diagnostics, map, change == DEVICE_CHANGE_LIVE, TRUE });
  if (!diagnostics_has_errors (diagnostics))
    domain_validate (&(Validation){ def, platform, diagnostics, map });
  return diagnostics_check (diagnostics, error);
}

static gboolean
check_added (const GPtrArray *added, GError **error)
{
  for (guint i = 0; i + 1 < added->len; i++) {
    const Device *device = g_ptr_array_index (added, i);
    g_autofree char *what = NULL;

    if (device->kind->check_added != NULL) {
      if (!device->kind->check_added (device, error))
        return FALSE;
      continue;
    }
    what = device_describe (device);
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "the device needs %s, which cannot be added to a running machine", what);
    return FALSE;
  }
  return TRUE;
}

/* What @def has and did not have among @known, @last at the end. (transfer container) */
static GPtrArray *
list_added (const DomainDef *def, GHashTable *known, Device *last)
{
  GPtrArray *added = g_ptr_array_new ();

  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device != last && !g_hash_table_contains (known, device))
      g_ptr_array_add (added, device);
  }
  g_ptr_array_add (added, last);
  return added;
}

DomainDef *
domain_def_with_device (const DomainDef *def, const Device *device, DeviceChange change,
                        const Platform *platform, GPtrArray **ret_added, GError **error)
{
  g_autoptr (DomainDef) changed = domain_def_copy (def);
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) added = NULL;
  Device *copy;

  if (!check_names (def, device, change, error) || !check_function (device, change, error))
    return NULL;
  for (guint i = 0; i < changed->devices->len; i++)
    g_hash_table_add (known, g_ptr_array_index (changed->devices, i));
  copy = device_copy (device);
  if (!is_alias_of_user (copy->alias))
    g_clear_pointer (&copy->alias, g_free);
  put_in_place (changed, copy);
  if (!complete_whole (changed, change, platform, error))
    return NULL;

  added = list_added (changed, known, copy);
  if (change == DEVICE_CHANGE_LIVE) {
    if (!check_added (added, error))
      return NULL;
    for (guint i = 0; i < added->len; i++)
      domain_def_assign_alias (changed, g_ptr_array_index (added, i));
  }
  *ret_added = g_steal_pointer (&added);
  return g_steal_pointer (&changed);
}

DomainDef *
domain_def_with_replaced (const DomainDef *def, guint index, const Device *device, DeviceChange change,
                          const Platform *platform, GError **error)
{
  g_autoptr (DomainDef) changed = domain_def_copy (def);
  const Device *old = g_ptr_array_index (def->devices, index);
  Device *copy = device_copy (device);

  if (copy->alias == NULL || !is_alias_of_user (copy->alias)) {
    g_free (copy->alias);
    copy->alias = g_strdup (old->alias);
  }
  if (copy->address.type == ADDRESS_NONE && old->address.type != ADDRESS_NONE) {
    copy->address = old->address;
    copy->address.usb_port = g_strdup (old->address.usb_port);
  }
  device_free (g_ptr_array_index (changed->devices, index));
  changed->devices->pdata[index] = copy;
  return complete_whole (changed, change, platform, error) ? g_steal_pointer (&changed) : NULL;
}

Device *
device_updated_live (const Device *device, const Device *given, GError **error)
{
  if (device->kind->update != NULL)
    return device->kind->update (device, given, error);
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live update of device '%s' is not supported",
                  device->kind->element);
  return NULL;
}
