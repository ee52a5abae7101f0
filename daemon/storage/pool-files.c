/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The files of pools. There are few pools and their documents are short, so all are read when the daemon
 * starts, and there is nothing like the index that machines have.
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
directory_in (const char *parent)
{
  return g_build_filename (parent, "storage", NULL);
}

static char *
file_in (const char *parent, const char *folder, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *file = g_strconcat (encoded, ".xml", NULL);

  return g_build_filename (parent, folder, file, NULL);
}

gboolean
pool_files_save (const Settings *settings, const char *name, const char *xml, GError **error)
{
  g_autofree char *directory = directory_in (settings->config_directory);
  g_autofree char *path = file_in (settings->config_directory, "storage", name);

  return store_make_directory (directory, POOL_DIRECTORY_MODE, error)
         && store_write_file (path, xml, -1, POOL_FILE_MODE, error);
}

gboolean
pool_files_remove (const Settings *settings, const char *name, GError **error)
{
  g_autofree char *path = file_in (settings->config_directory, "storage", name);

  return store_remove_file (path, error) && pool_files_set_autostart (settings, name, FALSE, error);
}

gboolean
pool_files_set_autostart (const Settings *settings, const char *name, gboolean autostart, GError **error)
{
  g_autofree char *directory = g_build_filename (settings->config_directory, "storage/autostart", NULL);
  g_autofree char *link = file_in (settings->config_directory, "storage/autostart", name);
  g_autofree char *file = g_path_get_basename (link);
  g_autofree char *target = g_strconcat ("../", file, NULL);

  if (!autostart)
    return access (directory, F_OK) < 0 || store_remove_file (link, error);
  if (!store_make_directory (directory, POOL_DIRECTORY_MODE, error))
    return FALSE;
  if (symlink (target, link) < 0 && errno != EEXIST) {
    store_system_error (error, errno, "link", link);
    return FALSE;
  }
  return store_sync_directory (directory, error);
}

void
pool_files_save_status (const Settings *settings, const char *name, const char *xml)
{
  g_autofree char *directory = directory_in (settings->run_directory);
  g_autofree char *path = file_in (settings->run_directory, "storage", name);
  g_autoptr (PreparedFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (xml == NULL) {
    if (unlink (path) < 0 && errno != ENOENT)
      g_warning ("storage pool '%s': cannot remove '%s': %s", name, path, g_strerror (errno));
    return;
  }
  if (!store_make_directory (directory, POOL_DIRECTORY_MODE, &error)
      || (file = prepared_file_new (path, xml, -1, POOL_FILE_MODE, FALSE, &error)) == NULL
      || !prepared_file_commit (file, &error))
    g_warning ("storage pool '%s' will not be found active by another daemon: %s", name, error->message);
}

static void
files_free (gpointer data)
{
  PoolFiles *files = data;

  storage_pool_def_unref (files->def);
  storage_pool_def_unref (files->active);
  g_free (files);
}

static StoragePoolDef *
load_file (const char *path, const char *name, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, error);
  g_autoptr (StoragePoolDef) def =
      text != NULL ? storage_pool_def_parse (text, -1, STORAGE_READ_LAX, diagnostics) : NULL;

  if (text == NULL || !diagnostics_check (diagnostics, error))
    return NULL;
  if (g_strcmp0 (def->name, name) == 0)
    return g_steal_pointer (&def);
  virt_error_set (error, VIR_ERR_XML_ERROR, "Storage pool config filename '%s' does not match pool name %s",
                  path, def->name);
  return NULL;
}

static PoolFiles *
files_of (GHashTable *pools, const char *name)
{
  PoolFiles *files = g_hash_table_lookup (pools, name);

  if (files == NULL) {
    files = g_new0 (PoolFiles, 1);
    g_hash_table_insert (pools, g_strdup (name), files);
  }
  return files;
}

/* Every NAME.xml of a directory: parsed into the PoolFiles' member at @offset. */
static void
load_directory (GHashTable *pools, const char *directory, gsize offset)
{
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
    def = name != NULL && g_hash_table_size (pools) < POOL_FILES_MAX ? load_file (path, name, &error) : NULL;
    if (def != NULL)
      G_STRUCT_MEMBER (StoragePoolDef *, files_of (pools, name), offset) = def;
    else
      g_warning ("%s is skipped: %s", path, error != NULL ? error->message : "its name is none of a pool");
  }
}

GHashTable *
pool_files_load (const Settings *settings)
{
  GHashTable *pools = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, files_free);
  g_autofree char *defined = directory_in (settings->config_directory);
  g_autofree char *active = directory_in (settings->run_directory);
  GHashTableIter iter;
  gpointer name, files;

  load_directory (pools, defined, G_STRUCT_OFFSET (PoolFiles, def));
  load_directory (pools, active, G_STRUCT_OFFSET (PoolFiles, active));
  g_hash_table_iter_init (&iter, pools);
  while (g_hash_table_iter_next (&iter, &name, &files)) {
    g_autofree char *link = file_in (settings->config_directory, "storage/autostart", name);

    ((PoolFiles *)files)->autostart = ((PoolFiles *)files)->def != NULL && access (link, F_OK) == 0;
  }
  return pools;
}
