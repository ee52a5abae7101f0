/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A machine as a systemd service. Words are quoted by systemd's rules, which are not a shell's: within double
 * quotes a backslash begins an escape as in C, '%' a specifier and '$' a variable, and the last is not looked
 * for in the program's own name. The working directory is one that systemd makes and removes.
 */
#include "targets/qemu/qemu-alone.h"

#include "base/translate-mark.h"

#include <string.h>

#define PLAIN                                            \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
  "0123456789-_=+,./:@"
#define DIRECTORY "qemu-%s" /* below %t, systemd's directory of what runs; with the machine's UUID */

/* @variables: is '$' looked for where it stands? (transfer full) */
static char *
quote (const char *word, gboolean variables)
{
  GString *text = g_string_new ("\"");

  for (const char *c = word; *c != '\0'; c++) {
    if (*c == '%' || (*c == '$' && variables))
      g_string_append_c (text, *c);
    else if (*c == '\\' || *c == '"')
      g_string_append_c (text, '\\');
    if (g_ascii_iscntrl (*c))
      g_string_append_printf (text, "\\x%02x", (guint)(guchar)*c);
    else
      g_string_append_c (text, *c);
  }
  g_string_append_c (text, '"');
  return g_string_free (text, FALSE);
}

/* What means nothing to systemd stays as it is, for people. */
static char *
quote_word (const char *word)
{
  return *word != '\0' && strspn (word, PLAIN) == strlen (word) ? g_strdup (word) : quote (word, TRUE);
}

static void
append_variable (GString *text, const char *variable, const char *uuid)
{
  const char *below = alone_path_below (variable);
  g_autofree char *name = g_strndup (variable, (gsize)(strchr (variable, '=') + 1 - variable));
  g_autofree char *quoted = quote (below != NULL ? below : variable, FALSE);

  if (below != NULL)
    g_string_append_printf (text, "Environment=\"%s%%t/" DIRECTORY "%s\n", name, uuid, quoted + 1);
  else
    g_string_append_printf (text, "Environment=%s\n", quoted);
}

static void
append_service (GString *text, const Recipe *recipe, const char *uuid)
{
  g_auto (GStrv) environment = recipe_to_environment (recipe), argv = recipe_to_argv (recipe);
  g_autofree char *preparations = alone_preparations (recipe);
  g_autofree char *emulator = quote (argv[0], FALSE), *lines = NULL;

  g_string_append_printf (text,
                          "[Service]\n"
                          "Type=exec\n"
                          "RuntimeDirectory=" DIRECTORY "\n"
                          "RuntimeDirectoryMode=0700\n"
                          "WorkingDirectory=%%t/" DIRECTORY "\n"
                          "UMask=0077\n",
                          uuid, uuid);
  for (guint i = 0; environment[i] != NULL; i++)
    append_variable (text, environment[i], uuid);
  if (*preparations != '\0') {
    g_autofree char *script = quote (preparations, TRUE);

    g_string_append_printf (text, "ExecStartPre=/bin/sh -c %s\n", script);
  }
  lines = launch_lines ((const char *const *)argv + 1, quote_word);
  g_string_append_printf (text, "ExecStart=%s \\\n  %s\n", emulator, lines);
}

static gboolean
translate (const TargetRequest *request, TargetConfig *config, TargetLosses *losses, GError **error)
{
  g_autoptr (Recipe) recipe = NULL;
  g_autofree char *title = NULL, *base = NULL, *name = NULL;
  g_auto (GStrv) parts = NULL;
  g_autofree char *description = NULL;
  GString *text;

  if (!alone_recipe (request, config, losses, &recipe, error))
    return FALSE;
  if (recipe == NULL) /* @losses have what is in the way */
    return TRUE;
  title = alone_title (request->def);
  parts = g_strsplit (title, "%", -1);
  description = g_strjoinv ("%%", parts);
  text = g_string_new (NULL);
  g_string_append_printf (text, "[Unit]\nDescription=Virtual machine %s\nAfter=network.target\n\n",
                          description);
  append_service (text, recipe, request->def->uuid);
  g_string_append (text, "\n[Install]\nWantedBy=multi-user.target\n");
  base = alone_file_name (request->def);
  name = g_strconcat ("qemu-", base, ".service", NULL);
  target_config_add_file (config, name, g_string_free (text, FALSE));
  return TRUE;
}

const Target qemu_unit_format = {
  .name = "unit",
  .title = ALONE_TITLE,
  .summary = N_ ("a systemd service that runs the machine without a daemon"),
  .parts = alone_parts,
  .translate = translate,
};
