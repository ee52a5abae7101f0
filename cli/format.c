/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * `domctl fmt`: documents in one form, so that a repository's changes are changes of what they say. A
 * document is only rewritten when it says the same before and after: both are read and written anew, and
 * compared.
 */
#include "cli/document-files.h"
#include "cli/documents.h"

#include "document/format.h"
#include "kinds/document-kinds.h"

#include <stdio.h>
#include <string.h>

static gboolean only_check;

/* What is chosen anew each time a document is completed. */
#define CHOSEN "<uuid>[^<]*</uuid>|<genid>[^<]*</genid>|<mac address='[^']*'"

/* The document as this program writes it; NULL with the mistakes in @diagnostics. *ret_written is NULL for a
 * kind that is only checked. */
static gboolean
write_anew (Emulators *emulators, const char *text, char **ret_written, Diagnostics *diagnostics)
{
  const DocumentKind *kind = document_kind_of_text (text, -1, DIAGNOSTIC_ERROR, diagnostics);
  gpointer def;

  *ret_written = NULL;
  if (kind == NULL)
    return FALSE;
  if (kind == &domain_document) {
    g_autoptr (DomainDef) domain = emulators_complete (emulators, text, strlen (text), diagnostics);

    *ret_written = domain != NULL ? domain_def_to_xml (domain, DOMAIN_WRITE_SECURE) : NULL;
    return domain != NULL;
  }
  if (kind->table == NULL)
    return document_check (kind, text, -1, diagnostics);
  def = document_read (kind, text, -1, 0, diagnostics);
  *ret_written = def != NULL ? document_to_xml (kind, def, FIELD_WRITE_SECURE) : NULL;
  document_unref (kind, def);
  return *ret_written != NULL;
}

static gboolean
says_the_same (const char *before, const char *after)
{
  g_autoptr (GRegex) chosen = g_regex_new (CHOSEN, 0, 0, NULL);
  g_autofree char *one = before != NULL ? g_regex_replace_literal (chosen, before, -1, 0, "", 0, NULL) : NULL;
  g_autofree char *other = after != NULL ? g_regex_replace_literal (chosen, after, -1, 0, "", 0, NULL) : NULL;

  return g_strcmp0 (one, other) == 0;
}

/* (transfer full); NULL after the mistakes were printed. */
static char *
format_text (Emulators *emulators, const char *path, const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path), again = diagnostics_new (path);
  g_autofree char *written = NULL, *rewritten = NULL, *formatted = NULL, *lines = NULL;
  g_autoptr (GError) error = NULL;

  if (!write_anew (emulators, text, &written, diagnostics)) {
    lines = diagnostics_to_text (diagnostics);
    fputs (lines, stderr);
    return NULL;
  }
  formatted = document_format (text, written, &error);
  if (formatted == NULL) {
    command_error ("%s: %s", path, error->message);
    return NULL;
  }
  if (write_anew (emulators, formatted, &rewritten, again) && says_the_same (written, rewritten))
    return g_steal_pointer (&formatted);
  command_error (_ ("%s: it would not say the same in another order, and is left as it is"), path);
  return NULL;
}

typedef struct {
  CommandLine *line;
  Emulators emulators;
  JsonBuilder *builder;
  int status;
} Run;

static gboolean
put_back (const char *path, const char *formatted)
{
  g_autoptr (GError) error = NULL;

  if (g_file_set_contents_full (path, formatted, -1,
                                G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_ONLY_EXISTING, 0666,
                                &error))
    return TRUE;
  command_error ("%s", error->message);
  return FALSE;
}

static void
format_file (Run *run, const DocumentFile *file)
{
  gboolean is_stdin = g_str_equal (file->path, "-"), differs;
  g_autofree char *text = NULL, *formatted = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  if (!g_file_get_contents (is_stdin ? "/dev/stdin" : file->path, &text, &length, &error))
    run->status = command_error ("%s", error->message);
  else if (strlen (text) != length)
    run->status = command_error (_ ("%s: only documents in UTF-8 can be formatted"), file->path);
  else if ((formatted = format_text (&run->emulators, file->path, text)) == NULL)
    run->status = EXIT_FAILED;
  if (formatted == NULL)
    return;
  differs = !g_str_equal (text, formatted);
  if (only_check && differs) {
    run->status = EXIT_FAILED;
    command_print (run->line, _ ("%s: not formatted\n"), file->path);
  } else if (is_stdin) {
    command_print (run->line, "%s", formatted);
  } else if (differs && !only_check) {
    if (!put_back (file->path, formatted))
      run->status = EXIT_FAILED;
    else
      command_print (run->line, _ ("%s: formatted\n"), file->path);
  }
  json_builder_begin_object (run->builder);
  json_builder_set_member_name (run->builder, "file");
  json_builder_add_string_value (run->builder, file->path);
  json_builder_set_member_name (run->builder, "changed");
  json_builder_add_boolean_value (run->builder, differs);
  json_builder_end_object (run->builder);
}

static int
format_run (CommandLine *line)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GError) error = NULL;
  Run run = { .line = line, .builder = builder };

  files = document_files_find (line->arguments, line->argument_count, &error);
  if (files == NULL)
    return command_error ("%s", error->message);
  if (!emulators_open (&run.emulators))
    return EXIT_FAILED;
  run.emulators.asks_nobody = TRUE;
  json_builder_begin_array (builder);
  for (guint i = 0; i < files->len; i++)
    format_file (&run, g_ptr_array_index (files, i));
  json_builder_end_array (builder);
  emulators_close (&run.emulators);
  command_print_json (line, json_builder_get_root (builder));
  return run.status;
}

static const GOptionEntry format_options[] = {
  { "check", 0, 0, G_OPTION_ARG_NONE, &only_check, N_ ("Change nothing; fail where something would be"),
    NULL },
  G_OPTION_ENTRY_NULL,
};

const Command format_commands[] = {
  { "fmt", "FILE...", N_ ("Write documents in one order and indentation, comments and all"), 1, G_MAXUINT,
    format_options, format_run },
  { NULL },
};
