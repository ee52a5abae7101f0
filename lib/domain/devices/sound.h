/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
#include "domain/devices/virtio.h"

typedef enum {
  SOUND_NONE,
  SOUND_SB16,
  SOUND_ES1370,
  SOUND_PCSPK,
  SOUND_AC97,
  SOUND_ICH6,
  SOUND_ICH9,
  SOUND_USB,
  SOUND_ICH7,
  SOUND_VIRTIO
} SoundModel;
typedef enum { CODEC_NONE, CODEC_DUPLEX, CODEC_MICRO, CODEC_OUTPUT } SoundCodecType;

typedef struct {
  int type; /* SoundCodecType */
} SoundCodec;

typedef struct {
  Device device;
  int model;         /* SoundModel */
  int multichannel;  /* Tristate: usb */
  Number streams;    /* virtio */
  GPtrArray *codecs; /* SoundCodec: ich6, ich9 */
  Number audio_id;
  VirtioOptions virtio;
} DeviceSound;

extern const DeviceKind sound_kind;
extern const EnumTable sound_models, sound_codecs;
