/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Video adapters. The first is the one with the VGA registers a PC's firmware draws on, where its model has
 * such a form; further ones are without. 3D acceleration makes a virtio adapter QEMU's GL one; the display
 * that needs is device-graphics.c's affair.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/video.h"
#include "domain/machines/machine-kind.h"

#define KIB 1024

static gboolean
is_primary (const Recipe *recipe, const DeviceVideo *video)
{
  if (video->primary != TRISTATE_ABSENT)
    return video->primary == TRISTATE_YES;
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), video_kind, DeviceVideo, first) {
    return first == video;
  }
  return TRUE;
}

/* Our name for the driver: NULL with @error set. */
static const char *
video_driver (const Recipe *recipe, const DeviceVideo *video, GError **error)
{
  gboolean primary = is_primary (recipe, video), gl = video->accel3d == TRISTATE_YES;
  gboolean has_vga = !machine_kind_of (recipe_def (recipe))->lacks_virtio_vga
                     && qemu_caps_has_type (recipe_caps (recipe), "virtio-vga");

  switch (video->model) {
    case VIDEO_VGA:
      return primary ? "VGA" : "secondary-vga";
    case VIDEO_CIRRUS:
      return "cirrus-vga";
    case VIDEO_VMVGA:
      return "vmware-svga";
    case VIDEO_QXL:
      return primary ? "qxl-vga" : "qxl";
    case VIDEO_VIRTIO:
      if (primary && has_vga)
        return gl ? "virtio-vga-gl" : "virtio-vga";
      return gl ? "virtio-gpu-gl-pci" : "virtio-gpu-pci";
    case VIDEO_BOCHS:
      return "bochs-display";
    case VIDEO_RAMFB:
      return "ramfb";
    default:
      qemu_unsupported (&video->device, error, "video of model '%s' is not supported by the QEMU target",
                        enum_table_name (&video_models, video->model));
      return NULL;
  }
}

static void
add_memory (JsonObject *properties, const DeviceVideo *video)
{
  switch (video->model) {
    case VIDEO_QXL:
      props_add (properties, "ram_size", "?t", video->ram.value * KIB, "vram_size", "?t",
                 video->vram.value * KIB, NULL);
      props_add (properties, "vram64_size_mb", "t", video->vram64.value / KIB, NULL);
      if (video->vgamem.set)
        props_add (properties, "vgamem_mb", "t", video->vgamem.value / KIB, NULL);
      break;
    case VIDEO_VGA:
    case VIDEO_VMVGA:
      if (video->vram.set)
        props_add (properties, "vgamem_mb", "t", video->vram.value / KIB, NULL);
      break;
    case VIDEO_BOCHS:
      if (video->vram.set)
        props_add (properties, "vgamem", "t", video->vram.value * KIB, NULL);
      break;
    default:
      break;
  }
}

gboolean
recipe_add_video (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceVideo *video = (const DeviceVideo *)device;
  const char *driver;
  JsonObject *properties;

  if (video->model == VIDEO_MODEL_DISABLED)
    return TRUE;
  if (video->backend == VIDEO_BACKEND_VHOST_USER)
    return qemu_unsupported (device, error,
                             "<driver name='vhostuser'> is not supported yet by the QEMU target");
  if (video->accel3d == TRISTATE_YES && video->model != VIDEO_VIRTIO)
    return qemu_unsupported (device, error, "3D acceleration is supported for model 'virtio' only, not '%s'",
                             enum_table_name (&video_models, video->model));
  driver = video_driver (recipe, video, error);
  if (driver == NULL || !qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  if (video->model == VIDEO_VIRTIO)
    props_add_virtio (properties, &video->virtio);
  if (video->model == VIDEO_VIRTIO || video->model == VIDEO_QXL)
    props_add (properties, "max_outputs", "N", &video->heads, NULL);
  add_memory (properties, video);
  props_add (properties, "blob", "T", video->blob, "xres", "N", &video->resolution_x, "yres", "N",
             &video->resolution_y, NULL);
  return recipe_device (recipe, device, properties, error);
}
