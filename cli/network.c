/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands about virtual networks, with virsh's names: what is defined, what runs, and what they are. */
#include "cli/network.h"

#include "base/scalars.h"
#include "cli/table.h"
#include "cli/trash.h"

#include <libvirt/libvirt.h>
#include <stdio.h>

static gboolean all, inactive, persistent, transient, with_autostart, without_autostart, names, uuids;
static gboolean with_default, disable, xml_inactive, source, no_trash;

char *
network_find (CommandLine *line, const char *word)
{
  guint8 bytes[UUID_BYTES];
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  char *path = NULL;

  if (command_connect (line) == NULL)
    return NULL;
  if (uuid_parse (word, bytes))
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "NetworkLookupByUUID",
                              g_variant_new ("(s)", word), NULL);
  if (answer == NULL)
    answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "NetworkLookupByName",
                              g_variant_new ("(s)", word), &error);
  if (answer != NULL)
    g_variant_get (answer, "(o)", &path);
  else {
    command_error (_ ("failed to get network '%s'"), word);
    command_error ("%s", error->message);
  }
  return path;
}

char *
network_name (Connection *connection, const char *path)
{
  g_autoptr (GVariant) name = connection_property (connection, path, NETWORK_INTERFACE, "Name", NULL);

  return g_strdup (name != NULL ? g_variant_get_string (name, NULL) : path);
}

int
network_done (const CommandLine *line, const char *network, const char *format, ...)
{
  g_autofree char *message = NULL;
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  json_object_set_string_member (object, "network", network);
  json_object_set_string_member (object, "message", message);
  json_object_unref (object);
  command_print (line, "%s\n", message);
  command_print_json (line, node);
  return EXIT_OK;
}

char *
network_define_text (CommandLine *line, const char *text, GError **error)
{
  g_autoptr (GVariant) answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "NetworkDefineXMLFlags",
                       g_variant_new ("(su)", text, VIR_NETWORK_DEFINE_VALIDATE), error);
  char *path = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(o)", &path);
  return path;
}

/* libvirt's default network, and where it is when that place is taken. */
static int
define_default (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *subnet = NULL, *text = NULL, *path = NULL;
  gboolean is_wanted;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  text = network_default_document (line, &subnet, &is_wanted, &error);
  path = text != NULL ? network_define_text (line, text, &error) : NULL;
  if (path == NULL) {
    command_error (_ ("Failed to define the default network"));
    return command_error ("%s", error->message);
  }
  return is_wanted
             ? network_done (line, "default", _ ("Network 'default' defined with %s"), subnet)
             : network_done (
                 line, "default",
                 _ ("Network 'default' defined with %s: libvirt's 192.168.122.0/24 is used already"), subnet);
}

static int
define_run (CommandLine *line)
{
  const char *file = line->argument_count > 0 ? line->arguments[0] : NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL, *path = NULL, *name = NULL;

  if (with_default && file == NULL)
    return define_default (line);
  if (with_default || file == NULL)
    return command_usage_error (line, _ ("expected a file, or --default and no file"));
  if (!g_file_get_contents (g_str_equal (file, "-") ? "/dev/stdin" : file, &text, NULL, &error))
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  path = network_define_text (line, text, &error);
  if (path == NULL) {
    command_error (_ ("Failed to define network from %s"), file);
    return command_document_error (file, error->message);
  }
  name = network_name (line->connection, path);
  return network_done (line, name, _ ("Network '%s' defined from %s"), name, file);
}

static int
simple (CommandLine *line, const char *method, const char *done, const char *failed)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_auto (GStrv) parts = g_strsplit (done, "%s", 2), failed_parts = g_strsplit (failed, "%s", 2);

  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  answer = connection_call (line->connection, path, NETWORK_INTERFACE, method, NULL, &error);
  if (answer == NULL) {
    command_error ("%s%s%s", failed_parts[0], name, failed_parts[1]);
    return command_error ("%s", error->message);
  }
  return network_done (line, name, "%s%s%s", parts[0], name, parts[1]);
}

static int
start_run (CommandLine *line)
{
  return simple (line, "Create", _ ("Network '%s' started"), _ ("Failed to start network '%s'"));
}

static int
destroy_run (CommandLine *line)
{
  return simple (line, "Destroy", _ ("Network '%s' destroyed"), _ ("Failed to destroy network '%s'"));
}

static int
undefine_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  answer = no_trash || name == NULL
               ? connection_call (line->connection, path, NETWORK_INTERFACE, "Undefine", NULL, &error)
               : trash_discard (line->connection, "network", name, 0, &error);
  if (answer == NULL) {
    command_error (_ ("Failed to undefine network '%s'"), name);
    return command_error ("%s", error->message);
  }
  return network_done (line, name, _ ("Network '%s' has been undefined"), name);
}

