/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can be done with a document alone: check it, complete it, show what it becomes in QEMU, give the
 * schemas. No daemon and no root: the emulator on this host is asked (once; the answer is cached), and
 * where there is none, what Debian 12's QEMU answers is taken.
 */

#include "cli/command.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/host/dmi.h"
#include "document/schema.h"
#include "domain/complete.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>
#include <string.h>

#define STATE_DIRECTORY "/var/lib/domaind" /* as a system daemon has it */

typedef struct {
  CapsCache *cache;
  QemuCaps *fixed;      /* --capabilities */
  gboolean asks_nobody; /* documents are judged as they would be on any other host */
  gboolean warned;
} Emulators;

static char *capabilities_file;
static char *target;
static char *format;
static char *output_directory;
static gboolean list_schemas;

#define EMULATOR_PREFIX "qemu-system-"

/* By its name. */
static gboolean
is_of_other_architecture (const char *emulator)
{
  static const char *const x86[] = { "x86_64", "i386", NULL };
  g_autofree char *name = g_path_get_basename (emulator);

  return g_str_has_prefix (name, EMULATOR_PREFIX) && !g_strv_contains (x86, name + strlen (EMULATOR_PREFIX));
}

/* A platform's question: the capabilities of an emulator, by path. */
static QemuCaps *
find_caps (gpointer data, const char *emulator)
{
  Emulators *emulators = data;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  QemuCaps *caps;

  if (emulators->fixed != NULL)
    return qemu_caps_ref (emulators->fixed);
  if (emulators->asks_nobody)
    return emulator != NULL && is_of_other_architecture (emulator) ? NULL : qemu_caps_builtin ();
  if (emulator == NULL)
    emulator = found = qemu_find_emulator ("x86_64");
  caps = emulator != NULL ? caps_cache_get (emulators->cache, emulator, &error) : NULL;
  if (caps != NULL)
    return caps;
  if (emulator != NULL && is_of_other_architecture (emulator))
    return NULL; /* of which nothing is built in */

  if (!emulators->warned) {
    if (emulator != NULL)
      fprintf (stderr, _ ("warning: emulator '%s' cannot be asked (%s): assuming Debian 12's QEMU 7.2\n"),
               emulator, error->message);
    else
      fprintf (stderr, _ ("warning: no QEMU is installed: assuming Debian 12's QEMU 7.2\n"));
    emulators->warned = TRUE;
  }
  return qemu_caps_builtin ();
}

static gboolean
emulators_open (Emulators *emulators)
{
  g_autofree char *directory = g_build_filename (g_get_user_cache_dir (), "domaind", NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (capabilities_file != NULL) {
    if (g_file_get_contents (capabilities_file, &text, NULL, &error)) {
      /* A file of the cache has a line before the capabilities that says which binary they are of. */
      const char *line_end = text[0] != '{' ? strchr (text, '\n') : NULL;

      emulators->fixed = qemu_caps_from_json (line_end != NULL ? line_end + 1 : text, -1, &error);
    }
    if (emulators->fixed == NULL) {
      command_error (_ ("cannot read capabilities '%s': %s"), capabilities_file, error->message);
      return FALSE;
    }
  }
  emulators->cache = caps_cache_new (directory);
  return TRUE;
}

static void
emulators_close (Emulators *emulators)
{
  g_clear_pointer (&emulators->cache, caps_cache_free);
  g_clear_pointer (&emulators->fixed, qemu_caps_unref);
}

/* Read and complete one file; its mistakes are in @diagnostics. "-" is standard input. @ret_text (may be
 * NULL) gets what was read. */
static DomainDef *
load_document (const char *path, guint flags, Emulators *emulators, Diagnostics *diagnostics, char **ret_text)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;
  Platform *platform;
  DomainDef *def;
  gsize length;

  if (!g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, &length, &error)) {
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED, "%s", error->message);
    return NULL;
  }
  platform = qemu_platform_new (find_caps, emulators);
  qemu_platform_set_firmware (platform, NULL, STATE_DIRECTORY);
  def = domain_def_parse (text, length, flags, platform, diagnostics);
  qemu_platform_free (platform);
  if (ret_text != NULL)
    *ret_text = g_steal_pointer (&text);
  return def;
}

static JsonNode *
diagnostics_to_json (const Diagnostics *diagnostics)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < diagnostics_count (diagnostics); i++) {
    const Diagnostic *diagnostic = diagnostics_get (diagnostics, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "severity");
    json_builder_add_string_value (builder, diagnostic->severity == DIAGNOSTIC_ERROR ? "error" : "warning");
    json_builder_set_member_name (builder, "line");
    json_builder_add_int_value (builder, diagnostic->where.line);
    json_builder_set_member_name (builder, "column");
    json_builder_add_int_value (builder, diagnostic->where.column);
    json_builder_set_member_name (builder, "code");
    json_builder_add_int_value (builder, diagnostic->code);
    json_builder_set_member_name (builder, "message");
    json_builder_add_string_value (builder, diagnostic->message);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  return json_builder_get_root (builder);
}

