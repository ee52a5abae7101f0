/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * domctl: the words before the command (which daemon, help, version), then the command from the table.
 */

#include "cli/command.h"
#include "config.h"

#include <stdio.h>
#include <string.h>

static void
print_overview (void)
{
  printf (_ ("Usage: domctl [--connect system|session] COMMAND [OPTION...] [ARGUMENT...]\n\n"
             "Virtual machines of domaind. 'domctl COMMAND --help' says more of one command.\n"));
  for (const CommandGroup *group = command_groups; group->title != NULL; group++) {
    printf ("\n%s:\n", _ (group->title));
    for (const Command *command = group->commands; command->name != NULL; command++)
      printf ("  %-16s %s\n", command->name, _ (command->summary));
  }
  printf (_ ("\nOptions of every command:\n"
             "  --json           the result as JSON\n"
             "  --help           what the command does and takes\n"
             "\nExit status: 0 done, 1 failed, 2 used wrongly.\n"));
}

/* Takes @message. */
static int
usage_error (char *message)
{
  g_autofree char *text = message;

  fprintf (stderr, _ ("error: %s\nTry 'domctl --help'.\n"), text);
  return EXIT_USAGE;
}

/* The options before the command. FALSE when @ret_status is the end. */
static gboolean
parse_global (int argc, char **argv, int *position, CommandLine *line, int *ret_status)
{
  for (; *position < argc && argv[*position][0] == '-'; (*position)++) {
    const char *word = argv[*position];

    *ret_status = EXIT_OK;
    if (g_str_equal (word, "--help") || g_str_equal (word, "-h")) {
      print_overview ();
      return FALSE;
    }
    if (g_str_equal (word, "--version") || g_str_equal (word, "-V")) {
      printf ("domctl %s\n", PACKAGE_VERSION);
      return FALSE;
    }
    if (g_str_equal (word, "--json")) {
      line->json = TRUE;
    } else if (g_str_equal (word, "--connect") || g_str_equal (word, "-c")) {
      line->connect = *position + 1 < argc ? argv[++*position] : "";
    } else if (g_str_has_prefix (word, "--connect=")) {
      line->connect = word + strlen ("--connect=");
    } else {
      *ret_status = usage_error (g_strdup_printf (_ ("unknown option '%s'"), word));
      return FALSE;
    }
  }
  if (line->connect != NULL && !g_str_equal (line->connect, "system")
      && !g_str_equal (line->connect, "session")) {
    *ret_status = usage_error (
        g_strdup_printf (_ ("'%s' is no connection: expected 'system' or 'session'"), line->connect));
    return FALSE;
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  CommandLine line = { 0 };
  const Command *command;
  int position = 1;
  int status;

  i18n_start ();
  g_set_prgname ("domctl");

  if (!parse_global (argc, argv, &position, &line, &status))
    return status;
  if (position == argc) {
    print_overview ();
    return EXIT_USAGE;
  }
  command = command_find (argv[position]);
  if (command == NULL)
    return usage_error (g_strdup_printf (_ ("unknown command '%s'"), argv[position]));
  return command_run (command, &line, argc - position, argv + position);
}