static int
autostart_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *name = NULL;
  g_autoptr (GError) error = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  if (!connection_set_property (line->connection, path, NETWORK_INTERFACE, "Autostart",
                                g_variant_new_boolean (!disable), &error)) {
    command_error (disable ? _ ("Failed to unmark network '%s' as autostarted")
                           : _ ("Failed to mark network '%s' as autostarted"),
                   name);
    return command_error ("%s", error->message);
  }
  return network_done (
      line, name,
      disable ? _ ("Network '%s' unmarked as autostarted") : _ ("Network '%s' marked as autostarted"), name);
}

char *
network_text (CommandLine *line, const char *path, gboolean own_bytes, guint flags, GError **error)
{
  g_autoptr (GVariant) answer =
      own_bytes ? connection_call (line->connection, path, OWN_NETWORK_INTERFACE, "GetSource", NULL, error)
                : connection_call (line->connection, path, NETWORK_INTERFACE, "GetXMLDesc",
                                   g_variant_new ("(u)", flags), error);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &text);
  return text;
}

static int
dumpxml_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *text = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *object;
  JsonNode *node;

  if (path == NULL)
    return EXIT_FAILED;
  text = network_text (line, path, source, xml_inactive ? VIR_NETWORK_XML_INACTIVE : 0, &error);
  if (text == NULL)
    return command_error ("%s", error->message);
  object = json_object_new ();
  node = json_node_init_object (json_node_alloc (), object);
  json_object_set_string_member (object, "document", text);
  json_object_unref (object);
  command_print (line, "%s", text);
  command_print_json (line, node);
  return EXIT_OK;
}

/* What is shown of one. */
typedef struct {
  char *name, *uuid, *bridge;
  gboolean active, autostart, persistent;
} Facts;

static void
facts_free (Facts *facts)
{
  g_free (facts->name);
  g_free (facts->uuid);
  g_free (facts->bridge);
  g_free (facts);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Facts, facts_free)

/* NULL when it has gone meanwhile. */
static Facts *
fetch (Connection *connection, const char *path, GError **error)
{
  g_autoptr (GVariant) properties = connection_properties (connection, path, NETWORK_INTERFACE, error);
  g_autoptr (GVariant) bridge =
      connection_property (connection, path, OWN_NETWORK_INTERFACE, "BridgeName", NULL);
  g_autoptr (Facts) facts = g_new0 (Facts, 1);

  if (properties == NULL)
    return NULL;
  g_variant_lookup (properties, "Name", "s", &facts->name);
  g_variant_lookup (properties, "UUID", "s", &facts->uuid);
  g_variant_lookup (properties, "Active", "b", &facts->active);
  g_variant_lookup (properties, "Autostart", "b", &facts->autostart);
  g_variant_lookup (properties, "Persistent", "b", &facts->persistent);
  facts->bridge = g_strdup (bridge != NULL ? g_variant_get_string (bridge, NULL) : "");
  return g_steal_pointer (&facts);
}

static void
add_facts (JsonBuilder *builder, const Facts *facts)
{
  const struct {
    const char *name;
    gboolean value;
  } flags[] = { { "active", facts->active },
                { "autostart", facts->autostart },
                { "persistent", facts->persistent } };

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, facts->name);
  json_builder_set_member_name (builder, "uuid");
  json_builder_add_string_value (builder, facts->uuid);
  json_builder_set_member_name (builder, "bridge");
  if (facts->bridge[0] != '\0')
    json_builder_add_string_value (builder, facts->bridge);
  else
    json_builder_add_null_value (builder);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++) {
    json_builder_set_member_name (builder, flags[i].name);
    json_builder_add_boolean_value (builder, flags[i].value);
  }
  json_builder_end_object (builder);
}

static const char *
yes_no (gboolean is)
{
  return is ? _ ("yes") : _ ("no");
}

static int
info_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (Facts) facts = path != NULL ? fetch (line->connection, path, &error) : NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (path == NULL)
    return EXIT_FAILED;
  if (facts == NULL)
    return command_error ("%s", error->message);
  command_print (line, "%-15s %s\n", _ ("Name:"), facts->name);
  command_print (line, "%-15s %s\n", _ ("UUID:"), facts->uuid);
  command_print (line, "%-15s %s\n", _ ("Active:"), yes_no (facts->active));
  command_print (line, "%-15s %s\n", _ ("Persistent:"), yes_no (facts->persistent));
  command_print (line, "%-15s %s\n", _ ("Autostart:"), yes_no (facts->autostart));
  if (facts->bridge[0] != '\0')
    command_print (line, "%-15s %s\n", _ ("Bridge:"), facts->bridge);
  add_facts (builder, facts);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static guint
