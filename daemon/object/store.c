/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The definitions on disk. A definition is two files: the user's document, byte for byte, under its name,
 * and the completed one under its UUID, whose first line carries the checksum of the document it was made
 * from. A change is three renames whose middle one, of the user's document, is the instant it takes hold:
 *
 *   1  the completed text is there as UUID.next.xml
 *   2  the document is NAME.xml               ← from here on the new definition holds
 *   3  UUID.next.xml becomes UUID.xml
 *
 * A definition that goes away, or gets another name, is several files to remove; so first UUID.leaving says
 * the name that is going, and last it is removed. What a crash leaves of all this, store-recover.c finishes
 * or undoes.
 */
#include "daemon/object/store.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "daemon/core/file.h"
#include "daemon/object/store-index.h"
#include "daemon/object/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPLETED_HEADER     "<!-- made from sha256:"
#define COMPLETED_HEADER_END " -->\n"
#define INDEX_NAME           "index"

char *
store_path_in (const char *directory, const char *name, const char *suffix)
{
  return g_strconcat (directory, "/", name, suffix, NULL);
}

char *
store_source_path (Store *store, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);

  return store_path_in (store->documents, encoded, ".xml");
}

char *
store_autostart_path (Store *store, const char *name, StoreAutostart which)
{
  g_autofree char *encoded = store_encode_name (name);

  return store_path_in (store->autostart[which], encoded, ".xml");
}

char *
store_completed_header (const char *source)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, source, -1);

  return g_strconcat (COMPLETED_HEADER, sum, COMPLETED_HEADER_END, NULL);
}

char *
store_completed_sum (const char *text)
{
  const char *end = g_str_has_prefix (text, COMPLETED_HEADER) ? strstr (text, COMPLETED_HEADER_END) : NULL;
  const char *sum = text + strlen (COMPLETED_HEADER);

  return end != NULL ? g_strndup (sum, (gsize)(end - sum)) : NULL;
}

/* "domains" and "autostart" are beside each other; other kinds have their links below their documents. */
static char *
links_folder (const ObjectKind *kind, const Settings *settings, StoreAutostart which)
{
  const char *folder = kind->autostart_folders[which];

  return folder != NULL ? g_build_filename (settings->config_directory, folder, NULL) : NULL;
}

static gboolean
make_directories (const Store *store, const Settings *settings, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++)
    if (store->autostart[i] != NULL && !store_make_directory (store->autostart[i], 0755, error))
      return FALSE;
  return store_make_directory (store->documents, 0755, error)
         && store_make_directory (settings->state_directory, 0755, error)
         && store_make_directory (store->completed, 0700, error)
         && store_make_directory (settings->run_directory, 0755, error)
         && store_make_directory (store->machines, 0711, error)
         && store_make_directory (settings->log_directory, 0755, error)
         && store_make_directory (settings->cache_directory, 0755, error);
}

Store *
store_new (const ObjectKind *kind, const Settings *settings, GError **error)
{
  g_autoptr (Store) store = g_new0 (Store, 1);
  g_autofree char *index = NULL;

  store->kind = kind;
  store->documents = g_build_filename (settings->config_directory, kind->folder, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++)
    store->autostart[i] = links_folder (kind, settings, i);
  store->completed = g_build_filename (settings->state_directory, kind->folder, NULL);
  store->machines = g_build_filename (settings->run_directory,
                                      kind->run_folder != NULL ? kind->run_folder : "machines", NULL);
  if (!make_directories (store, settings, error))
    return NULL;
  store->history_revisions = settings->history_revisions;
  index = g_build_filename (store->completed, INDEX_NAME, NULL);
  store->index = store_index_open (index);
  return g_steal_pointer (&store);
}

void
store_free (Store *store)
{
  if (store == NULL)
    return;
  store_index_free (store->index);
  g_free (store->documents);
  g_free (store->autostart[STORE_AUTOSTART]);
  g_free (store->autostart[STORE_AUTOSTART_ONCE]);
  g_free (store->completed);
  g_free (store->machines);
  g_free (store);
}

/* Note the UUID of a document that was just written. */
static void
note_document (Store *store, const char *path, const char *name, const char *uuid)
{
  g_autofree char *encoded = store_encode_name (name);
  struct stat status;

  if (stat (path, &status) == 0)
    store_index_note (store->index, encoded, uuid, &status);
}

static gboolean
check_name (const ObjectKind *kind, const char *name, GError **error)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *decoded = store_decode_name (encoded);

  if (decoded != NULL)
    return TRUE;
  virt_error_set (error, VIR_ERR_XML_ERROR, "the name of %s '%.40s%s' is too long to be a file's name",
                  kind->name, name, strlen (name) > 40 ? "..." : "");
  return FALSE;
}

struct StoreEdit {
  Store *store;
  char *uuid, *name, *source_path, *next, *final;
  PreparedFile *source, *completed; /* the second only where that text changes */
};

