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
 * A crash between 1 and 2 leaves a UUID.next.xml whose checksum fits no document: removed at the next start;
 * one between 2 and 3 leaves one that fits: step 3 is done then.
 */
#include "daemon/store.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "daemon/store-file.h"
#include "daemon/store-index.h"
#include "daemon/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPLETED_HEADER     "<!-- made from sha256:"
#define COMPLETED_HEADER_END " -->\n"
#define NEXT_SUFFIX          ".next.xml"
#define INDEX_NAME           "index"

static char *
domains_path (const char *directory, const char *name, const char *suffix)
{
  return g_strconcat (directory, "/", name, suffix, NULL);
}

char *
store_source_path (Store *store, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);

  return domains_path (store->documents, encoded, ".xml");
}

static char *
autostart_path (Store *store, const char *name, StoreAutostart which)
{
  g_autofree char *encoded = store_encode_name (name);

  return domains_path (store->autostart[which], encoded, ".xml");
}

/* The first line of a completed text made from @source. */
static char *
completed_header (const char *source)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, source, -1);

  return g_strconcat (COMPLETED_HEADER, sum, COMPLETED_HEADER_END, NULL);
}

/* After a crash: finish or forget the change that UUID.next.xml is the first step of. */
static void
recover_next (Store *store, const char *path, const char *uuid)
{
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, NULL);
  g_autofree char *final = domains_path (store->completed, uuid, ".xml");
  g_autofree char *name = NULL, *source = NULL, *header = NULL;

  if (text != NULL && store_identify (text, path, &name, NULL, NULL))
    source = store_load_source (store, name, NULL);
  if (source != NULL)
    header = completed_header (source);
  if (header != NULL && g_str_has_prefix (text, header)) {
    if (rename (path, final) == 0)
      g_message ("%s: finished the change that was under way", final);
  } else {
    store_remove_file (path, NULL);
  }
}

/* What a crash left half done is finished or removed. */
static void
recover (Store *store)
{
  const char *const directories[] = { store->documents, store->completed, store->autostart[STORE_AUTOSTART],
                                      store->autostart[STORE_AUTOSTART_ONCE] };

  for (gsize i = 0; i < G_N_ELEMENTS (directories); i++) {
    g_autoptr (GDir) directory = g_dir_open (directories[i], 0, NULL);
    const char *name;

    while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
      g_autofree char *path = g_build_filename (directories[i], name, NULL);
      g_autofree char *uuid = g_strndup (name, UUID_TEXT - 1);

      if (g_str_has_prefix (name, STORE_ASIDE_PREFIX))
        unlink (path);
      else if (directories[i] == store->completed && strlen (name) == UUID_TEXT - 1 + strlen (NEXT_SUFFIX)
               && g_str_has_suffix (name, NEXT_SUFFIX))
        recover_next (store, path, uuid);
    }
  }
}

Store *
store_new (const Settings *settings, GError **error)
{
  g_autoptr (Store) store = g_new0 (Store, 1);
  g_autofree char *index = NULL;

  store->documents = g_build_filename (settings->config_directory, "domains", NULL);
  store->autostart[STORE_AUTOSTART] = g_build_filename (settings->config_directory, "autostart", NULL);
  store->autostart[STORE_AUTOSTART_ONCE] =
      g_build_filename (settings->config_directory, "autostart-once", NULL);
  store->completed = g_build_filename (settings->state_directory, "domains", NULL);
  store->machines = g_build_filename (settings->run_directory, "machines", NULL);
  if (!store_make_directory (store->documents, 0755, error)
      || !store_make_directory (store->autostart[STORE_AUTOSTART], 0755, error)
      || !store_make_directory (store->autostart[STORE_AUTOSTART_ONCE], 0755, error)
      || !store_make_directory (settings->state_directory, 0755, error)
      || !store_make_directory (store->completed, 0700, error)
      || !store_make_directory (settings->run_directory, 0755, error)
      || !store_make_directory (store->machines, 0711, error)
      || !store_make_directory (settings->log_directory, 0755, error)
      || !store_make_directory (settings->cache_directory, 0755, error))
    return NULL;
  recover (store);
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
check_name (const char *name, GError **error)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *decoded = store_decode_name (encoded);

  if (decoded != NULL)
    return TRUE;
  virt_error_set (error, VIR_ERR_XML_ERROR, "the name of domain '%.40s%s' is too long to be a file's name",
                  name, strlen (name) > 40 ? "..." : "");
  return FALSE;
}

