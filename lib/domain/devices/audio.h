/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"

typedef enum {
  AUDIO_UNSET,
  AUDIO_NONE,
  AUDIO_ALSA,
  AUDIO_COREAUDIO,
  AUDIO_JACK,
  AUDIO_OSS,
  AUDIO_PULSEAUDIO,
  AUDIO_SDL,
  AUDIO_SPICE,
  AUDIO_FILE,
  AUDIO_DBUS,
  AUDIO_PIPEWIRE
} AudioType;

/* <input> or <output>: one direction. Which words a type has, is the schema's matter. */
typedef struct {
  int mixing_engine, fixed_settings; /* Tristate */
  Number voices, buffer_length;      /* buffer_length in microseconds */
  Number frequency, channels;
  char *format;                                    /* "s16" */
  char *dev;                                       /* alsa, oss */
  Number buffer_count;                             /* coreaudio, oss, sdl */
  char *server_name, *client_name, *connect_ports; /* jack */
  int exact_name;                                  /* Tristate: jack */
  int try_poll;                                    /* Tristate: alsa, oss */
  char *name, *stream_name;                        /* pulseaudio, pipewire */
  Number latency;                                  /* microseconds */
} AudioDirection;

typedef struct {
  Device device;
  Number id;               /* 1 ...: what sound and graphics devices refer to */
  int type;                /* AudioType */
  Number timer_period;     /* microseconds */
  char *server_name;       /* pulseaudio */
  char *driver;            /* sdl */
  char *path;              /* file */
  char *runtime_dir;       /* pipewire */
  int try_mmap, exclusive; /* Tristate: oss */
  SignedNumber dsp_policy; /* oss */
  AudioDirection *input, *output;
} DeviceAudio;

extern const DeviceKind audio_kind;
extern const EnumTable audio_types;
extern const FieldRange audio_ids;

/* A mistake when @id, a field of @device, is set and no <audio> has it. */
void audio_validate_reference (Validation *validation, const Device *device, const Number *id);
