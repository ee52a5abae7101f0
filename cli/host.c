/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What the daemon says of its host and itself.
 */

#include "cli/beside.h"
#include "cli/command.h"
#include "cli/connection.h"
#include "config.h"

#include <stdio.h>

static char *virt_type, *emulator, *arch, *machine;
static gboolean of_daemon;

static int
print_document (CommandLine *line, GVariant *answer, const GError *error)
{
  JsonObject *object;
  JsonNode *node;
  const char *text;

  if (answer == NULL)
    return command_error ("%s", error->message);
  g_variant_get (answer, "(&s)", &text);
  command_print (line, "%s\n", text);
  object = json_object_new ();
  json_object_set_string_member (object, "document", text);
  node = json_node_init_object (json_node_alloc (), object);
  json_object_unref (object);
  command_print_json (line, node);
  return EXIT_OK;
}

static int
capabilities_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer =
      connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "GetCapabilities", NULL, &error);
  return print_document (line, answer, error);
}

static int
domcapabilities_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer =
      connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, "GetDomainCapabilities",
                       g_variant_new ("(ssssu)", emulator != NULL ? emulator : "", arch != NULL ? arch : "",
                                      machine != NULL ? machine : "", virt_type != NULL ? virt_type : "", 0),
                       &error);
  return print_document (line, answer, error);
}

static int
nodeinfo_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const char *model;
  guint64 memory;
  gint32 numbers[6];
  struct {
    const char *label, *member, *unit;
    gint64 value;
  } rows[] = {
    { _ ("CPU(s):"), "cpus", "", 0 },
    { _ ("CPU frequency:"), "mhz", " MHz", 0 },
    { _ ("CPU socket(s):"), "sockets", "", 0 },
    { _ ("Core(s) per socket:"), "cores", "", 0 },
    { _ ("Thread(s) per core:"), "threads", "", 0 },
    { _ ("NUMA cell(s):"), "nodes", "", 0 },
    { _ ("Memory size:"), "memory", " KiB", 0 },
  };

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  answer =
      connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE, "NodeGetInfo", NULL, &error);
  if (answer == NULL) {
    command_error (_ ("failed to get node information"));
    return command_error ("%s", error->message);
  }
  /* cpus, mhz, nodes, sockets, cores, threads */
  g_variant_get (answer, "((&stiiiiii))", &model, &memory, &numbers[0], &numbers[1], &numbers[2], &numbers[3],
                 &numbers[4], &numbers[5]);
  rows[0].value = numbers[0];
  rows[1].value = numbers[1];
  rows[2].value = numbers[3];
  rows[3].value = numbers[4];
  rows[4].value = numbers[5];
  rows[5].value = numbers[2];
  rows[6].value = memory;

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "model");
  json_builder_add_string_value (builder, model);
  command_print (line, "%-20s %s\n", _ ("CPU model:"), model);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    command_print (line, "%-20s %" G_GINT64_FORMAT "%s\n", rows[i].label, rows[i].value, rows[i].unit);
    json_builder_set_member_name (builder, rows[i].member);
    json_builder_add_int_value (builder, rows[i].value);
  }
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

/* libvirt's packed version numbers: major * 1000000 + minor * 1000 + release. */
static char *
unpack_version (guint64 version)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT ".%" G_GUINT64_FORMAT, version / 1000000,
                          version / 1000 % 1000, version % 1000);
}

/* null: no daemon says it. */
static void
add_version (JsonBuilder *builder, const char *member, const char *version)
{
  json_builder_set_member_name (builder, member);
  if (version != NULL)
    json_builder_add_string_value (builder, version);
  else
    json_builder_add_null_value (builder);
}

static void
add_neighbours (const CommandLine *line, JsonBuilder *builder)
{
  g_autoptr (GPtrArray) neighbours = beside_find (line->connection);

  json_builder_set_member_name (builder, "beside");
  json_builder_begin_array (builder);
  for (guint i = 0; i < neighbours->len; i++) {
    const Neighbour *neighbour = g_ptr_array_index (neighbours, i);

    if (!line->json)
      fprintf (stderr,
               _ ("warning: '%s' belongs to %s (process %u): clients that look there reach that one\n"),
               neighbour->place, neighbour->program, neighbour->pid);
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "place");
    json_builder_add_string_value (builder, neighbour->place);
    json_builder_set_member_name (builder, "program");
    json_builder_add_string_value (builder, neighbour->program);
    json_builder_set_member_name (builder, "pid");
    json_builder_add_int_value (builder, neighbour->pid);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

/* domctl knows its own version by itself; only who asks for the daemon's gets an error for a missing one. */
static int
version_run (CommandLine *line)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) properties = NULL;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *library = NULL, *hypervisor = NULL;
  guint64 number = 0;

  if (command_try_connect (line, &error) != NULL)
    properties = connection_properties (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE, &error);
  if (properties != NULL && g_variant_lookup (properties, "LibVersion", "t", &number))
    library = unpack_version (number);
  if (properties != NULL && g_variant_lookup (properties, "Version", "t", &number))
    hypervisor = unpack_version (number);

  command_print (line, _ ("Using domctl: %s\n"), PACKAGE_VERSION);
  if (library != NULL)
    command_print (line, _ ("Using API: QEMU %s\n"), library);
  if (hypervisor != NULL)
    command_print (line, _ ("Running hypervisor: QEMU %s\n"), hypervisor);
  if (of_daemon && library != NULL)
    command_print (line, _ ("Running against daemon: %s\n"), library);
  json_builder_begin_object (builder);
  add_version (builder, "domctl", PACKAGE_VERSION);
  add_version (builder, "api", library);
  add_version (builder, "hypervisor", hypervisor);
  if (properties != NULL)
    add_neighbours (line, builder);
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  if (properties != NULL)
    return EXIT_OK;
  command_error ("%s", error->message);
  return of_daemon ? EXIT_FAILED : EXIT_OK;
}

static const GOptionEntry domcapabilities_options[] = {
  { "virttype", 0, 0, G_OPTION_ARG_STRING, &virt_type, N_ ("kvm or qemu"), N_ ("TYPE") },
  { "emulatorbin", 0, 0, G_OPTION_ARG_STRING, &emulator, N_ ("The emulator's path"), N_ ("PATH") },
  { "arch", 0, 0, G_OPTION_ARG_STRING, &arch, N_ ("The guest's architecture"), N_ ("ARCH") },
  { "machine", 0, 0, G_OPTION_ARG_STRING, &machine, N_ ("The machine type"), N_ ("MACHINE") },
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry version_options[] = {
  { "daemon", 0, 0, G_OPTION_ARG_NONE, &of_daemon, N_ ("The daemon's version too"), NULL },
  G_OPTION_ENTRY_NULL,
};

const Command host_commands[] = {
  { "capabilities", "", N_ ("What the host and its hypervisors can do"), 0, 0, NULL, capabilities_run },
  { "domcapabilities", "", N_ ("What a machine on this host can have"), 0, 0, domcapabilities_options,
    domcapabilities_run },
  { "nodeinfo", "", N_ ("The host's CPUs and memory"), 0, 0, NULL, nodeinfo_run },
  { "version", "", N_ ("Versions of domctl, the API and the hypervisor"), 0, 0, version_options,
    version_run },
  { NULL },
};
