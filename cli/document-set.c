/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A set of documents is what lies in a directory, a moment's worth of it: what changes while it is read is
 * read again by whoever asks again, and never half. Includes are resolved with all links followed, and what
 * is outside of the directory then is not read.
 */
#include "cli/document-set.h"

#include "base/xml-document.h"
#include "cli/document-files.h"
#include "cli/i18n.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

char *document_set_values;

typedef struct {
  DocumentSet *set;
  GHashTable *values;          /* char * to char *; NULL: no file of them */
  GHashTable *included;        /* char *: absolute */
  const SetDocument *document; /* the one that is rendered */
} Reading;

static void
document_free (gpointer data)
{
  SetDocument *document = data;

  g_free (document->shown);
  g_free (document->file);
  g_free (document->root);
  g_free (document->text);
  rendering_free (document->rendering);
  diagnostics_free (document->diagnostics);
  g_free (document);
}

void
document_set_free (DocumentSet *set)
{
  if (set == NULL)
    return;
  g_ptr_array_unref (set->documents);
  g_free (set->directory);
  g_free (set);
}

/* NAME=VALUE, '#' begins a comment line. */
static GHashTable *
read_values (const char *path, GError **error)
{
  g_autoptr (GHashTable) values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]), *equals = strchr (line, '=');

    if (line[0] == '\0' || line[0] == '#')
      continue;
    if (equals == NULL || equals == line) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, _ ("%s:%u: a line of NAME=VALUE is needed"),
                   path, i + 1);
      return NULL;
    }
    *equals = '\0';
    g_hash_table_insert (values, g_strdup (g_strchomp (line)), g_strdup (g_strchug (equals + 1)));
  }
  return g_steal_pointer (&values);
}

static const char *
find_value (const char *name, gpointer data)
{
  const Reading *reading = data;
  const char *value = g_getenv (name);

  return value != NULL ? value : reading->values != NULL ? g_hash_table_lookup (reading->values, name) : NULL;
}

static gboolean
is_inside (const char *path, const char *directory)
{
  gsize length = strlen (directory);

  return strncmp (path, directory, length) == 0 && (path[length] == '/' || g_str_equal (directory, "/"));
}

/* Its own name for people: relative to the working directory where the including one is. */
static char *
load_included (const char *file, const char *href, char **ret_file, gpointer data, GError **error)
{
  Reading *reading = data;
  g_autofree char *directory = g_path_get_dirname (file);
  g_autofree char *shown = g_build_filename (directory, href, NULL);
  g_autofree char *path = g_path_is_absolute (href) ? NULL : realpath (shown, NULL);
  g_autofree char *text = NULL;
  gsize length;

  if (path != NULL && !is_inside (path, reading->document->root)) {
    g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR, _ ("'%s' is outside of the directory '%s'"), href,
                 reading->document->root);
    return NULL;
  }
  if (path == NULL) {
    g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR,
                 g_path_is_absolute (href)
                     ? _ ("'%s' is an absolute name: one relative to the document is needed")
                     : _ ("'%s' does not exist"),
                 href);
    return NULL;
  }
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR) || !g_file_get_contents (path, &text, &length, error)) {
    if (error != NULL && *error == NULL)
      g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR, _ ("'%s' is no file"), href);
    return NULL;
  }
  if (length > XML_MAX_BYTES || strlen (text) != length) {
    g_set_error (error, VIRT_ERROR, VIR_ERR_XML_ERROR, _ ("'%s' is no text of at most %d bytes"), href,
                 XML_MAX_BYTES);
    return NULL;
  }
  g_hash_table_add (reading->included, g_strdup (path));
  *ret_file = g_steal_pointer (&shown);
  return g_steal_pointer (&text);
}

/* What tells that a file is another one now. */
static char *
stamp_of (const char *path)
{
  GStatBuf status;

  if (g_stat (path, &status) < 0)
    return g_strdup ("-");
  return g_strdup_printf ("%lld %lld.%09ld %lld", (long long)status.st_ino, (long long)status.st_mtim.tv_sec,
                          (long)status.st_mtim.tv_nsec, (long long)status.st_size);
}

static char *
stamp_of_all (char *const *words, guint count, GPtrArray **ret_files, GError **error)
{
  g_autoptr (GPtrArray) files = document_files_find (words, count, error);
  g_autoptr (GString) stamps = g_string_new (NULL);

  if (files == NULL)
    return NULL;
  for (guint i = 0; i < files->len; i++) {
    const DocumentFile *file = g_ptr_array_index (files, i);
    g_autofree char *stamp = stamp_of (file->path);

    g_string_append_printf (stamps, "%s %s\n", file->path, stamp);
  }
  if (ret_files != NULL)
    *ret_files = g_steal_pointer (&files);
  return g_string_free (g_steal_pointer (&stamps), FALSE);
}

/* The directory, among the words, that the file was found in; of a file that is named itself, its own. */
static char *
root_of (const char *path, char *const *words, guint count)
{
  for (guint i = 0; i < count; i++)
    if (g_file_test (words[i], G_FILE_TEST_IS_DIR)
        && (is_inside (path, words[i]) || g_str_has_suffix (words[i], "/"))
        && g_str_has_prefix (path, words[i]))
      return realpath (words[i], NULL);
  {
    g_autofree char *directory = g_path_get_dirname (path);

    return realpath (directory, NULL);
  }
}

