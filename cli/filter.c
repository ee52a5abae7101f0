/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Network filters and their bindings to the host's network devices, with virsh's names for what is done.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/table.h"
#include "cli/trash.h"

#include <libvirt/libvirt.h>

#define FILTER_INTERFACE "org.libvirt.NWFilter"

static gboolean no_trash;

static char *
read_document (const char *path, GError **error)
{
  char *text = NULL;

  g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, NULL, error);
  return text;
}

/* A call of the connection's, or NULL after an error was printed. Sinks @arguments. */
static GVariant *
call_root (CommandLine *line, const char *interface, const char *method, GVariant *arguments)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (arguments);
  g_autoptr (GError) error = NULL;
  GVariant *answer = NULL;

  if (command_connect (line) == NULL)
    return NULL;
  answer = connection_call (line->connection, LIBVIRT_ROOT, interface, method, sunk, &error);
  if (answer == NULL)
    command_error ("%s", error->message);
  return answer;
}

static void
print_pairs (const CommandLine *line, GPtrArray *rows, const char *const titles[2], const char *const keys[2])
{
  g_autoptr (Table) table = table_new (titles[0], titles[1], NULL);
  g_autoptr (JsonArray) array = json_array_new ();
  g_autofree char *text = NULL;

  for (guint i = 0; i + 1 < rows->len; i += 2) {
    JsonObject *object = json_object_new ();

    table_add (table, (char *)rows->pdata[i], (char *)rows->pdata[i + 1], NULL);
    json_object_set_string_member (object, keys[0], rows->pdata[i]);
    json_object_set_string_member (object, keys[1], rows->pdata[i + 1]);
    json_array_add_object_element (array, object);
  }
  text = table_to_string (table);
  command_print (line, "%s\n", text);
  command_print_json (line, json_node_init_array (json_node_alloc (), array));
}

static int
print_document (CommandLine *line, GVariant *answer)
{
  JsonObject *object = json_object_new ();
  const char *text;

  g_variant_get (answer, "(&s)", &text);
  command_print (line, "%s\n", text);
  json_object_set_string_member (object, "document", text);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

/* What was done, for people and for programs. */
static int
done (const CommandLine *line, const char *key, const char *name, char *message)
{
  g_autofree char *text = message;
  JsonObject *object = json_object_new ();

  command_print (line, "%s\n", text);
  json_object_set_string_member (object, key, name);
  json_object_set_string_member (object, "message", text);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

/* The path of the filter that has the name or the UUID; NULL after an error was printed. */
static char *
find_filter (CommandLine *line, const char *word)
{
  static const char *const methods[] = { "NWFilterLookupByName", "NWFilterLookupByUUID" };
  g_autoptr (GError) error = NULL;

  if (command_connect (line) == NULL)
    return NULL;
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    g_autoptr (GVariant) answer =
        connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, methods[i],
                         g_variant_new ("(s)", word), error == NULL ? &error : NULL);
    char *path;

    if (answer == NULL)
      continue;
    g_variant_get (answer, "(o)", &path);
    return path;
  }
  command_error (_ ("failed to get nwfilter '%s'"), word);
  command_error ("%s", error->message);
  return NULL;
}

static int
list_run (CommandLine *line)
{
  const char *const titles[] = { _ ("UUID"), _ ("Name") }, *const keys[] = { "uuid", "name" };
  g_autoptr (GVariant) answer =
      call_root (line, CONNECT_INTERFACE, "ListNWFilters", g_variant_new ("(u)", 0));
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GVariantIter) paths = NULL;
  const char *path;

  if (answer == NULL)
    return EXIT_FAILED;
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    g_autoptr (GVariant) properties = connection_properties (line->connection, path, FILTER_INTERFACE, NULL);
    char *name, *uuid;

    if (properties == NULL || !g_variant_lookup (properties, "UUID", "s", &uuid))
      continue; /* gone since */
    g_ptr_array_add (rows, uuid);
    g_variant_lookup (properties, "Name", "s", &name);
    g_ptr_array_add (rows, name);
  }
  print_pairs (line, rows, titles, keys);
  return EXIT_OK;
}

static int
dumpxml_run (CommandLine *line)
{
  g_autofree char *path = find_filter (line, line->arguments[0]);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, FILTER_INTERFACE, "GetXMLDesc", g_variant_new ("(u)", 0),
                            &error);
  return answer != NULL ? print_document (line, answer) : command_error ("%s", error->message);
}

