/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine as a shell script that starts it and needs nothing but QEMU. It is written for any POSIX shell;
 * words are quoted by apostrophes, within which a shell reads nothing. Sockets are in a directory of the
 * machine's own, which the script changes into, as a socket's name may have no more than 107 bytes.
 */
#include "targets/qemu/qemu-alone.h"

#include "base/translate-mark.h"

#include <string.h>

static void
append_head (GString *text, const DomainDef *def)
{
  g_autofree char *title = alone_title (def);

  g_string_append_printf (
      text,
      "#!/bin/sh\n"
      "# The virtual machine %s: QEMU in the foreground, until the guest shuts down. Its monitor (QMP) and\n"
      "# its other sockets are in the directory named below, which MACHINE_DIRECTORY overrides.\n"
      "umask 077\n"
      "MACHINE_DIRECTORY=${MACHINE_DIRECTORY:-${XDG_RUNTIME_DIR:-/run}/qemu-%s}\n"
      "mkdir -p -- \"$MACHINE_DIRECTORY\" && cd -- \"$MACHINE_DIRECTORY\" || exit 1\n",
      title, def->uuid);
}

static void
append_variable (GString *text, const char *variable)
{
  const char *below = alone_path_below (variable);
  g_autofree char *name = g_strndup (variable, (gsize)(strchr (variable, '=') - variable));
  g_autofree char *value = launch_word (below != NULL ? below : strchr (variable, '=') + 1);

  if (below != NULL)
    g_string_append_printf (text, " \\\n  %s=\"$PWD\"%s", name, *below != '\0' ? value : "");
  else
    g_string_append_printf (text, " \\\n  %s=%s", name, value);
}

static gboolean
translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error)
{
  g_autoptr (Recipe) recipe = NULL;
  g_auto (GStrv) environment = NULL, argv = NULL;
  g_autofree char *preparations = NULL, *lines = NULL, *base = NULL, *name = NULL;
  GString *text;

  if (!alone_recipe (request, config, losses, &recipe, error))
    return FALSE;
  if (recipe == NULL) /* @losses have what is in the way */
    return TRUE;
  environment = recipe_to_environment (recipe);
  argv = recipe_to_argv (recipe);
  text = g_string_new (NULL);
  append_head (text, request->def);
  preparations = alone_preparations (recipe);
  g_string_append (text, preparations);
  g_string_append (text, "exec env");
  for (guint i = 0; environment[i] != NULL; i++)
    append_variable (text, environment[i]);
  lines = launch_lines ((const char *const *)argv, launch_word);
  g_string_append_printf (text, " \\\n  %s \"$@\"\n", lines);
  base = alone_file_name (request->def);
  name = g_strconcat (base, ".sh", NULL);
  target_config_add_program (config, name, g_string_free (text, FALSE));
  return TRUE;
}

const Target qemu_script_format = {
  .name = "script",
  .title = ALONE_TITLE,
  .summary = N_ ("a shell script that runs the machine without a daemon"),
  .parts = alone_parts,
  .translate = translate,
};
