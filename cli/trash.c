/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl trash`: what was removed, back or for good. An entry is named by its number, or by the name of what
 * was removed: the newest of that name is meant.
 */
#include "cli/trash.h"
#include "base/scalars.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/history.h"
#include "cli/table.h"

#define ENTRIES_TYPE "a(ussxxsas)"

GVariant *
trash_discard (Connection *connection, const char *element, const char *name, guint flags, GError **error)
{
  return connection_call (connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "Discard",
                          g_variant_new ("(ssu)", element, name, flags), error);
}

static GVariant *
list_entries (CommandLine *line, GError **error)
{
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "ListTrash", NULL, error);

  return answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
}

static void
add_json (JsonBuilder *builder, guint number, const char *kind, const char *name, const char *time,
          gint64 uid, const char *client, char **files)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "entry");
  json_builder_add_int_value (builder, number);
  json_builder_set_member_name (builder, "kind");
  json_builder_add_string_value (builder, kind);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "time");
  json_builder_add_string_value (builder, time);
  json_builder_set_member_name (builder, "uid");
  json_builder_add_int_value (builder, uid);
  json_builder_set_member_name (builder, "client");
  json_builder_add_string_value (builder, client);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (; *files != NULL; files++)
    json_builder_add_string_value (builder, *files);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static int
list_run (CommandLine *line)
{
  g_autoptr (Table) table = table_new (_ ("Entry"), _ ("Kind"), _ ("Name"), _ ("Removed"), _ ("User"), NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariant) entries = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  entries = list_entries (line, &error);
  if (entries == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_array (builder);
  for (gsize i = 0; i < g_variant_n_children (entries); i++) {
    const char *kind, *name, *client;
    g_auto (GStrv) files = NULL;
    gint64 when, uid;
    guint number;

    g_variant_get_child (entries, i, "(u&s&sxx&s^as)", &number, &kind, &name, &when, &uid, &client, &files);
    g_autofree char *number_text = g_strdup_printf ("%u", number), *user = history_user_text (uid);
    g_autofree char *time = history_time_text (when, "%F %T"), *exact = history_time_text (when, "%FT%T%:z");
    table_add (table, number_text, kind, name, time, user, NULL);
    add_json (builder, number, kind, name, exact, uid, client, files);
  }
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

/* The entry that @word means: a number, or the newest of a name. 0 with @error: there is none. */
static guint
find_entry (GVariant *entries, const char *word, const char **ret_name, GError **error)
{
  guint wanted = 0;

  history_parse_number (word, &wanted);
  for (gsize i = g_variant_n_children (entries); i > 0; i--) {
    const char *name;
    guint number;

    g_variant_get_child (entries, i - 1, "(u&s&sxxsas)", &number, NULL, &name, NULL, NULL, NULL, NULL);
    if (number != wanted && !g_str_equal (name, word))
      continue;
    *ret_name = name;
    return number;
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               _ ("nothing in the trash has the number or the name '%s'; see 'domctl trash list'"), word);
  return 0;
}

static int
restore_run (CommandLine *line)
{
  const char *word = line->arguments[1], *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) entries = list_entries (line, &error), answer = NULL;
  guint number = entries != NULL ? find_entry (entries, word, &name, &error) : 0;

  if (number != 0)
    answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "RestoreTrash",
                              g_variant_new ("(u)", number), &error);
  if (answer != NULL)
    return command_done (line, name, _ ("'%s' is defined again"), name);
  command_error (_ ("Failed to restore '%s'"), word);
  return command_error ("%s", error->message);
}

/* Those that the words mean; none: all. */
static int
empty_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) entries = list_entries (line, &error), answer = NULL;
  GVariantBuilder numbers;
  guint removed = 0;

  if (entries == NULL)
    return command_error ("%s", error->message);
  g_variant_builder_init (&numbers, G_VARIANT_TYPE ("au"));
  for (guint i = 1; i < line->argument_count; i++) {
    const char *name = NULL;
    guint number = find_entry (entries, line->arguments[i], &name, &error);

    if (number == 0) {
      g_variant_builder_clear (&numbers);
      return command_error ("%s", error->message);
    }
    g_variant_builder_add (&numbers, "u", number);
  }
  answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "EmptyTrash",
                            g_variant_new ("(au)", &numbers), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(u)", &removed);
  command_print (line, _ ("Entries removed: %u\n"), removed);
  command_print_json (line, json_node_init_int (json_node_alloc (), removed));
  return EXIT_OK;
}

static const struct {
  const char *name;
  int (*run) (CommandLine *line);
  guint minimum, maximum; /* words after it */
} verbs[] = {
  { "list", list_run, 0, 0 },
  { "restore", restore_run, 1, 1 },
  { "empty", empty_run, 0, G_MAXUINT },
};

static int
trash_run (CommandLine *line)
{
  const char *verb = line->arguments[0];

  for (guint i = 0; i < G_N_ELEMENTS (verbs); i++) {
    if (!g_str_equal (verbs[i].name, verb))
      continue;
    if (line->argument_count - 1 < verbs[i].minimum)
      return command_usage_error (line, _ ("too few arguments: expected %s"), "restore ENTRY");
    if (line->argument_count - 1 > verbs[i].maximum)
      return command_usage_error (line, _ ("unexpected argument '%s'"),
                                  line->arguments[1 + verbs[i].maximum]);
    return command_connect (line) != NULL ? verbs[i].run (line) : EXIT_FAILED;
  }
  return command_usage_error (line, _ ("'%s' is none of list, restore, empty"), verb);
}

const Command trash_commands[] = {
  { "trash", "list | restore ENTRY | empty [ENTRY...]",
    N_ ("List what was removed, define it again, or remove it for good"), 1, G_MAXUINT, NULL, trash_run },
  { NULL },
};
