/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The commands of domctl as one list, and what they share: parsing a command's words, usage errors, and the
 * choice between text for people and JSON for programs.
 */

#include "cli/command.h"
#include "base/enum-table.h"
#include "cli/connection.h"
#include "config.h"

#include <stdio.h>
#include <string.h>

const CommandGroup command_groups[] = {
  { N_ ("Documents (no daemon needed)"), document_commands },
  { N_ ("Launch configs of QEMU and others (no daemon needed)"), target_commands },
  { N_ ("Comparing"), difference_commands },
  { N_ ("New documents"), init_commands },
  { N_ ("Container images"), run_commands },
  { N_ ("Machines of container images"), run_more_commands },
  { N_ ("Documents in a repository"), format_commands },
  { N_ ("Checks of a repository"), hook_commands },
  { N_ ("Would it start"), check_commands },
  { N_ ("What has happened"), why_commands },
  { N_ ("Directories of documents"), plan_commands },
  { N_ ("Applying them"), apply_commands },
  { N_ ("Listing"), list_commands },
  { N_ ("Definitions"), definition_commands },
  { N_ ("What definitions were before"), history_commands },
  { N_ ("The trash"), trash_commands },
  { N_ ("Running machines"), lifecycle_commands },
  { N_ ("Information"), information_commands },
  { N_ ("Snapshots"), snapshot_commands },
  { N_ ("Checkpoints"), checkpoint_commands },
  { N_ ("Backups and long jobs"), backup_commands },
  { N_ ("Disks at work"), block_job_commands },
  { N_ ("Other hosts"), migrate_commands },
  { N_ ("Consoles"), console_commands },
  { N_ ("Events"), event_commands },
  { N_ ("Networks"), network_commands },
  { N_ ("Networks: changes and state"), network_change_commands },
  { N_ ("Network filters"), filter_commands },
  { N_ ("Machines as files"), bundle_commands },
  { N_ ("Taking over"), adopt_commands },
  { N_ ("Host"), host_commands },
  { N_ ("Host's network interfaces"), interface_commands },
  { N_ ("Processors"), processor_commands },
  { N_ ("About domctl"), help_commands },
  { NULL, NULL },
};

const Command *
command_find (const char *name)
{
  for (const CommandGroup *group = command_groups; group->title != NULL; group++) {
    for (const Command *command = group->commands; command->name != NULL; command++) {
      if (g_str_equal (command->name, name))
        return command;
    }
  }
  return NULL;
}

char *
command_unknown (const char *name)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  const char *near;

  for (const CommandGroup *group = command_groups; group->title != NULL; group++)
    for (const Command *command = group->commands; command->name != NULL; command++)
      g_ptr_array_add (names, (gpointer)command->name);
  g_ptr_array_add (names, NULL);
  near = nearest_word (name, (const char *const *)names->pdata);
  return near != NULL ? g_strdup_printf (_ ("unknown command '%s': did you mean '%s'?"), name, near)
                      : g_strdup_printf (_ ("unknown command '%s'"), name);
}

static char *connect_option; /* --connect behind the command */

static GOptionContext *
option_context (const Command *command, CommandLine *line)
{
  g_autofree char *usage =
      g_strdup_printf ("%s%s%s", command->name, command->arguments[0] != '\0' ? " " : "", command->arguments);
  GOptionContext *context = g_option_context_new (usage);
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &line->json, N_ ("Print the result as JSON"), NULL },
    { "connect", 'c', 0, G_OPTION_ARG_STRING, &connect_option, N_ ("Talk to this daemon: system or session"),
      N_ ("WHICH") },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, _ (command->summary));
  g_option_context_set_strict_posix (context, command->words_follow);
  if (command->options != NULL)
    g_option_context_add_main_entries (context, command->options, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, common, GETTEXT_PACKAGE);
  return context;
}

void
command_print_help (const Command *command)
{
  CommandLine line = { 0 };
  g_autoptr (GOptionContext) context = option_context (command, &line);
  g_autofree char *text = g_option_context_get_help (context, TRUE, NULL);

  fputs (text, stdout);
}

/* The first of @words that is no option of @command, without its dashes and value. (transfer full) */
static char *
find_unknown_option (char **words, const char *const *known)
{
  for (; *words != NULL && !g_str_equal (*words, "--"); words++) {
    g_autofree char *name = NULL;

    if (!g_str_has_prefix (*words, "--"))
      continue;
    name = g_strndup (*words + 2, strcspn (*words + 2, "="));
    if (!g_strv_contains (known, name))
      return g_steal_pointer (&name);
  }
  return NULL;
}

static int
option_error (const CommandLine *line, const Command *command, char **words, const GError *error)
{
  g_autoptr (GPtrArray) known = g_ptr_array_new ();
  g_autofree char *unknown = NULL;
  const char *near = NULL;

  for (const GOptionEntry *entry = command->options; entry != NULL && entry->long_name != NULL; entry++)
    g_ptr_array_add (known, (gpointer)entry->long_name);
  g_ptr_array_add (known, (gpointer) "connect");
  g_ptr_array_add (known, (gpointer) "help");
  g_ptr_array_add (known, (gpointer) "json");
  g_ptr_array_add (known, NULL);
  if (g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION))
    unknown = find_unknown_option (words, (const char *const *)known->pdata);
  if (unknown != NULL)
    near = nearest_word (unknown, (const char *const *)known->pdata);
  if (near != NULL)
    return command_usage_error (line, _ ("unknown option '--%s': did you mean '--%s'?"), unknown, near);
  return command_usage_error (line, "%s", error->message);
}

