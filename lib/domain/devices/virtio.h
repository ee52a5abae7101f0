/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

/* What every virtio device may say in its <driver>. */
typedef struct {
  int iommu, ats, packed, page_per_vq; /* Tristate */
} VirtioOptions;
#define VIRTIO_FIELDS(Struct)                                              \
  FIELD (Struct, virtio.iommu, "driver/@iommu", field_on_off, NULL),       \
      FIELD (Struct, virtio.ats, "driver/@ats", field_on_off, NULL),       \
      FIELD (Struct, virtio.packed, "driver/@packed", field_on_off, NULL), \
      FIELD (Struct, virtio.page_per_vq, "driver/@page_per_vq", field_on_off, NULL)

/* A mistake for each option said of a device that @is_virtio is not. */
void virtio_options_validate (Validation *validation, const Device *device, const VirtioOptions *options,
                              gboolean is_virtio);

/* The three words a virtio device may have for its model (disk, input). */
typedef enum {
  VIRTIO_MODEL_NONE,
  VIRTIO_MODEL_VIRTIO,
  VIRTIO_MODEL_TRANSITIONAL,
  VIRTIO_MODEL_NON_TRANSITIONAL,
} VirtioModel;
extern const EnumTable virtio_models;
