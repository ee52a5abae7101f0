/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A document as the launch config of a target by the library alone: the config on standard output, and on
 * standard error what is lost, with the steps before it and the command that starts it. With --drop what can
 * be left out is. The capabilities are those of the QEMU that the library has built in, so that golden files
 * do not depend on the host.
 */
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"
#include "targets/target.h"

#include <stdio.h>

#define RUN_DIRECTORY   "/run/domaind/machines/UUID"
#define STATE_DIRECTORY "/var/lib/domaind"

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

static void
print_words (const char *what, const char *const *words)
{
  g_autofree char *line = g_strjoinv (" ", (char **)words);

  fprintf (stderr, "%s: %s\n", what, line);
}

static void
print_config (const TargetConfig *config)
{
  const GPtrArray *files = target_config_files (config), *steps = target_config_steps (config);

  for (guint i = 0; i < files->len; i++)
    fputs (((const TargetFile *)g_ptr_array_index (files, i))->content, stdout);
  for (const char *const *warning = target_config_warnings (config); *warning != NULL; warning++)
    fprintf (stderr, "warning: %s\n", *warning);
  for (guint i = 0; i < steps->len; i++)
    print_words ("step", g_ptr_array_index (steps, i));
  if (target_config_argv (config) != NULL)
    print_words ("command", target_config_argv (config));
}

/* FALSE when there is no config. */
static gboolean
translate (const Target *target, DomainDef *def, const char *text, gboolean drop, Diagnostics *diagnostics)
{
  const TargetRequest request = {
    .def = def, .document = text, .run_directory = RUN_DIRECTORY, .state_directory = STATE_DIRECTORY
  };
  g_autoptr (TargetLosses) losses = target_losses_new (target, text);
  g_autoptr (TargetConfig) config = target_config_new ();
  g_autofree char *mistakes = NULL;

  if (!target->translate (&request, config, losses, NULL))
    return FALSE;
  target_losses_report (losses, drop, diagnostics);
  mistakes = diagnostics_to_text (diagnostics);
  fputs (mistakes, stderr);
  if (!diagnostics_has_errors (diagnostics))
    print_config (config);
  return !diagnostics_has_errors (diagnostics);
}

int
main (int argc, char **argv)
{
  gboolean drop = argc == 4 && g_str_equal (argv[1], "--drop");
  const Target *target = argc == 3 + drop ? target_find (argv[1 + drop]) : NULL;
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (Diagnostics) diagnostics = NULL;
  g_autoptr (DomainDef) def = NULL;
  g_autofree char *text = NULL;

  if (target == NULL || !g_file_get_contents (argv[2 + drop], &text, NULL, NULL)) {
    fprintf (stderr, "usage: launch [--drop] TARGET FILE\n");
    return 2;
  }
  diagnostics = diagnostics_new (argv[2 + drop]);
  def = domain_def_parse (text, -1, DOMAIN_READ_ANYWHERE, platform, diagnostics);
  qemu_platform_free (platform);
  if (def == NULL) {
    g_autofree char *mistakes = diagnostics_to_text (diagnostics);

    fputs (mistakes, stderr);
    return 3;
  }
  domain_def_assign_aliases (def);
  return translate (target, def, text, drop, diagnostics) ? 0 : 1;
}
