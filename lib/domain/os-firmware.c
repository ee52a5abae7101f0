/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The firmware a machine starts with: what <os firmware=>, <firmware>, <loader> and <nvram> may say together,
 * in libvirt's words. Which files that means is the host's to say: the platform is asked, and what it answers
 * is written into the definition, so that the machine keeps its firmware when the host gets another.
 */
#include "domain/complete-parts.h"

#include "domain/machines/machine-kind.h"

static gint
compare_firmware_features (gconstpointer a, gconstpointer b)
{
  return (*(OsFirmwareFeature *const *)a)->name - (*(OsFirmwareFeature *const *)b)->name;
}

static OsFirmwareFeature *
find_feature (const DomainOs *os, OsFirmwareFeatureName name)
{
  for (guint i = 0; os->firmware_features != NULL && i < os->firmware_features->len; i++) {
    OsFirmwareFeature *feature = g_ptr_array_index (os->firmware_features, i);

    if (feature->name == (int)name)
      return feature;
  }
  return NULL;
}

int
os_firmware_feature (const DomainOs *os, OsFirmwareFeatureName name)
{
  const OsFirmwareFeature *feature = find_feature (os, name);

  return feature != NULL ? feature->enabled : TRISTATE_ABSENT;
}

void
os_set_firmware_feature (DomainOs *os, OsFirmwareFeatureName name, gboolean enabled)
{
  OsFirmwareFeature *feature = find_feature (os, name);

  if (feature == NULL) {
    feature = field_new (&os_firmware_feature_table);
    feature->name = (int)name;
    if (os->firmware_features == NULL)
      os->firmware_features = g_ptr_array_new ();
    g_ptr_array_add (os->firmware_features, feature);
    g_ptr_array_sort (os->firmware_features, compare_firmware_features);
  }
  feature->enabled = enabled ? TRISTATE_YES : TRISTATE_NO;
}

gboolean
os_wants_firmware (const DomainOs *os)
{
  return os->firmware != FIRMWARE_NONE || os->loader != NULL;
}

static gboolean
is_empty (const char *text)
{
  return text == NULL || text[0] == '\0';
}

/* <nvram>, though it may be empty. */
static gboolean
has_nvram (const DomainOs *os)
{
  return os->nvram != NULL || os->nvram_source != NULL || os->nvram_template != NULL
         || os->nvram_template_format != NULL || os->nvram_format != NULL || os->nvram_type != NULL;
}

/* <loader>, though it may be empty. */
static gboolean
has_loader (const DomainOs *os)
{
  return os->loader != NULL || os->loader_type != LOADER_TYPE_NONE || os->loader_readonly != TRISTATE_ABSENT
         || os->loader_secure != TRISTATE_ABSENT || os->loader_stateless != TRISTATE_ABSENT
         || os->loader_format != NULL;
}

/* What cannot be said together, whatever firmware there is: the first that libvirt finds. NULL: all is well.
 */
static const char *
find_mistake (const DomainOs *os, gconstpointer *ret_member)
{
  gboolean automatic = os->firmware != FIRMWARE_NONE;

  *ret_member = &os->firmware_features;
  if (automatic && os_firmware_feature (os, OS_FIRMWARE_ENROLLED_KEYS) == TRISTATE_YES
      && os_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT) == TRISTATE_NO)
    return "firmware feature 'enrolled-keys' cannot be enabled when firmware feature 'secure-boot' is "
           "disabled";
  if (!automatic && os->firmware_features != NULL)
    return "cannot use feature-based firmware autoselection when firmware autoselection is disabled: say "
           "firmware='efi' in <os>";
  *ret_member = &os->nvram;
  if (os->firmware == FIRMWARE_BIOS && has_nvram (os))
    return "firmware type 'bios' does not support nvram";
  *ret_member = has_nvram (os) ? (gconstpointer)&os->nvram : &os->loader_type;
  if (!automatic && is_empty (os->loader) && (has_nvram (os) || has_loader (os)))
    return "no loader path specified and firmware auto selection disabled";
  *ret_member = os->nvram_template != NULL ? (gconstpointer)&os->nvram_template : &os->nvram;
  if (os->loader_stateless == TRISTATE_YES && has_nvram (os))
    return os->nvram_template != NULL ? "NVRAM template is not permitted when loader is stateless"
                                      : "NVRAM is not permitted when loader is stateless";
  *ret_member = &os->loader_stateless;
  if (os->loader_stateless == TRISTATE_NO && !automatic && os->loader_type != LOADER_TYPE_PFLASH)
    return "Only pflash loader type permits NVRAM";
  if (os->loader_stateless == TRISTATE_NO && os->firmware == FIRMWARE_BIOS)
    return "Only EFI firmware permits NVRAM";
  return NULL;
}

