/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <rng>: randomness for the guest, from a file of the host, from the emulator itself, or from an entropy
 * daemon behind a character device.
 */

#include "domain/devices/rng.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

const EnumTable rng_backends = { "random number generator backend", { NULL, "random", "egd", "builtin" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };

#define BACKEND(name) FIELD_VALUE (RNG_BACKEND_##name)
#define HOST_FIELD(member, path, kind, detail, backends)                          \
  {                                                                               \
    (path), G_STRUCT_OFFSET (DeviceRng, member), &(kind), (detail), FIELD_NO_ABI, \
    {                                                                             \
      G_STRUCT_OFFSET (DeviceRng, backend), (backends)                            \
    }                                                                             \
  }

static const Field rng_fields[] = {
  FIELD_WITH (DeviceRng, model, "@model", field_enum, &virtio_models, FIELD_REQUIRED),
  FIELD (DeviceRng, rate_bytes, "rate/@bytes", field_number, &range_32),
  FIELD (DeviceRng, rate_period, "rate/@period", field_number, &range_32),
  HOST_FIELD (backend, "backend/@model", field_enum, &rng_backends, 0),
  HOST_FIELD (path, "backend", field_text, NULL, BACKEND (NONE) | BACKEND (RANDOM)),
  HOST_FIELD (egd_type, "backend/@type", field_enum, &chardev_types, BACKEND (EGD)),
  HOST_FIELD (egd_sources, "backend/source", field_list, &chardev_source_table, BACKEND (EGD)),
  HOST_FIELD (egd_protocol, "backend/protocol/@type", field_enum, &chardev_protocols, BACKEND (EGD)),
  HOST_FIELD (egd_log_file, "backend/log/@file", field_text, NULL, BACKEND (EGD)),
  HOST_FIELD (egd_log_append, "backend/log/@append", field_on_off, NULL, BACKEND (EGD)),
  VIRTIO_FIELDS (DeviceRng),
  DEVICE_FIELDS (DeviceRng),
  FIELD_END,
};

#define DEFAULT_SOURCE "/dev/random"

static void
rng_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceRng *rng = (DeviceRng *)device;

  if (rng->path != NULL && *rng->path == '\0')
    g_clear_pointer (&rng->path, g_free);
  if (rng->backend == RNG_BACKEND_RANDOM && rng->path == NULL)
    rng->path = g_strdup (DEFAULT_SOURCE);
  if (rng->egd_type == CHARDEV_TCP && rng->egd_protocol == PROTOCOL_NONE)
    rng->egd_protocol = PROTOCOL_RAW;
  if (rng->rate_bytes.value == 0) {
    rng->rate_bytes.set = FALSE;
    rng->rate_period.set = FALSE;
  }
}

static void
rng_validate (Validation *validation, const Device *device)
{
  const DeviceRng *rng = (const DeviceRng *)device;

  if (rng->backend == RNG_BACKEND_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &rng->backend, device,
                           "missing RNG device backend model; expected 'random', 'builtin' or 'egd'");
  if (rng->backend == RNG_BACKEND_EGD && rng->egd_type == CHARDEV_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &rng->egd_type, device, "missing EGD backend type");
}

static DevicePlace
rng_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
rng_pci_connect (const DomainDef *def, const Device *device)
{
  return pci_connect_virtio (def, ((const DeviceRng *)device)->model);
}

static gboolean
rng_is_virtio (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

const DeviceKind rng_kind = {
  .element = "rng",
  .skips_user_aliases = TRUE,
  .table = { sizeof (DeviceRng), rng_fields },
  .complete = rng_complete,
  .validate = rng_validate,
  .place = rng_place,
  .pci_connect = rng_pci_connect,
  .is_virtio = rng_is_virtio,
  .pci_order = PCI_ORDER_RNG,
  .attachable = TRUE,
};
