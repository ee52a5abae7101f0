/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * After a crash, or a loss of power: what a change of the store left half done is finished or undone, so that
 * a definition is whole in its old form or its new one. Each step here may be cut short in its turn: what is
 * found on disk says what is left to do, and saying it is removed last.
 */
#include "daemon/object/store-private.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "daemon/core/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LEAVING_MAX 4096 /* bytes of a name */

/* After a crash: finish or forget the change that UUID.next.xml is the first step of. */
static void
recover_next (Store *store, const char *path, const char *uuid)
{
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, NULL);
  g_autofree char *final = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *name = NULL, *source = NULL, *header = NULL;

  if (text != NULL && store_identify (store->kind, text, path, &name, NULL, NULL))
    source = store_load_source (store, name, NULL);
  if (source != NULL)
    header = store_completed_header (source);
  if (header != NULL && g_str_has_prefix (text, header)) {
    if (rename (path, final) == 0)
      g_message ("%s: finished the change that was under way", final);
  } else {
    store_remove_file (path, NULL);
  }
}

static char *
name_of_completed (Store *store, const char *uuid)
{
  g_autofree char *path = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, NULL);
  char *name = NULL;

  return text != NULL && store_identify (store->kind, text, path, &name, NULL, NULL) ? name : NULL;
}

static gboolean
has_document (Store *store, const char *name)
{
  g_autofree char *path = store_source_path (store, name);

  return access (path, F_OK) == 0;
}

/* The definition had another name already when the machine went down: nothing is left of the old one. */
static gboolean
finish_rename (Store *store, const char *old_name, const char *new_name)
{
  g_autofree char *path = store_source_path (store, old_name);

  return store_copy_links (store, old_name, new_name, NULL) && store_remove_file (path, NULL)
         && store_remove_links (store, old_name, NULL);
}

static gboolean
finish_removal (Store *store, const char *uuid, const char *name, const char *owner)
{
  g_autofree char *path = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *history = store_path_in (store->completed, uuid, HISTORY_SUFFIX);
  g_autofree char *applied = store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX);

  if (g_strcmp0 (owner, name) == 0)
    unlink (applied);
  return store_remove_links (store, name, NULL)
         && (g_strcmp0 (owner, name) != 0
             || (store_remove_file (history, NULL) && store_remove_file (path, NULL)));
}

/* The name may have gone to another definition meanwhile, if the steps after the rename failed while the
 * daemon went on. */
static gboolean
is_anothers (Store *store, const char *uuid, const char *wanted)
{
  g_autoptr (GDir) directory = g_dir_open (store->completed, 0, NULL);
  const char *file;

  while (directory != NULL && (file = g_dir_read_name (directory)) != NULL) {
    g_autofree char *other = g_strndup (file, UUID_TEXT - 1);
    g_autofree char *name = NULL;

    if (strlen (file) != UUID_TEXT - 1 + strlen (".xml") || !g_str_has_suffix (file, ".xml")
        || g_str_equal (other, uuid))
      continue;
    name = name_of_completed (store, other);
    if (g_strcmp0 (name, wanted) == 0)
      return TRUE;
  }
  return FALSE;
}

/* A rename makes the links of the new name first, and may not have come to the document. */
static void
remove_dangling_links (const char *links)
{
  g_autoptr (GDir) directory = links != NULL ? g_dir_open (links, 0, NULL) : NULL;
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *link = g_build_filename (links, name, NULL);

    if (access (link, F_OK) < 0 && errno == ENOENT)
      store_remove_file (link, NULL);
  }
}

/* UUID.leaving says the name that the definition was to lose: by a rename that held or did not, or for good.
 */
static void
recover_leaving (Store *store, const char *path, const char *uuid)
{
  g_autofree char *name = store_read_file (path, LEAVING_MAX, NULL, NULL);
  g_autofree char *owner = name_of_completed (store, uuid);
  gboolean done = TRUE;

  if (name == NULL || name[0] == '\0' || is_anothers (store, uuid, name))
    done = TRUE;
  else if (owner != NULL && !g_str_equal (owner, name) && has_document (store, owner))
    done = finish_rename (store, name, owner);
  else if (!has_document (store, name))
    done = finish_removal (store, uuid, name, owner);
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++)
    remove_dangling_links (store->autostart[i]);
  if (done)
    store_remove_file (path, NULL);
}

/* The first definition of something was cut short before it held: nobody has the history. */
static void
recover_history (Store *store, const char *path, const char *uuid)
{
  g_autofree char *completed = store_path_in (store->completed, uuid, ".xml");

  if (access (completed, F_OK) < 0 && errno == ENOENT)
    store_remove_file (path, NULL);
}

/* Files of the completed definitions that end with @suffix, each given to @mend with its UUID. */
static void
mend_each (Store *store, const char *suffix, void (*mend) (Store *store, const char *path, const char *uuid))
{
  g_autoptr (GDir) directory = g_dir_open (store->completed, 0, NULL);
  g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (strlen (name) == UUID_TEXT - 1 + strlen (suffix) && g_str_has_suffix (name, suffix))
      g_ptr_array_add (found, g_strdup (name));
  for (guint i = 0; i < found->len; i++) {
    const char *file = g_ptr_array_index (found, i);
    g_autofree char *path = g_build_filename (store->completed, file, NULL);
    g_autofree char *uuid = g_strndup (file, UUID_TEXT - 1);

    mend (store, path, uuid);
  }
}

static void
remove_aside_below (const char *path)
{
  g_autoptr (GDir) directory = path != NULL ? g_dir_open (path, 0, NULL) : NULL;
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *below = g_build_filename (path, name, NULL);

    store_remove_temporary (below);
  }
}

void
store_recover (Store *store)
{
  store_remove_temporary (store->documents);
  store_remove_temporary (store->completed);
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++)
    store_remove_temporary (store->autostart[i]);
  remove_aside_below (store->machines);
  mend_each (store, STORE_NEXT_SUFFIX, recover_next);
  mend_each (store, STORE_LEAVING_SUFFIX, recover_leaving);
  mend_each (store, HISTORY_SUFFIX, recover_history);
}
