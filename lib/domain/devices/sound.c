/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <sound>: the sound card the guest sees; where its sound goes is <audio>'s matter.
 */

#include "domain/devices/sound.h"
#include "domain/devices/audio.h"
#include "domain/devices/pci-connect.h"
#include "domain/report.h"

const EnumTable sound_models = {
  "sound model", { NULL, "sb16", "es1370", "pcspk", "ac97", "ich6", "ich9", "usb", "ich7", "virtio" }
};
const EnumTable sound_codecs = { "sound codec", { NULL, "duplex", "micro", "output" } };

static const FieldRange range_32 = { 0, G_MAXUINT32 };

static const Field codec_fields[] = {
  FIELD_WITH (SoundCodec, type, "@type", field_enum, &sound_codecs, FIELD_REQUIRED),
  FIELD_END,
};
static const FieldTable codec_table = { sizeof (SoundCodec), codec_fields };

static const Field sound_fields[] = {
  FIELD_WITH (DeviceSound, model, "@model", field_enum, &sound_models, FIELD_REQUIRED),
  FIELD (DeviceSound, multichannel, "@multichannel", field_yes_no, NULL),
  FIELD (DeviceSound, streams, "@streams", field_number, &range_32),
  FIELD (DeviceSound, codecs, "codec", field_list, &codec_table),
  FIELD_WITH (DeviceSound, audio_id, "audio/@id", field_number, &audio_ids, FIELD_NO_ABI),
  DEVICE_FIELDS (DeviceSound),
  VIRTIO_FIELDS (DeviceSound),
  FIELD_END,
};

/* QEMU's own number of them, which the guest sees. */
#define DEFAULT_STREAMS 2

static void
sound_complete (Completion *completion G_GNUC_UNUSED, Device *device)
{
  DeviceSound *sound = (DeviceSound *)device;

  if (sound->model == SOUND_VIRTIO && !sound->streams.set)
    sound->streams = NUMBER (DEFAULT_STREAMS);
  if (sound->model != SOUND_VIRTIO) { /* what libvirt forgets of the others */
    sound->streams.set = FALSE;
    sound->virtio = (VirtioOptions){ 0 };
  }
}

static void
sound_validate (Validation *validation, const Device *device)
{
  const DeviceSound *sound = (const DeviceSound *)device;

  if (sound->codecs != NULL && sound->model != SOUND_ICH6 && sound->model != SOUND_ICH9)
    validation_error (validation, &sound->codecs, device,
                      "sound model '%s' has no codecs; 'ich6' and 'ich9' have",
                      enum_table_name (&sound_models, sound->model));
  if (sound->multichannel != TRISTATE_ABSENT && sound->model != SOUND_USB)
    validation_error (validation, &sound->multichannel, device,
                      "multichannel is only supported by sound model 'usb'");
  if (sound->streams.set && sound->streams.value == 0)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &sound->streams, device,
                           "Invalid value for attribute 'streams' in element 'sound': Zero is not permitted");
  audio_validate_reference (validation, device, &sound->audio_id);
}

static DevicePlace
sound_place (const DomainDef *def G_GNUC_UNUSED, const Device *device)
{
  switch (((const DeviceSound *)device)->model) {
    case SOUND_SB16:
      return PLACE_ISA;
    case SOUND_PCSPK:
    case SOUND_NONE:
      return PLACE_NONE;
    case SOUND_USB:
      return PLACE_USB;
    default:
      return PLACE_PCI;
  }
}

static guint
sound_pci_connect (const DomainDef *def, const Device *device)
{
  if (sound_place (def, device) != PLACE_PCI)
    return 0;
  return ((const DeviceSound *)device)->model == SOUND_VIRTIO ? pci_connect_virtio (def, VIRTIO_MODEL_VIRTIO)
                                                              : pci_connect_conventional (def);
}

static char *
sound_describe (const Device *device)
{
  return g_strdup_printf ("sound '%s'",
                          enum_table_name (&sound_models, ((const DeviceSound *)device)->model));
}

const DeviceKind sound_kind = {
  .element = "sound",
  .table = { sizeof (DeviceSound), sound_fields },
  .complete = sound_complete,
  .validate = sound_validate,
  .place = sound_place,
  .pci_connect = sound_pci_connect,
  .describe = sound_describe,
  .pci_order = PCI_ORDER_SOUND,
  .attachable = TRUE,
};
