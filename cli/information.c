/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is known of one machine: dominfo, domstate, domuuid, domid, vcpuinfo, in virsh's words. Each gathers
 * an ordered list of fields first, which is then printed as lines or as one JSON object.
 */

#include "cli/command.h"
#include "cli/connection.h"
#include "cli/states.h"

#include <libvirt/libvirt.h>
#include <stdio.h>

#define NANOSECONDS_PER_SECOND 1000000000.0

static gboolean with_reason, pretty;

/* Label (as virsh prints it) and value for people, name and value for programs. */
typedef struct {
  const char *label, *member;
  char *value;
  JsonNode *json;
} Field;

static void
field_clear_value (gpointer data)
{
  Field *field = data;

  g_free (field->value);
  json_node_unref (field->json);
}

static JsonNode *
json_number (guint64 value)
{
  return json_node_init_int (json_node_alloc (), (gint64)MIN (value, (guint64)G_MAXINT64));
}

static JsonNode *
json_boolean (gboolean value)
{
  return json_node_init_boolean (json_node_alloc (), value);
}

static JsonNode *
json_text (const char *value)
{
  return json_node_init_string (json_node_alloc (), value);
}

/* The id of a machine that runs, or null. */
static JsonNode *
json_id (gboolean active, guint32 id)
{
  return active ? json_number (id) : json_node_init_null (json_node_alloc ());
}

static void add_field (GArray *fields, const char *label, const char *member, JsonNode *json,
                       const char *format, ...) G_GNUC_PRINTF (5, 6);

/* Takes @json. */
static void
add_field (GArray *fields, const char *label, const char *member, JsonNode *json, const char *format, ...)
{
  Field field = { label, member, NULL, json };
  va_list arguments;

  va_start (arguments, format);
  field.value = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_array_append_val (fields, field);
}

static void
print_fields (const CommandLine *line, GArray *fields)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (line->position > 0)
    command_print (line, "\n");
  json_builder_begin_object (builder);
  for (guint i = 0; i < fields->len; i++) {
    Field *field = &g_array_index (fields, Field, i);

    command_print (line, "%-15s %s\n", field->label, field->value);
    json_builder_set_member_name (builder, field->member);
    json_builder_add_value (builder, json_node_ref (field->json));
  }
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
}

static char *
find_domain (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  char *path;

  if (command_connect (line) == NULL)
    return NULL;
  path = connection_find_domain (line->connection, line->arguments[0], &error);
  if (path == NULL) {
    command_error (_ ("failed to get domain '%s'"), line->arguments[0]);
    command_error ("%s", error->message);
  }
  return path;
}

static void
add_measurements (GArray *fields, GVariant *stats, gboolean active)
{
  guint64 cpu_time = 0, maximum = 0, current = 0;
  guint32 vcpus = 0;

  g_variant_lookup (stats, "vcpu.current", "u", &vcpus);
  g_variant_lookup (stats, "cpu.time", "t", &cpu_time);
  g_variant_lookup (stats, "balloon.maximum", "t", &maximum);
  if (!g_variant_lookup (stats, "balloon.current", "t", &current))
    current = maximum;

  add_field (fields, _ ("CPU(s):"), "vcpus", json_number (vcpus), "%u", vcpus);
  if (active)
    add_field (fields, _ ("CPU time:"), "cpu_time", json_number (cpu_time), "%.1fs",
               cpu_time / NANOSECONDS_PER_SECOND);
  add_field (fields, _ ("Max memory:"), "max_memory", json_number (maximum), "%" G_GUINT64_FORMAT " KiB",
             maximum);
  add_field (fields, _ ("Used memory:"), "used_memory", json_number (current), "%" G_GUINT64_FORMAT " KiB",
             current);
}

/* What was accepted although not known, as virsh shows domain messages. */
static void
add_messages (CommandLine *line, const char *path, GArray *fields)
{
  g_autoptr (GVariant) answer =
      connection_property (line->connection, path, OWN_DOMAIN_INTERFACE, "Messages", NULL);
  g_auto (GStrv) messages = NULL;

  if (answer == NULL)
    return;
  messages = g_variant_dup_strv (answer, NULL);
  if (messages[0] != NULL) {
    g_autofree char *joined = g_strjoinv ("\n                ", messages);
    JsonArray *list = json_array_new ();

    for (guint i = 0; messages[i] != NULL; i++)
      json_array_add_string_element (list, messages[i]);
    add_field (fields, _ ("Messages:"), "messages", json_node_init_array (json_node_alloc (), list), "%s",
               joined);
    json_array_unref (list);
  }
}

