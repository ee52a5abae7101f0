/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots, with virsh's names for what is done. What a snapshot is called and what it follows is in its
 * document, as it has no properties on the bus.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/table.h"
#include "snapshot/snapshot-document.h"

#include <libvirt/libvirt.h>

#define SNAPSHOT_INTERFACE "org.libvirt.DomainSnapshot"

/* The domain's path, or NULL after an error was printed. */
static char *
find_domain (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  Connection *connection = command_connect (line);
  char *path = connection != NULL ? connection_find_domain (connection, line->arguments[0], &error) : NULL;

  if (path == NULL && connection != NULL)
    command_error ("%s", error->message);
  return path;
}

/* A call whose answer is one object; NULL after an error was printed. */
static char *
call_for_path (CommandLine *line, const char *path, const char *interface, const char *method,
               GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer =
      connection_call (line->connection, path, interface, method, arguments, &error);
  char *found = NULL;

  if (answer == NULL)
    command_error ("%s", error->message);
  else
    g_variant_get (answer, "(o)", &found);
  return found;
}

/* The snapshot that the second argument names. */
static char *
find_snapshot (CommandLine *line)
{
  g_autofree char *domain = find_domain (line);

  return domain != NULL ? call_for_path (line, domain, DOMAIN_INTERFACE, "SnapshotLookupByName",
                                         g_variant_new ("(su)", line->arguments[1], 0))
                        : NULL;
}

static char *
read_xml (CommandLine *line, const char *path, guint flags, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, path, SNAPSHOT_INTERFACE, "GetXMLDesc",
                                                 g_variant_new ("(u)", flags), error);
  char *xml = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &xml);
  return xml;
}

/* NULL: it has gone since. */
static SnapshotDef *
read_snapshot (CommandLine *line, const char *path)
{
  g_autofree char *xml = read_xml (line, path, 0, NULL);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("snapshot");

  return xml != NULL ? document_read (&snapshot_document, xml, -1, DOCUMENT_LAX, diagnostics) : NULL;
}

static void
free_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

/* All of the domain, parents before what follows them; NULL after an error was printed. */
static GPtrArray *
read_all (CommandLine *line, const char *domain)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = connection_call (line->connection, domain, DOMAIN_INTERFACE,
                                                 "ListDomainSnapshots", g_variant_new ("(u)", 0), &error);
  g_autoptr (GVariantIter) paths = NULL;
  GPtrArray *defs;
  const char *path;

  if (answer == NULL) {
    command_error ("%s", error->message);
    return NULL;
  }
  defs = g_ptr_array_new_with_free_func (free_def);
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    SnapshotDef *def = read_snapshot (line, path);

    if (def != NULL)
      g_ptr_array_add (defs, def);
  }
  return defs;
}

static char *
time_text (const SnapshotDef *def)
{
  g_autoptr (GDateTime) moment = g_date_time_new_from_unix_local ((gint64)def->created.value);

  return moment != NULL ? g_date_time_format (moment, "%Y-%m-%d %H:%M:%S %z") : g_strdup ("");
}

/* Indented by how many it follows; parents come first. */
static void
print_tree (const CommandLine *line, const GPtrArray *defs)
{
  g_autoptr (GHashTable) depths = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < defs->len; i++) {
    const SnapshotDef *def = g_ptr_array_index (defs, i);
    guint depth = def->parent != NULL ? GPOINTER_TO_UINT (g_hash_table_lookup (depths, def->parent)) + 1 : 0;

    g_hash_table_insert (depths, def->name, GUINT_TO_POINTER (depth));
    command_print (line, "%*s%s%s\n", (int)(depth > 0 ? 2 * depth : 0), "", depth > 0 ? "+- " : "",
                   def->name);
  }
}

static JsonObject *
describe (const SnapshotDef *def)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "name", def->name);
  json_object_set_int_member (object, "created", (gint64)def->created.value);
  json_object_set_string_member (object, "state", enum_table_name (&snapshot_states, def->state));
  json_object_set_string_member (object, "location", snapshot_is_external (def) ? "external" : "internal");
  if (def->parent != NULL)
    json_object_set_string_member (object, "parent", def->parent);
  if (def->description != NULL)
    json_object_set_string_member (object, "description", def->description);
  return object;
}

static gboolean tree;
static const GOptionEntry list_options[] = {
  { "tree", 0, 0, G_OPTION_ARG_NONE, &tree, N_ ("Show which follows which"), NULL },
  { NULL },
};

