/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Commands about the network interfaces of the host. A path on the bus has an interface's MAC address, which
 * a bridge shares with a port; the paths here have its name.
 */

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/table.h"

#include <libvirt/libvirt.h>
#include <stdio.h>

static gboolean all, inactive;

#define INTERFACE_INTERFACE "org.libvirt.Interface"

static GVariant *
call (CommandLine *line, const char *interface, const char *method, GVariant *arguments, GError **error)
{
  return connection_call (line->connection, LIBVIRT_ROOT, interface, method, arguments, error);
}

/* A method of the interface that the first argument names. */
static GVariant *
call_interface (CommandLine *line, const char *method, GVariant *arguments, GError **error)
{
  g_autofree char *element = g_dbus_escape_object_path (line->arguments[0]);
  g_autofree char *path = g_strconcat (LIBVIRT_ROOT "/interface/", element, NULL);

  return connection_call (line->connection, path, INTERFACE_INTERFACE, method, arguments, error);
}

static guint
list_flags (void)
{
  return all ? 0 : inactive ? VIR_CONNECT_LIST_INTERFACES_INACTIVE : VIR_CONNECT_LIST_INTERFACES_ACTIVE;
}

static void
add_row (Table *table, JsonBuilder *builder, const char *name, const char *mac, gboolean active)
{
  table_add (table, name, active ? _ ("active") : _ ("inactive"), mac, NULL);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "active");
  json_builder_add_boolean_value (builder, active);
  json_builder_set_member_name (builder, "mac");
  json_builder_add_string_value (builder, mac);
  json_builder_end_object (builder);
}

static int
list_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariantIter) rows = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("State"), _ ("MAC Address"), NULL);
  g_autofree char *text = NULL;
  const char *name, *mac;
  int active;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer =
      call (line, OWN_CONNECT_INTERFACE, "ListInterfaceNames", g_variant_new ("(u)", list_flags ()), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to list interfaces"));
    return command_error ("%s", error->message);
  }
  g_variant_get (answer, "(a(ssi))", &rows);
  json_builder_begin_array (builder);
  while (g_variant_iter_next (rows, "(&s&si)", &name, &mac, &active))
    add_row (table, builder, name, mac, active != 0);
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s\n", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
dumpxml_run (CommandLine *line)
{
  guint flags = inactive ? VIR_INTERFACE_XML_INACTIVE : 0;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  JsonObject *object;
  JsonNode *node;
  const char *text;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = call_interface (line, "GetXMLDesc", g_variant_new ("(u)", flags), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(&s)", &text);
  object = json_object_new ();
  json_object_set_string_member (object, "document", text);
  node = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  command_print (line, "%s", text);
  command_print_json (line, node);
  return EXIT_OK;
}

/* {"interface", "message"}; a change of several is about no interface. */
static int
done (CommandLine *line, const char *interface, const char *message)
{
  JsonObject *object = json_object_new ();
  JsonNode *node;

  if (interface != NULL)
    json_object_set_string_member (object, "interface", interface);
  json_object_set_string_member (object, "message", message);
  node = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  command_print (line, "%s\n\n", message);
  command_print_json (line, node);
  return EXIT_OK;
}

static int
define_run (CommandLine *line)
{
  const char *file = line->arguments[0];
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autofree char *text = NULL, *message = NULL;
  const char *name;

  if (!g_file_get_contents (g_str_equal (file, "-") ? "/dev/stdin" : file, &text, NULL, &error))
    return command_error ("%s", error->message);
  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = call (line, OWN_CONNECT_INTERFACE, "InterfaceDefine",
                 g_variant_new ("(su)", text, VIR_INTERFACE_DEFINE_VALIDATE), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to define interface from %s"), file);
    return command_document_error (file, error->message);
  }
  g_variant_get (answer, "(&s)", &name);
  message = g_strdup_printf (_ ("Interface %s defined from %s"), name, file);
  return done (line, name, message);
}

/* @flags: the method takes flags. @failed and @succeeded: with one %s. */
static int
change_run (CommandLine *line, const char *method, gboolean flags, const char *failed, const char *succeeded)
{
  const char *name = line->arguments[0];
  g_auto (GStrv) words = NULL;
  g_autofree char *message = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = call_interface (line, method, flags ? g_variant_new ("(u)", 0) : NULL, &error);
  words = g_strsplit (answer != NULL ? succeeded : failed, "%s", 2);
  message = g_strjoinv (name, words);
  if (answer != NULL)
    return done (line, name, message);
  command_error ("%s", message);
  return command_error ("%s", error->message);
}

static int
undefine_run (CommandLine *line)
{
  return change_run (line, "Undefine", FALSE, _ ("Failed to undefine interface %s"),
                     _ ("Interface %s undefined"));
}

static int
start_run (CommandLine *line)
{
  return change_run (line, "Create", TRUE, _ ("Failed to start interface %s"), _ ("Interface %s started"));
}

static int
destroy_run (CommandLine *line)
{
  return change_run (line, "Destroy", TRUE, _ ("Failed to destroy interface %s"),
                     _ ("Interface %s destroyed"));
}

static int
transaction_run (CommandLine *line, const char *method, const char *failed, const char *succeeded)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer = call (line, CONNECT_INTERFACE, method, g_variant_new ("(u)", 0), &error);
  if (answer != NULL)
    return done (line, NULL, succeeded);
  command_error ("%s", failed);
  return command_error ("%s", error->message);
}

static int
begin_run (CommandLine *line)
{
  return transaction_run (line, "InterfaceChangeBegin",
                          _ ("Failed to begin network config change transaction"),
                          _ ("Network config change transaction started"));
}

static int
commit_run (CommandLine *line)
{
  return transaction_run (line, "InterfaceChangeCommit",
                          _ ("Failed to commit network config change transaction"),
                          _ ("Network config change transaction committed"));
}

static int
rollback_run (CommandLine *line)
{
  return transaction_run (line, "InterfaceChangeRollback",
                          _ ("Failed to rollback network config change transaction"),
                          _ ("Network config change transaction rolled back"));
}

static const GOptionEntry list_options[] = {
  { "all", 0, 0, G_OPTION_ARG_NONE, &all, N_ ("Interfaces that are not active too"), NULL },
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &inactive, N_ ("Only interfaces that are not active"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry dumpxml_options[] = {
  { "inactive", 0, 0, G_OPTION_ARG_NONE, &inactive, N_ ("As it was defined"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command interface_commands[] = {
  { "iface-list", "", N_ ("List the host's network interfaces"), 0, 0, list_options, list_run },
  { "iface-dumpxml", "INTERFACE", N_ ("Print an interface's document"), 1, 1, dumpxml_options, dumpxml_run },
  { "iface-define", "FILE", N_ ("Define an interface of the host"), 1, 1, NULL, define_run },
  { "iface-undefine", "INTERFACE...", N_ ("Remove the definition of an interface"), 1, G_MAXUINT, NULL,
    undefine_run, TRUE },
  { "iface-start", "INTERFACE...", N_ ("Start an interface"), 1, G_MAXUINT, NULL, start_run, TRUE },
  { "iface-destroy", "INTERFACE...", N_ ("Stop an interface"), 1, G_MAXUINT, NULL, destroy_run, TRUE },
  { "iface-begin", "", N_ ("Begin a change of interfaces that can be rolled back"), 0, 0, NULL, begin_run },
  { "iface-commit", "", N_ ("Keep what was changed since iface-begin"), 0, 0, NULL, commit_run },
  { "iface-rollback", "", N_ ("Undo what was changed since iface-begin"), 0, 0, NULL, rollback_run },
  { NULL },
};
