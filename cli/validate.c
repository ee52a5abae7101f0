/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl validate`: documents of any kind, told apart by their root elements, checked one after the other.
 * What is found is said as compilers say it, so that editors jump to the place, or as a whole for programs:
 * JSON, or the log that CI systems show beside the lines of a change (SARIF).
 */
#include "cli/document-files.h"
#include "cli/documents.h"
#include "config.h"
#include "document/document-report.h"
#include "domain/start-order.h"
#include "kinds/document-kinds.h"

#include <stdio.h>
#include <unistd.h>

typedef enum { FORMAT_NONE, FORMAT_GCC, FORMAT_JSON, FORMAT_SARIF } Format;
static const EnumTable formats = { "format", { NULL, "gcc", "json", "sarif" } };

static char *format_word;

/* A file that was read. */
typedef struct {
  Diagnostics *diagnostics;
  char *text; /* NULL: it could not be, or nobody needs it any more */
  gsize length;
  gboolean in_order;
  char *name;     /* of the machine it is about; NULL: it is about none, or is not in order */
  Policy *policy; /* its; NULL: none */
} CheckedFile;

static void
checked_file_free (gpointer data)
{
  CheckedFile *file = data;

  diagnostics_free (file->diagnostics);
  policy_unref (file->policy);
  g_free (file->text);
  g_free (file->name);
  g_free (file);
}

static gboolean
waits_for_others (const CheckedFile *file)
{
  return file->policy != NULL && (file->policy->start.after != NULL || file->policy->start.requires != NULL);
}

/* Is @text a document in order? What it is not is in @diagnostics. In a directory there may be other
 * documents, which nobody said were for us. */
static gboolean
check_text (Emulators *emulators, const DocumentFile *file, CheckedFile *checked)
{
  Diagnostics *diagnostics = checked->diagnostics;
  const char *text = checked->text;
  gsize length = checked->length;
  DiagnosticSeverity unknown = file->named ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING;
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL);
  const DocumentKind *kind = document_kind_of_text (text, (gssize)length, unknown, reading);

  if (kind == &domain_document) {
    g_autoptr (DomainDef) def = emulators_complete (emulators, text, length, diagnostics);

    if (def != NULL) {
      checked->name = g_strdup (def->name);
      checked->policy = def->policy != NULL ? policy_ref (def->policy) : NULL;
    }
    return def != NULL;
  }
  if (kind != NULL)
    return document_check (kind, text, (gssize)length, diagnostics);
  diagnostics_add_further (diagnostics, reading);
  return !diagnostics_has_errors (diagnostics);
}

static void
print_text (const Diagnostics *diagnostics, const char *text)
{
  g_autofree char *lines = isatty (STDERR_FILENO) ? diagnostics_to_marked_text (diagnostics, text)
                                                  : diagnostics_to_text (diagnostics);

  fputs (lines, stderr);
}

/* The text is kept for what is said of it. */
static CheckedFile *
check_file (Emulators *emulators, const DocumentFile *file)
{
  const char *path = g_str_equal (file->path, "-") ? "/dev/stdin" : file->path;
  CheckedFile *checked = g_new0 (CheckedFile, 1);
  g_autoptr (GError) error = NULL;

  checked->diagnostics = diagnostics_new (file->path);
  if (g_file_get_contents (path, &checked->text, &checked->length, &error))
    checked->in_order = check_text (emulators, file, checked);
  else
    diagnostics_error (checked->diagnostics, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED, "%s",
                       error->message);
  if (diagnostics_count (checked->diagnostics) == 0 && !waits_for_others (checked))
    g_clear_pointer (&checked->text, g_free);
  return checked;
}

/* Each step of a way round is told where the document names the next machine. */
static void
tell_cycle (const char *cycle, const GPtrArray *names, GHashTable *by_name)
{
  for (guint i = 0; i < names->len; i++) {
    const CheckedFile *file = g_hash_table_lookup (by_name, g_ptr_array_index (names, i));
    const char *next = g_ptr_array_index (names, (i + 1) % names->len);

    diagnostics_error (file->diagnostics, start_order_place (file->text, (gssize)file->length, next),
                       VIR_ERR_XML_ERROR, "machines wait for each other to start: %s", cycle);
  }
}

/* Machines of these files that wait for each other. */
static void
check_start_order (const GPtrArray *checked)
{
  g_autoptr (GHashTable) by_name = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) set = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < checked->len; i++) {
    CheckedFile *file = g_ptr_array_index (checked, i);

    if (file->name == NULL || !waits_for_others (file))
      continue;
    g_hash_table_insert (by_name, file->name, file);
    g_hash_table_insert (set, file->name, file->policy);
  }
  for (;;) {
    g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
    g_autofree char *cycle = start_order_find_cycle (set, names);

    if (cycle == NULL)
      return;
    tell_cycle (cycle, names, by_name);
    for (guint i = 0; i < names->len; i++)
      g_hash_table_remove (set, g_ptr_array_index (names, i));
  }
}

/* FALSE: it is not in order. */
static gboolean
tell (const CheckedFile *file, Format format, DocumentReport *report)
{
  if (format == FORMAT_GCC)
    print_text (file->diagnostics, file->text);
  else
    document_report_add (report, file->diagnostics, file->text, (gssize)file->length);
  return file->in_order && !diagnostics_has_errors (file->diagnostics);
}

static void
print_report (const DocumentReport *report, Format format)
{
  g_autofree char *text = NULL;

  if (format == FORMAT_GCC)
    return;
  text = format == FORMAT_JSON ? document_report_to_json (report)
                               : document_report_to_sarif (report, PACKAGE_VERSION);
  puts (text);
}

int
validate_run (CommandLine *line)
{
  Format format = (Format)enum_table_value (&formats, format_word);
  g_autoptr (DocumentReport) report = document_report_new ();
  g_autoptr (GPtrArray) files = NULL, all = g_ptr_array_new_with_free_func (checked_file_free);
  g_autoptr (GError) error = NULL;
  Emulators emulators = { 0 };
  int status = EXIT_OK;

  if (format_word != NULL && format == FORMAT_NONE)
    return command_usage_error (line, _ ("unknown format '%s': expected 'gcc', 'json' or 'sarif'"),
                                format_word);
  if (format == FORMAT_NONE)
    format = line->json ? FORMAT_JSON : FORMAT_GCC;
  files = document_files_find (line->arguments, line->argument_count, &error);
  if (files == NULL)
    return command_error ("%s", error->message);
  if (!emulators_open (&emulators))
    return EXIT_FAILED;
  emulators.asks_nobody = emulators.fixed == NULL;
  for (guint i = 0; i < files->len; i++)
    g_ptr_array_add (all, check_file (&emulators, g_ptr_array_index (files, i)));
  check_start_order (all);
  for (guint i = 0; i < all->len; i++)
    if (!tell (g_ptr_array_index (all, i), format, report))
      status = EXIT_FAILED;
  print_report (report, format);
  emulators_close (&emulators);
  return status;
}

const GOptionEntry validate_options[] = {
  { "format", 0, 0, G_OPTION_ARG_STRING, &format_word, N_ ("gcc (default), json or sarif"), N_ ("FORMAT") },
  CAPABILITIES_OPTION,
  G_OPTION_ENTRY_NULL,
};