static int
list_run (CommandLine *line)
{
  g_autofree char *domain = find_domain (line);
  g_autoptr (GPtrArray) defs = domain != NULL ? read_all (line, domain) : NULL;
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("Creation Time"), _ ("State"), NULL);
  g_autoptr (JsonArray) array = json_array_new ();
  g_autofree char *text = NULL;

  if (defs == NULL)
    return EXIT_FAILED;
  for (guint i = 0; i < defs->len; i++) {
    const SnapshotDef *def = g_ptr_array_index (defs, i);
    g_autofree char *created = time_text (def);

    table_add (table, def->name, created, enum_table_name (&snapshot_states, def->state), NULL);
    json_array_add_object_element (array, describe (def));
  }
  text = table_to_string (table);
  if (tree)
    print_tree (line, defs);
  else
    command_print (line, "%s\n", text);
  command_print_json (line, json_node_init_array (json_node_alloc (), array));
  return EXIT_OK;
}

/* What was done to one snapshot. */
static int
done (const CommandLine *line, const char *snapshot, char *message)
{
  g_autofree char *text = message;
  JsonObject *object = json_object_new ();

  command_print (line, "%s\n", text);
  json_object_set_string_member (object, "snapshot", snapshot);
  json_object_set_string_member (object, "message", text);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

static char *description, *memory;
static gboolean disk_only, quiesce, halt_after, reuse, no_metadata;
static const GOptionEntry create_options[] = {
  { "description", 0, 0, G_OPTION_ARG_STRING, &description, N_ ("What it is for"), N_ ("TEXT") },
  { "disk-only", 0, 0, G_OPTION_ARG_NONE, &disk_only, N_ ("Only the disks, in images of their own"), NULL },
  { "memory", 0, 0, G_OPTION_ARG_FILENAME, &memory,
    N_ ("The memory too, in this file; the disks go on in images of their own"), N_ ("FILE") },
  { "quiesce", 0, 0, G_OPTION_ARG_NONE, &quiesce, N_ ("Let the guest's agent flush its file systems"), NULL },
  { "halt", 0, 0, G_OPTION_ARG_NONE, &halt_after, N_ ("End the machine afterwards"), NULL },
  { "reuse-external", 0, 0, G_OPTION_ARG_NONE, &reuse, N_ ("The new images are there already"), NULL },
  { "no-metadata", 0, 0, G_OPTION_ARG_NONE, &no_metadata, N_ ("Keep nothing of it but the images"), NULL },
  { NULL },
};

static char *
new_document (const char *name)
{
  SnapshotDef *def = document_new (&snapshot_document);
  char *xml;

  def->name = g_strdup (name);
  def->description = g_strdup (description);
  if (memory != NULL) {
    def->memory = SNAPSHOT_WHERE_EXTERNAL;
    def->memory_file = g_canonicalize_filename (memory, NULL);
  }
  xml = document_to_xml (&snapshot_document, def, 0);
  document_unref (&snapshot_document, def);
  return xml;
}

static int
create_run (CommandLine *line)
{
  guint flags = (disk_only ? VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY : 0)
                | (quiesce ? VIR_DOMAIN_SNAPSHOT_CREATE_QUIESCE : 0)
                | (halt_after ? VIR_DOMAIN_SNAPSHOT_CREATE_HALT : 0)
                | (reuse ? VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT : 0)
                | (no_metadata ? VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA : 0);
  g_autofree char *domain = find_domain (line), *xml = new_document (line->arguments[1]), *path = NULL;
  const char *name = line->arguments[1];
  SnapshotDef *def = NULL;
  int status;

  if (domain != NULL)
    path = call_for_path (line, domain, DOMAIN_INTERFACE, "SnapshotCreateXML",
                          g_variant_new ("(su)", xml, flags));
  if (path == NULL)
    return EXIT_FAILED;
  if (name == NULL)
    def = read_snapshot (line, path);
  name = def != NULL ? def->name : name != NULL ? name : "";
  status = done (line, name, g_strdup_printf (_ ("Domain snapshot %s created"), name));
  if (def != NULL)
    document_unref (&snapshot_document, def);
  return status;
}

static int
dumpxml_run (CommandLine *line)
{
  g_autofree char *path = find_snapshot (line), *xml = NULL;
  g_autoptr (GError) error = NULL;
  JsonObject *object;

  if (path == NULL)
    return EXIT_FAILED;
  xml = read_xml (line, path, 0, &error);
  if (xml == NULL)
    return command_error ("%s", error->message);
  command_print (line, "%s\n", xml);
  object = json_object_new ();
  json_object_set_string_member (object, "document", xml);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

static int
print_one (CommandLine *line, const char *path)
{
  SnapshotDef *def = path != NULL ? read_snapshot (line, path) : NULL;
  JsonObject *object;

  if (def == NULL)
    return EXIT_FAILED;
  object = describe (def);
  command_print (line, "%s\n", def->name);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  document_unref (&snapshot_document, def);
  return EXIT_OK;
}

static int
current_run (CommandLine *line)
{
  g_autofree char *domain = find_domain (line), *path = NULL;

  if (domain != NULL)
    path = call_for_path (line, domain, DOMAIN_INTERFACE, "SnapshotCurrent", g_variant_new ("(u)", 0));
  return print_one (line, path);
}

static int
parent_run (CommandLine *line)
{
  g_autofree char *path = find_snapshot (line), *parent = NULL;

  if (path != NULL)
    parent = call_for_path (line, path, SNAPSHOT_INTERFACE, "GetParent", g_variant_new ("(u)", 0));
  return print_one (line, parent);
}

static int
change (CommandLine *line, const char *method, guint flags, const char *message)
{
  g_autofree char *path = find_snapshot (line);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  JsonObject *object;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, SNAPSHOT_INTERFACE, method, g_variant_new ("(u)", flags),
                            &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  command_print (line, "%s\n", message);
  object = json_object_new ();
  json_object_set_string_member (object, "snapshot", line->arguments[1]);
  json_object_set_string_member (object, "message", message);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

static gboolean running, paused, force;
static const GOptionEntry revert_options[] = {
  { "running", 0, 0, G_OPTION_ARG_NONE, &running, N_ ("Run the machine afterwards"), NULL },
  { "paused", 0, 0, G_OPTION_ARG_NONE, &paused, N_ ("Start the machine, and leave it paused"), NULL },
  { "force", 0, 0, G_OPTION_ARG_NONE, &force, N_ ("Even where a saved state would no longer fit"), NULL },
  { NULL },
};

static int
revert_run (CommandLine *line)
{
  guint flags = (running ? VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING : 0)
                | (paused ? VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED : 0)
                | (force ? VIR_DOMAIN_SNAPSHOT_REVERT_FORCE : 0);
  g_autofree char *message = g_strdup_printf (_ ("Domain reverted to snapshot %s"), line->arguments[1]);

  return change (line, "Revert", flags, message);
}

static gboolean children, children_only, metadata;
static const GOptionEntry delete_options[] = {
  { "children", 0, 0, G_OPTION_ARG_NONE, &children, N_ ("And all that follow it"), NULL },
  { "children-only", 0, 0, G_OPTION_ARG_NONE, &children_only, N_ ("Only those that follow it"), NULL },
  { "metadata", 0, 0, G_OPTION_ARG_NONE, &metadata, N_ ("Only what is known of it; the disks stay"), NULL },
  { NULL },
};

static int
delete_run (CommandLine *line)
{
  guint flags = (children ? VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN : 0)
                | (children_only ? VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN_ONLY : 0)
                | (metadata ? VIR_DOMAIN_SNAPSHOT_DELETE_METADATA_ONLY : 0);
  g_autofree char *message = g_strdup_printf (children_only ? _ ("Domain snapshot %s children deleted")
                                                            : _ ("Domain snapshot %s deleted"),
                                              line->arguments[1]);

  return change (line, "Delete", flags, message);
}

const Command snapshot_commands[] = {
  { "snapshot-create-as", "DOMAIN [NAME]", N_ ("Make a snapshot"), 1, 2, create_options, create_run },
  { "snapshot-list", "DOMAIN", N_ ("List a machine's snapshots"), 1, 1, list_options, list_run },
  { "snapshot-dumpxml", "DOMAIN SNAPSHOT", N_ ("Print a snapshot's document"), 2, 2, NULL, dumpxml_run },
  { "snapshot-current", "DOMAIN", N_ ("Print which snapshot is the current one"), 1, 1, NULL, current_run },
  { "snapshot-parent", "DOMAIN SNAPSHOT", N_ ("Print which one a snapshot follows"), 2, 2, NULL, parent_run },
  { "snapshot-revert", "DOMAIN SNAPSHOT", N_ ("Go back to a snapshot"), 2, 2, revert_options, revert_run },
  { "snapshot-delete", "DOMAIN SNAPSHOT", N_ ("Delete a snapshot"), 2, 2, delete_options, delete_run },
  { NULL },
};
