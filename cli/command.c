/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The commands of domctl as one list, and what they share: parsing a command's words, usage errors, and the
 * choice between text for people and JSON for programs.
 */

#include "cli/command.h"
#include "cli/connection.h"
#include "config.h"

#include <stdio.h>

const CommandGroup command_groups[] = {
  { N_ ("Documents (no daemon needed)"), document_commands },
  { N_ ("Listing"), list_commands },
  { N_ ("Definitions"), definition_commands },
  { N_ ("Running machines"), lifecycle_commands },
  { N_ ("Information"), information_commands },
  { N_ ("Consoles"), console_commands },
  { N_ ("Events"), event_commands },
  { N_ ("Host"), host_commands },
  { N_ ("Processors"), processor_commands },
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

static GOptionContext *
option_context (const Command *command, CommandLine *line)
{
  g_autofree char *usage =
      g_strdup_printf ("%s%s%s", command->name, command->arguments[0] != '\0' ? " " : "", command->arguments);
  GOptionContext *context = g_option_context_new (usage);
  const GOptionEntry common[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &line->json, N_ ("Print the result as JSON"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_option_context_set_summary (context, _ (command->summary));
  if (command->options != NULL)
    g_option_context_add_main_entries (context, command->options, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, common, GETTEXT_PACKAGE);
  return context;
}

int
command_run (const Command *command, CommandLine *line, int argc, char **argv)
{
  g_autoptr (GOptionContext) context = option_context (command, line);
  g_autoptr (GError) error = NULL;
  int status;

  line->command = command->name;
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return command_usage_error (line, "%s", error->message);

  /* The first word is the command itself; a "--" that ended the options stays behind it. */
  line->arguments = argv + 1;
  line->argument_count = argc - 1;
  if (line->argument_count > 0 && g_str_equal (line->arguments[0], "--")) {
    line->arguments++;
    line->argument_count--;
  }
  if (line->argument_count < command->minimum)
    return command_usage_error (line, _ ("too few arguments: expected %s"), command->arguments);
  if (line->argument_count > command->maximum)
    return command_usage_error (line, _ ("unexpected argument '%s'"), line->arguments[command->maximum]);

  /* What programs read has the same words for everybody. */
  if (line->json)
    setlocale (LC_MESSAGES, "C");
  status = command->run (line);
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
command_connect (CommandLine *line)
{
  g_autoptr (GError) error = NULL;

  if (line->connection == NULL) {
    line->connection = connection_open (line->connect, &error);
    if (line->connection == NULL)
      command_error ("%s", error->message);
  }
  return line->connection;
}
