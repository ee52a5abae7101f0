/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The children of objects on disk. They are kept by their owner's UUID, so that another name of the owner
 * changes nothing; and a file each, so that one more costs one file however many there are.
 */
#include "daemon/object/child-store.h"

#include "base/scalars.h"
#include "daemon/core/file.h"
#include "daemon/core/tree.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX  ".xml"
#define CURRENT "current"
#define LEAVING ".leaving" /* follows a directory's name while its owner's definition is being removed */

static char *
kind_directory (const ObjectKind *kind, const Settings *settings)
{
  return g_build_filename (settings->state_directory, kind->child->folder, NULL);
}

char *
child_store_directory (const ObjectKind *kind, const Settings *settings, const char *uuid)
{
  return g_build_filename (settings->state_directory, kind->child->folder, uuid, NULL);
}

static char *
file_path (const char *directory, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);

  return g_strconcat (directory, "/", encoded, SUFFIX, NULL);
}

gboolean
child_store_check_name (const ObjectKind *kind, const char *name, GError **error)
{
  g_autofree char *encoded = store_encode_name (name);

  if (strlen (encoded) <= CHILD_NAME_MAX)
    return TRUE;
  virt_error_set (error, VIR_ERR_INVALID_ARG,
                  "the name of a %s has at most %d bytes ('/', '%%' and control characters count as three), "
                  "and '%s' would have %" G_GSIZE_FORMAT,
                  kind->name, CHILD_NAME_MAX, name, strlen (encoded));
  return FALSE;
}

static gboolean
make_directory (const char *directory, GError **error)
{
  g_autofree char *above = g_path_get_dirname (directory);

  return store_make_directory (above, 0700, error) && store_make_directory (directory, 0700, error)
         && store_sync_directory (above, error);
}

gboolean
child_store_save (const ObjectKind *kind, const char *directory, gconstpointer def, GError **error)
{
  g_autofree char *path = file_path (directory, document_name (kind->document, def));
  g_autofree char *xml = document_to_xml (kind->document, def, FIELD_WRITE_SECURE);

  return make_directory (directory, error) && store_write_file (path, xml, -1, 0600, error);
}

gboolean
child_store_remove (const char *directory, const char *name, GError **error)
{
  g_autofree char *path = file_path (directory, name);

  return store_remove_file (path, error);
}

gboolean
child_store_set_current (const char *directory, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (directory, CURRENT, NULL);

  if (name == NULL)
    return !g_file_test (directory, G_FILE_TEST_IS_DIR) || store_remove_file (path, error);
  return make_directory (directory, error) && store_write_file (path, name, -1, 0600, error);
}

void
child_family_free (gpointer data)
{
  ChildFamily *family = data;

  for (guint i = 0; i < family->defs->len; i++)
    document_unref (family->kind->document, g_ptr_array_index (family->defs, i));
  g_ptr_array_unref (family->defs);
  g_free (family->uuid);
  g_free (family->current);
  g_free (family);
}

gpointer
child_store_load (const ObjectKind *kind, const char *directory, const char *name, GError **error)
{
  g_autofree char *path = file_path (directory, name);
  g_autofree char *text = store_read_file (path, CHILD_TEXT_MAX, NULL, error);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  gpointer def = text != NULL ? document_read (kind->document, text, -1, DOCUMENT_LAX, diagnostics) : NULL;

  if (def == NULL || !diagnostics_check (diagnostics, error)) {
    if (def != NULL)
      document_unref (kind->document, def);
    else if (text != NULL)
      diagnostics_check (diagnostics, error);
    return NULL;
  }
  if (g_strcmp0 (document_name (kind->document, def), name) == 0)
    return def;
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is the document of another %s: '%s'", path,
                  kind->name, document_name (kind->document, def));
  document_unref (kind->document, def);
  return NULL;
}