static int
define_run (CommandLine *line)
{
  const char *file = line->arguments[0], *path;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_document (file, &error), *name = NULL;
  g_autoptr (GVariant) answer = NULL, property = NULL;

  if (text == NULL)
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "NWFilterDefineXMLFlags",
                            g_variant_new ("(su)", text, VIR_NWFILTER_DEFINE_VALIDATE), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to define network filter from %s"), file);
    return command_document_error (file, error->message);
  }
  g_variant_get (answer, "(&o)", &path);
  property = connection_property (line->connection, path, FILTER_INTERFACE, "Name", NULL);
  name = property != NULL ? g_variant_dup_string (property, NULL) : g_strdup ("");
  return done (line, "filter", name, g_strdup_printf (_ ("Network filter %s defined from %s"), name, file));
}

static int
undefine_run (CommandLine *line)
{
  const char *name = line->arguments[0];
  g_autofree char *path = find_filter (line, name);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (path == NULL)
    return EXIT_FAILED;
  answer = no_trash ? connection_call (line->connection, path, FILTER_INTERFACE, "Undefine", NULL, &error)
                    : trash_discard (line->connection, "filter", name, 0, &error);
  if (answer == NULL) {
    command_error (_ ("Failed to undefine network filter %s"), name);
    return command_error ("%s", error->message);
  }
  return done (line, "filter", name, g_strdup_printf (_ ("Network filter %s undefined"), name));
}

/* Bindings: a port and its filter. */

static int
binding_list_run (CommandLine *line)
{
  const char *const titles[] = { _ ("Port Dev"), _ ("Filter") }, *const keys[] = { "port", "filter" };
  g_autoptr (GVariant) answer =
      call_root (line, OWN_CONNECT_INTERFACE, "ListNWFilterBindings", g_variant_new ("(u)", 0));
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GVariantIter) bindings = NULL;
  char *port, *filter;

  if (answer == NULL)
    return EXIT_FAILED;
  g_variant_get (answer, "(a(ss))", &bindings);
  while (g_variant_iter_next (bindings, "(ss)", &port, &filter)) {
    g_ptr_array_add (rows, port);
    g_ptr_array_add (rows, filter);
  }
  print_pairs (line, rows, titles, keys);
  return EXIT_OK;
}

static int
binding_dumpxml_run (CommandLine *line)
{
  g_autoptr (GVariant) answer = call_root (line, OWN_CONNECT_INTERFACE, "NWFilterBindingGetXMLDesc",
                                           g_variant_new ("((ss)u)", line->arguments[0], "", 0));

  return answer != NULL ? print_document (line, answer) : EXIT_FAILED;
}

static int
binding_create_run (CommandLine *line)
{
  const char *file = line->arguments[0], *port;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = read_document (file, &error);
  g_autoptr (GVariant) answer = NULL;

  if (text == NULL)
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "NWFilterBindingCreateXML",
                            g_variant_new ("(su)", text, VIR_NWFILTER_BINDING_CREATE_VALIDATE), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to create network filter from %s"), file);
    return command_document_error (file, error->message);
  }
  g_variant_get (answer, "((&s&s))", &port, NULL);
  return done (line, "port", port,
               g_strdup_printf (_ ("Network filter binding on %s created from %s"), port, file));
}

static int
binding_delete_run (CommandLine *line)
{
  const char *port = line->arguments[0];
  g_autoptr (GVariant) answer =
      call_root (line, OWN_CONNECT_INTERFACE, "NWFilterBindingDelete", g_variant_new ("((ss))", port, ""));

  if (answer == NULL)
    return EXIT_FAILED;
  return done (line, "port", port, g_strdup_printf (_ ("Network filter binding on %s deleted"), port));
}

static const GOptionEntry undefine_options[] = {
  NO_TRASH_OPTION (no_trash),
  G_OPTION_ENTRY_NULL,
};

const Command filter_commands[] = {
  { "nwfilter-list", "", N_ ("List network filters"), 0, 0, NULL, list_run },
  { "nwfilter-dumpxml", "FILTER", N_ ("Print a network filter's document"), 1, 1, NULL, dumpxml_run },
  { "nwfilter-define", "FILE", N_ ("Define or change a network filter"), 1, 1, NULL, define_run },
  { "nwfilter-undefine", "FILTER", N_ ("Remove a network filter"), 1, 1, undefine_options, undefine_run },
  { "nwfilter-binding-list", "", N_ ("List the network devices that are filtered"), 0, 0, NULL,
    binding_list_run },
  { "nwfilter-binding-dumpxml", "PORT", N_ ("Print the document of a network device's filter binding"), 1, 1,
    NULL, binding_dumpxml_run },
  { "nwfilter-binding-create", "FILE", N_ ("Bind a network filter to a network device"), 1, 1, NULL,
    binding_create_run },
  { "nwfilter-binding-delete", "PORT", N_ ("Take a network device's filter away"), 1, 1, NULL,
    binding_delete_run },
  { NULL },
};
