/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <os>: which machine, and how it boots. The table holds all three ways in (firmware by path or chosen
 * automatically, a kernel handed over directly, a container's init), because the format allows them side by
 * side; which of them a target can do is the target's business.
 */

#include "domain/complete-parts.h"
#include "domain/devices/serial.h"

const EnumTable os_types = { "OS type", { NULL, "hvm", "xen", "linux", "xenpvh", "exe" } };
const EnumTable os_firmwares = { "firmware", { NULL, "bios", "efi" } };
static const EnumTable firmware_features = { "firmware feature", { NULL, "enrolled-keys", "secure-boot" } };
static const EnumTable loader_types = { "loader type", { NULL, "rom", "pflash" } };
static const EnumTable boot_devices = { "boot device", { NULL, "fd", "cdrom", "hd", "network" } };
static const EnumTable smbios_modes = { "smbios mode", { NULL, "emulate", "host", "sysinfo" } };
static const EnumTable acpi_table_types = { "ACPI table type", { NULL, "raw", "rawset", "slic", "msdm" } };

#define REBOOT_TIMEOUT_MAX 65535 /* ms, what fits QEMU's fw_cfg entry */

static const char *const architectures[] = {
  "i686",      "x86_64",      "ia64",     "aarch64",    "alpha",        "armv6l", "armv7l",  "cris",
  "lm32",      "loongarch64", "m68k",     "microblaze", "microblazeel", "mips",   "mipsel",  "mips64",
  "mips64el",  "openrisc",    "parisc",   "parisc64",   "ppc",          "ppc64",  "ppc64le", "ppcemb",
  "riscv32",   "riscv64",     "s390",     "s390x",      "sh4",          "sh4eb",  "sparc",   "sparc64",
  "unicore32", "xtensa",      "xtensaeb", NULL,
};

static const FieldRange boot_menu_timeouts = { 0, 65535 };

const FieldTable os_firmware_feature_table = {
  sizeof (OsFirmwareFeature),
  (const Field[]){
      FIELD_WITH (OsFirmwareFeature, enabled, "@enabled", field_yes_no, NULL, FIELD_REQUIRED),
      FIELD_WITH (OsFirmwareFeature, name, "@name", field_enum, &firmware_features, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const FieldTable acpi_table_table = {
  sizeof (OsAcpiTable),
  (const Field[]){
      FIELD_WITH (OsAcpiTable, type, "@type", field_enum, &acpi_table_types, FIELD_REQUIRED),
      FIELD (OsAcpiTable, path, ".", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable boot_table = {
  sizeof (OsBoot),
  (const Field[]){
      FIELD_WITH (OsBoot, device, "@dev", field_enum, &boot_devices, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const Field os_fields[] = {
  FIELD_WITH (DomainOs, firmware, "@firmware", field_enum, &os_firmwares, FIELD_EMPTY_IS_NONE | FIELD_NO_ABI),
  FIELD_WITH (DomainOs, arch, "type/@arch", field_text, NULL, FIELD_EMPTY_IS_NONE),
  FIELD_WITH (DomainOs, machine, "type/@machine", field_text, NULL, FIELD_EMPTY_IS_NONE),
  FIELD (DomainOs, type, "type", field_enum, &os_types),
  FIELD_WITH (DomainOs, firmware_features, "firmware/feature", field_list, &os_firmware_feature_table,
              FIELD_NO_ABI),
  FIELD (DomainOs, init, "init", field_text, NULL),
  FIELD (DomainOs, init_arguments, "initarg", field_texts, NULL),
  FIELD (DomainOs, init_environment, "initenv", field_verbatims, NULL),
  FIELD (DomainOs, init_directory, "initdir", field_text, NULL),
  FIELD (DomainOs, init_user, "inituser", field_text, NULL),
  FIELD (DomainOs, init_group, "initgroup", field_text, NULL),
  FIELD (DomainOs, loader_readonly, "loader/@readonly", field_yes_no, NULL),
  FIELD (DomainOs, loader_secure, "loader/@secure", field_yes_no, NULL),
  FIELD (DomainOs, loader_type, "loader/@type", field_enum, &loader_types),
  FIELD (DomainOs, loader_stateless, "loader/@stateless", field_yes_no, NULL),
  FIELD (DomainOs, loader_format, "loader/@format", field_text, NULL),
  FIELD (DomainOs, loader, "loader", field_text, NULL),
  FIELD (DomainOs, nvram_template, "nvram/@template", field_text, NULL),
  FIELD (DomainOs, nvram_template_format, "nvram/@templateFormat", field_text, NULL),
  FIELD (DomainOs, nvram_type, "nvram/@type", field_text, NULL),
  FIELD (DomainOs, nvram_format, "nvram/@format", field_text, NULL),
  FIELD (DomainOs, nvram_source, "nvram/source", field_verbatim, NULL),
  FIELD (DomainOs, nvram, "nvram", field_text, NULL),
  FIELD (DomainOs, kernel, "kernel", field_text, NULL),
  FIELD (DomainOs, initrd, "initrd", field_text, NULL),
  FIELD (DomainOs, cmdline, "cmdline", field_text, NULL),
  FIELD (DomainOs, shim, "shim", field_text, NULL),
  FIELD (DomainOs, dtb, "dtb", field_text, NULL),
  FIELD (DomainOs, root, "root", field_text, NULL),
  FIELD (DomainOs, acpi_tables, "acpi/table", field_list, &acpi_table_table),
  FIELD (DomainOs, boots, "boot", field_list, &boot_table),
  FIELD (DomainOs, bootmenu_enable, "bootmenu/@enable", field_yes_no, NULL),
  FIELD (DomainOs, bootmenu_timeout, "bootmenu/@timeout", field_number, &boot_menu_timeouts),
  FIELD (DomainOs, bios_use_serial, "bios/@useserial", field_yes_no, NULL),
  FIELD (DomainOs, reboot_timeout, "bios/@rebootTimeout", field_signed, NULL),
  FIELD_WITH (DomainOs, smbios_mode, "smbios/@mode", field_enum, &smbios_modes, FIELD_EMPTY_IS_NONE),
  FIELD_END,
};

const FieldTable domain_os_table = { sizeof (DomainOs), os_fields };

static gboolean
has_boot_order (const DomainDef *def)
{
  for (guint i = 0; i < def->devices->len; i++) {
    const Device *device = g_ptr_array_index (def->devices, i);

    if (device->boot_order.set)
      return TRUE;
  }
  return FALSE;
}

static void
add_boot_device (DomainOs *os, BootDevice device)
{
  OsBoot *boot = field_new (&boot_table);

  boot->device = device;
  os->boots = g_ptr_array_new ();
  g_ptr_array_add (os->boots, boot);
}

/* An empty element says nothing: libvirt forgets it. */
static void
forget_empty (char **text)
{
  if (*text != NULL && (*text)[0] == '\0')
    g_clear_pointer (text, g_free);
}

void
complete_os (Completion *completion)
{
  DomainOs *os = &completion->def->os;
  char **texts[] = { &os->kernel, &os->initrd, &os->cmdline, &os->shim, &os->dtb, &os->root };

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    forget_empty (texts[i]);
  complete_firmware (completion);
  if (os->bootmenu_enable != TRISTATE_YES)
    os->bootmenu_timeout.set = FALSE;
  if (os->boots == NULL && os->type == OS_TYPE_HVM && !has_boot_order (completion->def))
    add_boot_device (os, BOOT_HD);
}

gboolean
check_architecture (Completion *completion)
{
  DomainOs *os = &completion->def->os;
  const char *nearest;

  if (os->arch == NULL || g_strv_contains (architectures, os->arch))
    return TRUE;
  nearest = nearest_word (os->arch, architectures);
  if (nearest == NULL) {
    completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &os->arch, os,
                            "Unknown architecture %s: expected one such as 'x86_64' or 'i686'", os->arch);
    return FALSE;
  }
  completion_value_error (completion, VIR_ERR_CONFIG_UNSUPPORTED, &os->arch, os,
                          "Unknown architecture %s: did you mean '%s'?", os->arch, nearest);
  g_free (os->arch);
  os->arch = g_strdup (nearest);
  return TRUE;
}

/* A daemon has no directory that a relative path could mean. */
static void
validate_paths (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainOs *os = &def->os;
  const struct {
    const char *element;
    char *const *path;
  } paths[] = {
    { "loader", &os->loader }, { "nvram", &os->nvram }, { "kernel", &os->kernel },
    { "initrd", &os->initrd }, { "dtb", &os->dtb },     { "emulator", &def->emulator },
  };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    if (*paths[i].path != NULL && (*paths[i].path)[0] != '/')
      validation_error_code (validation, VIR_ERR_XML_ERROR, paths[i].path, os,
                             "Invalid value for element '%s': '%s' (expected an absolute path)",
                             paths[i].element, *paths[i].path);
  }
}

/* Each kind once; a set of raw ones is Xen's. */
static void
validate_acpi_tables (Validation *validation)
{
  const DomainDef *def = validation->def;
  guint seen = 0; /* kinds, a bit for each */

  for (guint i = 0; def->os.acpi_tables != NULL && i < def->os.acpi_tables->len; i++) {
    const OsAcpiTable *table = g_ptr_array_index (def->os.acpi_tables, i);
    const char *name = enum_table_name (&acpi_table_types, table->type);

    if ((seen & (1u << table->type)) != 0)
      validation_error_code (validation, VIR_ERR_XML_ERROR, &table->type, table,
                             "ACPI table type '%s' may only appear once", name);
    seen |= 1u << table->type;
    if (table->type == ACPI_TABLE_RAWSET && (def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM))
      validation_error (validation, &table->type, table, "ACPI table type '%s' is not supported", name);
    if (table->path == NULL || *table->path == '\0')
      validation_error_code (validation, VIR_ERR_XML_ERROR, table, &def->os,
                             "ACPI table path must not be empty");
  }
}

void
validate_os (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainOs *os = &def->os;

  if ((def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM) && os->type != OS_TYPE_HVM && os->type != 0)
    validation_value_error (validation, VIR_ERR_INVALID_ARG, &os->type, os,
                            "could not find capabilities for ostype=%s domaintype=%s: expected 'hvm'",
                            enum_table_name (&os_types, os->type), enum_table_name (&virt_types, def->type));
  if (!validation->lax)
    validate_paths (validation);
  validate_firmware (validation);
  validate_acpi_tables (validation);
  if (os->reboot_timeout.set
      && (os->reboot_timeout.value < -1 || os->reboot_timeout.value > REBOOT_TIMEOUT_MAX))
    validation_error (validation, &os->reboot_timeout, os,
                      "invalid value for rebootTimeout, must be in range [-1,%d], not %" G_GINT64_FORMAT,
                      REBOOT_TIMEOUT_MAX, os->reboot_timeout.value);
  if (os->bios_use_serial == TRISTATE_YES && domain_def_count_devices (def, &serial_kind) == 0
      && !validation_may_miss (validation, &serial_kind))
    validation_error_code (validation, VIR_ERR_XML_ERROR, &os->bios_use_serial, os,
                           "need at least one serial port to use BIOS serial output: add a <serial> device");
}
