/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kinds of device that may be virtio share.
 */
#include "domain/devices/virtio.h"

#include "domain/report.h"

const EnumTable virtio_models = { "model",
                                  { NULL, "virtio", "virtio-transitional", "virtio-non-transitional" } };

void
virtio_options_validate (Validation *validation, const Device *device, const VirtioOptions *options,
                         gboolean is_virtio)
{
  const struct {
    const char *name;
    const int *value;
  } said[] = {
    { "iommu", &options->iommu },
    { "ats", &options->ats },
    { "packed", &options->packed },
    { "page_per_vq", &options->page_per_vq },
  };

  for (guint i = 0; !is_virtio && i < G_N_ELEMENTS (said); i++) {
    if (*said[i].value != TRISTATE_ABSENT)
      validation_error (validation, said[i].value, device,
                        "%s driver option is only supported for virtio devices", said[i].name);
  }
}
