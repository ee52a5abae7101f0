/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The journal of an import, a directory STATE/import/ID:
 *
 *   journal.json   the parts, each with the name it will have, and whether all of them are whole
 *   source.xml     the machine's documents, once they are
 *   domain.xml
 *   tpm/           the state of its TPM
 *   snapshot/      the documents of its snapshots
 *
 * Writing "committed" into journal.json is the instant at which the machine exists. Every step behind it can
 * be done again: a part that has its name is passed over. A name that is taken by then is not overwritten.
 */
#include "daemon/domain/import-journal.h"

#include "base/untrusted-json.h"
#include "bundle/bundle-head.h"
#include "bundle/bundle-name.h"
#include "daemon/core/file.h"
#include "daemon/core/tree.h"
#include "daemon/object/store-history.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define JOURNALS_DIRECTORY "import"
#define JOURNAL_NAME       "journal.json"
#define SOURCE_NAME        "source.xml"
#define COMPLETED_NAME     "domain.xml"
#define JOURNAL_BYTES_MAX  (16 * 1024 * 1024)
#define JOURNAL_VALUES_MAX (8 * BUNDLE_FILES_MAX)
#define DOCUMENT_BYTES_MAX (64 * 1024 * 1024)
#define FOLDERS            2
#define PART_PREFIX        STORE_ASIDE_PREFIX "import-"

typedef struct {
  char *part, *target;
} Part;

struct ImportJournal {
  const Settings *settings;
  char *directory, *id;
  char *uuid, *name;
  Author *author;   /* of the machine's definition */
  GPtrArray *parts; /* Part */
  gboolean begun, committed;
  gboolean has_folder[FOLDERS]; /* to be given its place by this commit */
};

static void
part_free (gpointer data)
{
  Part *part = data;

  g_free (part->part);
  g_free (part->target);
  g_free (part);
}

static ImportJournal *
journal_of (const Settings *settings, const char *id)
{
  ImportJournal *journal = g_new0 (ImportJournal, 1);

  journal->settings = settings;
  journal->id = g_strdup (id);
  journal->directory = g_build_filename (settings->state_directory, JOURNALS_DIRECTORY, id, NULL);
  journal->parts = g_ptr_array_new_with_free_func (part_free);
  return journal;
}

ImportJournal *
import_journal_new (const Settings *settings, const char *uuid, const char *name, Author *author)
{
  g_autofree char *id = g_uuid_string_random ();
  ImportJournal *journal = journal_of (settings, id);

  journal->uuid = g_strdup (uuid);
  journal->name = g_strdup (name);
  journal->author = author;
  return journal;
}

const char *
import_journal_directory (const ImportJournal *journal)
{
  return journal->directory;
}

const char *
import_journal_add (ImportJournal *journal, const char *target)
{
  g_autofree char *directory = g_path_get_dirname (target);
  Part *part = g_new0 (Part, 1);

  part->target = g_strdup (target);
  part->part = g_strdup_printf ("%s/" PART_PREFIX "%s-%u", directory, journal->id, journal->parts->len);
  g_ptr_array_add (journal->parts, part);
  return part->part;
}

/* On disk. */

static void
add_text (JsonBuilder *json, const char *name, const char *value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, value);
}

static char *
journal_text (const ImportJournal *journal)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();
  g_autoptr (JsonNode) root = NULL;

  json_builder_begin_object (json);
  add_text (json, "uuid", journal->uuid);
  add_text (json, "name", journal->name);
  json_builder_set_member_name (json, "uid");
  json_builder_add_int_value (json, journal->author->uid);
  add_text (json, "client", journal->author->client);
  add_text (json, "call", journal->author->call);
  json_builder_set_member_name (json, "committed");
  json_builder_add_boolean_value (json, journal->committed);
  json_builder_set_member_name (json, "files");
  json_builder_begin_array (json);
  for (guint i = 0; i < journal->parts->len; i++) {
    const Part *part = g_ptr_array_index (journal->parts, i);

    json_builder_begin_object (json);
    add_text (json, "part", part->part);
    add_text (json, "target", part->target);
    json_builder_end_object (json);
  }
  json_builder_end_array (json);
  json_builder_end_object (json);
  root = json_builder_get_root (json);
  return json_to_string (root, TRUE);
}

