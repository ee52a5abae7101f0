/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <tpm>: a trusted platform module, that of the host, one emulated by swtpm, or somebody else's behind a
 * socket.
 */

#include "domain/devices/tpm.h"

#include "domain/machines/machine-kind.h"
#include "domain/report.h"

#include <string.h>

#define HOST_TPM "/dev/tpm0"

const EnumTable tpm_models = { "TPM model", { NULL, "tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy" } };
const EnumTable tpm_versions = { "TPM version", { NULL, "1.2", "2.0" } };
static const EnumTable tpm_types = { "TPM backend", { NULL, "passthrough", "emulator", "external" } };
static const EnumTable tpm_sources = { "TPM source", { NULL, "file", "dir" } };

const char *const tpm_bank_names[TPM_BANKS] = { "sha1", "sha256", "sha384", "sha512" };

#define ONLY(member, path, type_, detail, flags, backend)                     \
  {                                                                           \
    (path), G_STRUCT_OFFSET (DeviceTpm, member), &(type_), (detail), (flags), \
    {                                                                         \
      G_STRUCT_OFFSET (DeviceTpm, type), FIELD_VALUE (TPM_##backend)          \
    }                                                                         \
  }
#define BANK(name, bank) ONLY (banks[bank], "backend/active_pcr_banks/" name, field_flag, NULL, 0, EMULATOR)

static const Field tpm_fields[] = {
  FIELD (DeviceTpm, model, "@model", field_enum, &tpm_models),
  FIELD (DeviceTpm, type, "backend/@type", field_enum, &tpm_types),
  ONLY (version, "backend/@version", field_enum, &tpm_versions, 0, EMULATOR),
  ONLY (persistent_state, "backend/@persistent_state", field_yes_no, NULL, FIELD_NO_ABI, EMULATOR),
  ONLY (debug, "backend/@debug", field_number, NULL, FIELD_NO_ABI, EMULATOR),
  ONLY (path, "backend/device/@path", field_text, NULL, FIELD_NO_ABI, PASSTHROUGH),
  ONLY (secret, "backend/encryption/@secret", field_text, NULL, FIELD_NO_ABI, EMULATOR),
  BANK ("sha1", TPM_BANK_SHA1),
  BANK ("sha256", TPM_BANK_SHA256),
  BANK ("sha384", TPM_BANK_SHA384),
  BANK ("sha512", TPM_BANK_SHA512),
  ONLY (source, "backend/source/@type", field_enum, &tpm_sources, FIELD_NO_ABI, EMULATOR),
  ONLY (source_path, "backend/source/@path", field_text, NULL, FIELD_NO_ABI, EMULATOR),
  ONLY (profile_source, "backend/profile/@source", field_text, NULL, 0, EMULATOR),
  ONLY (profile_remove_disabled, "backend/profile/@removeDisabled", field_text, NULL, 0, EMULATOR),
  ONLY (profile_name, "backend/profile/@name", field_text, NULL, 0, EMULATOR),
  ONLY (external_type, "backend/source/@type", field_enum, &chardev_types, FIELD_NO_ABI, EXTERNAL),
  ONLY (external_mode, "backend/source/@mode", field_enum, &chardev_modes, FIELD_NO_ABI, EXTERNAL),
  ONLY (external_path, "backend/source/@path", field_text, NULL, FIELD_NO_ABI, EXTERNAL),
  DEVICE_FIELDS (DeviceTpm),
  FIELD_END,
};

gboolean
tpm_has_banks (const DeviceTpm *tpm)
{
  for (guint i = 0; i < TPM_BANKS; i++)
    if (tpm->banks[i])
      return TRUE;
  return FALSE;
}

const char *
tpm_driver (const DomainDef *def, const DeviceTpm *tpm)
{
  if (tpm->model == TPM_TIS && machine_kind_of (def)->has_platform_tpm)
    return "tpm-tis-device";
  return enum_table_name (&tpm_models, tpm->model);
}

static void
complete_emulator (const MachineKind *machine, DeviceTpm *tpm)
{
  guint8 uuid[UUID_BYTES];
  char text[UUID_TEXT];

  /* libvirt's choice: what old guests of each model expect. */
  if (tpm->version == TPM_VERSION_NONE)
    tpm->version = tpm->model == TPM_TIS && machine->has_old_tpm ? TPM_1_2 : TPM_2_0;
  if (tpm->persistent_state == TRISTATE_NO)
    tpm->persistent_state = TRISTATE_ABSENT;
  if (tpm->debug.value == 0)
    tpm->debug.set = FALSE;
  if (tpm->secret != NULL && uuid_parse (tpm->secret, uuid)) {
    uuid_format (uuid, text);
    g_free (tpm->secret);
    tpm->secret = g_strdup (text);
  }
}

static void
tpm_complete (Completion *completion, Device *device)
{
  DeviceTpm *tpm = (DeviceTpm *)device;
  const MachineKind *machine = machine_kind_of (completion->def);
  const char *driver;

  if (tpm->model == TPM_MODEL_NONE)
    tpm->model = machine->tpm_model;
  if (tpm->type == TPM_PASSTHROUGH && tpm->path == NULL)
    tpm->path = g_strdup (HOST_TPM);
  if (tpm->type == TPM_EXTERNAL && tpm->external_mode == CHARDEV_MODE_NONE)
    tpm->external_mode = CHARDEV_MODE_CONNECT;
  if (tpm->type == TPM_EMULATOR)
    complete_emulator (machine, tpm);
  driver = tpm_driver (completion->def, tpm);
  if (!completion_has_device (completion, driver))
    completion_host_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &tpm->model, device,
                           "The QEMU executable %s does not support TPM model %s",
                           completion->def->emulator != NULL ? completion->def->emulator : "of this host",
                           enum_table_name (&tpm_models, tpm->model));
}

