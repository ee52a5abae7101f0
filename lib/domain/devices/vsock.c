/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <vsock>: sockets between guest and host that need no network. The guest's number, unlike a network's
 * addresses, is one for the whole host, so that most documents leave it to be chosen at the start.
 */

#include "domain/devices/vsock.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

static const FieldRange cids = { 1, G_MAXUINT32 };

static const Field vsock_fields[] = {
  FIELD (DeviceVsock, model, "@model", field_enum, &virtio_models),
  FIELD (DeviceVsock, auto_cid, "cid/@auto", field_yes_no, NULL),
  FIELD (DeviceVsock, cid, "cid/@address", field_number, &cids),
  DEVICE_FIELDS (DeviceVsock),
  VIRTIO_FIELDS (DeviceVsock),
  FIELD_END,
};

static void
vsock_complete (Completion *completion, Device *device)
{
  DeviceVsock *vsock = (DeviceVsock *)device;

  if (vsock->model == VIRTIO_MODEL_NONE)
    vsock->model = VIRTIO_MODEL_VIRTIO;
  if (vsock->auto_cid == TRISTATE_ABSENT)
    vsock->auto_cid = vsock->cid.set ? TRISTATE_NO : TRISTATE_YES;
  if (vsock->auto_cid == TRISTATE_YES && !completion->live)
    vsock->cid.set = FALSE;
}

static void
vsock_validate (Validation *validation, const Device *device)
{
  const DeviceVsock *vsock = (const DeviceVsock *)device;

  validation_single_device (validation, device, VIR_ERR_XML_ERROR, "only a single vsock device is supported");
  if (vsock->cid.set && vsock->cid.value < VSOCK_FIRST_CID)
    validation_error (validation, &vsock->cid, device, "guest CIDs must be >= %d", VSOCK_FIRST_CID);
  virtio_options_validate (validation, device, &vsock->virtio, TRUE);
}

static DevicePlace
vsock_place (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED)
{
  return PLACE_PCI;
}

static guint
vsock_pci_connect (const DomainDef *def, const Device *device)
{
  return pci_connect_virtio (def, ((const DeviceVsock *)device)->model);
}

static gboolean
vsock_is_virtio (const Device *device G_GNUC_UNUSED)
{
  return TRUE;
}

const DeviceKind vsock_kind = {
  .element = "vsock",
  .table = { sizeof (DeviceVsock), vsock_fields },
  .complete = vsock_complete,
  .validate = vsock_validate,
  .place = vsock_place,
  .pci_connect = vsock_pci_connect,
  .is_virtio = vsock_is_virtio,
  .pci_order = PCI_ORDER_VSOCK,
  .attachable = TRUE,
  .missing = "matching vsock device not found",
};
