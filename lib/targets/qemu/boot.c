/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a machine boots: a kernel given directly, or its devices in an order. <os><boot dev=> names classes of
 * devices; as in libvirt the first device of each class gets the boot index of its place in the list.
 *
 * QEMU opens kernels by name, whatever else is passed by descriptor: see RecipeFile.by_name.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/disk.h"
#include "domain/devices/interface.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

#define TSC_FREQUENCY_WORD "tsc_early_khz="
#define TSC_FREQUENCY_KHZ  1000000u /* where the host's is not known */
#define SHIM_SINCE         10000000 /* QEMU 10.0 */

/* QEMU 10.0 on: before, the document's word is refused where it is checked. */
static void
add_shim (Recipe *recipe, const DomainOs *os)
{
  if (qemu_caps_version (recipe_caps (recipe)) < SHIM_SINCE)
    recipe_refuse (recipe, NULL, "<os><shim>", "shim is not supported with this QEMU binary");
  else
    recipe_option (recipe, "-shim", "%s", recipe_file_by_name (recipe, os->shim, "shim"));
}

/* Tables of the document's own beside QEMU's. */
static void
add_acpi_tables (Recipe *recipe, const DomainOs *os)
{
  for (guint i = 0; os->acpi_tables != NULL && i < os->acpi_tables->len; i++) {
    const OsAcpiTable *table = g_ptr_array_index (os->acpi_tables, i);
    g_autofree char *path = option_escape (recipe_file_by_name (recipe, table->path, "ACPI table"));

    if (table->type == ACPI_TABLE_RAW)
      recipe_option (recipe, "-acpitable", "file=%s", path);
    else
      recipe_option (recipe, "-acpitable", "sig=%s,file=%s", table->type == ACPI_TABLE_SLIC ? "SLIC" : "MSDM",
                     path);
  }
}

/* Without KVM some machines have nothing by which Linux could measure the processor's clock, and it hangs now
 * and then while it tries: it is told a frequency, unless the document tells it one. */
static void
add_kernel_words (Recipe *recipe, const DomainOs *os)
{
  const DomainDef *def = recipe_def (recipe);
  const char *said = os->cmdline != NULL ? os->cmdline : "";
  guint khz = recipe_host (recipe)->clock_khz != 0 ? recipe_host (recipe)->clock_khz : TSC_FREQUENCY_KHZ;

  if (os->kernel != NULL && def->type == VIRT_TYPE_QEMU && machine_kind_of (def)->needs_tsc_frequency
      && strstr (said, TSC_FREQUENCY_WORD) == NULL) {
    recipe_option (recipe, "-append", "%s%s" TSC_FREQUENCY_WORD "%u", said, *said != '\0' ? " " : "", khz);
    recipe_warn (recipe,
                 "the kernel is told '" TSC_FREQUENCY_WORD "%u' after what <cmdline> says: without KVM Linux "
                 "cannot measure the processor's clock on machine '%s'",
                 khz, def->os.machine);
  } else if (os->cmdline != NULL) {
    recipe_option (recipe, "-append", "%s", os->cmdline);
  }
}

gboolean
recipe_add_boot (Recipe *recipe, GError **error G_GNUC_UNUSED)
{
  const DomainOs *os = &recipe_def (recipe)->os;
  g_autoptr (GString) text = g_string_new (NULL);

  if (os->bootmenu_enable != TRISTATE_ABSENT)
    g_string_append_printf (text, "menu=%s,", os->bootmenu_enable == TRISTATE_YES ? "on" : "off");
  if (os->reboot_timeout.set)
    g_string_append_printf (text, "reboot-timeout=%" G_GINT64_FORMAT ",", os->reboot_timeout.value);
  if (os->bootmenu_timeout.set)
    g_string_append_printf (text, "splash-time=%" G_GUINT64_FORMAT ",", os->bootmenu_timeout.value);
  recipe_option (recipe, "-boot", "%sstrict=on", text->str);

  if (os->kernel != NULL)
    recipe_option (recipe, "-kernel", "%s", recipe_file_by_name (recipe, os->kernel, "kernel"));
  if (os->initrd != NULL)
    recipe_option (recipe, "-initrd", "%s", recipe_file_by_name (recipe, os->initrd, "initial ramdisk"));
  add_kernel_words (recipe, os);
  if (os->dtb != NULL)
    recipe_option (recipe, "-dtb", "%s", recipe_file_by_name (recipe, os->dtb, "device tree"));
  if (os->kernel != NULL && os->shim != NULL)
    add_shim (recipe, os);
  add_acpi_tables (recipe, os);
  return TRUE;
}
