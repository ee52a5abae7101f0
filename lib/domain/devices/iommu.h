/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum { IOMMU_MODEL_NONE, IOMMU_INTEL, IOMMU_SMMUV3, IOMMU_VIRTIO } IommuModel;

typedef struct {
  Device device;
  int model;                                               /* IommuModel */
  int intremap, caching_mode, eim, iotlb, dma_translation; /* Tristate */
  Number aw_bits;
} DeviceIommu;

extern const DeviceKind iommu_kind;
extern const EnumTable iommu_models;
