/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which files a command about documents is given: those it names, and those in the directories it names. A
 * repository of documents has other things beside them (its own .git, links to elsewhere), so hidden names
 * are passed over and links to directories are not followed, which also keeps the walk from going round.
 */
#include "cli/document-files.h"

#include <gio/gio.h>
#include <string.h>

#define SUFFIX ".xml"

static void
document_file_free (gpointer data)
{
  DocumentFile *file = data;

  g_free (file->path);
  g_free (file);
}

static gboolean
add_file (GPtrArray *files, const char *path, gboolean named, GError **error)
{
  DocumentFile *file;

  if (files->len >= DOCUMENT_FILES_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "more than %d files", DOCUMENT_FILES_MAX);
    return FALSE;
  }
  file = g_new0 (DocumentFile, 1);
  *file = (DocumentFile){ g_strdup (path), named };
  g_ptr_array_add (files, file);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
sorted_names (const char *path, GError **error)
{
  GDir *directory = g_dir_open (path, 0, error);
  GPtrArray *names;
  const char *name;

  if (directory == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (directory)) != NULL && names->len <= DOCUMENT_FILES_MAX)
    if (name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_dir_close (directory);
  g_ptr_array_sort (names, compare_names);
  return names;
}

static gboolean
add_directory (GPtrArray *files, const char *path, guint depth, GError **error)
{
  g_autoptr (GPtrArray) names = NULL;

  if (depth > DOCUMENT_FILES_DEPTH_MAX) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is more than %d directories deep", path,
                 DOCUMENT_FILES_DEPTH_MAX);
    return FALSE;
  }
  names = sorted_names (path, error);
  for (guint i = 0; names != NULL && i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *below = g_build_filename (path, name, NULL);
    gboolean fine = TRUE;

    if (g_file_test (below, G_FILE_TEST_IS_DIR))
      fine = g_file_test (below, G_FILE_TEST_IS_SYMLINK) || add_directory (files, below, depth + 1, error);
    else if (g_str_has_suffix (name, SUFFIX))
      fine = add_file (files, below, FALSE, error);
    if (!fine)
      return FALSE;
  }
  return names != NULL;
}

GPtrArray *
document_files_find (char *const *words, guint count, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (document_file_free);

  for (guint i = 0; i < count; i++) {
    gboolean is_directory = g_file_test (words[i], G_FILE_TEST_IS_DIR);

    if (is_directory ? !add_directory (files, words[i], 1, error) : !add_file (files, words[i], TRUE, error))
      return NULL;
  }
  return g_steal_pointer (&files);
}
