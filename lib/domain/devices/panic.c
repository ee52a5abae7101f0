/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <panic>: how a guest's kernel says that it crashed. Which device does it depends on the architecture.
 */

#include "domain/devices/panic.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable panic_models = { "panic model", { NULL, "isa", "pseries", "hyperv", "s390", "pvpanic" } };

static const Field panic_fields[] = {
  FIELD (DevicePanic, model, "@model", field_enum, &panic_models),
  DEVICE_FIELDS (DevicePanic),
  FIELD_END,
};

static void
panic_complete (Completion *completion, Device *device)
{
  DevicePanic *panic = (DevicePanic *)device;

  if (panic->model == PANIC_NONE)
    panic->model = machine_kind_of (completion->def)->panic_model;
  if (panic->model == PANIC_NONE)
    completion_error (
        completion, &panic->model, device,
        "no panic model provided, and no default for the architecture and machine type: expected "
        "model='pvpanic'");
}

#define REFUSE(member, ...) validation_error (validation, &panic->member, panic, __VA_ARGS__)

static void
panic_validate (Validation *validation, const Device *device)
{
  const DevicePanic *panic = (const DevicePanic *)device;
  const DomainDef *def = validation->def;
  int own = machine_kind_of (def)->panic_model;
  const char *model = enum_table_name (&panic_models, panic->model);
  int address = device->address.type;

  if (panic->model == PANIC_PSERIES && own != PANIC_PSERIES)
    REFUSE (model, "only pSeries guests support panic device of model 'pseries'");
  if (panic->model == PANIC_S390 && own != PANIC_S390)
    REFUSE (model, "only S390 guests support panic device of model 's390'");
  if (panic->model == PANIC_ISA && own != PANIC_ISA)
    REFUSE (model, "the QEMU binary does not support the ISA panic device on this architecture");
  if (panic->model == PANIC_ISA && address != ADDRESS_NONE && address != ADDRESS_ISA)
    REFUSE (device.address, "panic is supported only with ISA address type");
  if (panic->model == PANIC_PVPANIC && address != ADDRESS_NONE && address != ADDRESS_PCI)
    REFUSE (device.address, "pvpanic is supported only with PCI address type");
  if (panic->model != PANIC_ISA && panic->model != PANIC_PVPANIC && address != ADDRESS_NONE)
    REFUSE (device.address, "setting the panic device address is not supported for model '%s'", model);

  DOMAIN_FOREACH_DEVICE (def, panic_kind, DevicePanic, other) {
    if (other == panic)
      return;
    if (other->model == panic->model) {
      validation_error_code (validation, VIR_ERR_XML_ERROR, &panic->model, device,
                             "Multiple panic devices with model '%s'", model);
      return;
    }
  }
}

static DevicePlace
panic_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DevicePanic *)device)->model) {
    case PANIC_ISA:
      return PLACE_ISA;
    case PANIC_PVPANIC:
      return PLACE_PCI;
    default:
      return PLACE_NONE;
  }
}

static guint
panic_pci_connect (const DomainDef *def, const Device *device)
{
  return ((const DevicePanic *)device)->model == PANIC_PVPANIC ? pci_connect_root (def) : 0;
}

/* libvirt gives it none. */
static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

const DeviceKind panic_kind = {
  .element = "panic",
  .table = { sizeof (DevicePanic), panic_fields },
  .complete = panic_complete,
  .validate = panic_validate,
  .place = panic_place,
  .pci_connect = panic_pci_connect,
  .alias = no_alias,
};