static void
print_diagnostics (const Diagnostics *diagnostics)
{
  g_autofree char *text = diagnostics_to_text (diagnostics);

  fputs (text, stderr);
}

static int
validate_run (CommandLine *line)
{
  Emulators emulators = { 0 };
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  int status = EXIT_OK;

  if (!emulators_open (&emulators))
    return EXIT_FAILED;
  emulators.asks_nobody = emulators.fixed == NULL;
  json_builder_begin_object (builder);
  for (guint i = 0; i < line->argument_count; i++) {
    const char *path = line->arguments[i];
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
    g_autoptr (DomainDef) def =
        load_document (path, emulators.asks_nobody ? DOMAIN_READ_ANYWHERE : 0, &emulators, diagnostics, NULL);

    if (def == NULL)
      status = EXIT_FAILED;
    if (!line->json)
      print_diagnostics (diagnostics);
    json_builder_set_member_name (builder, path);
    json_builder_add_value (builder, diagnostics_to_json (diagnostics));
  }
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
  emulators_close (&emulators);
  return status;
}

static int
normalize_run (CommandLine *line)
{
  const char *path = line->arguments[0];
  Emulators emulators = { 0 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autoptr (DomainDef) def = NULL;

  if (!emulators_open (&emulators))
    return EXIT_FAILED;
  def = load_document (path, 0, &emulators, diagnostics, NULL);
  print_diagnostics (diagnostics);
  if (def != NULL) {
    g_autofree char *text = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
    JsonObject *object = json_object_new ();
    JsonNode *node = json_node_init_object (json_node_alloc (), object);

    command_print (line, "%s", text);
    json_object_set_string_member (object, "document", text);
    json_object_unref (object);
    command_print_json (line, node);
  }
  emulators_close (&emulators);
  return def != NULL ? EXIT_OK : EXIT_FAILED;
}

static void
print_launch (char **environment, char **argv)
{
  for (guint i = 0; environment[i] != NULL; i++) {
    const char *equals = strchr (environment[i], '=');
    g_autofree char *name = g_strndup (environment[i], equals - environment[i]);
    g_autofree char *value = g_shell_quote (equals + 1);

    printf ("%s=%s \\\n", name, value);
  }
  for (guint i = 0; argv[i] != NULL; i++) {
    g_autofree char *word = launch_word (argv[i]);
    gboolean starts_line = argv[i][0] == '-' && i > 0;
    gboolean ends_line = argv[i + 1] == NULL || argv[i + 1][0] == '-';

    printf ("%s%s%s", i == 0 || starts_line ? "" : " ", word,
            argv[i + 1] == NULL ? "\n"
            : ends_line         ? " \\\n"
                                : "");
  }
}

static JsonNode *
launch_to_json (char **environment, char **argv)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "env");
  json_builder_begin_object (builder);
  for (guint i = 0; environment[i] != NULL; i++) {
    const char *equals = strchr (environment[i], '=');
    g_autofree char *name = g_strndup (environment[i], equals - environment[i]);

    json_builder_set_member_name (builder, name);
    json_builder_add_string_value (builder, equals + 1);
  }
  json_builder_end_object (builder);
  json_builder_set_member_name (builder, "argv");
  json_builder_begin_array (builder);
  for (guint i = 0; argv[i] != NULL; i++)
    json_builder_add_string_value (builder, argv[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return json_builder_get_root (builder);
}

/* The launch config of a definition, with the places a system daemon would use. NULL when it has parts that
 * cannot be made: they are in @diagnostics, with their places in @text. */
static Recipe *
make_recipe (DomainDef *def, Emulators *emulators, const char *text, Diagnostics *diagnostics)
{
  g_autofree char *run_directory = g_build_filename ("/run/domaind/machines", def->uuid, NULL);
  g_autoptr (QemuCaps) caps = find_caps (emulators, def->emulator);
  RecipeHost host = { .run_directory = run_directory,
                      .state_directory = STATE_DIRECTORY,
                      .monitor_fd = -1,
                      .now = g_get_real_time () / G_USEC_PER_SEC };
  g_autoptr (Sysinfo) smbios = def->os.smbios_mode == SMBIOS_MODE_HOST ? dmi_read (NULL) : NULL;
  g_autoptr (Recipe) recipe = NULL;

  if (caps == NULL) {
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_CONFIG_UNSUPPORTED,
                       "the emulator for '%s' cannot be asked: install the QEMU system emulator for it",
                       def->os.arch);
    return NULL;
  }
  host.smbios = smbios;
  domain_def_assign_aliases (def);
  recipe = recipe_new (def, caps, &host, RECIPE_BY_PATH);
  if (recipe_add_domain (recipe, NULL))
    return g_steal_pointer (&recipe);
  recipe_report_problems (recipe, text, diagnostics);
  return NULL;
}

