/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <audio>: where on the host the guest's sound comes from and goes to. Which words a type of back-end has is
 * the schema's matter; here are all of them, in libvirt's order.
 */

#include "domain/devices/audio.h"
#include "domain/report.h"

const EnumTable audio_types = { "audio type",
                                { NULL, "none", "alsa", "coreaudio", "jack", "oss", "pulseaudio", "sdl",
                                  "spice", "file", "dbus", "pipewire" } };

const FieldRange audio_ids = { 1, G_MAXUINT32 };
static const FieldRange range_32 = { 0, G_MAXUINT32 };

static const Field direction_fields[] = {
  FIELD (AudioDirection, mixing_engine, "@mixingEngine", field_yes_no, NULL),
  FIELD (AudioDirection, fixed_settings, "@fixedSettings", field_yes_no, NULL),
  FIELD (AudioDirection, voices, "@voices", field_number, &range_32),
  FIELD (AudioDirection, buffer_length, "@bufferLength", field_number, &range_32),
  FIELD (AudioDirection, dev, "@dev", field_text, NULL),
  FIELD (AudioDirection, buffer_count, "@bufferCount", field_number, &range_32),
  FIELD (AudioDirection, try_poll, "@tryPoll", field_yes_no, NULL),
  FIELD (AudioDirection, server_name, "@serverName", field_text, NULL),
  FIELD (AudioDirection, client_name, "@clientName", field_text, NULL),
  FIELD (AudioDirection, connect_ports, "@connectPorts", field_text, NULL),
  FIELD (AudioDirection, exact_name, "@exactName", field_yes_no, NULL),
  FIELD (AudioDirection, name, "@name", field_text, NULL),
  FIELD (AudioDirection, stream_name, "@streamName", field_text, NULL),
  FIELD (AudioDirection, latency, "@latency", field_number, &range_32),
  FIELD (AudioDirection, frequency, "settings/@frequency", field_number, &range_32),
  FIELD (AudioDirection, channels, "settings/@channels", field_number, &range_32),
  FIELD (AudioDirection, format, "settings/@format", field_text, NULL),
  FIELD_END,
};
static const FieldTable direction_table = { sizeof (AudioDirection), direction_fields };

#define OF_TYPE(member, path, kind, detail, types) \
  FIELD_WHEN (DeviceAudio, member, path, kind, detail, type, types)
#define TYPE(name) FIELD_VALUE (AUDIO_##name)

static const Field audio_fields[] = {
  FIELD_WITH (DeviceAudio, id, "@id", field_number, &audio_ids, FIELD_REQUIRED | FIELD_NO_ABI),
  FIELD_WITH (DeviceAudio, type, "@type", field_enum, &audio_types, FIELD_REQUIRED),
  FIELD (DeviceAudio, timer_period, "@timerPeriod", field_number, &range_32),
  OF_TYPE (try_mmap, "@tryMMap", field_yes_no, NULL, TYPE (OSS)),
  OF_TYPE (exclusive, "@exclusive", field_yes_no, NULL, TYPE (OSS)),
  OF_TYPE (dsp_policy, "@dspPolicy", field_signed, NULL, TYPE (OSS)),
  OF_TYPE (server_name, "@serverName", field_text, NULL, TYPE (PULSEAUDIO)),
  OF_TYPE (driver, "@driver", field_text, NULL, TYPE (SDL)),
  OF_TYPE (path, "@path", field_text, NULL, TYPE (FILE)),
  OF_TYPE (runtime_dir, "@runtimeDir", field_text, NULL, TYPE (PIPEWIRE)),
  FIELD (DeviceAudio, input, "input", field_optional, &direction_table),
  FIELD (DeviceAudio, output, "output", field_optional, &direction_table),
  FIELD_END,
};

void
audio_validate_reference (Validation *validation, const Device *device, const Number *id)
{
  if (!id->set || validation_may_miss (validation, &audio_kind))
    return;
  DOMAIN_FOREACH_DEVICE (validation->def, audio_kind, DeviceAudio, audio) {
    if (audio->id.value == id->value)
      return;
  }
  validation_error_code (validation, VIR_ERR_XML_ERROR, id, device, "no audio device with ID %u",
                         (guint)id->value);
}

static const char *const formats[] = { "u8", "s8", "u16", "s16", "u32", "s32", "f32", NULL };

static void
validate_settings (Validation *validation, const Device *device, const AudioDirection *direction)
{
  gboolean has_settings = direction->frequency.set || direction->channels.set || direction->format != NULL;

  if (direction->voices.set && direction->voices.value == 0)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &direction->voices, direction,
                           "Invalid value for attribute 'voices': Zero is not permitted");
  if (direction->fixed_settings == TRISTATE_YES && direction->mixing_engine != TRISTATE_YES)
    validation_error (validation, &direction->fixed_settings, device,
                      "fixed audio settings requires mixing engine");
  if (has_settings && direction->fixed_settings != TRISTATE_YES)
    validation_error (validation, direction->format != NULL ? (gconstpointer)&direction->format : direction,
                      device, "audio settings specified without fixed settings flag");
}

static void
validate_direction (Validation *validation, const Device *device, const AudioDirection *direction)
{
  if (direction == NULL)
    return;
  if (direction->format == NULL || g_strv_contains (formats, direction->format)) {
    validate_settings (validation, device, direction);
    return;
  }
  validation_error_code (
      validation, VIR_ERR_XML_ERROR, &direction->format, device,
      "Invalid value for attribute 'format' in element 'settings': '%s'; expected 'u8', 's8', 'u16', "
      "'s16', 'u32', 's32' or 'f32'",
      direction->format);
}

static GHashTable *
first_of_each_id (const DomainDef *def)
{
  GHashTable *audios = g_hash_table_new (g_int64_hash, g_int64_equal);

  DOMAIN_FOREACH_DEVICE (def, audio_kind, DeviceAudio, audio) {
    if (!g_hash_table_contains (audios, &audio->id.value))
      g_hash_table_insert (audios, &audio->id.value, audio);
  }
  return audios;
}

static void
audio_validate (Validation *validation, const Device *device)
{
  const DeviceAudio *audio = (const DeviceAudio *)device;

  validate_direction (validation, device, audio->input);
  validate_direction (validation, device, audio->output);
  if (validation->audios == NULL)
    validation->audios = first_of_each_id (validation->def);
  if (g_hash_table_lookup (validation->audios, &audio->id.value) != audio)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &audio->id, device,
                           "audio ID %u is used multiple times", (guint)audio->id.value);
}

/* A back-end of the host: its id names it. */
static char *
no_alias (const DomainDef *def G_GNUC_UNUSED, const Device *device G_GNUC_UNUSED, guint index G_GNUC_UNUSED)
{
  return NULL;
}

static char *
audio_describe (const Device *device)
{
  return g_strdup_printf ("audio %u", (guint)((const DeviceAudio *)device)->id.value);
}

const DeviceKind audio_kind = {
  .element = "audio",
  .table = { sizeof (DeviceAudio), audio_fields },
  .validate = audio_validate,
  .alias = no_alias,
  .describe = audio_describe,
};