static int
dominfo_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line);
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (GVariant) state = NULL;
  g_autoptr (GVariant) stats = NULL;
  g_autoptr (GVariant) saved = NULL;
  g_autoptr (GArray) fields = g_array_new (FALSE, FALSE, sizeof (Field));
  const char *name = "", *uuid = "", *os_type = "";
  gboolean active = FALSE, persistent = FALSE, autostart = FALSE, has_save = FALSE;
  guint32 id = 0;
  int number, reason;

  g_array_set_clear_func (fields, field_clear_value);
  if (path == NULL)
    return EXIT_FAILED;
  properties = connection_properties (line->connection, path, DOMAIN_INTERFACE, &error);
  if (properties != NULL)
    state = connection_call (line->connection, path, DOMAIN_INTERFACE, "GetState", g_variant_new ("(u)", 0),
                             &error);
  if (state != NULL)
    stats = connection_domain_stats (
        line->connection, path, VIR_DOMAIN_STATS_CPU_TOTAL | VIR_DOMAIN_STATS_BALLOON | VIR_DOMAIN_STATS_VCPU,
        &error);
  if (stats == NULL)
    return command_error ("%s", error->message);
  saved = connection_call (line->connection, path, DOMAIN_INTERFACE, "HasManagedSaveImage",
                           g_variant_new ("(u)", 0), NULL);
  if (saved != NULL)
    g_variant_get (saved, "(b)", &has_save);

  g_variant_lookup (properties, "Name", "&s", &name);
  g_variant_lookup (properties, "UUID", "&s", &uuid);
  g_variant_lookup (properties, "OSType", "&s", &os_type);
  g_variant_lookup (properties, "Active", "b", &active);
  g_variant_lookup (properties, "Id", "u", &id);
  g_variant_lookup (properties, "Persistent", "b", &persistent);
  g_variant_lookup (properties, "Autostart", "b", &autostart);
  g_variant_get (state, "((ii))", &number, &reason);

  if (active)
    add_field (fields, _ ("Id:"), "id", json_id (TRUE, id), "%u", id);
  else
    add_field (fields, _ ("Id:"), "id", json_id (FALSE, 0), "-");
  add_field (fields, _ ("Name:"), "name", json_text (name), "%s", name);
  add_field (fields, _ ("UUID:"), "uuid", json_text (uuid), "%s", uuid);
  add_field (fields, _ ("OS Type:"), "os_type", json_text (os_type), "%s", os_type);
  add_field (fields, _ ("State:"), "state", json_text (state_name (number)), "%s", state_name (number));
  add_measurements (fields, stats, active);
  add_field (fields, _ ("Persistent:"), "persistent", json_boolean (persistent), "%s",
             persistent ? _ ("yes") : _ ("no"));
  add_field (fields, _ ("Autostart:"), "autostart", json_boolean (autostart), "%s",
             autostart ? _ ("enable") : _ ("disable"));
  add_field (fields, _ ("Managed save:"), "managed_save", json_boolean (has_save), "%s",
             has_save ? _ ("yes") : _ ("no"));
  add_field (fields, _ ("Security model:"), "security_model", json_text ("none"), "none");
  add_field (fields, _ ("Security DOI:"), "security_doi", json_text ("0"), "0");
  add_messages (line, path, fields);
  print_fields (line, fields);
  return EXIT_OK;
}

static int
domstate_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line);
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  int state, reason;

  if (path == NULL)
    return EXIT_FAILED;
  answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "GetState", g_variant_new ("(u)", 0),
                            &error);
  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "((ii))", &state, &reason);
  if (with_reason)
    command_print (line, "%s (%s)\n", state_name (state), state_reason (state, reason));
  else
    command_print (line, "%s\n", state_name (state));
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "state");
  json_builder_add_string_value (builder, state_name (state));
  json_builder_set_member_name (builder, "reason");
  json_builder_add_string_value (builder, state_reason (state, reason));
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

/* A command whose whole answer is one word. Takes @json. */
static int
print_word (CommandLine *line, const char *member, const char *word, JsonNode *json)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  command_print (line, "%s\n", word);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, member);
  json_builder_add_value (builder, json);
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
domuuid_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line);
  g_autoptr (GVariant) uuid = NULL;
  const char *word;

  if (path == NULL)
    return EXIT_FAILED;
  uuid = connection_property (line->connection, path, DOMAIN_INTERFACE, "UUID", &error);
  if (uuid == NULL)
    return command_error ("%s", error->message);
  word = g_variant_get_string (uuid, NULL);
  return print_word (line, "uuid", word, json_text (word));
}

static int
domid_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line);
  g_autofree char *word = NULL;
  g_autoptr (GVariant) properties = NULL;
  gboolean active = FALSE;
  guint32 id = 0;

  if (path == NULL)
    return EXIT_FAILED;
  properties = connection_properties (line->connection, path, DOMAIN_INTERFACE, &error);
  if (properties == NULL)
    return command_error ("%s", error->message);
  g_variant_lookup (properties, "Active", "b", &active);
  g_variant_lookup (properties, "Id", "u", &id);
  word = active ? g_strdup_printf ("%u", id) : g_strdup ("-");
  return print_word (line, "id", word, json_id (active, id));
}

