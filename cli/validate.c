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
#include "kinds/document-kinds.h"

#include <stdio.h>
#include <unistd.h>

typedef enum { FORMAT_NONE, FORMAT_GCC, FORMAT_JSON, FORMAT_SARIF } Format;
static const EnumTable formats = { "format", { NULL, "gcc", "json", "sarif" } };

static char *format_word;

/* Is @text a document in order? What it is not is in @diagnostics. In a directory there may be other
 * documents, which nobody said were for us. */
static gboolean
check_text (Emulators *emulators, const DocumentFile *file, const char *text, gsize length,
            Diagnostics *diagnostics)
{
  DiagnosticSeverity unknown = file->named ? DIAGNOSTIC_ERROR : DIAGNOSTIC_WARNING;
  g_autoptr (Diagnostics) reading = diagnostics_new (NULL);
  const DocumentKind *kind = document_kind_of_text (text, (gssize)length, unknown, reading);

  if (kind == &domain_document) {
    g_autoptr (DomainDef) def = emulators_complete (emulators, text, length, diagnostics);

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

static gboolean
check_file (Emulators *emulators, const DocumentFile *file, Format format, DocumentReport *report)
{
  const char *path = g_str_equal (file->path, "-") ? "/dev/stdin" : file->path;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (file->path);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  gboolean valid = FALSE;
  gsize length = 0;

  if (g_file_get_contents (path, &text, &length, &error))
    valid = check_text (emulators, file, text, length, diagnostics);
  else
    diagnostics_error (diagnostics, (Position){ 0, 0 }, VIR_ERR_OPERATION_FAILED, "%s", error->message);
  if (format == FORMAT_GCC)
    print_text (diagnostics, text);
  else
    document_report_add (report, diagnostics, text, (gssize)length);
  return valid;
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
  g_autoptr (GPtrArray) files = NULL;
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
    if (!check_file (&emulators, g_ptr_array_index (files, i), format, report))
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
