/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Which pools are active, as files that outlive the daemon but not the host. There are few pools and their
 * documents are short, so all are read when the daemon starts.
 */
#include "daemon/storage/pool-files.h"

#include "daemon/core/file.h"
#include "daemon/object/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define POOL_FILE_MODE      0600
#define POOL_DIRECTORY_MODE 0755
#define POOL_FILES_MAX      16384 /* pools of one host: what a list on the wire holds */

static char *
file_of (const char *directory, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);

  return g_strconcat (directory, "/", encoded, ".xml", NULL);
}

gboolean
pool_files_save_status (const Settings *settings, const StoragePoolDef *def, GError **error)
{
  g_autofree char *directory = g_build_filename (settings->run_directory, "storage", NULL);
  g_autofree char *path = file_of (directory, def->name), *xml = storage_pool_def_to_xml (def);
  g_autoptr (PreparedFile) file = NULL;

  return store_make_directory (directory, POOL_DIRECTORY_MODE, error)
         && (file = prepared_file_new (path, xml, -1, POOL_FILE_MODE, FALSE, error)) != NULL
         && prepared_file_commit (file, error);
}

gboolean
pool_files_remove_status (const Settings *settings, const char *name, GError **error)
{
  g_autofree char *directory = g_build_filename (settings->run_directory, "storage", NULL);
  g_autofree char *path = file_of (directory, name);

  if (unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                  "cannot remove '%s', which says that storage pool '%s' is active: %s", path, name,
                  g_strerror (errno));
  return FALSE;
}

static StoragePoolDef *
load_file (const char *path, const char *name, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, error);
  g_autoptr (StoragePoolDef) def =
      text != NULL ? storage_pool_def_parse (text, -1, DOCUMENT_LAX, diagnostics) : NULL;

  if (text == NULL || !diagnostics_check (diagnostics, error))
    return NULL;
  if (g_strcmp0 (def->name, name) == 0)
    return g_steal_pointer (&def);
  virt_error_set (error, VIR_ERR_XML_ERROR, "Storage pool config filename '%s' does not match pool name %s",
                  path, def->name);
  return NULL;
}

GPtrArray *
pool_files_load (const Settings *settings)
{
  GPtrArray *pools = g_ptr_array_new_with_free_func ((GDestroyNotify)storage_pool_def_unref);
  g_autofree char *directory = g_build_filename (settings->run_directory, "storage", NULL);
  g_autoptr (GDir) entries = g_dir_open (directory, 0, NULL);
  const char *entry;

  while (entries != NULL && (entry = g_dir_read_name (entries)) != NULL) {
    g_autofree char *path = g_build_filename (directory, entry, NULL), *name = NULL;
    g_autofree char *encoded = g_strdup (entry);
    g_autoptr (GError) error = NULL;
    StoragePoolDef *def;

    if (entry[0] == '.' || !g_str_has_suffix (entry, ".xml"))
      continue;
    encoded[strlen (encoded) - strlen (".xml")] = '\0';
    name = store_decode_name (encoded);
    def = name != NULL && pools->len < POOL_FILES_MAX ? load_file (path, name, &error) : NULL;
    if (def != NULL)
      g_ptr_array_add (pools, def);
    else
      g_warning ("%s is skipped: %s", path, error != NULL ? error->message : "its name is none of a pool");
  }
  return pools;
}