static gboolean
add_document (DocumentSet *set, const DocumentFile *file, char *const *words, guint count, gsize *bytes,
              GError **error)
{
  SetDocument *document = g_new0 (SetDocument, 1);
  gsize length;

  document->shown = g_strdup (file->path);
  document->diagnostics = diagnostics_new (file->path);
  g_ptr_array_add (set->documents, document);
  if (!g_file_get_contents (file->path, &document->text, &length, error))
    return FALSE;
  if (strlen (document->text) != length)
    diagnostics_error (document->diagnostics, (Position){ 0, 0 }, VIR_ERR_XML_ERROR, "the file is no text");
  document->file = realpath (file->path, NULL);
  document->root = root_of (file->path, words, count);
  *bytes += length;
  if (document->file != NULL && document->root != NULL && *bytes <= DOCUMENT_SET_BYTES_MAX)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               document->file == NULL
                   ? _ ("'%s' is gone")
                   : _ ("with '%s' the documents have more bytes than can be applied together"),
               file->path);
  return FALSE;
}

static void
render_all (Reading *reading)
{
  GPtrArray *documents = reading->set->documents;

  for (guint i = 0; i < documents->len; i++) {
    SetDocument *document = g_ptr_array_index (documents, i);
    TemplateSource source = { find_value, load_included, reading };

    reading->document = document;
    if (!diagnostics_has_errors (document->diagnostics))
      document->rendering = template_render (&source, document->shown, document->text, document->diagnostics);
  }
  for (guint i = 0; i < documents->len; i++) {
    SetDocument *document = g_ptr_array_index (documents, i);

    document->included = g_hash_table_contains (reading->included, document->file);
  }
}

static DocumentSet *
read_files (GPtrArray *files, char *const *words, guint count, GError **error)
{
  g_autoptr (DocumentSet) set = g_new0 (DocumentSet, 1);
  gsize bytes = 0;

  set->documents = g_ptr_array_new_with_free_func (document_free);
  if (count == 1 && g_file_test (words[0], G_FILE_TEST_IS_DIR))
    set->directory = realpath (words[0], NULL);
  for (guint i = 0; i < files->len; i++)
    if (!add_document (set, g_ptr_array_index (files, i), words, count, &bytes, error))
      return NULL;
  return g_steal_pointer (&set);
}

DocumentSet *
document_set_read (char *const *words, guint count, GError **error)
{
  g_autoptr (GPtrArray) files = NULL;
  g_autoptr (GHashTable) values = NULL, included = NULL;
  g_autofree char *before = stamp_of_all (words, count, &files, error), *after = NULL;
  g_autoptr (DocumentSet) set = before != NULL ? read_files (files, words, count, error) : NULL;

  if (set == NULL
      || (document_set_values != NULL && (values = read_values (document_set_values, error)) == NULL))
    return NULL;
  included = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  render_all (&(Reading){ set, values, included, NULL });
  after = stamp_of_all (words, count, NULL, error);
  if (after == NULL)
    return NULL;
  if (!g_str_equal (before, after)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                 _ ("files have changed while they were read: nothing was done; try again"));
    return NULL;
  }
  return g_steal_pointer (&set);
}

guint
document_set_print_mistakes (const DocumentSet *set)
{
  guint mistaken = 0;

  for (guint i = 0; i < set->documents->len; i++) {
    const SetDocument *document = g_ptr_array_index (set->documents, i);
    g_autofree char *text = NULL;

    if (document->included || !diagnostics_has_errors (document->diagnostics))
      continue;
    text = diagnostics_to_text (document->diagnostics);
    fputs (text, stderr);
    mistaken++;
  }
  return mistaken;
}

const char *
document_set_origin (const DocumentSet *set, const char *shown, guint *line)
{
  for (guint i = 0; i < set->documents->len; i++) {
    const SetDocument *document = g_ptr_array_index (set->documents, i);

    if (g_str_equal (document->shown, shown) && document->rendering != NULL)
      return rendering_origin (document->rendering, *line, line);
  }
  return shown;
}

/* "FILE:LINE" at the beginning of a line. */
static void
place_line (const DocumentSet *set, const char *line, GString *placed)
{
  const char *colon = strchr (line, ':');
  g_autofree char *shown = colon != NULL ? g_strndup (line, (gsize)(colon - line)) : NULL;
  char *end;
  guint number = colon != NULL ? (guint)g_ascii_strtoull (colon + 1, &end, 10) : 0;

  if (number == 0) {
    g_string_append (placed, line);
    return;
  }
  {
    const char *file = document_set_origin (set, shown, &number);

    g_string_append_printf (placed, "%s:%u%s", file, number, end);
  }
}

char *
document_set_place (const DocumentSet *set, const char *message)
{
  g_auto (GStrv) lines = g_strsplit (message, "\n", -1);
  GString *placed = g_string_new (NULL);

  for (guint i = 0; lines[i] != NULL; i++) {
    if (i > 0)
      g_string_append_c (placed, '\n');
    place_line (set, lines[i], placed);
  }
  return g_string_free (placed, FALSE);
}
