/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a document costs: parse, schema, completion, checks, and the QEMU command line, many times over, in
 * CPU time. The schema's compilation, which happens once in a process, is told apart.
 *
 *   bench-document FILE [ROUNDS]
 */

#include "base/virt-error.h"
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEFAULT_ROUNDS 500

static double
cpu_milliseconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static QemuCaps *
builtin_caps (gpointer data, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_ref (data);
}

static void
once (const char *text, gsize length, QemuCaps *caps, const Platform *platform)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain_def_parse (text, length, 0, platform, diagnostics);
  g_autoptr (GError) error = NULL;
  RecipeHost host = { .run_directory = "/run/domaind/machines/bench",
                      .state_directory = "/var/lib/domaind",
                      .monitor_fd = -1 };
  g_autoptr (Recipe) recipe = NULL;

  if (def == NULL) {
    g_autofree char *mistakes = diagnostics_to_text (diagnostics);

    fprintf (stderr, "%s", mistakes);
    exit (EXIT_FAILURE);
  }
  g_autofree char *completed G_GNUC_UNUSED = domain_def_to_xml (def, 0);
  domain_def_assign_aliases (def);
  recipe = recipe_new (def, caps, &host, RECIPE_BY_PATH);
  if (!recipe_add_domain (recipe, &error)) {
    fprintf (stderr, "%s\n", error->message);
    exit (EXIT_FAILURE);
  }
  g_auto (GStrv) argv G_GNUC_UNUSED = recipe_to_argv (recipe);
}

int
main (int argc, char **argv)
{
  g_autoptr (QemuCaps) caps = qemu_caps_builtin ();
  Platform *platform = qemu_platform_new (builtin_caps, caps);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  int rounds = argc > 2 ? atoi (argv[2]) : DEFAULT_ROUNDS;
  double start, first, rest;
  gsize length;

  if (argc < 2 || !g_file_get_contents (argv[1], &text, &length, &error)) {
    fprintf (stderr, "%s\n", argc < 2 ? "usage: bench-document FILE [ROUNDS]" : error->message);
    return EXIT_FAILURE;
  }
  start = cpu_milliseconds ();
  once (text, length, caps, platform);
  first = cpu_milliseconds ();
  for (int i = 0; i < rounds; i++)
    once (text, length, caps, platform);
  rest = cpu_milliseconds ();
  printf ("%.3f %.3f\n", first - start, (rest - first) / rounds);
  qemu_platform_free (platform);
  return EXIT_SUCCESS;
}
