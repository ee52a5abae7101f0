/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The list of machines, with virsh's filters and forms.
 */

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/states.h"
#include "cli/table.h"

#include <libvirt/libvirt.h>
#include <stdio.h>

static gboolean all, inactive, names, uuids, ids, titles;
static gboolean with_autostart, without_autostart, persistent, transient, with_managed_save,
    without_managed_save;
static gboolean running, paused, shutoff, other;

typedef struct {
  char *name, *uuid, *title;
  gint64 id; /* -1 when it does not run */
  int state, reason;
  gboolean autostart, persistent;
} Row;

static void
row_free (Row *row)
{
  g_free (row->name);
  g_free (row->uuid);
  g_free (row->title);
  g_free (row);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Row, row_free)

static guint
list_flags (void)
{
  guint flags =
      (with_autostart ? VIR_CONNECT_LIST_DOMAINS_AUTOSTART : 0)
      | (without_autostart ? VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART : 0)
      | (persistent ? VIR_CONNECT_LIST_DOMAINS_PERSISTENT : 0)
      | (transient ? VIR_CONNECT_LIST_DOMAINS_TRANSIENT : 0)
      | (with_managed_save ? VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE : 0)
      | (without_managed_save ? VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE : 0)
      | (running ? VIR_CONNECT_LIST_DOMAINS_RUNNING : 0) | (paused ? VIR_CONNECT_LIST_DOMAINS_PAUSED : 0)
      | (shutoff ? VIR_CONNECT_LIST_DOMAINS_SHUTOFF : 0) | (other ? VIR_CONNECT_LIST_DOMAINS_OTHER : 0);

  /* As in virsh: a filter by state says by itself whether running machines are meant. */
  if (running || paused || shutoff || other)
    return flags;
  if (inactive || all)
    flags |= VIR_CONNECT_LIST_DOMAINS_INACTIVE;
  if (!inactive || all)
    flags |= VIR_CONNECT_LIST_DOMAINS_ACTIVE;
  return flags;
}

/* NULL when the machine has gone since it was listed. */
static Row *
fetch_row (Connection *connection, const char *path)
{
  g_autoptr (GVariant) properties = connection_properties (connection, path, DOMAIN_INTERFACE, NULL);
  g_autoptr (GVariant) state =
      connection_call (connection, path, DOMAIN_INTERFACE, "GetState", g_variant_new ("(u)", 0), NULL);
  g_autoptr (Row) row = g_new0 (Row, 1);
  gboolean active = FALSE;
  guint32 id = 0;

  if (properties == NULL || state == NULL)
    return NULL;
  g_variant_lookup (properties, "Name", "s", &row->name);
  g_variant_lookup (properties, "UUID", "s", &row->uuid);
  g_variant_lookup (properties, "Active", "b", &active);
  g_variant_lookup (properties, "Id", "u", &id);
  g_variant_lookup (properties, "Autostart", "b", &row->autostart);
  g_variant_lookup (properties, "Persistent", "b", &row->persistent);
  g_variant_get (state, "((ii))", &row->state, &row->reason);
  row->id = active ? (gint64)id : -1;

  if (titles) {
    g_autoptr (GVariant) title =
        connection_call (connection, path, DOMAIN_INTERFACE, "GetMetadata",
                         g_variant_new ("(isu)", VIR_DOMAIN_METADATA_TITLE, "", 0), NULL);

    if (title != NULL)
      g_variant_get (title, "(s)", &row->title);
  }
  return g_steal_pointer (&row);
}

/* Running ones by id, then the others by name. */
static int
compare_rows (gconstpointer a, gconstpointer b)
{
  const Row *one = *(const Row *const *)a, *another = *(const Row *const *)b;

  if (one->id >= 0 && another->id >= 0)
    return one->id < another->id ? -1 : one->id > another->id;
  if (one->id >= 0 || another->id >= 0)
    return one->id >= 0 ? -1 : 1;
  return g_strcmp0 (one->name, another->name);
}

static void
print_words (const CommandLine *line, const Row *row)
{
  const char *separator = "";

  if (ids) {
    if (row->id >= 0)
      command_print (line, "%" G_GINT64_FORMAT, row->id);
    separator = " ";
  }
  if (uuids) {
    command_print (line, "%s%s", separator, row->uuid);
    separator = " ";
  }
  if (names)
    command_print (line, "%s%s", separator, row->name);
  command_print (line, "\n");
}

