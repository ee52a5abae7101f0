/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <crypto>: ciphers that the host computes for the guest, in QEMU itself or in the host's kernel (lkcf).
 */

#include "domain/devices/crypto.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

static const EnumTable crypto_models = { "crypto model", { NULL, "virtio" } };
static const EnumTable crypto_types = { "crypto type", { NULL, "qemu" } };
const EnumTable crypto_backends = { "crypto backend", { NULL, "builtin", "lkcf" } };
static const FieldRange queues = { 0, G_MAXUINT32 };

static const Field crypto_fields[] = {
  FIELD_WITH (DeviceCrypto, model, "@model", field_enum, &crypto_models, FIELD_REQUIRED),
  FIELD_WITH (DeviceCrypto, type, "@type", field_enum, &crypto_types, FIELD_REQUIRED),
  FIELD (DeviceCrypto, backend, "backend/@model", field_enum, &crypto_backends),
  FIELD (DeviceCrypto, queues, "backend/@queues", field_number, &queues),
  VIRTIO_FIELDS (DeviceCrypto),
  DEVICE_FIELDS (DeviceCrypto),
  FIELD_END,
};

static void
crypto_complete (Completion *completion, Device *device)
{
  DeviceCrypto *crypto = (DeviceCrypto *)device;

  if (crypto->queues.value == 0)
    crypto->queues.set = FALSE;
  if (crypto->backend == CRYPTO_LKCF && !completion_has_device (completion, "cryptodev-backend-lkcf"))
    completion_error (completion, &crypto->backend, device, "crypto backend lkcf is not supported");
}

static void
crypto_validate (Validation *validation, const Device *device)
{
  const DeviceCrypto *crypto = (const DeviceCrypto *)device;

  if (crypto->backend == CRYPTO_BACKEND_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &crypto->backend, device,
                           "a <crypto> device needs one <backend model=>; expected 'builtin' or 'lkcf'");
  virtio_options_validate (validation, device, &crypto->virtio, TRUE);
}

static DevicePlace
crypto_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
crypto_pci_connect (const DomainDef *def, const Device *device G_GNUC_UNUSED)
{
  return pci_connect_conventional (def);
}

static gboolean
crypto_is_virtio (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

const DeviceKind crypto_kind = {
  .element = "crypto",
  .table = { sizeof (DeviceCrypto), crypto_fields },
  .complete = crypto_complete,
  .validate = crypto_validate,
  .place = crypto_place,
  .pci_connect = crypto_pci_connect,
  .is_virtio = crypto_is_virtio,
  .pci_order = PCI_ORDER_CRYPTO,
  .attachable = TRUE,
};
