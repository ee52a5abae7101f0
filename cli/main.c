/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * domctl: the words before the command (which daemon, help, version), then the command from the table.
 */

#include "base/enum-table.h"
#include "cli/command.h"
#include "config.h"

#include <stdio.h>
#include <string.h>

/* Takes @message. */
static int
usage_error (char *message)
{
  g_autofree char *text = message;

  fprintf (stderr, _ ("error: %s\nTry 'domctl --help'.\n"), text);
  return EXIT_USAGE;
}

static char *
unknown_option (const char *word)
{
  static const char *const known[] = { "--connect", "--help", "--json", "--version", NULL };
  const char *near = nearest_word (word, known);

  return near != NULL ? g_strdup_printf (_ ("unknown option '%s': did you mean '%s'?"), word, near)
                      : g_strdup_printf (_ ("unknown option '%s'"), word);
}

/* The options before the command. FALSE when @ret_status is the end. */
static gboolean
parse_global (int argc, char **argv, int *position, CommandLine *line, int *ret_status)
{
  for (; *position < argc && argv[*position][0] == '-'; (*position)++) {
    const char *word = argv[*position];

    *ret_status = EXIT_OK;
    if (g_str_equal (word, "--help") || g_str_equal (word, "-h")) {
      help_print_overview ();
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
      line->connect = argv[*position] + strlen ("--connect=");
    } else {
      *ret_status = usage_error (unknown_option (word));
      return FALSE;
    }
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
    help_print_overview ();
    return EXIT_USAGE;
  }
  command = command_find (argv[position]);
  if (command == NULL)
    return usage_error (command_unknown (argv[position]));
  return command_run (command, &line, argc - position, argv + position);
}