static gboolean
write_in (const ImportJournal *journal, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (journal->directory, name, NULL);

  return store_write_file (path, text, -1, 0600, error);
}

static char *
read_in (const ImportJournal *journal, const char *name, gsize limit, GError **error)
{
  g_autofree char *path = g_build_filename (journal->directory, name, NULL);
  gsize length;

  return store_read_file (path, limit, &length, error);
}

static gboolean
write_journal (const ImportJournal *journal, GError **error)
{
  g_autofree char *text = journal_text (journal);

  return write_in (journal, JOURNAL_NAME, text, error);
}

gboolean
import_journal_begin (ImportJournal *journal, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (journal->directory);

  if (!store_make_directory (parent, 0700, error) || !store_make_directory (journal->directory, 0700, error))
    return FALSE;
  journal->begun = TRUE;
  return write_journal (journal, error);
}

/* Removing. */

/* The directory of the machine's images was made for it: it goes when it is empty. */
static void
remove_part (const ImportJournal *journal, const Part *part)
{
  g_autofree char *directory = g_path_get_dirname (part->target);
  g_autofree char *own = g_path_get_basename (directory);

  if (unlink (part->part) < 0 && errno != ENOENT)
    g_warning ("cannot remove '%s', a part of an import that was not finished: %s", part->part,
               g_strerror (errno));
  if (g_str_equal (own, journal->name))
    rmdir (directory);
}

static void
remove_all (const ImportJournal *journal)
{
  for (guint i = 0; i < journal->parts->len; i++)
    remove_part (journal, g_ptr_array_index (journal->parts, i));
  tree_remove (journal->directory);
}

void
import_journal_free (ImportJournal *journal)
{
  if (journal == NULL)
    return;
  if (journal->begun && !journal->committed)
    remove_all (journal);
  g_free (journal->directory);
  g_free (journal->id);
  g_free (journal->uuid);
  g_free (journal->name);
  author_free (journal->author);
  g_ptr_array_unref (journal->parts);
  g_free (journal);
}

/* Finishing. */

/* Nobody's file is overwritten. */
static gboolean
move (const char *from, const char *to, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (to);

  if (access (from, F_OK) != 0)
    return TRUE; /* it was moved before */
  if (renameat2 (AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return store_sync_directory (directory, error);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot give the imported '%s' its name: %s", to,
                  g_strerror (errno));
  return FALSE;
}

/* Its directories that become the machine's, which are kept by UUID in those of the same names in the state.
 */
static const struct {
  const char *name;
  int mode; /* of the directory above */
} folders[FOLDERS] = { { "tpm", 0711 }, { "snapshot", 0700 } };

static char *
folder_here (const ImportJournal *journal, guint index)
{
  return g_build_filename (journal->directory, folders[index].name, NULL);
}

static char *
folder_there (const ImportJournal *journal, guint index)
{
  return g_build_filename (journal->settings->state_directory, folders[index].name, journal->uuid, NULL);
}

static gboolean
finish_folder (const ImportJournal *journal, guint index, GError **error)
{
  g_autofree char *from = folder_here (journal, index), *to = folder_there (journal, index);
  g_autofree char *above = g_path_get_dirname (to);

  if (access (from, F_OK) != 0)
    return TRUE;
  return store_make_directory (above, folders[index].mode, error) && move (from, to, error);
}

static gboolean
finish (const ImportJournal *journal, Store *store, const char *source, const char *completed, GError **error)
{
  for (guint i = 0; i < journal->parts->len; i++) {
    const Part *part = g_ptr_array_index (journal->parts, i);

    if (!move (part->part, part->target, error))
      return FALSE;
  }
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++)
    if (!finish_folder (journal, i, error))
      return FALSE;
  return store_save (store, journal->uuid, journal->name, source, completed, journal->author, error);
}