/* Each argument by itself: one that fails is no reason to leave out the others. */
static int
run_each (const Command *command, CommandLine *line)
{
  g_autofree char **arguments = g_memdup2 (line->arguments, sizeof (char *) * line->argument_count);
  guint count = line->argument_count;
  int status = EXIT_OK;

  if (count > 1)
    line->several = json_array_new ();
  for (line->position = 0; line->position < count && status != EXIT_USAGE; line->position++) {
    char *words[] = { arguments[line->position], NULL };
    int one;

    line->arguments = words;
    line->argument_count = 1;
    one = command->run (line);
    status = one != EXIT_OK ? one : status;
  }
  line->arguments = NULL;
  line->argument_count = 0;
  if (count > 1) {
    JsonNode *node = json_node_new (JSON_NODE_ARRAY);

    json_node_take_array (node, g_steal_pointer (&line->several));
    command_print_json (line, node);
  }
  return status;
}

static int
usage_status (const Command *command, int status)
{
  return command->usage != 0 ? command->usage : status;
}

int
command_run (const Command *command, CommandLine *line, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = option_context (command, line);
  g_auto (GStrv) words = g_strdupv (argv + 1);
  g_autoptr (GError) error = NULL;
  guint maximum = command->each ? G_MAXUINT : command->maximum;
  int status;

  line->command = command->name;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return usage_status (command, option_error (line, command, words, error));
  if (connect_option != NULL)
    line->connect = connect_option;
  if (line->connect != NULL && connection_parse (line->connect) == NULL)
    return command_usage_error (line,
                                _ ("'%s' is no connection: expected 'system', 'session', 'qemu:///system' or "
                                   "'qemu:///session'"),
                                line->connect);

  /* The first word is the command itself; a "--" that ended the options stays behind it. */
  line->arguments = argv + 1;
  line->argument_count = argc - 1;
  if (line->argument_count > 0 && g_str_equal (line->arguments[0], "--")) {
    line->arguments++;
    line->argument_count--;
  }
  if (line->argument_count < command->minimum)
    return usage_status (
        command, command_usage_error (line, _ ("too few arguments: expected %s"), command->arguments));
  if (line->argument_count > maximum)
    return command_usage_error (line, _ ("unexpected argument '%s'"), line->arguments[maximum]);

  /* What programs read has the same words for everybody. */
  if (line->json)
    setlocale (LC_MESSAGES, "C");
  status = command->each ? run_each (command, line) : command->run (line);
  g_clear_pointer (&line->connection, connection_free);
  return status;
}

void
command_print (const CommandLine *line, const char *format, ...)
{
  va_list arguments;

  if (line->json)
    return;
  va_start (arguments, format);
  vprintf (format, arguments);
  va_end (arguments);
}

void
command_print_json (const CommandLine *line, JsonNode *node)
{
  if (line->several != NULL) {
    json_array_add_element (line->several, node);
    return;
  }
  if (line->json) {
    g_autofree char *text = json_to_string (node, TRUE);

    puts (text);
  }
  json_node_unref (node);
}

int
command_error (const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fflush (stdout);
  fprintf (stderr, _ ("error: %s\n"), text);
  return EXIT_FAILED;
}

/* A line of a daemon's error that says a place: its file, the numbers, and the words behind them. */
#define PLACED_LINE "^(?:[^/(]*: )?(/.*?|\\([A-Za-z_]+\\)):([0-9]+:[0-9]+): (.*)$"

int
command_document_error (const char *file, const char *message)
{
  g_autoptr (GRegex) placed = g_regex_new (PLACED_LINE, 0, 0, NULL);
  g_auto (GStrv) lines = g_strsplit (message, "\n", -1);

  for (guint i = 0; lines[i] != NULL; i++) {
    g_autoptr (GMatchInfo) match = NULL;
    g_autofree char *name = NULL, *place = NULL, *text = NULL;

    if (!g_regex_match (placed, lines[i], 0, &match)) {
      command_error ("%s", lines[i]);
      continue;
    }
    name = g_match_info_fetch (match, 1);
    place = g_match_info_fetch (match, 2);
    text = g_match_info_fetch (match, 3);
    fprintf (stderr, "%s:%s: error: %s\n", file != NULL && name[0] == '(' ? file : name, place, text);
  }
  return EXIT_FAILED;
}

int
command_usage_error (const CommandLine *line, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  fprintf (stderr, _ ("error: %s\nTry 'domctl %s --help'.\n"), text, line->command);
  return EXIT_USAGE;
}

int
command_done (const CommandLine *line, const char *domain, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  command_print (line, "%s\n", text);
  if (line->json) {
    JsonObject *object = json_object_new ();
    JsonNode *node = json_node_alloc ();

    json_object_set_string_member (object, "domain", domain);
    json_object_set_string_member (object, "message", text);
    json_node_init_object (node, object);
    json_object_unref (object);
    command_print_json (line, node);
  }
  return EXIT_OK;
}

Connection *
command_try_connect (CommandLine *line, GError **error)
{
  const char *which = line->connect != NULL ? connection_parse (line->connect) : NULL;

  if (which != NULL && strpbrk (line->connect, "?#") != NULL)
    fprintf (stderr,
             _ ("warning: domctl talks to the %s's daemon over D-Bus: the parameters in '%s' are not used\n"),
             which, line->connect);
  line->connection = connection_open (which, error);
  return line->connection;
}

Connection *
command_connect (CommandLine *line)
{
  g_autoptr (GError) error = NULL;

  if (line->connection == NULL && command_try_connect (line, &error) == NULL)
    command_error ("%s", error->message);
  return line->connection;
}