/* "yy-y": which of the host's CPUs a vCPU may run on; or, pretty, "0-1,3 (out of 4)". */
static char *
affinity (CommandLine *line, const char *path, guint vcpu)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, path, DOMAIN_INTERFACE, "GetVcpuPinInfo",
                                                 g_variant_new ("(u)", 0), NULL);
  g_autoptr (GVariant) maps = answer != NULL ? g_variant_get_child_value (answer, 0) : NULL;
  g_autoptr (GVariant) map = NULL;
  GString *text = g_string_new (NULL);
  gsize count;

  if (maps == NULL || vcpu >= g_variant_n_children (maps))
    return g_string_free (text, FALSE);
  map = g_variant_get_child_value (maps, vcpu);
  count = g_variant_n_children (map);
  for (gsize cpu = 0; cpu < count; cpu++) {
    gboolean set, first = TRUE;

    g_variant_get_child (map, cpu, "b", &set);
    if (!pretty) {
      g_string_append_c (text, set ? 'y' : '-');
      continue;
    }
    if (!set)
      continue;
    gsize end = cpu;
    while (end + 1 < count) {
      g_variant_get_child (map, end + 1, "b", &first);
      if (!first)
        break;
      end++;
    }
    g_string_append_printf (text, "%s%zu", text->len > 0 ? "," : "", cpu);
    if (end > cpu)
      g_string_append_printf (text, "-%zu", end);
    cpu = end;
  }
  if (pretty)
    g_string_append_printf (text, _ (" (out of %zu)"), count);
  return g_string_free (text, FALSE);
}

static int
vcpuinfo_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = find_domain (line);
  g_autoptr (GVariant) stats = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  guint32 count = 0;

  if (path == NULL)
    return EXIT_FAILED;
  stats = connection_domain_stats (line->connection, path, VIR_DOMAIN_STATS_VCPU, &error);
  if (stats == NULL)
    return command_error ("%s", error->message);
  g_variant_lookup (stats, "vcpu.current", "u", &count);

  json_builder_begin_array (builder);
  for (guint vcpu = 0; vcpu < count; vcpu++) {
    g_autofree char *state_key = g_strdup_printf ("vcpu.%u.state", vcpu);
    g_autofree char *time_key = g_strdup_printf ("vcpu.%u.time", vcpu);
    g_autofree char *cpus = affinity (line, path, vcpu);
    gint32 state = -1;
    guint64 time = 0;
    gboolean runs = g_variant_lookup (stats, state_key, "i", &state);
    const char *state_word = runs ? vcpu_state_name (state) : _ ("N/A");
    g_autofree char *time_word = NULL;

    g_variant_lookup (stats, time_key, "t", &time);
    time_word = runs ? g_strdup_printf ("%.1fs", time / NANOSECONDS_PER_SECOND) : g_strdup (_ ("N/A"));
    command_print (line, "%-15s %u\n", _ ("VCPU:"), vcpu);
    command_print (line, "%-15s %s\n", _ ("CPU:"), _ ("N/A"));
    command_print (line, "%-15s %s\n", _ ("State:"), state_word);
    command_print (line, "%-15s %s\n", _ ("CPU time"), time_word);
    command_print (line, "%-15s %s\n\n", _ ("CPU Affinity:"), cpus);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "vcpu");
    json_builder_add_int_value (builder, vcpu);
    json_builder_set_member_name (builder, "state");
    json_builder_add_string_value (builder, state_word);
    json_builder_set_member_name (builder, "cpu_time");
    json_builder_add_int_value (builder, time);
    json_builder_set_member_name (builder, "affinity");
    json_builder_add_string_value (builder, cpus);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static const GOptionEntry domstate_options[] = {
  { "reason", 0, 0, G_OPTION_ARG_NONE, &with_reason, N_ ("With the reason for the state"), NULL },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry vcpuinfo_options[] = {
  { "pretty", 0, 0, G_OPTION_ARG_NONE, &pretty, N_ ("CPU sets as ranges"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command information_commands[] = {
  { "dominfo", "DOMAIN...", N_ ("What a machine is and does"), 1, 1, NULL, dominfo_run, TRUE },
  { "domstate", "DOMAIN...", N_ ("A machine's state"), 1, 1, domstate_options, domstate_run, TRUE },
  { "domuuid", "DOMAIN...", N_ ("A machine's UUID"), 1, 1, NULL, domuuid_run, TRUE },
  { "domid", "DOMAIN...", N_ ("A running machine's id"), 1, 1, NULL, domid_run, TRUE },
  { "vcpuinfo", "DOMAIN", N_ ("A machine's virtual CPUs"), 1, 1, vcpuinfo_options, vcpuinfo_run },
  { NULL },
};
