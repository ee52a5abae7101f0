/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What domctl says of itself: the list of its commands, made from their tables, and the help of one.
 */

#include "cli/command.h"

#include <stdio.h>

void
help_print_overview (void)
{
  printf (_ ("Usage: domctl COMMAND [OPTION...] [ARGUMENT...]\n\n"
             "Virtual machines of domaind. 'domctl COMMAND --help' says more of one command.\n"));
  for (const CommandGroup *group = command_groups; group->title != NULL; group++) {
    printf ("\n%s:\n", _ (group->title));
    for (const Command *command = group->commands; command->name != NULL; command++)
      printf ("  %-16s %s\n", command->name, _ (command->summary));
  }
  printf (_ ("\nOptions of every command:\n"
             "  -c, --connect    the daemon to talk to: system or session\n"
             "  --json           the result as JSON\n"
             "  --help           what the command does and takes\n"
             "\nExit status: 0 done, 1 failed, 2 used wrongly.\n"));
}

static int
help_run (CommandLine *line)
{
  const Command *command;

  if (line->argument_count == 0) {
    help_print_overview ();
    return EXIT_OK;
  }
  command = command_find (line->arguments[0]);
  if (command == NULL) {
    g_autofree char *text = command_unknown (line->arguments[0]);

    return command_usage_error (line, "%s", text);
  }
  command_print_help (command);
  return EXIT_OK;
}

const Command help_commands[] = {
  { "help", "[COMMAND]", N_ ("What there is, or what a command does and takes"), 0, 1, NULL, help_run,
    FALSE },
  { NULL },
};
