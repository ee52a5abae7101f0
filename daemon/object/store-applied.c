/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * UUID.applied beside UUID.xml. A definition without it was made by hand; one that loses it is no longer
 * removed by a prune, and nothing else changes.
 */
#include "daemon/object/store-applied.h"

#include "daemon/core/file.h"
#include "daemon/object/store-private.h"

#define APPLIED_GROUP     "applied"
#define APPLIED_MAX_BYTES 16384 /* a label and a path */

void
applied_free (Applied *applied)
{
  if (applied == NULL)
    return;
  g_free (applied->source);
  g_free (applied->file);
  g_free (applied);
}

Applied *
store_load_applied (Store *store, const char *uuid)
{
  g_autofree char *path = store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX);
  g_autofree char *text = store_read_file (path, APPLIED_MAX_BYTES, NULL, NULL);
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  Applied *applied;

  if (text == NULL || !g_key_file_load_from_data (keys, text, (gsize)-1, G_KEY_FILE_NONE, NULL))
    return NULL;
  applied = g_new0 (Applied, 1);
  applied->source = g_key_file_get_string (keys, APPLIED_GROUP, "source", NULL);
  applied->file = g_key_file_get_string (keys, APPLIED_GROUP, "file", NULL);
  return applied;
}

char *
store_applied_text (const char *source, const char *file)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();

  if (source != NULL)
    g_key_file_set_string (keys, APPLIED_GROUP, "source", source);
  if (file != NULL)
    g_key_file_set_string (keys, APPLIED_GROUP, "file", file);
  return g_key_file_to_data (keys, NULL, NULL);
}

gboolean
store_save_applied (Store *store, const char *uuid, const char *source, const char *file, GError **error)
{
  g_autofree char *path = store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX);
  g_autofree char *text = store_applied_text (source, file);

  return store_write_file (path, text, -1, 0600, error);
}

char *
applied_resolve (const Applied *applied, const char *name, GError **error)
{
  g_autofree char *directory = NULL;

  if (g_path_is_absolute (name))
    return g_strdup (name);
  if (applied == NULL || applied->file == NULL) {
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "the file '%s' has no directory: the document was not applied from one; an absolute name "
                    "is needed",
                    name);
    return NULL;
  }
  directory = g_path_get_dirname (applied->file);
  return g_build_filename (directory, name, NULL);
}