static void
read_file (const ObjectKind *kind, const char *directory, const char *file, GPtrArray *defs)
{
  g_autofree char *encoded = g_strndup (file, strlen (file) - strlen (SUFFIX));
  g_autofree char *name = store_decode_name (encoded);
  g_autoptr (GError) error = NULL;
  gpointer def = name != NULL ? child_store_load (kind, directory, name, &error) : NULL;

  if (def != NULL)
    g_ptr_array_add (defs, def);
  else
    g_warning ("%s/%s is skipped: %s", directory, file,
               error != NULL ? error->message : "that is no name of a document");
}

ChildFamily *
child_store_read (const ObjectKind *kind, const Settings *settings, const char *uuid)
{
  g_autofree char *directory = child_store_directory (kind, settings, uuid);
  g_autofree char *current = g_build_filename (directory, CURRENT, NULL);
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  ChildFamily *family = g_new0 (ChildFamily, 1);
  const char *file;

  family->kind = kind;
  family->uuid = g_strdup (uuid);
  family->defs = g_ptr_array_new ();
  family->current = store_read_file (current, CHILD_NAME_MAX * 3, NULL, NULL);
  store_remove_temporary (directory);
  while (files != NULL && (file = g_dir_read_name (files)) != NULL)
    if (g_str_has_suffix (file, SUFFIX) && file[0] != '.')
      read_file (kind, directory, file, family->defs);
  return family;
}

GPtrArray *
child_store_read_all (const ObjectKind *kind, const Settings *settings)
{
  GPtrArray *families = g_ptr_array_new_with_free_func (child_family_free);
  g_autofree char *above = kind_directory (kind, settings);
  g_autoptr (GDir) directory = g_dir_open (above, 0, NULL);
  guint8 uuid[UUID_BYTES];
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (uuid_parse (name, uuid))
      g_ptr_array_add (families, child_store_read (kind, settings, name));
  return families;
}

static gboolean
rename_directory (const ObjectKind *kind, const Settings *settings, const char *uuid, const char *from,
                  const char *to, GError **error)
{
  g_autofree char *directory = child_store_directory (kind, settings, uuid);
  g_autofree char *above = kind_directory (kind, settings);
  g_autofree char *old = g_strconcat (directory, from, NULL), *new = g_strconcat (directory, to, NULL);

  if (rename (old, new) != 0) {
    if (errno == ENOENT)
      return TRUE;
    store_system_error (error, errno, "rename", old);
    return FALSE;
  }
  return store_sync_directory (above, error);
}

gboolean
child_store_set_apart (const ObjectKind *kind, const Settings *settings, const char *uuid, GError **error)
{
  return rename_directory (kind, settings, uuid, "", LEAVING, error);
}

void
child_store_put_back (const ObjectKind *kind, const Settings *settings, const char *uuid)
{
  g_autoptr (GError) error = NULL;

  if (!rename_directory (kind, settings, uuid, LEAVING, "", &error))
    g_warning ("each %s of %s: %s", kind->name, uuid, error->message);
}

void
child_store_remove_apart (const ObjectKind *kind, const Settings *settings, const char *uuid)
{
  g_autofree char *directory = child_store_directory (kind, settings, uuid);
  g_autofree char *leaving = g_strconcat (directory, LEAVING, NULL);

  tree_remove (leaving);
}

void
child_store_recover (const ObjectKind *kind, const Settings *settings,
                     gboolean (*is_defined) (const char *uuid, gpointer data), gpointer data)
{
  g_autofree char *above = kind_directory (kind, settings);
  g_autoptr (GDir) directory = g_dir_open (above, 0, NULL);
  g_autoptr (GPtrArray) uuids = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_suffix (name, LEAVING))
      g_ptr_array_add (uuids, g_strndup (name, strlen (name) - strlen (LEAVING)));
  for (guint i = 0; i < uuids->len; i++) {
    const char *uuid = g_ptr_array_index (uuids, i);

    if (is_defined (uuid, data))
      child_store_put_back (kind, settings, uuid);
    else
      child_store_remove_apart (kind, settings, uuid);
  }
}
