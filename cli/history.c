/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands about what a definition was before: history, show, revert. Machines are meant unless --kind says
 * otherwise. (`domctl diff` compares: difference.c.)
 */
#include "cli/history.h"

#include "base/scalars.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/table.h"

#include <pwd.h>
#include <stdio.h>

char *history_kind;

gboolean
history_parse_number (const char *word, guint *ret_number)
{
  guint64 number;

  if (!parse_uint (word, G_MAXINT, &number) || number == 0)
    return FALSE;
  *ret_number = (guint)number;
  return TRUE;
}

static const char *
kind (void)
{
  return history_kind != NULL ? history_kind : "domain";
}

char *
history_load (CommandLine *line, const char *name, guint number, GError **error)
{
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "GetRevision",
                       g_variant_new ("(ssu)", kind (), name, number), error);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &text);
  return text;
}

/* a(uxxssst) */
static GVariant *
list_revisions (CommandLine *line, const char *name, GError **error)
{
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "ListRevisions",
                       g_variant_new ("(ss)", kind (), name), error);

  return answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
}

guint
history_newest (CommandLine *line, const char *name, GError **error)
{
  g_autoptr (GVariant) revisions = list_revisions (line, name, error);
  gsize count = revisions != NULL ? g_variant_n_children (revisions) : 0;
  guint number = 0;

  if (revisions != NULL && count == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _ ("nothing is kept of what '%s' was before"),
                 name);
  if (count > 0)
    g_variant_get_child (revisions, count - 1, "(uxxssst)", &number, NULL, NULL, NULL, NULL, NULL, NULL);
  return number;
}

char *
history_user_text (gint64 uid)
{
  const struct passwd *account = uid >= 0 ? getpwuid ((uid_t)uid) : NULL;

  if (account != NULL)
    return g_strdup (account->pw_name);
  return uid >= 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, uid) : g_strdup ("-");
}

char *
history_time_text (gint64 microseconds, const char *format)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (microseconds / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = utc != NULL ? g_date_time_to_local (utc) : NULL;

  return local != NULL ? g_date_time_format (local, format) : g_strdup ("-");
}

static void
add_json (JsonBuilder *builder, GVariant *revision)
{
  const char *client, *call, *sum;
  gint64 when, uid;
  guint64 bytes;
  guint number;

  g_variant_get (revision, "(uxx&s&s&st)", &number, &when, &uid, &client, &call, &sum, &bytes);
  g_autofree char *time = history_time_text (when, "%FT%T%:z");
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "revision");
  json_builder_add_int_value (builder, number);
  json_builder_set_member_name (builder, "time");
  json_builder_add_string_value (builder, time);
  json_builder_set_member_name (builder, "uid");
  json_builder_add_int_value (builder, uid);
  json_builder_set_member_name (builder, "client");
  json_builder_add_string_value (builder, client);
  json_builder_set_member_name (builder, "call");
  json_builder_add_string_value (builder, call);
  json_builder_set_member_name (builder, "sha256");
  json_builder_add_string_value (builder, sum);
  json_builder_set_member_name (builder, "bytes");
  json_builder_add_int_value (builder, (gint64)bytes);
  json_builder_end_object (builder);
}

static void
add_row (Table *table, GVariant *revision)
{
  const char *client, *call;
  gint64 when, uid;
  guint number;

  g_variant_get (revision, "(uxx&s&s&st)", &number, &when, &uid, &client, &call, NULL, NULL);
  g_autofree char *number_text = g_strdup_printf ("%u", number), *time = history_time_text (when, "%F %T");
  g_autofree char *user = history_user_text (uid);
  table_add (table, number_text, time, user, *call != '\0' ? call : _ ("found in its directory"),
             *client != '\0' ? client : "-", NULL);
}

static int
history_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autoptr (Table) table =
      table_new (_ ("Revision"), _ ("Time"), _ ("User"), _ ("Call"), _ ("Client"), NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariant) revisions = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  revisions = list_revisions (line, name, &error);
  if (revisions == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_array (builder);
  for (gsize i = 0; i < g_variant_n_children (revisions); i++) {
    g_autoptr (GVariant) revision = g_variant_get_child_value (revisions, i);

    add_row (table, revision);
    add_json (builder, revision);
  }
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

/* The number of the second word; 0 after a usage error. */
static guint
number_argument (const CommandLine *line)
{
  guint number = 0;

  if (!history_parse_number (line->arguments[1], &number))
    command_usage_error (line, _ ("'%s' is no revision: expected a number that 'domctl history' shows"),
                         line->arguments[1]);
  return number;
}

static int
show_run (CommandLine *line)
{
  guint number = number_argument (line);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  if (number == 0)
    return EXIT_USAGE;
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  text = history_load (line, line->arguments[0], number, &error);
  if (text == NULL)
    return command_error ("%s", error->message);
  command_print (line, "%s", text);
  command_print_json (line, json_node_init_string (json_node_alloc (), text));
  return EXIT_OK;
}

static int
revert_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  guint number = number_argument (line);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (number == 0)
    return EXIT_USAGE;
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "Revert",
                            g_variant_new ("(ssu)", kind (), name, number), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to revert '%s' to revision %u"), name, number);
    return command_document_error (NULL, error->message);
  }
  return command_done (line, name, _ ("'%s' is defined as it was in revision %u"), name, number);
}

static const GOptionEntry history_options[] = { HISTORY_KIND_OPTION, G_OPTION_ENTRY_NULL };

const Command history_commands[] = {
  { "history", "DOMAIN", N_ ("List what a definition was before, and who changed it"), 1, 1, history_options,
    history_run },
  { "show", "DOMAIN REVISION", N_ ("Print a document that a definition had"), 2, 2, history_options,
    show_run },
  { "revert", "DOMAIN REVISION", N_ ("Define something as it was before"), 2, 2, history_options,
    revert_run },
  { NULL },
};