static int
translate_run (CommandLine *line)
{
  const char *path = line->arguments[0];
  gboolean json = line->json || g_strcmp0 (format, "json") == 0;
  Emulators emulators = { 0 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = NULL;
  g_autoptr (DomainDef) def = NULL;
  g_autoptr (Recipe) recipe = NULL;

  if (target != NULL && !g_str_equal (target, "qemu-argv"))
    return command_usage_error (line, _ ("unknown target '%s': expected 'qemu-argv'"), target);
  if (format != NULL && !g_str_equal (format, "text") && !g_str_equal (format, "json"))
    return command_usage_error (line, _ ("unknown format '%s': expected 'text' or 'json'"), format);
  if (!emulators_open (&emulators))
    return EXIT_FAILED;

  def = load_document (path, 0, &emulators, diagnostics, &text);
  if (def != NULL)
    recipe = make_recipe (def, &emulators, text, diagnostics);
  print_diagnostics (diagnostics);
  if (recipe != NULL) {
    g_auto (GStrv) environment = recipe_to_environment (recipe);
    g_auto (GStrv) argv = recipe_to_argv (recipe);

    for (const char *const *warning = recipe_warnings (recipe); *warning != NULL; warning++)
      fprintf (stderr, _ ("%s: warning: %s\n"), path, *warning);
    if (json) {
      line->json = TRUE;
      command_print_json (line, launch_to_json (environment, argv));
    } else {
      print_launch (environment, argv);
    }
  }
  emulators_close (&emulators);
  return recipe != NULL ? EXIT_OK : EXIT_FAILED;
}

static int
write_schemas (CommandLine *line)
{
  g_autoptr (GError) error = NULL;

  if (g_mkdir_with_parents (output_directory, 0777) < 0)
    return command_error (_ ("cannot make directory '%s': %s"), output_directory, g_strerror (errno));
  for (const char *const *name = schema_names (); *name != NULL; name++) {
    g_autofree char *path = g_build_filename (output_directory, *name, NULL);

    if (!g_file_set_contents (path, schema_text (*name), -1, &error))
      return command_error ("%s", error->message);
    command_print (line, "%s\n", path);
  }
  return EXIT_OK;
}

static int
schema_run (CommandLine *line)
{
  const char *name = line->argument_count > 0 ? line->arguments[0] : "domain.rng";
  const char *text = schema_text (name);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (output_directory != NULL)
    return write_schemas (line);
  if (!list_schemas && text == NULL)
    return command_error (_ ("no schema is called '%s': 'domctl schema --list' names them"), name);

  json_builder_begin_object (builder);
  for (const char *const *known = schema_names (); *known != NULL; known++) {
    if (list_schemas)
      command_print (line, "%s\n", *known);
    else if (!g_str_equal (*known, name))
      continue;
    json_builder_set_member_name (builder, *known);
    json_builder_add_string_value (builder, schema_text (*known));
  }
  json_builder_end_object (builder);
  if (!list_schemas)
    command_print (line, "%s", text);
  command_print_json (line, json_builder_get_root (builder));
  return EXIT_OK;
}

#define CAPABILITIES_OPTION                                            \
  {                                                                    \
    "capabilities", 0, 0, G_OPTION_ARG_FILENAME, &capabilities_file,   \
        N_ ("Take the emulator's capabilities from FILE"), N_ ("FILE") \
  }

static const GOptionEntry document_options[] = { CAPABILITIES_OPTION, G_OPTION_ENTRY_NULL };

static const GOptionEntry translate_options[] = {
  { "to", 0, 0, G_OPTION_ARG_STRING, &target, N_ ("Launch config to make: qemu-argv (default)"),
    N_ ("TARGET") },
  { "format", 0, 0, G_OPTION_ARG_STRING, &format, N_ ("text (default) or json"), N_ ("FORMAT") },
  CAPABILITIES_OPTION,
  G_OPTION_ENTRY_NULL,
};

static const GOptionEntry schema_options[] = {
  { "list", 0, 0, G_OPTION_ARG_NONE, &list_schemas, N_ ("Name the schemas"), NULL },
  { "output", 0, 0, G_OPTION_ARG_FILENAME, &output_directory, N_ ("Write all schemas into DIRECTORY"),
    N_ ("DIRECTORY") },
  G_OPTION_ENTRY_NULL,
};

const Command document_commands[] = {
  { "validate", "FILE...", N_ ("Check documents; one line for each mistake"), 1, G_MAXUINT, document_options,
    validate_run },
  { "normalize", "FILE", N_ ("Print the document with everything it left open filled in"), 1, 1,
    document_options, normalize_run },
  { "translate", "FILE", N_ ("Print the launch config a document becomes"), 1, 1, translate_options,
    translate_run },
  { "schema", "[NAME]", N_ ("Print a RelaxNG schema of the format"), 0, 1, schema_options, schema_run },
  { NULL },
};
