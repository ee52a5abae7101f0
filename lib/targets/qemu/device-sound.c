/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sound cards and the audio back-ends they play through.
 */
#include "targets/qemu/recipe-lookup.h"
#include "targets/qemu/recipe-private.h"

#include "domain/devices/audio.h"
#include "domain/devices/sound.h"

/* -audiodev's words for the back-ends. */
static const char *const audio_drivers[] = {
  [AUDIO_NONE] = "none", [AUDIO_ALSA] = "alsa",         [AUDIO_COREAUDIO] = "coreaudio",
  [AUDIO_JACK] = "jack", [AUDIO_OSS] = "oss",           [AUDIO_PULSEAUDIO] = "pa",
  [AUDIO_SDL] = "sdl",   [AUDIO_SPICE] = "spice",       [AUDIO_FILE] = "wav",
  [AUDIO_DBUS] = "dbus", [AUDIO_PIPEWIRE] = "pipewire",
};

/* One direction; each back-end takes the members the format allows it. NULL when the document has none. */
static JsonObject *
direction (const AudioDirection *said)
{
  if (said == NULL)
    return NULL;
  return props ("mixing-engine", "T", said->mixing_engine, "fixed-settings", "T", said->fixed_settings,
                "voices", "N", &said->voices, "buffer-length", "N", &said->buffer_length, "frequency", "N",
                &said->frequency, "channels", "N", &said->channels, "format", "?s", said->format, "dev", "?s",
                said->dev, "buffer-count", "N", &said->buffer_count, "server-name", "?s", said->server_name,
                "client-name", "?s", said->client_name, "connect-ports", "?s", said->connect_ports,
                "exact-name", "T", said->exact_name, "try-poll", "T", said->try_poll, "name", "?s",
                said->name, "stream-name", "?s", said->stream_name, "latency", "N", &said->latency, NULL);
}

gboolean
recipe_add_audio (Recipe *recipe, const Device *device, GError **error)
{
  const DeviceAudio *audio = (const DeviceAudio *)device;
  g_autofree char *id = g_strdup_printf ("audio%u", (guint)audio->id.value);
  JsonObject *properties;

  if (audio->type <= AUDIO_UNSET || (guint)audio->type >= G_N_ELEMENTS (audio_drivers))
    return qemu_unsupported (device, error, "an audio back-end needs a type");
  if (audio->type == AUDIO_SPICE && !qemu_needs_type (recipe, device, "chardev-spicevmc", error))
    return FALSE;
  properties = props ("id", "s", id, "driver", "s", audio_drivers[audio->type], "timer-period", "N",
                      &audio->timer_period, "server", "?s", audio->server_name, "path", "?s", audio->path,
                      "in", "?o", direction (audio->input), "out", "?o", direction (audio->output),
                      "try-mmap", "T", audio->try_mmap, "exclusive", "T", audio->exclusive, NULL);
  if (audio->dsp_policy.set)
    props_add (properties, "dsp-policy", "i", (int)audio->dsp_policy.value, NULL);
  if (audio->runtime_dir != NULL)
    recipe_environment (recipe, "PIPEWIRE_RUNTIME_DIR", audio->runtime_dir);
  if (audio->type == AUDIO_SDL && audio->driver != NULL)
    recipe_environment (recipe, "SDL_AUDIODRIVER", audio->driver);
  recipe_step (recipe, STEP_AUDIODEV, properties);
  return TRUE;
}

/* The back-end a card plays through: the one it names or the first; NULL when the domain has none. */
static char *
audiodev_of (const Recipe *recipe, const DeviceSound *sound)
{
  const DeviceAudio *audio = recipe_audio (recipe, &sound->audio_id);

  return audio != NULL ? g_strdup_printf ("audio%u", (guint)audio->id.value) : NULL;
}

/* The speaker is part of the machine: its back-end is an option of it. */
void
sound_machine_options (const Recipe *recipe, GString *options)
{
  DOMAIN_FOREACH_DEVICE (recipe_def (recipe), sound_kind, const DeviceSound, sound) {
    g_autofree char *audiodev = sound->model == SOUND_PCSPK ? audiodev_of (recipe, sound) : NULL;

    if (audiodev != NULL) {
      g_string_append_printf (options, ",pcspk-audiodev=%s", audiodev);
      return;
    }
  }
}

static const char *
codec_driver (int type)
{
  static const char *const drivers[] = { "hda-duplex", "hda-duplex", "hda-micro", "hda-output" };

  return drivers[CLAMP (type, 0, 3)];
}

/* An HDA controller and its codecs; without any it gets one for playing and recording. */
static gboolean
recipe_add_hda (Recipe *recipe, const DeviceSound *sound, const char *driver, const char *audiodev,
                GError **error)
{
  const char *alias = sound->device.alias;
  g_autofree char *bus = g_strconcat (alias, ".0", NULL);
  guint count = sound->codecs != NULL ? sound->codecs->len : 0;

  if (!recipe_device (recipe, &sound->device, props ("driver", "s", driver, NULL), error))
    return FALSE;
  for (guint i = 0; i < MAX (count, 1); i++) {
    const SoundCodec *codec = count > 0 ? g_ptr_array_index (sound->codecs, i) : NULL;
    g_autofree char *id = g_strdup_printf ("%s-codec%u", alias, i);

    recipe_step (recipe, STEP_DEVICE,
                 props ("driver", "s", codec_driver (codec != NULL ? codec->type : CODEC_NONE), "id", "s", id,
                        "bus", "s", bus, "cad", "u", i, "audiodev", "?s", audiodev, NULL));
  }
  return TRUE;
}

gboolean
recipe_add_sound (Recipe *recipe, const Device *device, GError **error)
{
  static const char *const drivers[] = {
    [SOUND_SB16] = "sb16",     [SOUND_ES1370] = "ES1370",           [SOUND_AC97] = "AC97",
    [SOUND_USB] = "usb-audio", [SOUND_VIRTIO] = "virtio-sound-pci",
  };
  const DeviceSound *sound = (const DeviceSound *)device;
  g_autofree char *audiodev = audiodev_of (recipe, sound);
  const char *driver = (guint)sound->model < G_N_ELEMENTS (drivers) ? drivers[sound->model] : NULL;
  JsonObject *properties;

  if (sound->model == SOUND_ICH6)
    return recipe_add_hda (recipe, sound, "intel-hda", audiodev, error);
  if (sound->model == SOUND_ICH9)
    return recipe_add_hda (recipe, sound, "ich9-intel-hda", audiodev, error);
  if (sound->model == SOUND_PCSPK)
    return TRUE;
  if (driver == NULL)
    return qemu_unsupported (device, error, "a sound card of model '%s' is not supported by the QEMU target",
                             enum_table_name (&sound_models, sound->model));
  if (!qemu_needs_type (recipe, device, driver, error))
    return FALSE;
  properties = props ("driver", "s", driver, NULL);
  if (sound->model == SOUND_VIRTIO)
    props_add_virtio (properties, &sound->virtio);
  props_add (properties, "audiodev", "?s", audiodev, "multi", "T", sound->multichannel, "streams", "N",
             &sound->streams, NULL);
  return recipe_device (recipe, device, properties, error);
}
