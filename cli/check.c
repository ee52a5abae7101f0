/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl check`: would it start on this host, before anybody tries. The daemon looks, as it is the one that
 * starts; what is named is a machine it has, or documents that it need not have. All findings are printed,
 * each with what can be done about it.
 */
#include "cli/command.h"
#include "cli/connection.h"
#include "cli/document-files.h"

#include "base/diagnostics.h"
#include "domain/domain-def.h"
#include "kinds/document-kinds.h"

#include <stdio.h>
#include <string.h>

enum { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITIES };

static const char *const severities[SEVERITIES] = { N_ ("note"), N_ ("warning"), N_ ("error") };
static const char *const severity_words[SEVERITIES] = { "note", "warning", "error" };

/* What is checked: one machine, or one document. */
typedef struct {
  const char *file; /* NULL: a machine of the daemon's */
  char *name;
  GVariant *findings; /* a(suuuss) */
} Checked;

static void
checked_clear (Checked *checked)
{
  g_free (checked->name);
  g_clear_pointer (&checked->findings, g_variant_unref);
}

static gboolean
fails (const Checked *checked)
{
  for (gsize i = 0; i < g_variant_n_children (checked->findings); i++) {
    guint32 severity;

    g_variant_get_child (checked->findings, i, "(&suuu&s&s)", NULL, &severity, NULL, NULL, NULL, NULL);
    if (severity >= SEVERITY_ERROR)
      return TRUE;
  }
  return FALSE;
}

static void
print_finding (const CommandLine *line, const Checked *checked, gsize index)
{
  const char *check, *what, *cure;
  g_autofree char *place = NULL;
  guint32 severity, row, column;

  g_variant_get_child (checked->findings, index, "(&suuu&s&s)", &check, &severity, &row, &column, &what,
                       &cure);
  if (row > 0 && checked->file != NULL)
    place = g_strdup_printf ("%s:%u:%u", checked->file, row, column);
  else if (row > 0)
    place = g_strdup_printf ("%s:%u:%u", checked->name, row, column);
  else
    place = g_strdup (*checked->name != '\0' ? checked->name : checked->file);
  command_print (line, "%s: %s: %s [%s]\n", place, _ (severities[MIN (severity, SEVERITY_ERROR)]), what,
                 check);
  if (*cure != '\0')
    command_print (line, _ ("    to do: %s\n"), cure);
}

static void
print_text (const CommandLine *line, const Checked *checked)
{
  for (gsize i = 0; i < g_variant_n_children (checked->findings); i++)
    print_finding (line, checked, i);
  if (!fails (checked))
    command_print (line, _ ("%s: nothing stands in the way of a start\n"), checked->name);
}

static void
add_json (JsonBuilder *builder, const Checked *checked)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "domain");
  json_builder_add_string_value (builder, checked->name);
  if (checked->file != NULL) {
    json_builder_set_member_name (builder, "file");
    json_builder_add_string_value (builder, checked->file);
  }
  json_builder_set_member_name (builder, "starts");
  json_builder_add_boolean_value (builder, !fails (checked));
  json_builder_set_member_name (builder, "findings");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < g_variant_n_children (checked->findings); i++) {
    const char *check, *what, *cure;
    guint32 severity, row, column;

    g_variant_get_child (checked->findings, i, "(&suuu&s&s)", &check, &severity, &row, &column, &what, &cure);
    json_builder_begin_object (builder);
    json_builder_set_member_name (builder, "check");
    json_builder_add_string_value (builder, check);
    json_builder_set_member_name (builder, "severity");
    json_builder_add_string_value (builder, severity_words[MIN (severity, SEVERITY_ERROR)]);
    if (row > 0) {
      json_builder_set_member_name (builder, "line");
      json_builder_add_int_value (builder, row);
      json_builder_set_member_name (builder, "column");
      json_builder_add_int_value (builder, column);
    }
    json_builder_set_member_name (builder, "message");
    json_builder_add_string_value (builder, what);
    json_builder_set_member_name (builder, "todo");
    json_builder_add_string_value (builder, cure);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

/* FALSE: it could not be asked, and an error was printed. */
static gboolean
take_answer (Checked *checked, GVariant *answer, const GError *error)
{
  if (answer == NULL) {
    command_error ("%s", error->message);
    return FALSE;
  }
  g_variant_get (answer, "(s@a(suuuss))", &checked->name, &checked->findings);
  return TRUE;
}

static gboolean
check_machine (CommandLine *line, const char *word, Checked *checked)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = connection_find_domain (line->connection, word, &error);
  g_autoptr (GVariant) answer = NULL;

  if (path != NULL)
    answer = connection_call (line->connection, path, OWN_DOMAIN_INTERFACE, "Check", g_variant_new ("(u)", 0),
                              &error);
  return take_answer (checked, answer, error);
}

static gboolean
check_text (CommandLine *line, const char *text, Checked *checked)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) answer = connection_call (line->connection, LIBVIRT_ROOT, OWN_CONNECT_INTERFACE,
                                                 "CheckDomainXML", g_variant_new ("(su)", text, 0), &error);

  return take_answer (checked, answer, error);
}

static char *
read_document (const char *path)
{
  g_autoptr (GError) error = NULL;
  char *text = NULL;

  if (!g_file_get_contents (g_str_equal (path, "-") ? "/dev/stdin" : path, &text, NULL, &error))
    command_error ("%s", error->message);
  return text;
}

/* In a directory there are documents of other kinds, and others that nobody said were for us. */
static gboolean
is_passed_over (const DocumentFile *file, const char *text)
{
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL);
  const DocumentKind *kind =
      file->named ? NULL : document_kind_of_text (text, -1, DIAGNOSTIC_WARNING, reading);

  return !file->named && kind != NULL && kind != &domain_document;
}

typedef struct {
  CommandLine *line;
  JsonBuilder *builder;
  int status;
} Run;

static void
finish (Run *run, Checked *checked, gboolean asked)
{
  if (!asked || fails (checked))
    run->status = EXIT_FAILED;
  if (asked) {
    print_text (run->line, checked);
    add_json (run->builder, checked);
  }
  checked_clear (checked);
}

static void
check_file (Run *run, const DocumentFile *file)
{
  Checked checked = { .file = file->path };
  g_autofree char *text = read_document (file->path);

  if (text == NULL)
    run->status = EXIT_FAILED;
  else if (!is_passed_over (file, text))
    finish (run, &checked, check_text (run->line, text, &checked));
}

/* A word is a machine's, unless it is what only a file can be: a name with a slash or of a document, or a
 * directory. */
static gboolean
is_file (const char *word)
{
  return g_str_equal (word, "-") || strchr (word, '/') != NULL || g_str_has_suffix (word, ".xml")
         || g_file_test (word, G_FILE_TEST_IS_DIR);
}

static void
check_word (Run *run, char *word)
{
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GError) error = NULL;
  Checked checked = { 0 };

  if (!is_file (word)) {
    finish (run, &checked, check_machine (run->line, word, &checked));
    return;
  }
  files = document_files_find (&word, 1, &error);
  if (files == NULL) {
    run->status = command_error ("%s", error->message);
    return;
  }
  for (guint i = 0; i < files->len; i++)
    check_file (run, g_ptr_array_index (files, i));
}

static int
check_run (CommandLine *line)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  Run run = { line, builder, EXIT_OK };

  if (command_connect (line) == NULL)
    return EXIT_FAILED;
  json_builder_begin_array (builder);
  for (guint i = 0; i < line->argument_count; i++)
    check_word (&run, line->arguments[i]);
  json_builder_end_array (builder);
  command_print_json (line, json_builder_get_root (builder));
  return run.status;
}

const Command check_commands[] = {
  { "check", "DOMAIN|FILE...", N_ ("Say everything that would make a start fail on this host"), 1, G_MAXUINT,
    NULL, check_run },
  { NULL },
};