gboolean
store_save (Store *store, const char *uuid, const char *name, const char *source, const char *completed,
            GError **error)
{
  g_autofree char *header = completed_header (source);
  g_autofree char *text = g_strconcat (header, completed, NULL);
  g_autofree char *path = store_source_path (store, name);
  g_autofree char *final = domains_path (store->completed, uuid, ".xml");
  g_autofree char *next = domains_path (store->completed, uuid, NEXT_SUFFIX);
  g_autofree char *old = store_read_file (final, XML_MAX_BYTES, NULL, NULL);
  g_autoptr (PreparedFile) completed_file = NULL;
  g_autoptr (PreparedFile) source_file = NULL;

  if (!check_name (name, error))
    return FALSE;
  source_file = prepared_file_new (path, source, -1, 0600, TRUE, error);
  if (source_file == NULL)
    return FALSE;
  if (g_strcmp0 (old, text) != 0) {
    completed_file = prepared_file_new (next, text, -1, 0600, TRUE, error);
    if (completed_file == NULL || !prepared_file_commit (completed_file, error))
      return FALSE;
  }
  if (!prepared_file_commit (source_file, error)) {
    unlink (next);
    return FALSE;
  }
  /* The new definition holds. What still fails here is mended at the next start. */
  if (completed_file != NULL && rename (next, final) < 0)
    g_warning ("%s: %s", final, g_strerror (errno));
  note_document (store, path, name, uuid);
  return TRUE;
}

char *
store_load_source (Store *store, const char *name, GError **error)
{
  g_autofree char *path = store_source_path (store, name);

  return store_read_file (path, XML_MAX_BYTES, NULL, error);
}

char *
store_load_completed (Store *store, const char *uuid, const char *name, gboolean *ret_stale, GError **error)
{
  g_autofree char *path = domains_path (store->completed, uuid, ".xml");
  g_autofree char *text = NULL, *source = NULL, *header = NULL;

  if (access (path, F_OK) < 0 && errno == ENOENT) {
    virt_error_set (error, VIR_ERR_NO_DOMAIN, "'%s' has not been completed yet", name);
    return NULL;
  }
  text = store_read_file (path, XML_MAX_BYTES, NULL, error);
  if (text == NULL)
    return NULL;
  if (ret_stale != NULL) {
    source = store_load_source (store, name, NULL);
    header = source != NULL ? completed_header (source) : NULL;
    *ret_stale = header != NULL && !g_str_has_prefix (text, header);
  }
  return g_steal_pointer (&text);
}

gboolean
store_remove (Store *store, const char *uuid, const char *name, GError **error)
{
  g_autofree char *path = store_source_path (store, name);
  g_autofree char *link = autostart_path (store, name, STORE_AUTOSTART);
  g_autofree char *once = autostart_path (store, name, STORE_AUTOSTART_ONCE);
  g_autofree char *final = domains_path (store->completed, uuid, ".xml");

  /* The document goes first: without it there is no definition, whatever a crash leaves of the rest, so
   * nobody waits for that. */
  if (!store_remove_file (path, error) || !store_remove_file (link, error)
      || !store_remove_file (once, error))
    return FALSE;
  if (unlink (final) < 0 && errno != ENOENT)
    g_warning ("%s: %s", final, g_strerror (errno));
  return TRUE;
}

/* What is marked by its old name is so by the new one. */
static gboolean
rename_autostart (Store *store, const char *old_name, const char *new_name, StoreAutostart which,
                  GError **error)
{
  g_autofree char *old_link = autostart_path (store, old_name, which);

  if (faccessat (AT_FDCWD, old_link, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
    return TRUE;
  return store_set_autostart (store, new_name, which, TRUE, error) && store_remove_file (old_link, error);
}

gboolean
store_rename (Store *store, const char *uuid, const char *old_name, const char *new_name, const char *source,
              const char *completed, GError **error)
{
  g_autofree char *old_path = store_source_path (store, old_name);

  /* For an instant both documents are there; store_list then takes the one the completed text was made from.
   */
  if (!store_save (store, uuid, new_name, source, completed, error))
    return FALSE;
  return rename_autostart (store, old_name, new_name, STORE_AUTOSTART, error)
         && rename_autostart (store, old_name, new_name, STORE_AUTOSTART_ONCE, error)
         && store_remove_file (old_path, error);
}

gboolean
store_set_autostart (Store *store, const char *name, StoreAutostart which, gboolean autostart, GError **error)
{
  g_autofree char *link = autostart_path (store, name, which);
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *target = g_strconcat ("../domains/", encoded, ".xml", NULL);

  if (!autostart)
    return store_remove_file (link, error);
  if (symlink (target, link) < 0 && errno != EEXIST) {
    store_system_error (error, errno, "link", link);
    return FALSE;
  }
  return store_sync_directory (store->autostart[which], error);
}
