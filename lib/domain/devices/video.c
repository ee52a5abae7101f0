/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <video>: the graphics card. The first one is the machine's primary display, which has consequences for the
 * rest: cards that are VGA-compatible can be nothing else, and on a PC it is the one the firmware shows
 * itself on. Memory sizes are in KiB.
 */

#include "domain/devices/video.h"
#include "domain/devices/pci-connect.h"
#include "domain/machines/machine-kind.h"
#include "domain/report.h"

const EnumTable video_models = { "video model",
                                 { NULL, "vga", "cirrus", "vmvga", "xen", "vbox", "qxl", "parallels",
                                   "virtio", "gop", "none", "bochs", "ramfb" } };
static const EnumTable backends = { "video driver", { NULL, "qemu", "vhostuser" } };
static const EnumTable vgaconfs = { "vgaconf", { NULL, "io", "on", "off" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };
static const FieldRange resolutions = { 1, G_MAXUINT32 };

#define DEFAULT_VRAM       16384 /* KiB */
#define DEFAULT_QXL_RAM    65536
#define DEFAULT_QXL_VGAMEM 16384

static const Field video_fields[] = {
  VIRTIO_FIELDS (DeviceVideo),
  FIELD_WITH (DeviceVideo, backend, "driver/@name", field_enum, &backends, FIELD_NO_ABI),
  FIELD (DeviceVideo, vgaconf, "driver/@vgaconf", field_enum, &vgaconfs),
  FIELD (DeviceVideo, model, "model/@type", field_enum, &video_models),
  FIELD (DeviceVideo, ram, "model/@ram", field_number, &range_32),
  FIELD (DeviceVideo, vram, "model/@vram", field_number, &range_32),
  FIELD (DeviceVideo, vram64, "model/@vram64", field_number, &range_32),
  FIELD (DeviceVideo, vgamem, "model/@vgamem", field_number, &range_32),
  FIELD (DeviceVideo, heads, "model/@heads", field_number, &range_32),
  FIELD (DeviceVideo, primary, "model/@primary", field_yes_no, NULL),
  FIELD (DeviceVideo, blob, "model/@blob", field_on_off, NULL),
  FIELD (DeviceVideo, accel3d, "model/acceleration/@accel3d", field_yes_no, NULL),
  FIELD (DeviceVideo, accel2d, "model/acceleration/@accel2d", field_yes_no, NULL),
  FIELD_WITH (DeviceVideo, rendernode, "model/acceleration/@rendernode", field_text, NULL, FIELD_NO_ABI),
  FIELD (DeviceVideo, resolution_x, "model/resolution/@x", field_number, &resolutions),
  FIELD (DeviceVideo, resolution_y, "model/resolution/@y", field_number, &resolutions),
  DEVICE_FIELDS (DeviceVideo),
  FIELD_END,
};

static int
default_model (Completion *completion)
{
  const char *word = machine_choose (completion, machine_kind_of (completion->def)->video_models);

  return word != NULL ? enum_table_value (&video_models, word) : VIDEO_NONE;
}

/* QEMU takes powers of two only. */
static void
round_up (Number *size)
{
  guint64 rounded = 1;

  if (!size->set || size->value == 0)
    return;
  while (rounded < size->value)
    rounded <<= 1;
  size->value = rounded;
}

static void
default_size (Number *size, guint64 value)
{
  if (!size->set || size->value == 0)
    *size = NUMBER (value);
}

static void
complete_memory (DeviceVideo *video)
{
  switch (video->model) {
    case VIDEO_QXL:
      default_size (&video->ram, DEFAULT_QXL_RAM);
      default_size (&video->vram, DEFAULT_QXL_RAM);
      default_size (&video->vgamem, DEFAULT_QXL_VGAMEM);
      break;
    case VIDEO_VGA:
    case VIDEO_CIRRUS:
    case VIDEO_VMVGA:
    case VIDEO_BOCHS:
      default_size (&video->vram, DEFAULT_VRAM);
      break;
    default:
      break;
  }
  round_up (&video->ram);
  round_up (&video->vram);
  if (video->model != VIDEO_QXL) { /* what they are is told by validate_no_sizes, and 0 is nothing */
    video->ram.set = video->ram.set && video->ram.value != 0;
    video->vram64.set = video->vram64.set && video->vram64.value != 0;
    video->vgamem.set = video->vgamem.set && video->vgamem.value != 0;
  }
}

/* The first card is primary unless the document says which other one is. */
static gboolean
becomes_primary (const DomainDef *def, const DeviceVideo *video)
{
  gboolean is_first = TRUE, seen = FALSE;

  DOMAIN_FOREACH_DEVICE (def, video_kind, DeviceVideo, other) {
    if (other == video)
      seen = TRUE;
    else if (other->primary == TRISTATE_YES)
      return FALSE;
    else if (!seen)
      is_first = FALSE;
  }
  return is_first;
}

/* No card, and so nothing of one. */
static void
forget_card (DeviceVideo *video)
{
  video->primary = video->accel2d = video->accel3d = video->blob = TRISTATE_ABSENT;
  video->heads.set = video->ram.set = video->vram.set = video->vram64.set = video->vgamem.set = FALSE;
  video->resolution_x.set = video->resolution_y.set = FALSE;
}

static void
video_complete (Completion *completion, Device *device)
{
  DeviceVideo *video = (DeviceVideo *)device;

  if (video->model == VIDEO_NONE)
    video->model = default_model (completion);
  if (video->model == VIDEO_MODEL_DISABLED) {
    forget_card (video);
    return;
  }
  if (video->primary == TRISTATE_NO)
    video->primary = TRISTATE_ABSENT;
  if (becomes_primary (completion->def, video))
    video->primary = TRISTATE_YES;
  if (!video->heads.set)
    video->heads = NUMBER (1);
  else if (video->heads.value == 0)
    video->heads.set = FALSE;
  complete_memory (video);
}

#define REFUSE(member, ...) validation_error (validation, &video->member, video, __VA_ARGS__)

static gboolean
is_only_primary (int model)
{
  return model == VIDEO_VGA || model == VIDEO_CIRRUS || model == VIDEO_VMVGA || model == VIDEO_RAMFB;
}

static void
validate_model (Validation *validation, const DeviceVideo *video)
{
  const char *model = enum_table_name (&video_models, video->model);

  switch (video->model) {
    case VIDEO_XEN:
    case VIDEO_VBOX:
    case VIDEO_PARALLELS:
    case VIDEO_GOP:
      validation_host_error (
          validation, &video->model, video,
          "domain configuration does not support video model '%s'; expected one such as 'virtio', 'vga', "
          "'qxl' or 'bochs'",
          model);
      return;
    case VIDEO_MODEL_DISABLED:
      if (domain_def_count_devices (validation->def, &video_kind) > 1)
        REFUSE (model, "a 'none' video type must be the only video device defined for the domain");
      return;
    default:
      break;
  }
  if (video->primary != TRISTATE_YES && is_only_primary (video->model))
    REFUSE (model, "video type '%s' is only valid as primary video device", model);
  if (video->heads.value > 1 && video->model != VIDEO_QXL && video->model != VIDEO_VIRTIO)
    REFUSE (heads, "video type '%s' doesn't support multiple 'heads'", model);
}

/* QEMU's device for each model that not every emulator has. */
static const char *const model_devices[] = {
  [VIDEO_VGA] = "VGA",     [VIDEO_CIRRUS] = "cirrus-vga",     [VIDEO_VMVGA] = "vmware-svga",
  [VIDEO_QXL] = "qxl",     [VIDEO_VIRTIO] = "virtio-gpu-pci", [VIDEO_BOCHS] = "bochs-display",
  [VIDEO_RAMFB] = "ramfb",
};

static void
validate_emulator (Validation *validation, const DeviceVideo *video)
{
  const Platform *platform = validation->platform;
  const char *emulator = validation->def->emulator;
  const char *device =
      (guint)video->model < G_N_ELEMENTS (model_devices) ? model_devices[video->model] : NULL;

  if (device != NULL && platform != NULL && platform->has_device != NULL && emulator != NULL
      && !platform->has_device (platform, emulator, device))
    validation_host_error (validation, &video->model, video,
                           "domain configuration does not support video model '%s'",
                           enum_table_name (&video_models, video->model));
}

static void
validate_primary (Validation *validation, const DeviceVideo *video)
{
  if (video->primary != TRISTATE_YES)
    return;
  DOMAIN_FOREACH_DEVICE (validation->def, video_kind, DeviceVideo, other) {
    if (other->primary != TRISTATE_YES)
      continue;
    if (other != video)
      REFUSE (primary, "Only one primary video device is supported");
    return;
  }
}

static void
validate_acceleration (Validation *validation, const DeviceVideo *video)
{
  if (video->accel2d == TRISTATE_YES)
    REFUSE (accel2d, "qemu does not support the accel2d setting");
  if (video->accel3d == TRISTATE_YES && video->model != VIDEO_VIRTIO)
    REFUSE (accel3d, "3d acceleration is supported only with 'virtio' video device, not '%s'",
            enum_table_name (&video_models, video->model));
  if (video->blob != TRISTATE_ABSENT && video->model != VIDEO_VIRTIO)
    REFUSE (blob, "video type '%s' does not support blob resources",
            enum_table_name (&video_models, video->model));
  if (video->rendernode != NULL && video->backend != VIDEO_BACKEND_VHOST_USER)
    REFUSE (rendernode,
            "unsupported rendernode accel attribute without 'vhostuser'; the display's <gl> can name one");
  if (video->backend == VIDEO_BACKEND_VHOST_USER && video->model != VIDEO_VIRTIO)
    REFUSE (backend, "'vhostuser' driver is only supported with 'virtio' device");
}

static gboolean
has_resolution (int model)
{
  return model == VIDEO_VGA || model == VIDEO_QXL || model == VIDEO_VIRTIO || model == VIDEO_BOCHS
         || model == VIDEO_MODEL_DISABLED;
}

/* Blobs are pieces of the guest's memory that the host maps too. */
static void
validate_blob (Validation *validation, const DeviceVideo *video)
{
  const DomainMemoryBacking *backing = &validation->def->memory_backing;

  if (video->blob == TRISTATE_YES && video->model == VIDEO_VIRTIO && backing->source != MEMORY_SOURCE_MEMFD
      && !validation_may_miss (validation, backing))
    REFUSE (
        blob,
        "'blob' support for virtio-gpu devices requires a memfd memory backend: add <memoryBacking><source "
        "type='memfd'/></memoryBacking>");
}

static gboolean
is_power_of_two (const Number *size)
{
  return (size->value & (size->value - 1)) == 0;
}

static void
validate_vgamem (Validation *validation, const DeviceVideo *video)
{
  if (!is_power_of_two (&video->vgamem))
    REFUSE (vgamem, "value for 'vgamem' must be power of two, not %u", (guint)video->vgamem.value);
  if (video->vgamem.value < 1024)
    REFUSE (vgamem, "value for 'vgamem' must be at least 1 MiB (1024 KiB), not %u",
            (guint)video->vgamem.value);
}

static void
validate_sizes (Validation *validation, const DeviceVideo *video)
{
  if ((video->model == VIDEO_VGA || video->model == VIDEO_VMVGA) && video->vram.set
      && video->vram.value < 1024)
    REFUSE (vram, "value for 'vram' must be at least 1 MiB (1024 KiB), not %u", (guint)video->vram.value);
  if ((video->resolution_x.set || video->resolution_y.set) && !has_resolution (video->model))
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, video->resolution_x.set ? &video->resolution_x : &video->resolution_y,
        video, "model resolution is not supported by '%s'", enum_table_name (&video_models, video->model));
  if (video->resolution_x.set != video->resolution_y.set)
    validation_error_code (validation, VIR_ERR_XML_ERROR,
                           video->resolution_x.set ? &video->resolution_x : &video->resolution_y, video,
                           "Missing required attribute '%s' in element 'resolution'",
                           video->resolution_x.set ? "y" : "x");
}