static void
validate_emulator (Validation *validation, const Device *device, const DeviceTpm *tpm)
{
  guint8 uuid[UUID_BYTES];

  if (tpm->version == TPM_1_2 && tpm->model != TPM_TIS)
    validation_error (validation, &tpm->version, device, "TPM 1.2 is not supported for model '%s'",
                      enum_table_name (&tpm_models, tpm->model));
  if (tpm->version == TPM_1_2 && tpm_has_banks (tpm))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->version, device,
                           "<active_pcr_banks/> requires TPM version '2.0'");
  if (tpm->version == TPM_1_2 && tpm->profile_source != NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->version, device,
                           "<profile/> requires TPM version '2.0'");
  if (tpm->secret != NULL && !uuid_parse (tpm->secret, uuid))
    validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &tpm->secret, device,
                           "Unable to parse secret uuid '%s'", tpm->secret);
  if (tpm->source != TPM_SOURCE_NONE && tpm->source_path == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->source_path, device,
                           "missing TPM source path");
}

static void
validate_external (Validation *validation, const Device *device, const DeviceTpm *tpm)
{
  if (tpm->external_type == CHARDEV_NONE)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->external_type, device,
                           "missing external TPM backend source type");
  else if (tpm->external_type != CHARDEV_UNIX)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->external_type, device,
                           "only source type 'unix' is supported for external TPM device");
  else if (tpm->external_mode != CHARDEV_MODE_CONNECT)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->external_mode, device,
                           "only 'connect' mode is supported for external TPM device");
  else if (tpm->external_path == NULL)
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->external_path, device,
                           "missing socket path for external TPM device");
}

static void
tpm_validate (Validation *validation, const Device *device)
{
  const DeviceTpm *tpm = (const DeviceTpm *)device;

  if (tpm->type == TPM_TYPE_NONE && source_map_find (validation->map, &tpm->type, NULL).line == 0
      && !validation_may_miss (validation, &tpm->type))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &tpm->type, device, "missing TPM device backend");
  if (tpm->type == TPM_EMULATOR)
    validate_emulator (validation, device, tpm);
  if (tpm->type == TPM_EXTERNAL)
    validate_external (validation, device, tpm);
  DOMAIN_FOREACH_DEVICE (validation->def, tpm_kind, const DeviceTpm, other) {
    if (other == tpm)
      break;
    if ((other->model == TPM_SPAPR_PROXY) == (tpm->model == TPM_SPAPR_PROXY)) {
      validation_error (validation, &tpm->model, device, "only a single TPM %s device is supported",
                        tpm->model == TPM_SPAPR_PROXY ? "Proxy" : "non-proxy");
      break;
    }
  }
}

const DeviceKind tpm_kind = {
  .element = "tpm",
  .attachable = TRUE,
  .table = { sizeof (DeviceTpm), tpm_fields },
  .complete = tpm_complete,
  .validate = tpm_validate,
};