list_flags (void)
{
  guint flags = (persistent ? VIR_CONNECT_LIST_NETWORKS_PERSISTENT : 0)
                | (transient ? VIR_CONNECT_LIST_NETWORKS_TRANSIENT : 0)
                | (with_autostart ? VIR_CONNECT_LIST_NETWORKS_AUTOSTART : 0)
                | (without_autostart ? VIR_CONNECT_LIST_NETWORKS_NO_AUTOSTART : 0);

  if (inactive || all)
    flags |= VIR_CONNECT_LIST_NETWORKS_INACTIVE;
  if (!inactive || all)
    flags |= VIR_CONNECT_LIST_NETWORKS_ACTIVE;
  return flags;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_strcmp0 ((*(const Facts *const *)a)->name, (*(const Facts *const *)b)->name);
}

static void
print_list (CommandLine *line, const GPtrArray *rows)
{
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("State"), _ ("Autostart"), _ ("Persistent"), NULL);
  g_autofree char *text = NULL;

  for (guint i = 0; i < rows->len; i++) {
    const Facts *facts = g_ptr_array_index (rows, i);

    if (names || uuids)
      command_print (line, "%s\n", uuids ? facts->uuid : facts->name);
    else
      table_add (table, facts->name, facts->active ? _ ("active") : _ ("inactive"), yes_no (facts->autostart),
                 yes_no (facts->persistent), NULL);
  }
  text = table_to_string (table);
  if (!names && !uuids)
    command_print (line, "%s\n", text);
}

static int
list_run (CommandLine *line)
{
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify)facts_free);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariantIter) paths = NULL;
  g_autoptr (GError) error = NULL;
  const char *path;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "ListNetworks",
                            g_variant_new ("(u)", list_flags ()), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    Facts *facts = fetch (line->connection, path, NULL);

    if (facts != NULL)
      g_ptr_array_add (rows, facts);
  }
  g_ptr_array_sort (rows, compare_names);
  print_list (line, rows);
  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++)
    add_facts (builder, g_ptr_array_index (rows, i));
  json_builder_end_array (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static const GOptionEntry define_options[] = {
  { "default", 0, 0, G_OPTION_ARG_NONE, &with_default,
    N_ ("libvirt's default network, in a subnet that is free"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry undefine_options[] = {
  NO_TRASH_OPTION (no_trash),
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry autostart_options[] = {
  { "disable", 0, 0, G_OPTION_ARG_NONE, &disable, N_ ("No longer start it with the host"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry dumpxml_options[] = {
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &xml_inactive, N_ ("What the next start will use"), NULL },
  { "source", 0, 0, G_OPTION_ARG_NONE, &source, N_ ("The document as it was written, byte for byte"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry list_options[] = {
  { "all", 0, 0, G_OPTION_ARG_NONE, &all, N_ ("Active and inactive ones"), NULL },
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &inactive, N_ ("Inactive ones only"), NULL },
  { "persistent", 0, 0, G_OPTION_ARG_NONE, &persistent, N_ ("Defined ones only"), NULL },
  { "transient", 0, 0, G_OPTION_ARG_NONE, &transient, N_ ("Only those that are not defined"), NULL },
  { "autostart", 0, 0, G_OPTION_ARG_NONE, &with_autostart, N_ ("Only those that start with the host"), NULL },
  { "no-autostart", 0, 0, G_OPTION_ARG_NONE, &without_autostart,
    N_ ("Only those that do not start with the host"), NULL },
  { "name", 0, 0, G_OPTION_ARG_NONE, &names, N_ ("Names only, a line each"), NULL },
  { "uuid", 0, 0, G_OPTION_ARG_NONE, &uuids, N_ ("UUIDs only, a line each"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command network_commands[] = {
  { "net-list", "", N_ ("List virtual networks"), 0, 0, list_options, list_run },
  { "net-info", "NETWORK", N_ ("Show what a network is"), 1, 1, NULL, info_run },
  { "net-define", "[FILE]", N_ ("Define a network, or change its definition"), 0, 1, define_options,
    define_run },
  { "net-start", "NETWORK...", N_ ("Start a network"), 1, 1, NULL, start_run, TRUE },
  { "net-destroy", "NETWORK...", N_ ("Stop a network"), 1, 1, NULL, destroy_run, TRUE },
  { "net-undefine", "NETWORK...", N_ ("Remove a network's definition"), 1, 1, undefine_options, undefine_run,
    TRUE },
  { "net-autostart", "NETWORK...", N_ ("Start a network with the host"), 1, 1, autostart_options,
    autostart_run, TRUE },
  { "net-dumpxml", "NETWORK", N_ ("Print a network's document"), 1, 1, dumpxml_options, dumpxml_run },
  { NULL },
};