static void
print_table (const CommandLine *line, GPtrArray *rows)
{
  g_autoptr (Table) table = titles ? table_new (_ ("Id"), _ ("Name"), _ ("State"), _ ("Title"), NULL)
                                   : table_new (_ ("Id"), _ ("Name"), _ ("State"), NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < rows->len; i++) {
    const Row *row = g_ptr_array_index (rows, i);
    g_autofree char *id = row->id >= 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, row->id) : g_strdup ("-");

    if (titles)
      table_add (table, id, row->name, state_name (row->state), row->title != NULL ? row->title : "", NULL);
    else
      table_add (table, id, row->name, state_name (row->state), NULL);
  }
  text = table_to_string (table);
  command_print (line, "%s\n", text);
}

static JsonNode *
rows_to_json (GPtrArray *rows)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = g_ptr_array_index (rows, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "id");
    if (row->id >= 0)
      json_builder_add_int_value (builder, row->id);
    else
      json_builder_add_null_value (builder);
    json_builder_set_member_name (builder, "name");
    json_builder_add_string_value (builder, row->name);
    json_builder_set_member_name (builder, "uuid");
    json_builder_add_string_value (builder, row->uuid);
    json_builder_set_member_name (builder, "state");
    json_builder_add_string_value (builder, state_name (row->state));
    json_builder_set_member_name (builder, "reason");
    json_builder_add_string_value (builder, state_reason (row->state, row->reason));
    json_builder_set_member_name (builder, "persistent");
    json_builder_add_boolean_value (builder, row->persistent);
    json_builder_set_member_name (builder, "autostart");
    json_builder_add_boolean_value (builder, row->autostart);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  return json_builder_get_root (builder);
}

static int
list_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariantIter) paths = NULL;
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)row_free);
  const char *path;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "ListDomains",
                            g_variant_new ("(u)", list_flags ()), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to list domains"));
    return command_error ("%s", error->message);
  }
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    Row *row = fetch_row (line->connection, path);

    if (row != NULL)
      g_ptr_array_add (rows, row);
  }
  g_ptr_array_sort (rows, compare_rows);

  if (names || uuids || ids) {
    for (guint i = 0; i < rows->len; i++)
      print_words (line, g_ptr_array_index (rows, i));
  } else {
    print_table (line, rows);
    fflush (stdout);
    if (rows->len == 0 && !line->json)
      fprintf (stderr, _ ("No such machines at %s\n"), connection_uri (line->connection));
  }
  command_print_json (line, rows_to_json (rows));
  return EXIT_OK;
}

static const GOptionEntry list_options[] = {
  { "all", 0, 0, G_OPTION_ARG_NONE, &all, N_ ("Machines that do not run too"), NULL },
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &inactive, N_ ("Only machines that do not run"), NULL },
  { "name", 0, 0, G_OPTION_ARG_NONE, &names, N_ ("Names only"), NULL },
  { "uuid", 0, 0, G_OPTION_ARG_NONE, &uuids, N_ ("UUIDs only"), NULL },
  { "id", 0, 0, G_OPTION_ARG_NONE, &ids, N_ ("Ids only"), NULL },
  { "title", 0, 0, G_OPTION_ARG_NONE, &titles, N_ ("With titles"), NULL },
  { "persistent", 0, 0, G_OPTION_ARG_NONE, &persistent, N_ ("Defined machines"), NULL },
  { "transient", 0, 0, G_OPTION_ARG_NONE, &transient, N_ ("Machines without a definition"), NULL },
  { "autostart", 0, 0, G_OPTION_ARG_NONE, &with_autostart, N_ ("Machines that start with the host"), NULL },
  { "no-autostart", 0, 0, G_OPTION_ARG_NONE, &without_autostart, N_ ("Machines that do not"), NULL },
  { "with-managed-save", 0, 0, G_OPTION_ARG_NONE, &with_managed_save, N_ ("Machines with a managed save"),
    NULL },
  { "without-managed-save", 0, 0, G_OPTION_ARG_NONE, &without_managed_save, N_ ("Machines without one"),
    NULL },
  { "state-running", 0, 0, G_OPTION_ARG_NONE, &running, N_ ("Running machines"), NULL },
  { "state-paused", 0, 0, G_OPTION_ARG_NONE, &paused, N_ ("Paused machines"), NULL },
  { "state-shutoff", 0, 0, G_OPTION_ARG_NONE, &shutoff, N_ ("Machines that are shut off"), NULL },
  { "state-other", 0, 0, G_OPTION_ARG_NONE, &other, N_ ("Machines in other states"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command list_commands[] = {
  { "list", "", N_ ("List machines"), 0, 0, list_options, list_run },
  { NULL },
};
