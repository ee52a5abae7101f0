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

gboolean
recipe_add_boot (Recipe *recipe, GError **error)
{
  const DomainOs *os = &recipe_def (recipe)->os;
  g_autoptr (GString) text = g_string_new (NULL);

  if (os->kernel == NULL && (os->initrd != NULL || os->cmdline != NULL || os->dtb != NULL))
    return qemu_unsupported (NULL, error, "<initrd>, <cmdline> and <dtb> need a <kernel>");
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
  if (os->cmdline != NULL)
    recipe_option (recipe, "-append", "%s", os->cmdline);
  if (os->dtb != NULL)
    recipe_option (recipe, "-dtb", "%s", recipe_file_by_name (recipe, os->dtb, "device tree"));
  return TRUE;
}
