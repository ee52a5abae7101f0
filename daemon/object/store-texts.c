/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A definition's texts out of the store and into it again. Nothing is read or understood on the way: what a
 * user changed by hand, or another version has completed, comes back as it was.
 */
#include "daemon/object/store-texts.h"

#include "base/xml-document.h"
#include "daemon/core/file.h"
#include "daemon/object/store-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define DOCUMENT_FILE  "document.xml"
#define COMPLETED_FILE "completed.xml"
#define HISTORY_FILE   "history"
#define APPLIED_FILE   "applied"

#define APPLIED_MAX_BYTES 16384

/* One that is not there is nothing to copy. */
static gboolean
copy (const char *from, const char *to, gsize limit, GError **error)
{
  g_autofree char *text = NULL;
  gsize length = 0;

  if (access (from, F_OK) < 0 && errno == ENOENT)
    return TRUE;
  text = store_read_file (from, (gssize)limit, &length, error);
  return text != NULL && store_write_file (to, text, (gssize)length, 0600, error);
}

typedef struct {
  char *document, *completed, *history, *applied;
} Paths;

static void
paths_clear (Paths *paths)
{
  g_free (paths->document);
  g_free (paths->completed);
  g_free (paths->history);
  g_free (paths->applied);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Paths, paths_clear)

static Paths
paths_in_store (Store *store, const char *uuid, const char *name)
{
  return (Paths){ store_source_path (store, name), store_path_in (store->completed, uuid, ".xml"),
                  store_path_in (store->completed, uuid, HISTORY_SUFFIX),
                  store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX) };
}

static Paths
paths_in (const char *directory)
{
  return (Paths){ g_build_filename (directory, DOCUMENT_FILE, NULL),
                  g_build_filename (directory, COMPLETED_FILE, NULL),
                  g_build_filename (directory, HISTORY_FILE, NULL),
                  g_build_filename (directory, APPLIED_FILE, NULL) };
}

gboolean
store_texts_copy_out (Store *store, const char *uuid, const char *name, const char *directory, GError **error)
{
  g_auto (Paths) from = paths_in_store (store, uuid, name), to = paths_in (directory);

  return copy (from.history, to.history, HISTORY_FILE_MAX_BYTES, error)
         && copy (from.applied, to.applied, APPLIED_MAX_BYTES, error)
         && copy (from.completed, to.completed, XML_MAX_BYTES, error)
         && copy (from.document, to.document, XML_MAX_BYTES, error);
}

gboolean
store_texts_copy_in (Store *store, const char *uuid, const char *name, const char *directory, GError **error)
{
  g_auto (Paths) from = paths_in (directory), to = paths_in_store (store, uuid, name);

  if (store_remove_links (store, name, error)
      && copy (from.history, to.history, HISTORY_FILE_MAX_BYTES, error)
      && copy (from.applied, to.applied, APPLIED_MAX_BYTES, error)
      && copy (from.completed, to.completed, XML_MAX_BYTES, error)
      && copy (from.document, to.document, XML_MAX_BYTES, error))
    return TRUE;
  store_texts_forget (store, uuid);
  return FALSE;
}

void
store_texts_forget (Store *store, const char *uuid)
{
  g_autofree char *completed = store_path_in (store->completed, uuid, ".xml");
  g_autofree char *history = store_path_in (store->completed, uuid, HISTORY_SUFFIX);
  g_autofree char *applied = store_path_in (store->completed, uuid, STORE_APPLIED_SUFFIX);

  store_remove_file (history, NULL);
  store_remove_file (applied, NULL);
  store_remove_file (completed, NULL);
}

char *
store_texts_completed (const char *directory, GError **error)
{
  g_autofree char *path = g_build_filename (directory, COMPLETED_FILE, NULL);

  return store_read_file (path, XML_MAX_BYTES, NULL, error);
}
