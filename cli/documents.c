/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What can be done with a document alone: check it, complete it, give the schemas. No daemon and no root: the
 * emulator on this host is asked (once; the answer is cached), and where there is none, what Debian 12's QEMU
 * answers is taken.
 */

#include "cli/documents.h"

#include "cli/command.h"
#include "document/schema.h"
#include "domain/complete.h"
#include "domain/explain.h"
#include "kinds/document-kinds.h"
#include "targets/launch-json.h"
#include "targets/qemu/recipe.h"

#include <stdio.h>
#include <string.h>

char *capabilities_file;
static char *output_directory;
static gboolean list_schemas, explain;

#define EMULATOR_PREFIX "qemu-system-"

/* By its name. */
static gboolean
is_of_other_architecture (const char *emulator)
{
  static const char *const x86[] = { "x86_64", "i386", NULL };
  g_autofree char *name = g_path_get_basename (emulator);

  return g_str_has_prefix (name, EMULATOR_PREFIX) && !g_strv_contains (x86, name + strlen (EMULATOR_PREFIX));
}

QemuCaps *
emulators_find_caps (gpointer data, const char *emulator)
{
  Emulators *emulators = data;
  g_autofree char *found = NULL;
  g_autoptr (GError) error = NULL;
  QemuCaps *caps;

  if (emulators->fixed != NULL)
    return qemu_caps_ref (emulators->fixed);
  if (launch_is_program (emulator)) /* it is not asked as QEMU is */
    return qemu_caps_builtin ();
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

gboolean
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

void
emulators_close (Emulators *emulators)
{
  g_clear_pointer (&emulators->cache, caps_cache_free);
  g_clear_pointer (&emulators->fixed, qemu_caps_unref);
}

DomainDef *
emulators_complete (Emulators *emulators, const char *text, gsize length, Diagnostics *diagnostics)
{
  Platform *platform = qemu_platform_new (emulators_find_caps, emulators);
  DomainDef *def;

  qemu_platform_set_firmware (platform, NULL, SYSTEM_STATE_DIRECTORY);
  def = domain_def_parse (text, (gssize)length, emulators->asks_nobody ? DOMAIN_READ_ANYWHERE : 0, platform,
                          diagnostics);
  qemu_platform_free (platform);
  return def;
}

char *
documents_read_file (const char *path, gsize *ret_length, Diagnostics *diagnostics)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  if (!g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, ret_length, &error))
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED, "%s", error->message);
  return text;
}

DomainDef *
emulators_load (Emulators *emulators, const char *path, Diagnostics *diagnostics, char **ret_text)
{
  gsize length;
  g_autofree char *text = documents_read_file (path, &length, diagnostics);
  DomainDef *def = text != NULL ? emulators_complete (emulators, text, length, diagnostics) : NULL;

  if (ret_text != NULL)
    *ret_text = g_steal_pointer (&text);
  return def;
}

void
documents_print_diagnostics (const Diagnostics *diagnostics)
{
  g_autofree char *text = diagnostics_to_text (diagnostics);

  fputs (text, stderr);
}

/* Each value that was chosen, with the rule that chose it. */
static JsonNode *
choices_to_json (const Origins *origins)
{
  g_autoptr (GPtrArray) choices = domain_explain (origins);
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (guint i = 0; i < choices->len; i++) {
    const Choice *choice = g_ptr_array_index (choices, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "path");
    json_builder_add_string_value (builder, choice->path);
    json_builder_set_member_name (builder, "value");
    json_builder_add_string_value (builder, choice->value);
    json_builder_set_member_name (builder, "rule");
    json_builder_add_string_value (builder, choice->rule->name);
    json_builder_set_member_name (builder, "why");
    json_builder_add_string_value (builder, choice->rule->text);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  return json_builder_get_root (builder);
}

/* The rules that were used, a line each, behind the document. */
static void
print_rules (const CommandLine *line, const Origins *origins)
{
  g_autoptr (GPtrArray) choices = domain_explain (origins);
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);

  command_print (line, "<!--\n");
  for (guint i = 0; i < choices->len; i++) {
    const Choice *choice = g_ptr_array_index (choices, i);

    if (g_hash_table_add (told, (gpointer)choice->rule->name))
      command_print (line, "  %s: %s\n", choice->rule->name, choice->rule->text);
  }
  command_print (line, "-->\n");
}

