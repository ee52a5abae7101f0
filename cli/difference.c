/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl diff`: what two documents say differently, whatever their order and spelling. Either of them may be
 * a file or a machine that is defined, so that a repository is compared with what the host has of it, or a
 * revision of what is defined is compared with another. The
 * exit status is that of diff: 0 where nothing differs, 1 where something does, 2 where they cannot be
 * compared.
 */
#include "document/difference.h"
#include "cli/connection.h"
#include "cli/documents.h"
#include "cli/history.h"
#include "domain/difference-effect.h"
#include "kinds/document-kinds.h"

#include <libvirt/libvirt.h>
#include <stdio.h>
#include <string.h>

enum { DIFF_SAME = 0, DIFF_DIFFERENT = 1, DIFF_TROUBLE = 2 };

static gboolean from_source;

typedef struct {
  const char *name;   /* what it is called in the result: the word that names it */
  const char *object; /* that which it is a revision of; NULL: it is none */
  guint revision;
  const DocumentKind *kind;
  char *source, *completed;
  DomainDef *def; /* of a domain */
  Origins *origins;
} Side;

static void
side_clear (Side *side)
{
  g_free (side->source);
  g_free (side->completed);
  domain_def_unref (side->def);
  origins_free (side->origins);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Side, side_clear)

static char *
ask_document (CommandLine *line, const char *path, gboolean own_bytes, GError **error)
{
  guint flags = VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;
  g_autoptr (GVariant) answer =
      own_bytes ? connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "GetSource", NULL, error)
                : connection_call (line->connection, path, DOMAIN_INTERFACE, "GetXMLDesc",
                                   g_variant_new ("(u)", flags), error);
  char *text = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &text);
  return text;
}

/* What the daemon has of a machine: its source, and what was chosen for it. FALSE after an error was printed.
 */
static gboolean
fetch_domain (CommandLine *line, Side *side, char **ret_kept)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;

  if (line->connection == NULL && command_connect (line) == NULL)
    return FALSE;
  if (side->object != NULL)
    side->source = history_load (line, side->object, side->revision, &error);
  else
    path = connection_find_domain (line->connection, side->name, &error);
  if (path != NULL)
    side->source = ask_document (line, path, TRUE, &error);
  if (path != NULL && side->source != NULL && !from_source)
    *ret_kept = ask_document (line, path, FALSE, &error);
  if (error != NULL)
    command_error ("%s", error->message);
  return error == NULL;
}

static gboolean
is_file (const char *word)
{
  return g_str_equal (word, "-") || strchr (word, '/') != NULL || g_str_has_suffix (word, ".xml")
         || g_file_test (word, G_FILE_TEST_IS_REGULAR);
}

/* Complete what is there of it: @kept is what was chosen before, NULL when it is to be chosen now. */
static gboolean
complete_side (Side *side, Emulators *emulators, const char *kept, Diagnostics *diagnostics)
{
  const char *text = kept != NULL ? kept : side->source;

  side->kind = document_kind_of_text (text, -1, DIAGNOSTIC_ERROR, diagnostics);
  if (side->kind == &domain_document) {
    side->def = emulators_complete (emulators, text, strlen (text), diagnostics);
    side->completed = side->def != NULL ? domain_def_to_xml (side->def, DOMAIN_WRITE_SECURE) : NULL;
  } else if (side->kind != NULL && side->kind->table != NULL) {
    gpointer def = document_read (side->kind, text, -1, 0, diagnostics);

    side->completed = def != NULL ? document_to_xml (side->kind, def, FIELD_WRITE_SECURE) : NULL;
    document_unref (side->kind, def);
  } else if (side->kind != NULL && document_check (side->kind, text, -1, diagnostics)) {
    side->completed = g_strdup (text);
  }
  if (side->completed != NULL)
    side->origins = origins_new (side->source, side->completed, diagnostics);
  return side->origins != NULL;
}

static gboolean
load_side (CommandLine *line, Side *side, Emulators *emulators)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (side->name);
  g_autoptr (GError) error = NULL;
  g_autofree char *kept = NULL;
  gboolean loaded;

  if ((side->object != NULL || !is_file (side->name)) && !fetch_domain (line, side, &kept))
    return FALSE;
  if (side->source == NULL
      && !g_file_get_contents (g_str_equal (side->name, "-") ? "/dev/stdin" : side->name, &side->source, NULL,
                               &error)) {
    command_error ("%s", error->message);
    return FALSE;
  }
  loaded = complete_side (side, emulators, kept, diagnostics);
  if (!loaded) {
    g_autofree char *text = diagnostics_to_text (diagnostics);

    fputs (text, stderr);
  }
  return loaded;
}

static void
print_value (const CommandLine *line, char sign, const char *name, Position where, const char *value)
{
  g_auto (GStrv) lines = g_strsplit (value != NULL ? value : "", "\n", -1);

  if (value == NULL)
    return;
  for (guint i = 0; lines[i] != NULL; i++) {
    if (i > 0)
      command_print (line, "  %c   %s\n", sign, lines[i]);
    else if (where.line > 0)
      command_print (line, "  %c %s:%u:%u: %s\n", sign, name, where.line, where.column, lines[i]);
    else
      command_print (line, "  %c %s: %s\n", sign, name, lines[i]);
  }
}

static void
print_difference (const CommandLine *line, const Side *before, const Side *after,
                  const Difference *difference)
{
  static const char *const effects[] = {
    "",
    N_ (" (can change while the machine runs)"),
    N_ (" (changes with its next start)"),
    N_ (" (changes the guest's hardware, with its next start)"),
  };

  command_print (line, "%s%s\n", difference->path,
                 difference->effect != DIFFERENCE_UNJUDGED ? _ (effects[difference->effect]) : "");
  print_value (line, '-', before->name, difference->where_before, difference->before);
  print_value (line, '+', after->name, difference->where_after, difference->after);
}

static void
add_value (JsonBuilder *builder, const char *name, Position where, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "value");
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
  json_builder_set_member_name (builder, "line");
  json_builder_add_int_value (builder, where.line);
  json_builder_set_member_name (builder, "column");
  json_builder_add_int_value (builder, where.column);
  json_builder_end_object (builder);
}

static void
print_json (const CommandLine *line, const Side *before, const Side *after, const GPtrArray *differences)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "before");
  json_builder_add_string_value (builder, before->name);
  json_builder_set_member_name (builder, "after");
  json_builder_add_string_value (builder, after->name);
  json_builder_set_member_name (builder, "differences");
  json_builder_begin_array (builder);
  for (guint i = 0; i < differences->len; i++) {
    const Difference *difference = g_ptr_array_index (differences, i);

    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "path");
    json_builder_add_string_value (builder, difference->path);
    add_value (builder, "before", difference->where_before, difference->before);
    add_value (builder, "after", difference->where_after, difference->after);
    if (difference->effect != DIFFERENCE_UNJUDGED) {
      json_builder_set_member_name (builder, "effect");
      json_builder_add_string_value (builder, difference_effect_name (difference->effect));
    }
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  command_print_json (line, json_builder_get_root (builder));
}

static int
compare (CommandLine *line, Side *before, Side *after)
{
  g_autoptr (GPtrArray) differences = NULL;
  Emulators emulators = { 0 };
  gboolean loaded;

  if (!emulators_open (&emulators))
    return DIFF_TROUBLE;
  loaded = load_side (line, before, &emulators) && load_side (line, after, &emulators);
  emulators_close (&emulators);
  if (!loaded)
    return DIFF_TROUBLE;
  if (before->kind != after->kind) {
    command_error (_ ("'%s' is a <%s>, and '%s' a <%s>"), before->name, before->kind->root, after->name,
                   after->kind->root);
    return DIFF_TROUBLE;
  }
  differences = documents_compare (before->origins, after->origins);
  if (before->def != NULL && after->def != NULL)
    domain_differences_judge (differences, before->def, after->def);
  for (guint i = 0; i < differences->len; i++)
    print_difference (line, before, after, g_ptr_array_index (differences, i));
  print_json (line, before, after, differences);
  return differences->len > 0 ? DIFF_DIFFERENT : DIFF_SAME;
}

/* Which revisions the words mean: NAME REVISION, with the newest one, or NAME REVISION REVISION. FALSE after
 * an error was printed. */
static gboolean
find_revisions (CommandLine *line, guint *ret_before, guint *ret_after)
{
  const char *name = line->arguments[0];
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i < line->argument_count; i++)
    if (!history_parse_number (line->arguments[i], i == 1 ? ret_before : ret_after)) {
      command_usage_error (line, _ ("'%s' is no revision: expected a number that 'domctl history' shows"),
                           line->arguments[i]);
      return FALSE;
    }
  if (line->argument_count > 2)
    return TRUE;
  if (command_connect (line) == NULL)
    return FALSE;
  *ret_after = history_newest (line, name, &error);
  if (*ret_after == 0)
    command_error ("%s", error->message);
  return *ret_after > 0;
}

static int
compare_revisions (CommandLine *line)
{
  const char *name = line->arguments[0];
  guint numbers[2] = { 0, 0 };

  if (!find_revisions (line, &numbers[0], &numbers[1]))
    return DIFF_TROUBLE;
  g_autofree char *before_name = g_strdup_printf ("%s@%u", name, numbers[0]);
  g_autofree char *after_name = g_strdup_printf ("%s@%u", name, numbers[1]);
  g_auto (Side) before = { .name = before_name, .object = name, .revision = numbers[0] };
  g_auto (Side) after = { .name = after_name, .object = name, .revision = numbers[1] };
  return compare (line, &before, &after);
}

static int
diff_run (CommandLine *line)
{
  g_auto (Side) before = { .name = line->arguments[0] }, after = { .name = line->arguments[1] };
  guint number;

  if (line->argument_count > 2
      || (history_parse_number (line->arguments[1], &number) && !is_file (line->arguments[1])))
    return compare_revisions (line);
  return compare (line, &before, &after);
}

static const GOptionEntry diff_options[] = {
  { "source", 0, 0, G_OPTION_ARG_NONE, &from_source,
    N_ ("Of defined machines, take what their documents say and not what was chosen"), NULL },
  HISTORY_KIND_OPTION,
  CAPABILITIES_OPTION,
  G_OPTION_ENTRY_NULL,
};

const Command difference_commands[] = {
  { "diff", "BEFORE AFTER | DOMAIN REVISION [REVISION]",
    N_ ("Compare two documents, or machines with them, or what one was before"), 2, 3, diff_options,
    diff_run },
  { NULL },
};
