/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table of the kinds of device, in the order libvirt writes them, and what can be done with a device
 * without knowing its kind. Everything particular is behind DeviceKind.
 */

#include "domain/devices/device.h"
#include "domain/devices/audio.h"
#include "domain/devices/channel.h"
#include "domain/complete.h"
#include "domain/devices/console.h"
#include "domain/devices/controller.h"
#include "domain/devices/disk.h"
#include "domain/domain-def.h"
#include "domain/devices/graphics.h"
#include "domain/devices/hub.h"
#include "domain/devices/input.h"
#include "domain/devices/interface.h"
#include "domain/devices/memballoon.h"
#include "domain/devices/panic.h"
#include "domain/devices/redirdev.h"
#include "domain/devices/rng.h"
#include "domain/devices/serial.h"
#include "domain/devices/sound.h"
#include "domain/devices/verbatim-device.h"
#include "domain/devices/video.h"
#include "domain/devices/watchdog.h"

const DeviceKind *const device_kinds[] = {
  &disk_kind,      &controller_kind, &lease_kind,       &filesystem_kind,
  &interface_kind, &smartcard_kind,  &serial_kind,      &parallel_kind,
  &console_kind,   &channel_kind,    &input_kind,       &tpm_kind,
  &graphics_kind,  &sound_kind,      &audio_kind,       &video_kind,
  &hostdev_kind,   &redirdev_kind,   &redirfilter_kind, &hub_kind,
  &watchdog_kind,  &memballoon_kind, &rng_kind,         &nvram_kind,
  &panic_kind,     &shmem_kind,      &memory_kind,      &iommu_kind,
  &vsock_kind,     &crypto_kind,     &pstore_kind,      NULL,
};

const EnumTable virtio_models = { "model",
                                  { NULL, "virtio", "virtio-transitional", "virtio-non-transitional" } };

const DeviceKind *
device_kind_by_element (const char *element)
{
  for (guint i = 0; device_kinds[i] != NULL; i++) {
    if (g_str_equal (device_kinds[i]->element, element))
      return device_kinds[i];
  }
  return NULL;
}

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
  if (device_is_verbatim (device)) {
    verbatim_device_read (reader, device, element);
    source_map_add (reader->map, device, xml_document_node_position (reader->document, element));
  } else {
    field_read (reader, &device->kind->table, device, element);
  }
}

void
device_write (const Device *device, XmlElement *devices, guint flags)
{
  if (device_is_verbatim (device))
    xml_element_add_verbatim (devices, ((const DeviceVerbatim *)device)->xml);
  else
    field_write (&device->kind->table, device, xml_element_add (devices, device->kind->element), flags);
}

char *
device_describe (const Device *device)
{
  if (device->kind->describe != NULL)
    return device->kind->describe (device);
  return g_strdup (device->kind->element);
}

guint
pci_connect_conventional (const DomainDef *def G_GNUC_UNUSED)
{
  return PCI_CONNECT_CONVENTIONAL | PCI_CONNECT_HOTPLUG;
}

guint
pci_connect_express (const DomainDef *def)
{
  if (!domain_def_is_q35 (def))
    return pci_connect_conventional (def);
  return PCI_CONNECT_EXPRESS | PCI_CONNECT_HOTPLUG;
}

guint
pci_connect_virtio (const DomainDef *def, VirtioModel model)
{
  /* A transitional device needs I/O ports, which Express slots do not give. */
  if (model == VIRTIO_MODEL_TRANSITIONAL)
    return pci_connect_conventional (def);
  return pci_connect_express (def);
}

void
virtio_options_validate (Validation *validation, const Device *device, const VirtioOptions *options,
                         gboolean is_virtio)
{
  const struct {
    const char *name;
    const int *value;
  } said[] = {
    { "iommu", &options->iommu },
    { "ats", &options->ats },
    { "packed", &options->packed },
    { "page_per_vq", &options->page_per_vq },
  };

  for (guint i = 0; !is_virtio && i < G_N_ELEMENTS (said); i++) {
    if (*said[i].value != TRISTATE_ABSENT)
      validation_error (validation, said[i].value, device,
                        "%s driver option is only supported for virtio devices", said[i].name);
  }
}
