/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The completed form of a document, or its mistakes, by the library alone: what `domctl normalize` prints,
 * but always for the QEMU that the library has built in, so that golden files do not depend on the host. With
 * --live the machine has its aliases, as when it is about to start.
 */
#include "domain/domain-def.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>

static QemuCaps *
builtin_caps (gpointer data G_GNUC_UNUSED, const char *emulator G_GNUC_UNUSED)
{
  return qemu_caps_builtin ();
}

int
main (int argc, char **argv)
{
  gboolean live = argc == 3 && g_str_equal (argv[1], "--live");
  Platform *platform = qemu_platform_new (builtin_caps, NULL);
  g_autoptr (Diagnostics) diagnostics = NULL;
  g_autoptr (DomainDef) def = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *mistakes = NULL, *completed = NULL;
  const char *path;

  if (argc != (live ? 3 : 2)) {
    fprintf (stderr, "usage: %s [--live] FILE\n", argv[0]);
    return 2;
  }
  path = argv[argc - 1];
  if (!g_file_get_contents (path, &text, NULL, &error)) {
    fprintf (stderr, "%s\n", error->message);
    return 1;
  }
  diagnostics = diagnostics_new (path);
  def = domain_def_parse (text, -1, 0, platform, diagnostics);
  qemu_platform_free (platform);
  mistakes = diagnostics_to_text (diagnostics);
  fputs (mistakes, stderr);
  if (!def)
    return 1;
  if (live)
    domain_def_assign_aliases (def);
  completed = domain_def_to_xml (def, live ? DOMAIN_WRITE_LIVE : 0);
  fputs (completed, stdout);
  return 0;
}