/* @source: what the user wrote, where the choices made for it are to be explained; NULL: they are not. */
static void
print_normalized (const CommandLine *line, const char *text, const char *source)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (Origins) origins = source != NULL ? origins_new (source, text, diagnostics) : NULL;
  g_autofree char *explained = origins != NULL ? domain_explain_text (origins, text) : NULL;
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  command_print (line, "%s", explained != NULL ? explained : text);
  json_object_set_string_member (object, "document", text);
  if (origins != NULL) {
    print_rules (line, origins);
    json_object_set_member (object, "chosen", choices_to_json (origins));
  }
  json_object_unref (object);
  command_print_json (line, node);
}

/* A document of another kind than a machine's; its mistakes are in @diagnostics. (transfer full) */
static char *
complete_other (const DocumentKind *kind, const char *text, gsize length, Diagnostics *diagnostics)
{
  gpointer def;
  char *xml;

  if (kind->table == NULL) {
    diagnostics_error (diagnostics, (Position){ 1, 1 }, VIR_ERR_NO_SUPPORT,
                       "a document <%s> can be validated; there is nothing to complete in it", kind->root);
    return NULL;
  }
  def = document_read (kind, text, (gssize)length, 0, diagnostics);
  xml = def != NULL ? document_to_xml (kind, def, FIELD_WRITE_SECURE) : NULL;
  document_unref (kind, def);
  return xml;
}

static char *
complete_text (Emulators *emulators, const char *text, gsize length, gboolean *ret_is_domain,
               Diagnostics *diagnostics)
{
  const DocumentKind *kind = document_kind_of_text (text, (gssize)length, DIAGNOSTIC_ERROR, diagnostics);
  g_autoptr (DomainDef) def = NULL;

  *ret_is_domain = kind == &domain_document;
  if (kind != NULL && !*ret_is_domain)
    return complete_other (kind, text, length, diagnostics);
  def = kind != NULL ? emulators_complete (emulators, text, length, diagnostics) : NULL;
  return def != NULL ? domain_def_to_xml (def, DOMAIN_WRITE_SECURE) : NULL;
}

static int
normalize_run (CommandLine *line)
{
  const char *path = line->arguments[0];
  Emulators emulators = { 0 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  gsize length;
  g_autofree char *source = documents_read_file (path, &length, diagnostics), *text = NULL;
  gboolean is_domain = FALSE;

  if (!emulators_open (&emulators))
    return EXIT_FAILED;
  if (source != NULL)
    text = complete_text (&emulators, source, length, &is_domain, diagnostics);
  documents_print_diagnostics (diagnostics);
  if (text != NULL)
    print_normalized (line, text, explain && is_domain ? source : NULL);
  emulators_close (&emulators);
  return text != NULL ? EXIT_OK : EXIT_FAILED;
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

static const GOptionEntry normalize_options[] = {
  { "explain", 0, 0, G_OPTION_ARG_NONE, &explain, N_ ("Say of each value that was chosen, why"), NULL },
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
  { "validate", "FILE...", N_ ("Check documents of any kind; one line for each mistake"), 1, G_MAXUINT,
    validate_options, validate_run },
  { "normalize", "FILE", N_ ("Print the document with everything it left open filled in"), 1, 1,
    normalize_options, normalize_run },
  { "schema", "[NAME]", N_ ("Print a RelaxNG schema of the format"), 0, 1, schema_options, schema_run },
  { NULL },
};