StoreEdit *
store_prepare (Store *store, const char *uuid, const char *name, const char *source, const char *completed,
               const Author *author, GError **error)
{
  g_autofree char *header = store_completed_header (source);
  g_autofree char *text = g_strconcat (header, completed, NULL);
  g_autofree char *old = NULL;
  g_autoptr (StoreEdit) edit = NULL;

  if (!check_name (store->kind, name, error))
    return NULL;
  edit = g_new0 (StoreEdit, 1);
  edit->store = store;
  edit->uuid = g_strdup (uuid);
  edit->name = g_strdup (name);
  edit->source_path = store_source_path (store, name);
  edit->final = store_path_in (store->completed, uuid, ".xml");
  edit->next = store_path_in (store->completed, uuid, STORE_NEXT_SUFFIX);
  edit->source = prepared_file_new (edit->source_path, source, -1, 0600, TRUE, error);
  if (edit->source == NULL)
    return NULL;
  old = store_read_file (edit->final, XML_MAX_BYTES, NULL, NULL);
  if (g_strcmp0 (old, text) != 0) {
    edit->completed = prepared_file_new (edit->next, text, -1, 0600, TRUE, error);
    if (edit->completed == NULL)
      return NULL;
  }
  return store_add_revision (store, uuid, name, source, author, error) ? g_steal_pointer (&edit) : NULL;
}

gboolean
store_commit_completed (StoreEdit *edit, GError **error)
{
  return edit->completed == NULL || prepared_file_commit (edit->completed, error);
}

gboolean
store_commit_source (StoreEdit *edit, GError **error)
{
  if (prepared_file_commit (edit->source, error))
    return TRUE;
  unlink (edit->next);
  return FALSE;
}

/* The new definition holds. What still fails here is mended at the next start. */
void
store_finish_commit (StoreEdit *edit)
{
  if (edit->completed != NULL && rename (edit->next, edit->final) < 0)
    g_warning ("%s: %s", edit->final, g_strerror (errno));
  note_document (edit->store, edit->source_path, edit->name, edit->uuid);
}

gboolean
store_commit (StoreEdit *edit, GError **error)
{
  if (!store_commit_completed (edit, error) || !store_commit_source (edit, error))
    return FALSE;
  store_finish_commit (edit);
  return TRUE;
}

void
store_edit_free (StoreEdit *edit)
{
  if (edit == NULL)
    return;
  prepared_file_free (edit->source);
  prepared_file_free (edit->completed);
  g_free (edit->uuid);
  g_free (edit->name);
  g_free (edit->source_path);
  g_free (edit->next);
  g_free (edit->final);
  g_free (edit);
}

static gboolean
save_texts (Store *store, const char *uuid, const char *name, const char *source, const char *completed,
            const Author *author, GError **error)
{
  g_autoptr (StoreEdit) edit = store_prepare (store, uuid, name, source, completed, author, error);

  return edit != NULL && store_commit (edit, error);
}

/* A definition that went under that name may have left its marks, if they could not be removed. */
gboolean
store_forget_marks (Store *store, const char *name, GError **error)
{
  g_autofree char *path = store_source_path (store, name);

  return access (path, F_OK) == 0 || errno != ENOENT || store_remove_links (store, name, error);
}

gboolean
store_save (Store *store, const char *uuid, const char *name, const char *source, const char *completed,
            const Author *author, GError **error)
{
  return store_forget_marks (store, name, error)
         && save_texts (store, uuid, name, source, completed, author, error);
}

char *
store_load_source (Store *store, const char *name, GError **error)
{
  g_autofree char *path = store_source_path (store, name);

  return store_read_file (path, XML_MAX_BYTES, NULL, error);
}

/* The completed text whose last rename has failed, if it was made from the document with that @header: the
 * rename is tried again. (transfer full) */
static char *
load_next (Store *store, const char *uuid, const char *header)
{
  g_autofree char *next = store_path_in (store->completed, uuid, STORE_NEXT_SUFFIX);
  g_autofree char *final = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *text = store_read_file (next, XML_MAX_BYTES, NULL, NULL);

  if (text == NULL || !g_str_has_prefix (text, header))
    return NULL;
  if (rename (next, final) < 0)
    g_warning ("%s: %s", final, g_strerror (errno));
  return g_steal_pointer (&text);
}

char *
store_load_completed (Store *store, const char *uuid, const char *name, gboolean *ret_stale, GError **error)
{
  g_autofree char *path = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *text = NULL, *source = NULL, *header = NULL, *next = NULL;

  if (access (path, F_OK) < 0 && errno == ENOENT) {
    source = store_load_source (store, name, NULL);
    header = source != NULL ? store_completed_header (source) : NULL;
    next = header != NULL ? load_next (store, uuid, header) : NULL;
    if (next != NULL) {
      if (ret_stale != NULL)
        *ret_stale = FALSE;
      return g_steal_pointer (&next);
    }
    virt_error_set (error, store->kind->missing, "'%s' has not been completed yet", name);
    return NULL;
  }
  text = store_read_file (path, XML_MAX_BYTES, NULL, error);
  if (text == NULL)
    return NULL;
  if (ret_stale == NULL)
    return g_steal_pointer (&text);
  source = store_load_source (store, name, NULL);
  header = source != NULL ? store_completed_header (source) : NULL;
  *ret_stale = header != NULL && !g_str_has_prefix (text, header);
  if (*ret_stale && (next = load_next (store, uuid, header)) != NULL) {
    *ret_stale = FALSE;
    return g_steal_pointer (&next);
  }
  return g_steal_pointer (&text);
}

