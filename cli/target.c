/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a document becomes: QEMU's command line, and the configs of other hypervisors and runtimes, out and
 * in. Neither a daemon nor root is needed. What a target cannot do is named by place before anything is
 * printed, so that a config that was made says all that the document says, or --drop was given.
 */

#include "targets/target.h"
#include "cli/documents.h"
#include "cli/table.h"
#include "daemon/host/dmi.h"
#include "daemon/host/host-clock.h"
#include "targets/qemu/recipe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RUN_DIRECTORY    "/run/domaind/machines" /* as a system daemon has it */
#define CONFIG_MAX_BYTES (8 * 1024 * 1024)       /* of a file that is read as another hypervisor's config */

static char *target_name, *format, *output_directory, *from, *for_file;
static gboolean drop;

/* The launch config of a definition, with the places a system daemon would use. NULL when it cannot be made:
 * why is in @diagnostics, and with @drops what is left out. (transfer full) */
static TargetConfig *
make_config (const Target *target, DomainDef *def, Emulators *emulators, const char *text, gboolean drops,
             Diagnostics *diagnostics)
{
  g_autofree char *run_directory = g_build_filename (RUN_DIRECTORY, def->uuid, NULL);
  g_autoptr (QemuCaps) caps = emulators_find_caps (emulators, def->emulator);
  g_autoptr (Sysinfo) smbios = def->os.smbios_mode == SMBIOS_MODE_HOST ? dmi_read (NULL) : NULL;
  const TargetRequest request = { .def = def,
                                  .document = text,
                                  .run_directory = run_directory,
                                  .state_directory = SYSTEM_STATE_DIRECTORY,
                                  .caps = caps,
                                  .smbios = smbios,
                                  .clock_khz = host_clock_khz (def),
                                  .now = g_get_real_time () / G_USEC_PER_SEC };
  g_autoptr (TargetLosses) losses = target_losses_new (target, text);
  g_autoptr (TargetConfig) config = target_config_new ();
  g_autoptr (GError) error = NULL;

  if (!target->translate (&request, config, losses, &error))
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_CONFIG_UNSUPPORTED, "%s", error->message);
  target_losses_report (losses, drops, diagnostics);
  return diagnostics_has_errors (diagnostics) ? NULL : g_steal_pointer (&config);
}

static void
print_command (const char *const *environment, const char *const *argv)
{
  g_autofree char *lines = NULL;

  for (guint i = 0; environment != NULL && environment[i] != NULL; i++) {
    const char *equals = strchr (environment[i], '=');
    g_autofree char *name = g_strndup (environment[i], equals - environment[i]);
    g_autofree char *value = g_shell_quote (equals + 1);

    printf ("%s=%s \\\n", name, value);
  }
  lines = launch_lines (argv, launch_word);
  printf ("%s\n", lines);
}

/* One line, as a shell takes it. (transfer full) */
static char *
command_to_line (const char *const *argv)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; argv[i] != NULL; i++) {
    g_autofree char *word = launch_word (argv[i]);

    g_string_append_printf (text, "%s%s", i > 0 ? " " : "", word);
  }
  return g_string_free (text, FALSE);
}

static void
add_words (JsonBuilder *builder, const char *const *words)
{
  json_builder_begin_array (builder);
  for (guint i = 0; words[i] != NULL; i++)
    json_builder_add_string_value (builder, words[i]);
  json_builder_end_array (builder);
}

static void
add_command (JsonBuilder *builder, const char *const *environment, const char *const *argv)
{
  json_builder_set_member_name (builder, "env");
  json_builder_begin_object (builder);
  for (guint i = 0; environment != NULL && environment[i] != NULL; i++) {
    const char *equals = strchr (environment[i], '=');
    g_autofree char *name = g_strndup (environment[i], equals - environment[i]);

    json_builder_set_member_name (builder, name);
    json_builder_add_string_value (builder, equals + 1);
  }
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "argv");
  add_words (builder, argv);
}