static void
validate_secondary (Validation *validation, const DeviceVideo *video)
{
  gboolean primary_only = video->model == VIDEO_BOCHS || video->model == VIDEO_RAMFB;

  if (!primary_only || video->primary == TRISTATE_YES)
    return;
  REFUSE (model, "video type '%s' is only valid as primary video device",
          enum_table_name (&video_models, video->model));
}

/* What only QXL has; 0 is as good as nothing. */
static void
validate_no_sizes (Validation *validation, const DeviceVideo *video)
{
  if (video->ram.set && video->ram.value != 0)
    REFUSE (ram, "ram attribute only supported for video type qxl");
  if (video->vram64.set && video->vram64.value != 0)
    REFUSE (vram64, "vram64 attribute only supported for video type qxl");
  if (video->vgamem.set && video->vgamem.value != 0)
    REFUSE (vgamem, "vgamem attribute only supported for video type qxl");
}

static void
video_validate (Validation *validation, const Device *device)
{
  const DeviceVideo *video = (const DeviceVideo *)device;

  validate_model (validation, video);
  validate_emulator (validation, video);
  validate_primary (validation, video);
  validate_secondary (validation, video);
  validate_acceleration (validation, video);
  validate_blob (validation, video);
  validate_sizes (validation, video);
  if (video->model == VIDEO_QXL)
    validate_vgamem (validation, video);
  else
    validate_no_sizes (validation, video);
  virtio_options_validate (validation, device, &video->virtio, video->model == VIDEO_VIRTIO);
}

