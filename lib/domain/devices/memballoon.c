/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <memballoon>: how the host asks for memory back. Every machine has one unless its document says 'none'.
 */

#include "domain/devices/memballoon.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

const EnumTable balloon_models = {
  "memory balloon model", { NULL, "virtio", "xen", "none", "virtio-transitional", "virtio-non-transitional" }
};

static const FieldRange periods = { 0, G_MAXINT32 };

static const Field memballoon_fields[] = {
  FIELD_WITH (DeviceMemballoon, model, "@model", field_enum, &balloon_models, FIELD_REQUIRED),
  FIELD (DeviceMemballoon, autodeflate, "@autodeflate", field_on_off, NULL),
  FIELD (DeviceMemballoon, free_page_reporting, "@freePageReporting", field_on_off, NULL),
  FIELD_WITH (DeviceMemballoon, stats_period, "stats/@period", field_number, &periods, FIELD_NO_ABI),
  DEVICE_FIELDS (DeviceMemballoon),
  VIRTIO_FIELDS (DeviceMemballoon),
  FIELD_END,
};

static void
memballoon_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceMemballoon *balloon = (DeviceMemballoon *)device;

  if (balloon->stats_period.value == 0)
    balloon->stats_period.set = FALSE;
}

static gboolean
is_virtio (const DeviceMemballoon *balloon)
{
  return balloon->model == BALLOON_VIRTIO || balloon->model == BALLOON_VIRTIO_TRANSITIONAL
         || balloon->model == BALLOON_VIRTIO_NON_TRANSITIONAL;
}

static void
memballoon_validate (Validation *validation, const Device *device)
{
  const DeviceMemballoon *balloon = (const DeviceMemballoon *)device;

  if (balloon->model == BALLOON_XEN)
    validation_host_error (
        validation, &balloon->model, device,
        "Memory balloon device type 'xen' is not supported by this version of qemu; expected 'virtio' or "
        "'none'");
  if (domain_def_count_devices (validation->def, &memballoon_kind) > 1)
    validation_error_code (validation, VIR_ERR_XML_ERROR, device, device,
                           "only a single memory balloon device may be defined");
  virtio_options_validate (validation, device, &balloon->virtio,
                           is_virtio (balloon) || balloon->model == BALLOON_NONE);
}

static guint
memballoon_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceMemballoon *balloon = (const DeviceMemballoon *)device;

  if (!is_virtio (balloon))
    return 0;
  return pci_connect_virtio (def, balloon->model == BALLOON_VIRTIO_TRANSITIONAL ? VIRTIO_MODEL_TRANSITIONAL
                                                                                : VIRTIO_MODEL_VIRTIO);
}

static DevicePlace
memballoon_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  return is_virtio ((const DeviceMemballoon *)device) ? PLACE_PCI : PLACE_NONE;
}

static char *
memballoon_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device, guint index)
{
  return is_virtio ((const DeviceMemballoon *)device) ? g_strdup_printf ("balloon%u", index) : NULL;
}

static char *
memballoon_describe (const Device *device G_GNUC_UNUSED)
{
  return g_strdup ("memory balloon");
}

static gboolean
memballoon_is_virtio (const Device *device)
{
  return is_virtio ((const DeviceMemballoon *)device);
}

const DeviceKind memballoon_kind = {
  .element = "memballoon",
  .table = { sizeof (DeviceMemballoon), memballoon_fields },
  .complete = memballoon_complete,
  .validate = memballoon_validate,
  .place = memballoon_place,
  .pci_connect = memballoon_pci_connect,
  .is_virtio = memballoon_is_virtio,
  .alias = memballoon_alias,
  .describe = memballoon_describe,
  .pci_order = PCI_ORDER_MEMBALLOON,
};