static JsonNode *
config_to_json (const TargetConfig *config)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const GPtrArray *files = target_config_files (config), *steps = target_config_steps (config);

  json_builder_begin_object (builder);
  if (target_config_argv (config) != NULL)
    add_command (builder, target_config_environment (config), target_config_argv (config));
  if (files->len > 0) {
    json_builder_set_member_name (builder, "files");
    json_builder_begin_object (builder);
    for (guint i = 0; i < files->len; i++) {
      const TargetFile *file = g_ptr_array_index (files, i);

      json_builder_set_member_name (builder, file->name);
      json_builder_add_string_value (builder, file->content);
    }
    json_builder_end_object (builder);
  }
  if (steps->len > 0) {
    json_builder_set_member_name (builder, "steps");
    json_builder_begin_array (builder);
    for (guint i = 0; i < steps->len; i++)
      add_words (builder, g_ptr_array_index (steps, i));
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* What belongs to a config besides what is printed on standard output. */
static void
print_beside (const char *path, const TargetConfig *config)
{
  const GPtrArray *files = target_config_files (config), *steps = target_config_steps (config);

  for (const char *const *warning = target_config_warnings (config); *warning != NULL; warning++)
    fprintf (stderr, _ ("%s: warning: %s\n"), path, *warning);
  for (guint i = 0; i < steps->len; i++) {
    g_autofree char *command = command_to_line (g_ptr_array_index (steps, i));

    fprintf (stderr, _ ("%s: run before: %s\n"), path, command);
  }
  if (files->len > 0 && target_config_argv (config) != NULL) {
    g_autofree char *command = command_to_line (target_config_argv (config));

    fprintf (stderr, _ ("%s: start with: %s\n"), path, command);
  }
  if (files->len > 1 && output_directory == NULL)
    fprintf (stderr, _ ("%s: %u more files belong to it: write them with --output DIRECTORY\n"), path,
             files->len - 1);
}

static int
write_config (CommandLine *line, const char *path, const TargetConfig *config)
{
  const GPtrArray *files = target_config_files (config);
  g_autoptr (GError) error = NULL;

  if (files->len == 0)
    return command_usage_error (line, _ ("'%s' makes a command and no file: leave --output out"),
                                target_name);
  if (g_mkdir_with_parents (output_directory, 0777) < 0)
    return command_error (_ ("cannot make directory '%s': %s"), output_directory, g_strerror (errno));
  for (guint i = 0; i < files->len; i++) {
    const TargetFile *file = g_ptr_array_index (files, i);
    g_autofree char *name = g_build_filename (output_directory, file->name, NULL);

    if (!g_file_set_contents_full (name, file->content, -1, G_FILE_SET_CONTENTS_CONSISTENT,
                                   file->is_program ? 0777 : 0666, &error))
      return command_error ("%s", error->message);
    command_print (line, "%s\n", name);
  }
  print_beside (path, config);
  return EXIT_OK;
}

static void
print_config (CommandLine *line, const char *path, const TargetConfig *config)
{
  const GPtrArray *files = target_config_files (config);

  print_beside (path, config);
  if (line->json)
    command_print_json (line, config_to_json (config));
  else if (files->len > 0)
    command_print (line, "%s", ((const TargetFile *)g_ptr_array_index (files, 0))->content);
  else
    print_command (target_config_environment (config), target_config_argv (config));
}

/* "'a', 'b' or 'c'". (transfer full) */
static char *
list_names (const GPtrArray *names)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s'%s'",
                            i == 0               ? ""
                            : i + 1 < names->len ? ", "
                                                 : _ (" or "),
                            (const char *)g_ptr_array_index (names, i));
  return g_string_free (text, FALSE);
}

/* Those that documents become, or with @imports those that are read. (transfer full) */
static char *
names_of_targets (gboolean imports)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (const Target *const *target = targets_all (); *target != NULL; target++)
    if (imports ? (*target)->import != NULL : (*target)->translate != NULL)
      g_ptr_array_add (names, (gpointer)(*target)->name);
  return list_names (names);
}

static char *
names_of_formats (const Target *target)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  g_ptr_array_add (names, (gpointer) "text");
  g_ptr_array_add (names, (gpointer) "json");
  for (const Target *const *form = target->formats; form != NULL && *form != NULL; form++)
    g_ptr_array_add (names, (gpointer)(*form)->name);
  return list_names (names);
}

