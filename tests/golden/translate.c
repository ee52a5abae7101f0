/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command line of a document by the library alone, an option and its value a line: what `domctl
 * translate` prints, but for the QEMU that the library has built in, so that golden files do not depend on
 * the host. DIRECTORY is where sockets and variable stores would be.
 */
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

static gboolean
translate (const DomainDef *def, const char *directory, GError **error)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  const RecipeHost host = { .run_directory = directory,
                            .state_directory = directory,
                            .sandbox = TRUE,
                            .paused = TRUE,
                            .monitor_fd = -1 };
  g_autoptr (Recipe) recipe = recipe_new (def, caps, &host, RECIPE_BY_PATH);
  g_auto (GStrv) argv = NULL;

  if (!recipe_add_domain (recipe, error))
    return FALSE;
  argv = recipe_to_argv (recipe);
  for (guint i = 0; argv[i] != NULL; i++)
    printf ("%s%s", i == 0 ? "" : argv[i][0] == '-' ? "\n" : " ", argv[i]);
  printf ("\n");
  return TRUE;
}

int
main (int argc, char **argv)
{
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (argc == 3 ? argv[2] : NULL);
  g_autoptr (DomainDef) def = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *mistakes = NULL;

  if (argc == 3 && g_file_get_contents (argv[2], &text, NULL, &error))
    def = domain_def_parse (text, -1, 0, platform, diagnostics);
  else
    fprintf (stderr, "%s\n", error != NULL ? error->message : "usage: translate DIRECTORY FILE");
  qemu_platform_free (platform);
  mistakes = diagnostics_to_text (diagnostics);
  fputs (mistakes, stderr);
  if (def == NULL)
    return 1;
  domain_def_assign_aliases (def);
  if (!translate (def, argv[1], &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  return 0;
}
