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
#include "domain/device-match.h"
#include "domain/devices/controller.h"
#include "domain/devices/device-kinds.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/interface.h"
#include "domain/devices/verbatim-device.h"

#include <string.h>

static void
give_mac (DeviceInterface *interface)
{
  guint8 mac[MAC_BYTES];
  char text[MAC_TEXT];

  if (interface->mac != NULL)
    return;
  mac_generate (mac);
  mac_format (mac, text);
  interface->mac = g_strdup (text);
  interface->is_mac_made = TRUE;
}

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
  if (kind == &interface_kind)
    give_mac ((DeviceInterface *)device);
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

  if (device->kind == &disk_kind)
    disk_complete_bus ((DeviceDisk *)device); /* a drive's place goes by its bus */
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
  return changed;
}

DomainDef *
domain_def_without_device (const DomainDef *def, guint index)
{
  DomainDef *changed = domain_def_copy (def);

  g_ptr_array_remove_index (changed->devices, index);
  return changed;
}

static gboolean
is_alias_of_user (const char *alias)
{
  return alias != NULL && g_str_has_prefix (alias, USER_ALIAS_PREFIX);
}

/* In the words clients know, which are others for the definition and for the machine. */
static void
refuse_target (const DeviceDisk *disk, const DeviceDisk *other, DeviceChange change, GError **error)
{
  if (change == DEVICE_CHANGE_LIVE)
    virt_error_set (error, VIR_ERR_XML_ERROR, "target '%s' duplicated for disk sources '%s' and '%s'",
                    disk->target, disk_path (other) != NULL ? disk_path (other) : "(null)",
                    disk_path (disk) != NULL ? disk_path (disk) : "(null)");
  else
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "target %s already exists", disk->target);
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
    if (other->kind != device->kind)
      continue;
    if (device->kind == &disk_kind
        && g_strcmp0 (((const DeviceDisk *)device)->target, ((const DeviceDisk *)other)->target) == 0) {
      refuse_target ((const DeviceDisk *)device, (const DeviceDisk *)other, change, error);
      return FALSE;
    }
    if (device->kind == &controller_kind) {
      const DeviceController *wanted = (const DeviceController *)device;
      const DeviceController *controller = (const DeviceController *)other;

      if (wanted->index.set && wanted->type == controller->type
          && wanted->index.value == controller->index.value) {
        virt_error_set (error, VIR_ERR_OPERATION_INVALID, "Target already exists");
        return FALSE;
      }
    }
  }
  return TRUE;
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

/* Can it be added to a running machine for the sake of another device? */
static gboolean
can_be_added (const Device *device)
{
  const DeviceController *controller = (const DeviceController *)device;

  return device->kind == &controller_kind
         && (controller->type == CONTROLLER_SCSI || controller->type == CONTROLLER_VIRTIO_SERIAL);
}

static gboolean
check_added (const GPtrArray *added, GError **error)
{
  for (guint i = 0; i + 1 < added->len; i++) {
    const Device *device = g_ptr_array_index (added, i);
    g_autofree char *what = NULL;

    if (can_be_added (device))
      continue;
    what = device_describe (device);
    if (device->kind == &controller_kind && ((const DeviceController *)device)->type == CONTROLLER_PCI)
      virt_error_set (
          error, VIR_ERR_INTERNAL_ERROR,
          "No more available PCI slots: the machine would need %s, which cannot be added while it "
          "runs",
          what);
    else
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

  if (!check_names (def, device, change, error))
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

/* What of a drive may change under the guest: its medium. */
static const char *const medium_fields[] = { "@type",        "driver/@type",
                                             "driver/@name", "source/@file",
                                             "source/@dev",  "source/@startupPolicy",
                                             "source",       "backingStore",
                                             "target/@tray", NULL };
static const char *const link_fields[] = { "link/@state", NULL };
static const char *const password_fields[] = { "@passwd",    "@passwdValidTo", "@connected", "@port",
                                               "@websocket", "@tlsPort",       NULL };

static gboolean
check_difference (const Device *device, const Device *said, const char *const *free_paths, const char *what,
                  GError **error)
{
  const char *path = device_difference (said, device, free_paths);

  if (path != NULL)
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify field '%s' of the %s", path, what);
  return path == NULL;
}

static void
take_text (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

static Device *
updated_disk (const DeviceDisk *disk, const DeviceDisk *said, GError **error)
{
  gboolean removable = disk->device_type == DISK_DEVICE_CDROM || disk->device_type == DISK_DEVICE_FLOPPY;
  gboolean same = g_strcmp0 (disk_path (disk), disk_path (said)) == 0;
  DeviceDisk *updated;

  if (!check_difference (&disk->device, &said->device, medium_fields, "disk", error))
    return NULL;
  if (!removable && !same) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "disk type of '%s' does not support ejectable media",
                    disk->target);
    return NULL;
  }
  updated = (DeviceDisk *)device_copy (&disk->device);
  updated->startup_policy = said->startup_policy;
  if (!removable)
    return &updated->device;
  if (said->type != DISK_TYPE_NONE)
    updated->type = said->type;
  take_text (&updated->file, said->file);
  take_text (&updated->dev, said->dev);
  take_text (&updated->source, said->source);
  disk_backing_free (updated->backing);
  updated->backing = disk_backing_copy (said->backing);
  if (said->format != NULL)
    take_text (&updated->format, said->format);
  if (!same)
    updated->tray = TRAY_NONE;
  return &updated->device;
}

static Device *
updated_interface (const DeviceInterface *interface, const DeviceInterface *said, GError **error)
{
  DeviceInterface *updated;

  if (said->model != NULL && g_strcmp0 (said->model, interface->model) != 0) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "cannot modify network device model from %s to %s",
                    interface->model != NULL ? interface->model : "(none)", said->model);
    return NULL;
  }
  if (!check_difference (&interface->device, &said->device, link_fields, "network device", error))
    return NULL;
  updated = (DeviceInterface *)device_copy (&interface->device);
  updated->link = said->link;
  return &updated->device;
}

static Device *
updated_graphics (const DeviceGraphics *graphics, const DeviceGraphics *said, GError **error)
{
  DeviceGraphics *updated;

  if (!check_difference (&graphics->device, &said->device, password_fields, "graphics device", error))
    return NULL;
  updated = (DeviceGraphics *)device_copy (&graphics->device);
  take_text (&updated->passwd, said->passwd);
  take_text (&updated->passwd_valid_to, said->passwd_valid_to);
  return &updated->device;
}

Device *
device_updated_live (const Device *device, const Device *said, GError **error)
{
  if (device->kind == &disk_kind)
    return updated_disk ((const DeviceDisk *)device, (const DeviceDisk *)said, error);
  if (device->kind == &interface_kind)
    return updated_interface ((const DeviceInterface *)device, (const DeviceInterface *)said, error);
  if (device->kind == &graphics_kind)
    return updated_graphics ((const DeviceGraphics *)device, (const DeviceGraphics *)said, error);
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "live update of device '%s' is not supported",
                  device->kind->element);
  return NULL;
}
