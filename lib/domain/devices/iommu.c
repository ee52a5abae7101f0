/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <iommu>: the guest's own translation of its devices' addresses. Intel's is part of the chipset and has no
 * place on a bus; a virtio one is a PCI device of the root bus, since all that it translates for is behind
 * it.
 */

#include "domain/devices/iommu.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable iommu_models = { "IOMMU model", { NULL, "intel", "smmuv3", "virtio" } };
static const FieldRange widths = { 0, G_MAXUINT8 };

static const Field iommu_fields[] = {
  FIELD_WITH (DeviceIommu, model, "@model", field_enum, &iommu_models, FIELD_REQUIRED),
  FIELD (DeviceIommu, intremap, "driver/@intremap", field_on_off, NULL),
  FIELD (DeviceIommu, caching_mode, "driver/@caching_mode", field_on_off, NULL),
  FIELD (DeviceIommu, eim, "driver/@eim", field_on_off, NULL),
  FIELD (DeviceIommu, iotlb, "driver/@iotlb", field_on_off, NULL),
  FIELD (DeviceIommu, aw_bits, "driver/@aw_bits", field_number, &widths),
  FIELD (DeviceIommu, dma_translation, "driver/@dma_translation", field_on_off, NULL),
  DEVICE_FIELDS (DeviceIommu),
  FIELD_END,
};

static void
iommu_complete (Completion *completion, Device *device)
{
  DeviceIommu *iommu = (DeviceIommu *)device;
  DomainFeatures *features = &completion->def->features;

  /* Interrupts are remapped by QEMU, so it has the controller of them as well. */
  if (iommu->model == IOMMU_INTEL && iommu->intremap == TRISTATE_YES && features->ioapic_driver == 0
      && domain_def_is_q35 (completion->def))
    features->ioapic_driver = IOAPIC_QEMU;

  if (iommu->aw_bits.value == 0)
    iommu->aw_bits.set = FALSE;
}

static gboolean
has_driver (const DeviceIommu *iommu)
{
  return iommu->intremap != TRISTATE_ABSENT || iommu->caching_mode != TRISTATE_ABSENT
         || iommu->eim != TRISTATE_ABSENT || iommu->iotlb != TRISTATE_ABSENT || iommu->aw_bits.set
         || iommu->dma_translation != TRISTATE_ABSENT;
}

static void
validate_intel (Validation *validation, const DeviceIommu *iommu)
{
  const Device *device = &iommu->device;

  if (machine_kind_of (validation->def)->chipset != CHIPSET_Q35)
    validation_error (validation, &iommu->model, device,
                      "IOMMU device: 'intel' is only supported with Q35 machines");
  if (device->address.type != ADDRESS_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &device->address, device,
                           "iommu model 'intel' can't have address");
  if (iommu->eim == TRISTATE_YES && iommu->intremap != TRISTATE_YES)
    validation_error (validation, &iommu->eim, device,
                      "IOMMU eim requires interrupt remapping to be enabled");
}

static gboolean
can_be_virtio (const DomainDef *def)
{
  const MachineKind *machine = machine_kind_of (def);

  return machine->chipset == CHIPSET_Q35 || machine->has_smmuv3;
}

static void
validate_smmuv3 (Validation *validation, const DeviceIommu *iommu)
{
  const Device *device = &iommu->device;

  if (!machine_kind_of (validation->def)->has_smmuv3)
    validation_error (validation, &iommu->model, device,
                      "IOMMU device: 'smmuv3' is only supported with ARM Virt machines");
  if (has_driver (iommu))
    validation_error_code (validation, VIR_ERR_XML_ERROR, iommu, device,
                           "iommu model 'smmuv3' doesn't support additional attributes");
  if (device->address.type != ADDRESS_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &device->address, device,
                           "iommu model 'smmuv3' can't have address");
}

static void
validate_virtio (Validation *validation, const DeviceIommu *iommu)
{
  const Device *device = &iommu->device;

  if (!can_be_virtio (validation->def))
    validation_error (validation, &iommu->model, device,
                      "IOMMU device: 'virtio' is only supported with Q35 and ARM Virt machines");
  if (has_driver (iommu))
    validation_error_code (validation, VIR_ERR_XML_ERROR, iommu, device,
                           "iommu model 'virtio' doesn't support additional attributes");
  if (!validation->def->features.acpi)
    validation_error (validation, &iommu->model, device, "IOMMU device: 'virtio' requires ACPI");
  if (device->address.type != ADDRESS_PCI)
    validation_error (validation, &device->address, device,
                      "IOMMU device: 'virtio' needs a PCI address, or none to be given one");
}

static void
iommu_validate (Validation *validation, const Device *device)
{
  const DeviceIommu *iommu = (const DeviceIommu *)device;

  validation_single_device (validation, device, VIR_ERR_XML_ERROR, "only a single IOMMU device is supported");
  if (iommu->model == IOMMU_INTEL)
    validate_intel (validation, iommu);
  else if (iommu->model == IOMMU_VIRTIO)
    validate_virtio (validation, iommu);
  else if (iommu->model == IOMMU_SMMUV3)
    validate_smmuv3 (validation, iommu);
}

static DevicePlace
iommu_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  return ((const DeviceIommu *)device)->model == IOMMU_VIRTIO ? PLACE_PCI : PLACE_NONE;
}

static guint
iommu_pci_connect (const DomainDef *def, const Device *device)
{
  return iommu_place (def, device) == PLACE_PCI && can_be_virtio (def) ? pci_connect_root (def) : 0;
}

const DeviceKind iommu_kind = {
  .element = "iommu",
  .table = { sizeof (DeviceIommu), iommu_fields },
  .complete = iommu_complete,
  .validate = iommu_validate,
  .place = iommu_place,
  .pci_connect = iommu_pci_connect,
};
