/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/chardev.h"
#include "domain/devices/device-models.h"

typedef enum { TPM_TYPE_NONE, TPM_PASSTHROUGH, TPM_EMULATOR, TPM_EXTERNAL } TpmType;
typedef enum { TPM_VERSION_NONE, TPM_1_2, TPM_2_0 } TpmVersion;
typedef enum { TPM_SOURCE_NONE, TPM_SOURCE_FILE, TPM_SOURCE_DIR } TpmSource;

typedef enum { TPM_BANK_SHA1, TPM_BANK_SHA256, TPM_BANK_SHA384, TPM_BANK_SHA512, TPM_BANKS } TpmBank;
extern const char *const tpm_bank_names[TPM_BANKS];

typedef struct {
  Device device;
  int model, type, version; /* TpmModel, TpmType, TpmVersion; the version is the emulator's */
  /* emulator: */
  int persistent_state; /* Tristate: its state outlives the definition */
  Number debug;
  char *secret;              /* UUID of the secret its state is encrypted with */
  gboolean banks[TPM_BANKS]; /* those that are to be active; none: as they are */
  int source;                /* TpmSource: where the document has its state kept; none: with the machine's */
  char *source_path;
  char *profile_source, *profile_remove_disabled, *profile_name;
  char *path; /* passthrough: the host's device */
  /* external: */
  int external_type, external_mode; /* ChardevType, ChardevMode */
  char *external_path;
} DeviceTpm;

extern const DeviceKind tpm_kind;
extern const EnumTable tpm_models, tpm_versions;
gboolean tpm_has_banks (const DeviceTpm *tpm);
/* QEMU's device for it on that machine. Static. */
const char *tpm_driver (const DomainDef *def, const DeviceTpm *tpm);