static int
translate_run (CommandLine *line)
{
  const char *path = line->arguments[0];
  const Target *target = target_find (target_name != NULL ? target_name : "qemu-argv");
  Emulators emulators = { 0 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = NULL;
  g_autoptr (DomainDef) def = NULL;
  g_autoptr (TargetConfig) config = NULL;

  if (target == NULL || target->translate == NULL) {
    g_autofree char *names = names_of_targets (FALSE);

    return command_usage_error (line, _ ("unknown target '%s': expected %s"), target_name, names);
  }
  line->json = line->json || g_strcmp0 (format, "json") == 0;
  if (format != NULL && !g_str_equal (format, "text") && !g_str_equal (format, "json")) {
    g_autofree char *formats = names_of_formats (target);

    target = target_find_format (target, format);
    if (target == NULL)
      return command_usage_error (line, _ ("unknown format '%s': expected %s"), format, formats);
  }
  if (!emulators_open (&emulators))
    return EXIT_FAILED;

  def = emulators_load (&emulators, path, diagnostics, &text);
  if (def != NULL) {
    domain_def_assign_aliases (def);
    config = make_config (target, def, &emulators, text, drop, diagnostics);
  }
  documents_print_diagnostics (diagnostics);
  emulators_close (&emulators);
  if (config == NULL)
    return EXIT_FAILED;
  if (output_directory != NULL)
    return write_config (line, path, config);
  print_config (line, path, config);
  return EXIT_OK;
}

/* What each target loses of one document, a line each with its place. */
static int
print_losses (CommandLine *line)
{
  Emulators emulators = { 0 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (for_file);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *text = NULL;
  g_autoptr (DomainDef) def = NULL;

  if (!emulators_open (&emulators))
    return EXIT_FAILED;
  def = emulators_load (&emulators, for_file, diagnostics, &text);
  documents_print_diagnostics (diagnostics);
  if (def != NULL)
    domain_def_assign_aliases (def);
  json_builder_begin_object (builder);
  for (const Target *const *target = targets_all (); def != NULL && *target != NULL; target++) {
    g_autoptr (Diagnostics) losses = diagnostics_new (for_file);
    g_autoptr (TargetConfig) config = NULL;
    g_autofree char *lines = NULL;

    if ((*target)->translate == NULL)
      continue;
    config = make_config (*target, def, &emulators, text, FALSE, losses);
    lines = diagnostics_to_text (losses);
    if (config != NULL)
      command_print (line, _ ("%s: all of it\n"), (*target)->name);
    else
      command_print (line, ngettext ("%s: %u loss\n", "%s: %u losses\n", diagnostics_count (losses)),
                     (*target)->name, diagnostics_count (losses));
    command_print (line, "%s", lines);
    json_builder_set_member_name (builder, (*target)->name);
    json_builder_begin_array (builder);
    for (guint i = 0; i < diagnostics_count (losses); i++) {
      const Diagnostic *loss = diagnostics_get (losses, i);

      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "line");
      json_builder_add_int_value (builder, loss->where.line);
      json_builder_set_member_name (builder, "column");
      json_builder_add_int_value (builder, loss->where.column);
      json_builder_set_member_name (builder, "message");
      json_builder_add_string_value (builder, loss->message);
      json_builder_end_object (builder);
    }
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  emulators_close (&emulators);
  return def != NULL ? EXIT_OK : EXIT_FAILED;
}

/* What the table shows is for people; the rest is too wide for it. */
static void
add_target (JsonBuilder *builder, const Target *target)
{
  g_autofree const char **lacks = target_lacking_devices (target);

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "name");
  json_builder_add_string_value (builder, target->name);
  json_builder_set_member_name (builder, "title");
  json_builder_add_string_value (builder, target->title);
  json_builder_set_member_name (builder, "summary");
  json_builder_add_string_value (builder, target->summary);
  json_builder_set_member_name (builder, "out");
  json_builder_add_boolean_value (builder, target->translate != NULL);
  json_builder_set_member_name (builder, "in");
  json_builder_add_boolean_value (builder, target->import != NULL);
  json_builder_set_member_name (builder, "formats");
  json_builder_begin_array (builder);
  for (const Target *const *form = target->formats; form != NULL && *form != NULL; form++)
    json_builder_add_string_value (builder, (*form)->name);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "lacks");
  add_words (builder, (const char *const *)lacks);
  json_builder_end_object (builder);
}

