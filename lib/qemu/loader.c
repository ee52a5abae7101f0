/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a machine's firmware becomes: two flash chips, the first with the program and the second with the
 * variables the guest writes, or a plain ROM. A variable store that does not exist yet is made from its
 * template when the machine starts.
 */
#include "qemu/firmware.h"
#include "qemu/recipe-private.h"

#include <string.h>

typedef struct {
  FirmwareChoice choice;
  gboolean chosen;   /* there is firmware to load as flash */
  gboolean writable; /* the program itself, not only the variables */
} Loader;

/* FALSE with @error set when the document asks for what the host does not have. */
static gboolean
find_loader (const Recipe *recipe, Loader *ret, GError **error)
{
  const DomainOs *os = &recipe_def (recipe)->os;
  const QemuFirmware *firmware = recipe_host (recipe)->firmware;

  *ret = (Loader){ 0 };
  if (os->loader != NULL && os->loader_type == LOADER_TYPE_PFLASH) {
    ret->chosen = TRUE;
    ret->writable = os->loader_readonly == TRISTATE_NO;
    if (firmware == NULL || !qemu_firmware_find (firmware, os->loader, &ret->choice))
      ret->choice = (FirmwareChoice){ .code_format = "raw", .variables_format = "raw" };
    ret->choice.code = os->loader;
    ret->choice.secure = os->loader_secure == TRISTATE_YES;
    if (os->loader_format != NULL)
      ret->choice.code_format = os->loader_format;
  } else if (os->loader == NULL && os->firmware == FIRMWARE_EFI) {
    if (firmware == NULL || !qemu_firmware_choose (firmware, recipe_def (recipe), &ret->choice))
      return qemu_unsupported (NULL, error,
                               "Unable to find any firmware to satisfy 'efi' for machine type '%s' on this "
                               "host; the package ovmf has it for x86_64",
                               os->machine);
    ret->chosen = TRUE;
  }
  if (os->nvram_template != NULL)
    ret->choice.variables = os->nvram_template;
  if (os->loader_stateless == TRISTATE_YES)
    ret->choice.variables = NULL;
  return TRUE;
}

static void
add_flash (Recipe *recipe, guint number, const char *file, const char *format, gboolean readonly)
{
  g_autofree char *storage = g_strdup_printf ("libvirt-pflash%u-storage", number);
  g_autofree char *name = g_strdup_printf ("libvirt-pflash%u-format", number);
  gboolean fixed = recipe_by_descriptor (recipe); /* a descriptor is open in one mode only */

  recipe_step (recipe, STEP_BLOCKDEV,
               props ("driver", "s", "file", "filename", "s", file, "node-name", "s", storage,
                      fixed ? "read-only" : "auto-read-only", "b", fixed ? readonly : TRUE, "discard", "s",
                      "unmap", NULL));
  recipe_step (recipe, STEP_BLOCKDEV,
               props ("node-name", "s", name, "read-only", "b", readonly, "driver", "s", format, "file", "s",
                      storage, NULL));
}

/* Where the variables are kept: as libvirt names them, NAME_VARS.fd. NULL: nowhere. (transfer full) */
static char *
variables_path (const Recipe *recipe, const Loader *loader)
{
  const DomainDef *def = recipe_def (recipe);
  g_autofree char *name = NULL;

  if (def->os.loader_stateless == TRISTATE_YES)
    return NULL;
  if (def->os.nvram != NULL)
    return g_strdup (def->os.nvram);
  if (loader->choice.variables == NULL)
    return NULL;
  name = g_strconcat (def->name, "_VARS.fd", NULL);
  return g_build_filename (recipe_host (recipe)->state_directory, "nvram", name, NULL);
}

gboolean
recipe_add_firmware (Recipe *recipe, GError **error)
{
  const DomainOs *os = &recipe_def (recipe)->os;
  g_autofree char *variables = NULL;
  const char *file;
  Loader loader;

  if (!find_loader (recipe, &loader, error))
    return FALSE;
  if (os->loader != NULL && !loader.chosen)
    recipe_option (recipe, "-bios", "%s", recipe_file_by_name (recipe, os->loader, "firmware"));
  if (!loader.chosen)
    return TRUE;
  file = recipe_file (recipe, loader.choice.code, loader.writable, NULL, "firmware");
  add_flash (recipe, 0, file, loader.choice.code_format, !loader.writable);
  variables = variables_path (recipe, &loader);
  if (variables != NULL) {
    file = recipe_file (recipe, variables, TRUE, NULL, "firmware variables");
    if (loader.choice.variables != NULL)
      recipe_file_made_from (recipe, loader.choice.variables);
    add_flash (recipe, 1, file, os->nvram_format != NULL ? os->nvram_format : loader.choice.variables_format,
               FALSE);
  }
  if (loader.choice.secure)
    recipe_option (recipe, "-global", "driver=cfi.pflash01,property=secure,value=on");
  return TRUE;
}

void
firmware_machine_options (const Recipe *recipe, GString *options)
{
  const DomainDef *def = recipe_def (recipe);
  g_autofree char *variables = NULL;
  Loader loader;

  if (!find_loader (recipe, &loader, NULL) || !loader.chosen)
    return;
  if (loader.choice.secure && def->features.smm == TRISTATE_ABSENT)
    g_string_append (options, ",smm=on");
  g_string_append (options, ",pflash0=libvirt-pflash0-format");
  variables = variables_path (recipe, &loader);
  if (variables != NULL)
    g_string_append (options, ",pflash1=libvirt-pflash1-format");
}
