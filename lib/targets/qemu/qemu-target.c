/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QEMU among the targets: the command line that the recipe of a whole machine makes, with files named by
 * path. It has no table of parts: the recipe finds what this binary cannot make while it is made, and a
 * recipe with problems is good for nothing, so that nothing of it can be dropped either.
 */
#include "targets/qemu/qemu-target.h"

#include "base/translate-mark.h"
#include "targets/qemu/qemu-alone.h"
#include "targets/qemu/recipe.h"

gboolean
qemu_target_recipe (const TargetRequest *request, TargetLosses *losses, Recipe **ret, GError **error)
{
  const RecipeHost host = { .run_directory = request->run_directory,
                            .state_directory = request->state_directory,
                            .sandbox = request->sandbox,
                            .paused = request->paused,
                            .smbios = request->smbios,
                            .clock_khz = request->clock_khz,
                            .monitor_fd = -1,
                            .now = request->now };
  g_autoptr (Recipe) recipe = NULL;

  if (request->caps == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "the emulator for '%s' cannot be asked: install the QEMU system emulator for it",
                    request->def->os.arch);
    return FALSE;
  }
  recipe = recipe_new (request->def, request->caps, &host, RECIPE_BY_PATH);
  if (recipe_add_domain (recipe, NULL))
    *ret = g_steal_pointer (&recipe);
  else
    recipe_report_problems (recipe, request->document, target_losses_refused (losses));
  return TRUE;
}

static gboolean
translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error)
{
  g_autoptr (Recipe) recipe = NULL;

  if (!qemu_target_recipe (request, losses, &recipe, error))
    return FALSE;
  if (recipe == NULL) /* @losses have what is in the way */
    return TRUE;
  target_config_set_command (config, recipe_to_environment (recipe), recipe_to_argv (recipe));
  for (const char *const *warning = recipe_warnings (recipe); *warning != NULL; warning++)
    target_config_warn (config, "%s", *warning);
  return TRUE;
}

static const Target *const formats[] = { &qemu_script_format, &qemu_unit_format, NULL };

const Target qemu_target = {
  .name = "qemu-argv",
  .title = "QEMU",
  .summary = N_ ("QEMU's command line"),
  .formats = formats,
  .translate = translate,
};