static DevicePlace
video_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  int model = ((const DeviceVideo *)device)->model;

  return model == VIDEO_RAMFB || model == VIDEO_MODEL_DISABLED || model == VIDEO_NONE ? PLACE_NONE
                                                                                      : PLACE_PCI;
}

static guint
video_pci_connect (const DomainDef *def, const Device *device)
{
  const DeviceVideo *video = (const DeviceVideo *)device;

  if (video_place (def, device) != PLACE_PCI)
    return 0;
  return video->model == VIDEO_VIRTIO ? pci_connect_virtio (def, VIRTIO_MODEL_VIRTIO)
                                      : pci_connect_conventional (def);
}

/* The primary one comes first, and so has the first slot. */
static guint
video_position (const DomainDef *def, const Device *device)
{
  DOMAIN_FOREACH_DEVICE (def, video_kind, DeviceVideo, first) {
    if (((const DeviceVideo *)device)->primary == TRISTATE_YES)
      return first_index;
    break;
  }
  return G_MAXUINT;
}

static char *
video_describe (const Device *device)
{
  const char *model = enum_table_name (&video_models, ((const DeviceVideo *)device)->model);

  return g_strdup_printf ("video '%s'", model != NULL ? model : "default");
}

static gboolean
video_is_virtio (const Device *device)
{
  return ((const DeviceVideo *)device)->model == VIDEO_VIRTIO;
}

const DeviceKind video_kind = {
  .element = "video",
  .table = { sizeof (DeviceVideo), video_fields },
  .complete = video_complete,
  .validate = video_validate,
  .place = video_place,
  .pci_connect = video_pci_connect,
  .is_virtio = video_is_virtio,
  .position = video_position,
  .describe = video_describe,
  .pci_order = PCI_ORDER_VIDEO,
};
