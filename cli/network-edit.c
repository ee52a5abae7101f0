/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Commands that change a network's definition, or ask a running one: edit, update, leases, what is wrong. */
#include "cli/network.h"

#include "cli/editor.h"
#include "cli/table.h"
#include "network/network-update.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>

static gboolean live, config;
static int parent_index = -1;

static char *
take_text (CommandLine *line, const char *text, GError **error)
{
  return network_define_text (line, text, error);
}

static int
edit_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *name = NULL, *text = NULL, *file = NULL;
  g_autoptr (GError) error = NULL;
  EditOutcome outcome;

  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  text = network_text (line, path, TRUE, 0, &error);
  if (text == NULL)
    return command_error ("%s", error->message);
  outcome = editor_run (line, text, take_text, &file, &error);
  switch (outcome) {
    case EDIT_UNCHANGED:
      return network_done (line, name, _ ("Network '%s' XML configuration not changed"), name);
    case EDIT_TAKEN:
      return network_done (line, name, _ ("Network '%s' XML configuration edited"), name);
    case EDIT_GIVEN_UP:
      return command_error (_ ("the definition of '%s' is as it was; your text is kept in %s"), name, file);
    default:
      return command_error ("%s", error->message);
  }
}

static guint
command_number (const char *word)
{
  static const struct {
    const char *word;
    guint number;
  } words[] = {
    { "add", VIR_NETWORK_UPDATE_COMMAND_ADD_LAST },
    { "add-last", VIR_NETWORK_UPDATE_COMMAND_ADD_LAST },
    { "add-first", VIR_NETWORK_UPDATE_COMMAND_ADD_FIRST },
    { "modify", VIR_NETWORK_UPDATE_COMMAND_MODIFY },
    { "delete", VIR_NETWORK_UPDATE_COMMAND_DELETE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (words[i].word, word))
      return words[i].number;
  return VIR_NETWORK_UPDATE_COMMAND_NONE;
}

/* The names with spaces are libvirt's words for what it does not update. */
static guint
section_number (const char *word)
{
  for (guint i = 1; i < VIR_NETWORK_SECTION_DNS_SRV + 1; i++)
    if (g_strcmp0 (network_section_name (i), word) == 0)
      return i;
  return VIR_NETWORK_SECTION_NONE;
}

static int
update_run (CommandLine *line)
{
  guint command = command_number (line->arguments[1]), section = section_number (line->arguments[2]);
  guint flags = (live ? VIR_NETWORK_UPDATE_AFFECT_LIVE : 0) | (config ? VIR_NETWORK_UPDATE_AFFECT_CONFIG : 0);
  const char *given = line->arguments[3];
  g_autofree char *path = NULL, *name = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (command == VIR_NETWORK_UPDATE_COMMAND_NONE)
    return command_usage_error (line, _ ("unrecognized command name '%s'"), line->arguments[1]);
  if (section == VIR_NETWORK_SECTION_NONE)
    return command_usage_error (line, _ ("unrecognized section name '%s'"), line->arguments[2]);
  if (given[0] == '<')
    text = g_strdup (given);
  else if (!g_file_get_contents (g_str_equal (given, "-") ? "/dev/stdin" : given, &text, NULL, &error))
    return command_error ("%s", error->message);
  path = network_find (line, line->arguments[0]);
  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  answer = connection_call (line->connection, path, NETWORK_INTERFACE, "Update",
                            g_variant_new ("(uuisu)", command, section, parent_index, text, flags), &error);
  if (answer == NULL) {
    command_error (_ ("Failed to update network '%s'"), name);
    return command_error ("%s", error->message);
  }
  return network_done (line, name, _ ("Updated network '%s'"), name);
}

static char *
expiry_text (gint64 seconds)
{
  g_autoptr (GDateTime) time = seconds > 0 ? g_date_time_new_from_unix_local (seconds) : NULL;

  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M:%S") : g_strdup (_ ("never"));
}

static void
add_text (JsonBuilder *builder, const char *name, const char *text)
{
  json_builder_set_member_name (builder, name);
  if (text[0] != '\0')
    json_builder_add_string_value (builder, text);
  else
    json_builder_add_null_value (builder);
}

static const char *
or_dash (const char *text)
{
  return text[0] != '\0' ? text : "-";
}

static int
leases_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *text = NULL;
  const char *mac = line->argument_count > 1 ? line->arguments[1] : "";
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariantIter) leases = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (Table) table = table_new (_ ("Expiry Time"), _ ("MAC address"), _ ("Protocol"), _ ("IP address"),
                                       _ ("Hostname"), _ ("Client ID or DUID"), NULL);
  const char *interface, *lease_mac, *iaid, *ip, *hostname, *client;
  gint64 expiry;
  gint32 type;
  guint32 prefix;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, NETWORK_INTERFACE, "GetDHCPLeases",
                            g_variant_new ("(su)", mac, 0), &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_array (builder);
  g_variant_get (answer, "(a(sxisssuss))", &leases);
  while (g_variant_iter_next (leases, "(&sxi&s&s&su&s&s)", &interface, &expiry, &type, &lease_mac, &iaid, &ip,
                              &prefix, &hostname, &client)) {
    g_autofree char *until = expiry_text (expiry), *address = g_strdup_printf ("%s/%u", ip, prefix);

    table_add (table, until, or_dash (lease_mac), type == VIR_IP_ADDR_TYPE_IPV6 ? "ipv6" : "ipv4", address,
               or_dash (hostname), or_dash (client), NULL);
    json_builder_begin_object (builder);
    add_text (builder, "interface", interface);
    json_builder_set_member_name (builder, "expiry");
    json_builder_add_int_value (builder, expiry);
    add_text (builder, "mac", lease_mac);
    add_text (builder, "iaid", iaid);
    add_text (builder, "address", ip);
    json_builder_set_member_name (builder, "prefix");
    json_builder_add_int_value (builder, prefix);
    add_text (builder, "hostname", hostname);
    add_text (builder, "client-id", client);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s\n", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
check_run (CommandLine *line)
{
  g_autofree char *path = network_find (line, line->arguments[0]), *name = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariantIter) findings = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *what, *cure;
  guint count = 0;

  if (path == NULL)
    return EXIT_FAILED;
  name = network_name (line->connection, path);
  answer = connection_call (line->connection, path, OWN_NETWORK_INTERFACE, "Check", NULL, &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  json_builder_begin_array (builder);
  g_variant_get (answer, "(a(ss))", &findings);
  while (g_variant_iter_next (findings, "(&s&s)", &what, &cure)) {
    command_print (line, "%s\n", what);
    if (cure[0] != '\0')
      command_print (line, "    %s\n", cure);
    json_builder_begin_object (builder);
    add_text (builder, "what", what);
    add_text (builder, "cure", cure);
    json_builder_end_object (builder);
    count++;
  }
  json_builder_end_array (builder);
  if (count == 0)
    command_print (line, _ ("Nothing keeps network '%s' from working\n"), name);
  command_print_json (line, json_builder_get_root (builder));
  return count == 0 ? EXIT_OK : EXIT_FAILED;
}

static const GOptionEntry update_options[] = {
  { "live", 0, 0, G_OPTION_ARG_NONE, &live, N_ ("Change the running network"), NULL },
  { "config", 0, 0, G_OPTION_ARG_NONE, &config, N_ ("Change the definition"), NULL },
  { "parent-index", 0, 0, G_OPTION_ARG_INT, &parent_index, N_ ("Which <ip> of the document, from 0"),
    N_ ("N") },
  G_OPTION_ENTRY_NULL,
};

const Command network_change_commands[] = {
  { "net-edit", "NETWORK", N_ ("Edit a network's document"), 1, 1, NULL, edit_run },
  { "net-update", "NETWORK COMMAND SECTION XML", N_ ("Change a part of a network"), 4, 4, update_options,
    update_run },
  { "net-dhcp-leases", "NETWORK [MAC]", N_ ("Show who has which address of a network"), 1, 2, NULL,
    leases_run },
  { "net-check", "NETWORK", N_ ("Say what keeps a network's packets from passing"), 1, 1, NULL, check_run },
  { NULL },
};