/* Names that were given are taken back: those whose part is gone. */
static void
take_back (ImportJournal *journal)
{
  journal->committed = FALSE;
  for (guint i = 0; i < journal->parts->len; i++) {
    const Part *part = g_ptr_array_index (journal->parts, i);

    if (access (part->part, F_OK) == 0)
      break; /* this one and those behind it were not moved */
    if (rename (part->target, part->part) < 0)
      g_warning ("cannot take back '%s': %s", part->target, g_strerror (errno));
  }
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *here = folder_here (journal, i), *there = folder_there (journal, i);

    if (journal->has_folder[i] && access (here, F_OK) != 0 && rename (there, here) < 0)
      g_warning ("cannot take back '%s': %s", there, g_strerror (errno));
  }
}

gboolean
import_journal_commit (ImportJournal *journal, Store *store, const char *source, const char *completed,
                       GError **error)
{
  if (!write_in (journal, SOURCE_NAME, source, error)
      || !write_in (journal, COMPLETED_NAME, completed, error))
    return FALSE;
  journal->committed = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (folders); i++) {
    g_autofree char *folder = folder_here (journal, i);

    journal->has_folder[i] = access (folder, F_OK) == 0;
  }
  if (!write_journal (journal, error)) {
    journal->committed = FALSE;
    return FALSE;
  }
  if (!finish (journal, store, source, completed, error)) {
    take_back (journal);
    return FALSE;
  }
  tree_remove (journal->directory);
  return TRUE;
}

/* After a crash. */

static gboolean
parse (ImportJournal *journal, const char *text)
{
  g_autoptr (JsonObject) said = untrusted_json_object_of (text, strlen (text), JOURNAL_VALUES_MAX);
  JsonArray *files = said != NULL ? untrusted_list (said, "files") : NULL;
  gint64 uid = -1;

  if (files == NULL || untrusted_text (said, "uuid") == NULL || untrusted_text (said, "name") == NULL)
    return FALSE;
  journal->uuid = g_strdup (untrusted_text (said, "uuid"));
  journal->name = g_strdup (untrusted_text (said, "name"));
  untrusted_number (said, "uid", &uid);
  journal->author = author_new (uid, untrusted_text (said, "client"), untrusted_text (said, "call"));
  journal->committed = untrusted_switch (said, "committed");
  for (guint i = 0; i < json_array_get_length (files); i++) {
    JsonObject *file = untrusted_object_of (json_array_get_element (files, i));
    const char *part = untrusted_text (file, "part"), *target = untrusted_text (file, "target");
    Part *one;

    if (part == NULL || target == NULL || strstr (part, "/" PART_PREFIX) == NULL)
      return FALSE;
    one = g_new0 (Part, 1);
    *one = (Part){ g_strdup (part), g_strdup (target) };
    g_ptr_array_add (journal->parts, one);
  }
  return TRUE;
}

static void
recover (ImportJournal *journal, Store *store)
{
  g_autofree char *text = read_in (journal, JOURNAL_NAME, JOURNAL_BYTES_MAX, NULL);
  g_autofree char *source = NULL, *completed = NULL;
  g_autoptr (GError) error = NULL;

  if (text == NULL || !parse (journal, text)) {
    tree_remove (journal->directory); /* nothing was made before it was written */
    return;
  }
  if (!journal->committed) {
    g_message ("an import of '%s' was cut short: what there was of it is removed", journal->name);
    remove_all (journal);
    return;
  }
  source = read_in (journal, SOURCE_NAME, DOCUMENT_BYTES_MAX, &error);
  completed = source != NULL ? read_in (journal, COMPLETED_NAME, DOCUMENT_BYTES_MAX, &error) : NULL;
  if (completed != NULL && finish (journal, store, source, completed, &error)) {
    g_message ("the import of '%s', which was cut short, is finished", journal->name);
    tree_remove (journal->directory);
  } else {
    g_warning ("the import of '%s' in '%s' cannot be finished: %s", journal->name, journal->directory,
               error->message);
  }
}

void
import_journal_recover (const Settings *settings, Store *store)
{
  g_autofree char *path = g_build_filename (settings->state_directory, JOURNALS_DIRECTORY, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *id;

  while (directory != NULL && (id = g_dir_read_name (directory)) != NULL) {
    g_autoptr (ImportJournal) journal = journal_of (settings, id);

    recover (journal, store);
  }
}