static int
targets_run (CommandLine *line)
{
  g_autoptr (Table) table = table_new (_ ("Name"), _ ("Out"), _ ("In"), _ ("What it is"), NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *text = NULL;

  if (for_file != NULL)
    return print_losses (line);
  json_builder_begin_array (builder);
  for (const Target *const *target = targets_all (); *target != NULL; target++) {
    gboolean out = (*target)->translate != NULL, in = (*target)->import != NULL;

    table_add (table, (*target)->name, out ? _ ("yes") : _ ("no"), in ? _ ("yes") : _ ("no"),
               _ ((*target)->summary), NULL);
    for (const Target *const *form = (*target)->formats; form != NULL && *form != NULL; form++) {
      g_autofree char *name = g_strdup_printf ("%s --format=%s", (*target)->name, (*form)->name);

      table_add (table, name, _ ("yes"), _ ("no"), _ ((*form)->summary), NULL);
    }
    add_target (builder, *target);
  }
  json_builder_end_array (builder);
  text = table_to_string (table);
  command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

static int
import_config_run (CommandLine *line)
{
  const char *path = line->arguments[0];
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = NULL, *name = g_path_get_basename (path), *document = NULL;
  const Target *target = from != NULL ? target_find (from) : NULL;
  JsonObject *object;
  gsize length = 0;

  if (from != NULL && (target == NULL || target->import == NULL)) {
    g_autofree char *names = names_of_targets (TRUE);

    return command_usage_error (line, _ ("no config '%s' is read: expected %s"), from, names);
  }
  text = documents_read_file (path, &length, diagnostics);
  if (text != NULL && (length > CONFIG_MAX_BYTES || !g_utf8_validate (text, (gssize)length, NULL)))
    return command_error (_ ("%s: a config is UTF-8 text of at most %d bytes"), path, CONFIG_MAX_BYTES);
  if (text != NULL && target == NULL)
    target = target_recognize (name, text);
  if (text != NULL && target == NULL) {
    g_autofree char *names = names_of_targets (TRUE);

    return command_error (_ ("%s: nothing in it says whose config it is: give --from %s"), path, names);
  }
  if (text != NULL)
    document = target->import (text, diagnostics);
  documents_print_diagnostics (diagnostics);
  if (document == NULL)
    return EXIT_FAILED;
  command_print (line, "%s", document);
  object = json_object_new ();
  json_object_set_string_member (object, "document", document);
  json_object_set_string_member (object, "from", target->name);
  command_print_json (line, json_node_init_object (json_node_alloc (), object));
  json_object_unref (object);
  return EXIT_OK;
}

static const GOptionEntry translate_options[] = {
  { "to", 0, 0, G_OPTION_ARG_STRING, &target_name,
    N_ ("Launch config to make: qemu-argv (default), or another of `domctl targets`"), N_ ("TARGET") },
  { "format", 0, 0, G_OPTION_ARG_STRING, &format, N_ ("text (default), json, script or unit"),
    N_ ("FORMAT") },
  { "drop", 0, 0, G_OPTION_ARG_NONE, &drop,
    N_ ("Leave out what the target cannot do, with a warning for each"), NULL },
  { "output", 0, 0, G_OPTION_ARG_FILENAME, &output_directory,
    N_ ("Write all files of the config into DIRECTORY"), N_ ("DIRECTORY") },
  CAPABILITIES_OPTION,
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry targets_options[] = {
  { "for", 0, 0, G_OPTION_ARG_FILENAME, &for_file, N_ ("Say of each what it cannot do of the document FILE"),
    N_ ("FILE") },
  CAPABILITIES_OPTION,
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry import_config_options[] = {
  { "from", 0, 0, G_OPTION_ARG_STRING, &from,
    N_ ("Whose config it is; recognized by name and content when left out"), N_ ("TARGET") },
  G_OPTION_ENTRY_NULL,
};

const Command target_commands[] = {
  { "translate", "FILE", N_ ("Print the launch config a document becomes"), 1, 1, translate_options,
    translate_run },
  { "targets", "", N_ ("List what a document can become, and what each cannot do"), 0, 0, targets_options,
    targets_run },
  { "import-config", "FILE", N_ ("Print the document of another hypervisor's config"), 1, 1,
    import_config_options, import_config_run },
  { NULL },
};
