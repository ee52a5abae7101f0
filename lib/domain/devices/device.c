/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can be done with a device without knowing its kind: everything particular is behind DeviceKind.
 */

#include "domain/devices/device.h"

Device *
device_new (const DeviceKind *kind)
{
  Device *device = field_new (&kind->table);

  device->kind = kind;
  return device;
}

void
device_free (Device *device)
{
  if (device != NULL)
    field_free (&device->kind->table, device);
}

Device *
device_copy (const Device *device)
{
  return field_copy (&device->kind->table, device);
}

void
device_read (FieldReader *reader, Device *device, xmlNode *element)
{
  field_read (reader, &device->kind->table, device, element);
}

void
device_write (const Device *device, XmlElement *devices, guint flags)
{
  field_write (&device->kind->table, device, xml_element_add (devices, device->kind->element), flags);
}

char *
device_describe (const Device *device)
{
  if (device->kind->describe != NULL)
    return device->kind->describe (device);
  return g_strdup (device->kind->element);
}

const char *
device_counted_as (const Device *device)
{
  return device->kind->counted_as != NULL ? device->kind->counted_as (device) : device->kind->element;
}

GPtrArray *
device_list_new (void)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)device_free);
}
