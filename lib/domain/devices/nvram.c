/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <nvram>: where the firmware of a POWER machine keeps its settings. Such a machine has one in any case; the
 * document says where it is on the hypervisor's bus.
 */

#include "domain/devices/nvram.h"

#include "domain/machines/machine-kind.h"
#include "domain/report.h"

static const Field nvram_fields[] = {
  FIELD (DeviceNvram, device.address, "address", field_address, NULL),
  FIELD_END,
};

static void
nvram_validate (Validation *validation, const Device *device)
{
  validation_single_device (validation, device, VIR_ERR_INTERNAL_ERROR,
                            "only a single nvram device is supported");
  if (!machine_kind_of (validation->def)->has_spapr_vio)
    validation_host_error (validation, device, device,
                           "nvram device is only supported for PPC64: a 'pseries' machine has one");
  else if (device->address.type != ADDRESS_SPAPR_VIO)
    validation_error (validation, &device->address, device,
                      "nvram address type must be spaprvio: expected type='spapr-vio'");
}

/* libvirt gives it none that QEMU would know. */
static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

const DeviceKind nvram_kind = {
  .element = "nvram",
  .table = { sizeof (DeviceNvram), nvram_fields },
  .validate = nvram_validate,
  .alias = no_alias,
};