/* Say durably that @name is going, for the next start to know if this one ends here. */
static gboolean
begin_leaving (Store *store, const char *uuid, const char *name, GError **error)
{
  g_autofree char *path = store_path_in (store->completed, uuid, STORE_LEAVING_SUFFIX);

  return store_write_file (path, name, -1, 0600, error);
}

gboolean
store_remove_links (Store *store, const char *name, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++) {
    g_autofree char *link = store->autostart[i] != NULL ? store_autostart_path (store, name, i) : NULL;

    if (link != NULL && !store_remove_file (link, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_link (Store *store, const char *name, StoreAutostart which)
{
  g_autofree char *link = store_autostart_path (store, name, which);

  return faccessat (AT_FDCWD, link, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

gboolean
store_copy_links (Store *store, const char *old_name, const char *new_name, GError **error)
{
  for (guint i = 0; i < G_N_ELEMENTS (store->autostart); i++)
    if (store->autostart[i] != NULL && has_link (store, old_name, i)
        && !store_set_autostart (store, new_name, i, TRUE, error))
      return FALSE;
  return TRUE;
}

/* A step after the one that cannot be taken back: the next start does it again. */
static void
done_later (gboolean done, GError **problem)
{
  if (!done)
    g_warning ("%s; the next start of the daemon tries again", (*problem)->message);
  g_clear_error (problem);
}

gboolean
store_remove (Store *store, const char *uuid, const char *name, GError **error)
{
  g_autofree char *path = store_source_path (store, name);
  g_autofree char *final = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *history = store_path_in (store->completed, uuid, HISTORY_SUFFIX);
  g_autofree char *applied = store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX);
  g_autofree char *leaving = store_path_in (store->completed, uuid, STORE_LEAVING_SUFFIX);
  g_autoptr (GError) problem = NULL;
  gboolean noted = begin_leaving (store, uuid, name, &problem);

  /* A full disk must not keep a definition alive. */
  done_later (noted, &problem);
  /* The document goes first: without it there is no definition. */
  if (!store_remove_file (path, error)) {
    unlink (leaving);
    return FALSE;
  }
  gboolean unlinked = store_remove_links (store, name, &problem);
  done_later (unlinked, &problem);
  gboolean forgotten = store_remove_file (history, &problem);
  done_later (forgotten, &problem);
  unlink (applied); /* durable with what follows */
  gboolean removed = store_remove_file (final, &problem);
  done_later (removed, &problem);
  if (unlinked && forgotten && removed)
    done_later (store_remove_file (leaving, &problem), &problem);
  return TRUE;
}

/* Undo what store_rename has done before the new document held. */
static void
take_rename_back (Store *store, const char *new_name, const char *leaving)
{
  store_remove_links (store, new_name, NULL);
  unlink (leaving);
}

gboolean
store_rename (Store *store, const char *uuid, const char *old_name, const char *new_name, const char *source,
              const char *completed, const Author *author, GError **error)
{
  g_autofree char *old_path = store_source_path (store, old_name);
  g_autofree char *leaving = store_path_in (store->completed, uuid, STORE_LEAVING_SUFFIX);
  g_autoptr (GError) problem = NULL;

  if (!begin_leaving (store, uuid, old_name, error))
    return FALSE;
  if (!store_copy_links (store, old_name, new_name, error)
      || !save_texts (store, uuid, new_name, source, completed, author, error)) {
    take_rename_back (store, new_name, leaving);
    return FALSE;
  }
  gboolean removed = store_remove_file (old_path, &problem);
  done_later (removed, &problem);
  gboolean unlinked = store_remove_links (store, old_name, &problem);
  done_later (unlinked, &problem);
  if (removed && unlinked)
    done_later (store_remove_file (leaving, &problem), &problem);
  return TRUE;
}

gboolean
store_set_autostart (Store *store, const char *name, StoreAutostart which, gboolean autostart, GError **error)
{
  g_autofree char *link = store_autostart_path (store, name, which);
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *parent = g_path_get_dirname (store->autostart[which]);
  gboolean below = g_str_equal (parent, store->documents);
  g_autofree char *target =
      g_strconcat ("../", below ? "" : store->kind->folder, below ? "" : "/", encoded, ".xml", NULL);
  gboolean made;

  if (!autostart)
    return store_remove_file (link, error);
  made = symlink (target, link) == 0;
  if (!made && errno != EEXIST) {
    store_system_error (error, errno, "link", link);
    return FALSE;
  }
  if (store_sync_directory (store->autostart[which], error))
    return TRUE;
  if (made)
    unlink (link);
  return FALSE;
}
