/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <panic>: how a guest's kernel says that it crashed. Which device does it depends on the architecture.
 */

#include "domain/devices/panic.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

const EnumTable panic_models = { "panic model", { NULL, "isa", "pseries", "hyperv", "s390", "pvpanic" } };

static const Field panic_fields[] = {
  FIELD (DevicePanic, model, "@model", field_enum, &panic_models),
  DEVICE_FIELDS (DevicePanic),
  FIELD_END,
};

static gboolean
is_arch (const DomainDef *def, const char *prefix)
{
  return def->os.arch != NULL && g_str_has_prefix (def->os.arch, prefix);
}

static gboolean
is_x86 (const DomainDef *def)
{
  return def->os.arch == NULL || g_str_equal (def->os.arch, "x86_64") || g_str_equal (def->os.arch, "i686");
}

static void
panic_complete (Completion *completion, Device *device)
{
  DevicePanic *panic = (DevicePanic *)device;

  if (panic->model != PANIC_NONE)
    return;
  if (is_arch (completion->def, "ppc"))
    panic->model = PANIC_PSERIES;
  else if (is_arch (completion->def, "s390"))
    panic->model = PANIC_S390;
  else
    panic->model = is_x86 (completion->def) ? PANIC_ISA : PANIC_PVPANIC;
}

#define REFUSE(member, ...) validation_error (validation, &panic->member, panic, __VA_ARGS__)

static void
panic_validate (Validation *validation, const Device *device)
{
  const DevicePanic *panic = (const DevicePanic *)device;
  const DomainDef *def = validation->def;
  const char *model = enum_table_name (&panic_models, panic->model);
  int address = device->address.type;

  if (panic->model == PANIC_PSERIES && !is_arch (def, "ppc"))
    REFUSE (model, "only pSeries guests support panic device of model 'pseries'");
  if (panic->model == PANIC_S390 && !is_arch (def, "s390"))
    REFUSE (model, "only S390 guests support panic device of model 's390'");
  if (panic->model == PANIC_ISA && !is_x86 (def))
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