static gboolean
is_known_format (const char *format)
{
  return format == NULL || g_str_equal (format, "raw") || g_str_equal (format, "qcow2");
}

static gboolean
check_formats (Completion *completion)
{
  const DomainOs *os = &completion->def->os;
  const struct {
    const char *what;
    char *const *format;
  } formats[] = { { "loader", &os->loader_format }, { "nvram", &os->nvram_format } };
  gboolean known = TRUE;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (!is_known_format (*formats[i].format)) {
      completion_value_error (completion, VIR_ERR_XML_ERROR, formats[i].format, os,
                              "Unsupported %s format '%s': expected 'raw' or 'qcow2'", formats[i].what,
                              *formats[i].format);
      known = FALSE;
    }
  return known;
}

static void
choose_firmware (Completion *completion)
{
  DomainOs *os = &completion->def->os;
  const Platform *platform = completion->platform;
  g_autofree char *problem = NULL;

  if (os->firmware != FIRMWARE_NONE && os_firmware_feature (os, OS_FIRMWARE_ENROLLED_KEYS) == TRISTATE_YES)
    os_set_firmware_feature (os, OS_FIRMWARE_SECURE_BOOT, TRUE);
  if (platform != NULL && platform->complete_firmware != NULL && os->machine != NULL
      && (completion->def->type == VIRT_TYPE_QEMU || completion->def->type == VIRT_TYPE_KVM))
    problem = platform->complete_firmware (platform, completion->def);
  if (problem != NULL && !completion->kept)
    completion_host_error (completion, VIR_ERR_OPERATION_FAILED, &os->firmware, os, "%s", problem);
  if (os->loader != NULL && os->loader_type == LOADER_TYPE_NONE && os->firmware == FIRMWARE_NONE)
    os->loader_type = LOADER_TYPE_ROM;
}

void
complete_firmware (Completion *completion)
{
  DomainOs *os = &completion->def->os;
  gconstpointer member;
  const char *mistake;

  if (os->firmware_features != NULL)
    g_ptr_array_sort (os->firmware_features, compare_firmware_features);
  mistake = find_mistake (os, &member);
  if (mistake != NULL)
    completion_error_code (completion, VIR_ERR_XML_DETAIL, member, os, "%s", mistake);
  if (!has_loader (os))
    os->loader_format = g_strdup (os->nvram_format); /* it is of both then */
  if (is_empty (os->loader))
    g_clear_pointer (&os->loader, g_free);
  if (is_empty (os->nvram))
    g_clear_pointer (&os->nvram, g_free);
  if (check_formats (completion) && mistake == NULL)
    choose_firmware (completion);
}

static void
validate_secure_boot (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainOs *os = &def->os;

  if (os->loader_secure != TRISTATE_YES)
    return;
  if (!machine_kind_of (def)->has_secure_boot && !validation_may_miss (validation, &os->machine))
    validation_error (validation, &os->loader_secure, os,
                      "Secure boot is supported with q35 machine types only");
  else if (g_strcmp0 (os->arch, "x86_64") != 0)
    validation_error (validation, &os->loader_secure, os,
                      "Secure boot is supported for x86_64 architecture only");
  else if (def->features.smm != TRISTATE_YES && !validation_may_miss (validation, &def->features))
    validation_error (validation, &os->loader_secure, os,
                      "Secure boot requires SMM feature enabled: add <smm state='on'/> to <features>");
}

void
validate_firmware (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainOs *os = &def->os;
  const MachineKind *machine = machine_kind_of (def);
  gboolean is_ours = def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM;
  gboolean is_uefi =
      os->firmware == FIRMWARE_EFI || (os->loader != NULL && os->loader_type == LOADER_TYPE_PFLASH);

  if (def->features.acpi && !machine->has_acpi && is_ours && !validation_may_miss (validation, &os->machine))
    validation_error (validation, &def->features.acpi, &def->features,
                      "machine type '%s' does not support ACPI", os->machine != NULL ? os->machine : "");
  if (def->features.acpi && machine->acpi_needs_uefi && !is_uefi
      && !validation_may_miss (validation, &def->os))
    validation_error (
        validation, &def->features.acpi, &def->features,
        "ACPI requires UEFI on this architecture: add firmware='efi' to <os>, or take <acpi/> out");
  if (is_uefi && is_ours && machine->uefi_needs_acpi && !def->features.acpi
      && !validation_may_miss (validation, &def->features))
    validation_error (validation, os->firmware == FIRMWARE_EFI ? (gconstpointer)&os->firmware : &os->loader,
                      os, "UEFI requires ACPI on this architecture: add <acpi/> to <features>");
  validate_secure_boot (validation);
}
