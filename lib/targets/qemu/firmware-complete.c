/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which firmware a machine gets, chosen once, when it is defined, and written into the definition: a host's
 * descriptors change, and a guest that was installed with one firmware must keep it. The rules are those of
 * libvirt 11.3, found by giving it thousands of documents; tests/golden/firmware holds a part of its answers.
 */
#include "targets/qemu/firmware-private.h"

#include <string.h>

#define RAW "raw"

/* Firmware that came before descriptors, with the templates libvirt knows for it. */
static const struct {
  const char *code, *variables;
} known_pairs[] = {
  { "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
  { "/usr/share/OVMF/OVMF_CODE.secboot.fd", "/usr/share/OVMF/OVMF_VARS.fd" },
  { "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd" },
  { "/usr/share/AAVMF/AAVMF32_CODE.fd", "/usr/share/AAVMF/AAVMF32_VARS.fd" },
};

static gboolean
differs (const char *wanted, const char *value)
{
  return wanted != NULL && g_strcmp0 (wanted, value) != 0;
}

static gboolean
agrees (int state, gboolean has)
{
  return state == TRISTATE_ABSENT || (state == TRISTATE_YES) == has;
}

static gboolean
fits_features (const FirmwareDescriptor *descriptor, const DomainDef *def)
{
  const DomainOs *os = &def->os;

  if ((def->pm_suspend_to_mem == TRISTATE_YES && !descriptor->sleeps)
      || (def->pm_suspend_to_disk == TRISTATE_YES && !descriptor->hibernates))
    return FALSE;
  if (descriptor->requires_smm && def->features.smm == TRISTATE_NO)
    return FALSE;
  return agrees (os->loader_secure, descriptor->requires_smm)
         && agrees (os_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT), descriptor->secure_boot)
         && agrees (os_firmware_feature (os, OS_FIRMWARE_ENROLLED_KEYS), descriptor->enrolled_keys);
}

static gboolean
fits_flash (const FirmwareDescriptor *descriptor, const DomainOs *os)
{
  FirmwareMapping mapping = os->loader_stateless == TRISTATE_YES ? FIRMWARE_STATELESS : FIRMWARE_FLASH;

  return os->loader_type != LOADER_TYPE_ROM && descriptor->mapping == mapping
         && !differs (os->loader_format, descriptor->code_format)
         && !differs (os->nvram_template, descriptor->variables);
}

static gboolean
fits (const FirmwareDescriptor *descriptor, const DomainDef *def)
{
  const DomainOs *os = &def->os;
  gboolean uefi = os->firmware != FIRMWARE_BIOS;

  if ((uefi ? !descriptor->uefi : !descriptor->bios) || os->loader_readonly == TRISTATE_NO)
    return FALSE;
  if (!firmware_descriptor_is_for (descriptor, os->arch, os->machine)
      || differs (os->loader, descriptor->code) || !fits_features (descriptor, def))
    return FALSE;
  if (descriptor->mapping == FIRMWARE_MEMORY)
    return os->loader_type != LOADER_TYPE_PFLASH;
  return fits_flash (descriptor, os);
}

static void
set_text (char **text, const char *value)
{
  if (*text == value)
    return;
  g_free (*text);
  *text = g_strdup (value);
}

static void
write_down (const FirmwareDescriptor *descriptor, DomainDef *def)
{
  DomainOs *os = &def->os;

  set_text (&os->loader, descriptor->code);
  if (descriptor->mapping == FIRMWARE_MEMORY) {
    os->loader_type = LOADER_TYPE_ROM;
  } else {
    os->loader_type = LOADER_TYPE_PFLASH;
    os->loader_readonly = TRISTATE_YES;
    set_text (&os->loader_format, descriptor->code_format);
  }
  if (descriptor->mapping == FIRMWARE_FLASH) {
    set_text (&os->nvram_template, descriptor->variables);
    set_text (&os->nvram_template_format, descriptor->variables_format);
  }
  if (descriptor->requires_smm) {
    os->loader_secure = TRISTATE_YES;
    def->features.smm = TRISTATE_YES;
  }
  if (os->firmware == FIRMWARE_NONE)
    os->firmware = descriptor->uefi ? FIRMWARE_EFI : FIRMWARE_BIOS;
  os_set_firmware_feature (os, OS_FIRMWARE_ENROLLED_KEYS, descriptor->enrolled_keys);
  os_set_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT, descriptor->secure_boot);
}

static gboolean
choose (const QemuFirmware *firmware, DomainDef *def)
{
  const GPtrArray *descriptors = firmware_descriptors (firmware);

  for (guint i = 0; i < descriptors->len; i++)
    if (fits (g_ptr_array_index (descriptors, i), def)) {
      write_down (g_ptr_array_index (descriptors, i), def);
      return TRUE;
    }
  return FALSE;
}

static void
choose_known_pair (DomainOs *os)
{
  if (os->loader_type != LOADER_TYPE_PFLASH || os->loader_readonly != TRISTATE_YES
      || os->loader_stateless == TRISTATE_YES || os->nvram_template != NULL
      || strcmp (os->loader_format, RAW) != 0)
    return;
  for (guint i = 0; i < G_N_ELEMENTS (known_pairs); i++)
    if (strcmp (os->loader, known_pairs[i].code) == 0) {
      set_text (&os->nvram_template, known_pairs[i].variables);
      set_text (&os->nvram_template_format, RAW);
    }
}

/* A store of its own for flash whose program cannot be written. */
static void
ensure_variables (DomainDef *def, const char *directory)
{
  DomainOs *os = &def->os;
  g_autofree char *name = NULL;

  if (os->loader_type != LOADER_TYPE_PFLASH || os->loader_readonly != TRISTATE_YES
      || os->loader_stateless == TRISTATE_YES)
    return;
  if (os->nvram != NULL || os->nvram_source != NULL) {
    if (os->nvram_format == NULL)
      set_text (&os->nvram_format, os->loader_format);
    return;
  }
  set_text (&os->nvram_format,
            os->nvram_template_format != NULL ? os->nvram_template_format : os->loader_format);
  name = g_strdup_printf ("%s_VARS.%s", def->name, strcmp (os->nvram_format, RAW) == 0 ? "fd" : "qcow2");
  os->nvram = g_build_filename (directory, name, NULL);
}

static char *
nothing_fits (const QemuFirmware *firmware, const DomainOs *os)
{
  gboolean none = firmware_descriptors (firmware)->len == 0;

  return g_strdup_printf (
      "Unable to find '%s' firmware that is compatible with the current configuration%s",
      enum_table_name (&os_firmwares, os->firmware),
      none ? ": this host has no firmware descriptors (for x86_64 the package ovmf brings them)" : "");
}

char *
qemu_firmware_complete (const QemuFirmware *firmware, DomainDef *def, const char *variables_directory)
{
  DomainOs *os = &def->os;

  if (os->firmware == FIRMWARE_NONE && (os->loader == NULL || os->loader_type == LOADER_TYPE_ROM))
    return NULL;
  /* A path without a type is a ROM's, and the descriptors are not asked. */
  if ((os->firmware == FIRMWARE_NONE && os->loader_type == LOADER_TYPE_NONE) || !choose (firmware, def)) {
    if (os->firmware != FIRMWARE_NONE)
      return nothing_fits (firmware, os);
    if (os->loader_format == NULL)
      set_text (&os->loader_format, RAW);
    choose_known_pair (os);
  }
  ensure_variables (def, variables_directory);
  return NULL;
}
