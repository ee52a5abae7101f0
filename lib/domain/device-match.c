/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding a device by a description of it. Clients describe by what they have: the whole element of a dump,
 * or the three lines a person typed. So only what is said is compared, and for the kinds that have a name of
 * their own (target, MAC, index) the name alone decides.
 */
#include "domain/device-match.h"

#include "base/virt-error.h"
#include "domain/devices/channel.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/devices/graphics.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/serial.h"
#include "domain/devices/verbatim-device.h"

#define NOTHING "(<null>)" /* libvirt's word for what was not said */

static gboolean
is_free (const Field *field, const char *const *free_paths)
{
  return (field->flags & (FIELD_LIVE | FIELD_IGNORED)) != 0
         || (free_paths != NULL && g_strv_contains (free_paths, field->path));
}

/* One field of two structs of the same table. */
static gboolean
is_same (const FieldTable *table, const Field *field, gconstpointer a, gconstpointer b)
{
  const Field alone[] = { *field, FIELD_END };
  const FieldTable part = { table->size, alone };
  g_autofree char *difference = field_compare (&part, a, b, 0);

  return difference == NULL;
}

const char *
device_difference (const Device *said, const Device *device, const char *const *free_paths)
{
  const FieldTable *table = &said->kind->table;

  if (device_is_verbatim (said))
    return g_strcmp0 (((const DeviceVerbatim *)said)->xml, ((const DeviceVerbatim *)device)->xml) == 0
               ? NULL
               : "xml";
  for (const Field *field = table->fields; field->path != NULL; field++) {
    if (field->type == NULL || is_free (field, free_paths) || !field_applies (field, said)
        || !field_is_set (field, said))
      continue;
    if (!is_same (table, field, said, device))
      return field->path;
  }
  return NULL;
}

static gboolean missing (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
missing (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (error, VIR_ERR_DEVICE_MISSING, "%s", what);
  return FALSE;
}

static Device *
find_disk (const DomainDef *def, const DeviceDisk *wanted, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, wanted->target) == 0)
      return &disk->device;
  }
  missing (error, "disk %s not found", wanted->target != NULL ? wanted->target : "without a target");
  return NULL;
}

static gboolean
is_same_address (const Device *wanted, const Device *device)
{
  static const Field fields[] = { FIELD (Device, address, "address", field_address, NULL), FIELD_END };
  static const FieldTable table = { sizeof (Device), fields };

  return wanted->address.type == ADDRESS_NONE || is_same (&table, &fields[0], wanted, device);
}

/* MAC address, address and alias, what of them is said; nothing else of an interface names it. */
static gboolean
is_wanted_interface (const DeviceInterface *wanted, const char *mac, const DeviceInterface *interface)
{
  const char *alias = wanted->device.alias;

  return (mac == NULL || g_strcmp0 (interface->mac, mac) == 0)
         && (alias == NULL || g_strcmp0 (interface->device.alias, alias) == 0)
         && is_same_address (&wanted->device, &interface->device);
}

static Device *
find_interface (const DomainDef *def, const DeviceInterface *wanted, GError **error)
{
  const char *mac = wanted->is_mac_made ? NULL : wanted->mac;
  Device *found = NULL;

  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface) {
    if (!is_wanted_interface (wanted, mac, interface))
      continue;
    if (found != NULL && mac != NULL)
      virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                           "multiple devices matching MAC address %s found", mac);
    else if (found != NULL)
      virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_OPERATION_FAILED,
                           "multiple matching devices found");
    if (found != NULL)
      return NULL;
    found = &interface->device;
  }
  if (found != NULL)
    return found;
  g_autofree char *address =
      wanted->device.address.type != ADDRESS_NONE ? device_address_to_text (&wanted->device.address) : NULL;
  virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_DEVICE_MISSING,
                       "no device found at address '%s' matching MAC address '%s' and alias '%s'",
                       address != NULL ? address : NOTHING, mac != NULL ? mac : NOTHING,
                       wanted->device.alias != NULL ? wanted->device.alias : NOTHING);
  return NULL;
}

static Device *
find_controller (const DomainDef *def, const DeviceController *wanted, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, controller_kind, DeviceController, controller) {
    if (controller->type == wanted->type
        && (!wanted->index.set || controller->index.value == wanted->index.value))
      return &controller->device;
  }
  missing (error, "controller %s:%d not found", enum_table_name (&controller_types, wanted->type),
           (int)wanted->index.value);
  return NULL;
}

/* A machine has one display of a type, whatever its passwords and ports. */
static Device *
find_graphics (const DomainDef *def, const DeviceGraphics *wanted, GError **error)
{
  DOMAIN_FOREACH_DEVICE (def, graphics_kind, DeviceGraphics, graphics) {
    if (graphics->type == wanted->type)
      return &graphics->device;
  }
  missing (error, "cannot find existing graphics device of type '%s' to modify",
           enum_table_name (&graphics_types, wanted->type));
  return NULL;
}

/* Libvirt's words for each kind. */
static void
describe_missing (const Device *wanted, GError **error)
{
  const char *element = wanted->kind->element;
  const Chardev *source = wanted->kind == &channel_kind    ? &((const DeviceChannel *)wanted)->source
                          : wanted->kind == &serial_kind   ? &((const DeviceSerial *)wanted)->source
                          : wanted->kind == &parallel_kind ? &((const DeviceParallel *)wanted)->source
                          : wanted->kind == &console_kind  ? &((const DeviceConsole *)wanted)->source
                                                           : NULL;

  if (source != NULL)
    missing (error, "chr type '%s' device not present in domain configuration", element);
  else if (wanted->kind == &input_kind)
    missing (error, "matching input device not found");
  else
    missing (error, "%s device not present in domain configuration", element);
}

Device *
device_match (const DomainDef *def, const Device *wanted, GError **error)
{
  if (wanted->kind == &disk_kind)
    return find_disk (def, (const DeviceDisk *)wanted, error);
  if (wanted->kind == &interface_kind)
    return find_interface (def, (const DeviceInterface *)wanted, error);
  if (wanted->kind == &controller_kind)
    return find_controller (def, (const DeviceController *)wanted, error);
  if (wanted->kind == &graphics_kind)
    return find_graphics (def, (const DeviceGraphics *)wanted, error);
  for (guint i = 0; i < def->devices->len; i++) {
    Device *device = g_ptr_array_index (def->devices, i);

    if (device->kind == wanted->kind && device_difference (wanted, device, NULL) == NULL)
      return device;
  }
  describe_missing (wanted, error);
  return NULL;
}

Device *
device_match_alias (const DomainDef *def, const char *alias, GError **error)
{
  Device *device = domain_def_find_alias (def, alias);

  if (device == NULL)
    virt_error_set_from (error, VIR_FROM_DOMAIN, VIR_ERR_INTERNAL_ERROR, "no device found with alias %s",
                         alias);
  return device;
}
