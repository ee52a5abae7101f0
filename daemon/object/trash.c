/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The trash. An entry is a directory trash/NUMBER with the definition's texts, byte for byte, the files that
 * were moved here, and entry.json, which says what it is, where its files came from, and what is being done:
 *
 *   leaving     the texts are here, and the definition is about to be removed; once it is, the files follow
 *   kept        all is here
 *   returning   the files go back, then the texts: with the document the definition is there again
 *
 * Whether there is a document says at each start how far the first and the third have come, for its removal
 * and its return are the instants at which they take hold. An entry that is made has the name .new-NUMBER and
 * one that is removed .gone-NUMBER: they are no entries.
 */
#include "daemon/object/trash.h"

#include "base/scalars.h"
#include "base/untrusted-json.h"
#include "daemon/core/file.h"
#include "daemon/core/tree.h"
#include "daemon/object/store-private.h"
#include "daemon/object/store-texts.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define TRASH_DIRECTORY "trash"
#define ENTRY_FILE      "entry.json"
#define ENTRY_MAX_BYTES (256 * 1024)
#define ENTRIES_MAX     G_MAXINT
#define FILES_MAX       64 /* of one entry */
#define NEW_PREFIX      ".new-"
#define GONE_PREFIX     ".gone-"
#define STATE_LEAVING   "leaving"
#define STATE_KEPT      "kept"
#define STATE_RETURNING "returning"

struct TrashFile {
  char *from; /* where it was */
  char *here; /* its name in the entry's directory */
};

static void
trash_file_free (gpointer data)
{
  TrashFile *file = data;

  g_free (file->from);
  g_free (file->here);
  g_free (file);
}

void
trash_entry_free (TrashEntry *entry)
{
  if (entry == NULL)
    return;
  g_free (entry->directory);
  g_free (entry->kind);
  g_free (entry->uuid);
  g_free (entry->name);
  g_free (entry->client);
  g_clear_pointer (&entry->files, g_ptr_array_unref);
  g_free (entry);
}

static char *
trash_directory (const Settings *settings)
{
  return g_build_filename (settings->state_directory, TRASH_DIRECTORY, NULL);
}

static char *
place_of (const TrashEntry *entry, const TrashFile *file)
{
  return g_build_filename (entry->directory, file->here, NULL);
}

static void
add_file (TrashEntry *entry, const char *from)
{
  TrashFile *file = g_new0 (TrashFile, 1);
  g_autofree char *base = g_path_get_basename (from);

  file->from = g_strdup (from);
  file->here = g_strdup_printf ("%u-%s", entry->files->len, base);
  g_ptr_array_add (entry->files, file);
}

GStrv
trash_entry_files (const TrashEntry *entry)
{
  g_autoptr (GStrvBuilder) paths = g_strv_builder_new ();

  for (guint i = 0; i < entry->files->len; i++)
    g_strv_builder_add (paths, ((const TrashFile *)g_ptr_array_index (entry->files, i))->from);
  return g_strv_builder_end (paths);
}

char *
trash_entry_completed (const TrashEntry *entry, GError **error)
{
  return store_texts_completed (entry->directory, error);
}

/* entry.json. */

static gboolean
write_entry (const TrashEntry *entry, const char *state, GError **error)
{
  g_autofree char *path = g_build_filename (entry->directory, ENTRY_FILE, NULL), *text = NULL;
  g_autoptr (JsonObject) object = json_object_new ();
  JsonArray *files = json_array_new ();

  json_object_set_string_member (object, "state", state);
  json_object_set_string_member (object, "kind", entry->kind);
  json_object_set_string_member (object, "uuid", entry->uuid);
  json_object_set_string_member (object, "name", entry->name);
  json_object_set_int_member (object, "time", entry->time);
  json_object_set_int_member (object, "uid", entry->uid);
  json_object_set_string_member (object, "client", entry->client);
  json_object_set_boolean_member (object, "autostart", entry->autostart);
  json_object_set_boolean_member (object, "autostart-once", entry->autostart_once);
  for (guint i = 0; i < entry->files->len; i++) {
    const TrashFile *file = g_ptr_array_index (entry->files, i);
    JsonObject *one = json_object_new ();

    json_object_set_string_member (one, "from", file->from);
    json_object_set_string_member (one, "here", file->here);
    json_array_add_object_element (files, one);
  }
  json_object_set_array_member (object, "files", files);
  text = json_object_text (object);
  return store_write_file (path, text, -1, 0600, error);
}

/* A file of the daemon's own, and a name without a way out of the directory. */
static gboolean
is_good_file (const Settings *settings, const char *from, const char *here)
{
  g_autofree char *canonical = from != NULL ? g_canonicalize_filename (from, "/") : NULL;
  g_autofree char *state = g_strconcat (settings->state_directory, "/", NULL);

  return here != NULL && g_str_equal (canonical, from) && g_str_has_prefix (from, state)
         && strchr (here, '/') == NULL && here[0] != '.';
}

static gboolean
read_files (const Settings *settings, TrashEntry *entry, JsonArray *files)
{
  guint count = files != NULL ? json_array_get_length (files) : 0;

  if (files == NULL || count > FILES_MAX)
    return FALSE;
  for (guint i = 0; i < count; i++) {
    JsonObject *one = untrusted_object_of (json_array_get_element (files, i));
    const char *from = untrusted_text (one, "from"), *here = untrusted_text (one, "here");
    TrashFile *file;

    if (from == NULL || here == NULL || !is_good_file (settings, from, here))
      return FALSE;
    file = g_new0 (TrashFile, 1);
    file->from = g_strdup (from);
    file->here = g_strdup (here);
    g_ptr_array_add (entry->files, file);
  }
  return TRUE;
}

/* @ret_state (may be NULL) is static. */
static TrashEntry *
read_entry (const Settings *settings, guint number, const char **ret_state, GError **error)
{
  static const char *const states[] = { STATE_LEAVING, STATE_KEPT, STATE_RETURNING };
  g_autofree char *trash = trash_directory (settings), *name = g_strdup_printf ("%u", number);
  g_autoptr (TrashEntry) entry = g_new0 (TrashEntry, 1);
  g_autofree char *path = NULL, *text = NULL;
  g_autoptr (JsonObject) object = NULL;
  const char *state;
  guint8 uuid[UUID_BYTES];
  gsize length = 0;

  entry->number = number;
  entry->directory = g_build_filename (trash, name, NULL);
  entry->files = g_ptr_array_new_with_free_func (trash_file_free);
  path = g_build_filename (entry->directory, ENTRY_FILE, NULL);
  text = store_read_file (path, ENTRY_MAX_BYTES, &length, error);
  if (text == NULL)
    return NULL;
  object = untrusted_json_object (text, length);
  state = untrusted_text (object, "state");
  entry->kind = g_strdup (untrusted_text (object, "kind"));
  entry->uuid = g_strdup (untrusted_text (object, "uuid"));
  entry->name = g_strdup (untrusted_text (object, "name"));
  entry->client = g_strdup (untrusted_text (object, "client"));
  entry->autostart = untrusted_switch (object, "autostart");
  entry->autostart_once = untrusted_switch (object, "autostart-once");
  entry->uid = -1;
  untrusted_number (object, "uid", &entry->uid);
  for (guint i = 0; ret_state != NULL && i < G_N_ELEMENTS (states); i++)
    if (g_strcmp0 (state, states[i]) == 0)
      *ret_state = states[i];
  if (entry->kind != NULL && entry->uuid != NULL && uuid_parse (entry->uuid, uuid) && entry->name != NULL
      && entry->client != NULL && state != NULL && untrusted_number (object, "time", &entry->time)
      && read_files (settings, entry, untrusted_list (object, "files")))
    return g_steal_pointer (&entry);
  virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' is damaged: it does not say what was removed", path);
  return NULL;
}

/* Of entries, in their order. */
static GArray *
list_numbers (const char *trash)
{
  GArray *numbers = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GDir) directory = g_dir_open (trash, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    guint64 number;

    if (parse_uint (name, ENTRIES_MAX, &number) && number > 0) {
      guint found = (guint)number, at = numbers->len;

      while (at > 0 && g_array_index (numbers, guint, at - 1) > found)
        at--;
      g_array_insert_val (numbers, at, found);
    }
  }
  return numbers;
}

/* Into the trash. */

static gboolean
fill_directory (TrashEntry *entry, Store *store, GError **error)
{
  return store_make_directory (entry->directory, 0700, error)
         && store_texts_copy_out (store, entry->uuid, entry->name, entry->directory, error)
         && write_entry (entry, STATE_LEAVING, error);
}

TrashEntry *
trash_begin (const Settings *settings, Store *store, const char *uuid, const char *name, gboolean autostart,
             gboolean autostart_once, const char *const *files, const Author *author, GError **error)
{
  g_autofree char *trash = trash_directory (settings), *final = NULL;
  g_autoptr (TrashEntry) entry = g_new0 (TrashEntry, 1);
  g_autoptr (GArray) numbers = NULL;

  if (!store_make_directory (trash, 0700, error))
    return NULL;
  numbers = list_numbers (trash);
  entry->number = numbers->len > 0 ? g_array_index (numbers, guint, numbers->len - 1) + 1 : 1;
  entry->directory = g_strdup_printf ("%s/" NEW_PREFIX "%u", trash, entry->number);
  entry->kind = g_strdup (store->kind->document->root);
  entry->uuid = g_strdup (uuid);
  entry->name = g_strdup (name);
  entry->time = g_get_real_time ();
  entry->uid = author->uid;
  entry->client = g_strdup (author->client);
  entry->autostart = autostart;
  entry->autostart_once = autostart_once;
  entry->files = g_ptr_array_new_with_free_func (trash_file_free);
  for (guint i = 0; files != NULL && files[i] != NULL; i++)
    add_file (entry, files[i]);
  tree_remove (entry->directory);
  final = g_strdup_printf ("%s/%u", trash, entry->number);
  if (!fill_directory (entry, store, error) || !store_rename_file (entry->directory, final, error)) {
    tree_remove (entry->directory);
    return NULL;
  }
  g_free (entry->directory);
  entry->directory = g_steal_pointer (&final);
  return g_steal_pointer (&entry);
}

/* FALSE: it is where it was, if anywhere. */
static gboolean
take_file (const TrashEntry *entry, const TrashFile *file)
{
  g_autofree char *here = place_of (entry, file);
  g_autoptr (GError) problem = NULL;

  if (access (file->from, F_OK) < 0)
    return access (here, F_OK) == 0;
  if (access (here, F_OK) == 0 || store_rename_file (file->from, here, &problem))
    return TRUE;
  g_warning ("%s; it stays where it is", problem->message);
  return FALSE;
}

void
trash_take (TrashEntry *entry)
{
  g_autoptr (GError) problem = NULL;

  for (guint i = 0; i < entry->files->len;)
    if (take_file (entry, g_ptr_array_index (entry->files, i)))
      i++;
    else
      g_ptr_array_remove_index (entry->files, i);
  if (!write_entry (entry, STATE_KEPT, &problem))
    g_warning ("%s; the next start of the daemon tries again", problem->message);
}

static gboolean
remove_directory (const char *directory, guint number, GError **error)
{
  g_autofree char *trash = g_path_get_dirname (directory);
  g_autofree char *gone = g_strdup_printf ("%s/" GONE_PREFIX "%u", trash, number);

  tree_remove (gone);
  if (!store_rename_file (directory, gone, error))
    return FALSE;
  tree_remove (gone);
  return TRUE;
}

void
trash_cancel (TrashEntry *entry)
{
  g_autoptr (GError) problem = NULL;

  if (!remove_directory (entry->directory, entry->number, &problem))
    g_warning ("%s; the next start of the daemon tries again", problem->message);
}

/* What is there. */

GPtrArray *
trash_list (const Settings *settings)
{
  GPtrArray *entries = g_ptr_array_new_with_free_func ((GDestroyNotify)trash_entry_free);
  g_autofree char *trash = trash_directory (settings);
  g_autoptr (GArray) numbers = list_numbers (trash);

  for (guint i = 0; i < numbers->len; i++) {
    g_autoptr (GError) problem = NULL;
    TrashEntry *entry = read_entry (settings, g_array_index (numbers, guint, i), NULL, &problem);

    if (entry != NULL)
      g_ptr_array_add (entries, entry);
    else
      g_warning ("%s", problem->message);
  }
  return entries;
}

TrashEntry *
trash_open (const Settings *settings, guint number, GError **error)
{
  g_autofree char *trash = trash_directory (settings);
  g_autofree char *path = g_strdup_printf ("%s/%u", trash, number);

  if (access (path, F_OK) == 0)
    return read_entry (settings, number, NULL, error);
  virt_error_set (error, VIR_ERR_INVALID_ARG, "nothing in the trash has the number %u", number);
  return NULL;
}

gboolean
trash_remove (TrashEntry *entry, GError **error)
{
  return remove_directory (entry->directory, entry->number, error);
}

/* Back. */

static gboolean
check_free (const TrashEntry *entry, GError **error)
{
  for (guint i = 0; i < entry->files->len; i++) {
    const TrashFile *file = g_ptr_array_index (entry->files, i);

    if (faccessat (AT_FDCWD, file->from, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
      virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                      "'%s' was there when '%s' was removed, and is there again: move it away first",
                      file->from, entry->name);
      return FALSE;
    }
  }
  return TRUE;
}

static gboolean
return_files (const TrashEntry *entry, GError **error)
{
  for (guint i = 0; i < entry->files->len; i++) {
    const TrashFile *file = g_ptr_array_index (entry->files, i);
    g_autofree char *here = place_of (entry, file), *directory = g_path_get_dirname (file->from);

    if (!store_make_directory (directory, 0700, error) || !store_rename_file (here, file->from, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
mark_autostart (const TrashEntry *entry, Store *store, GError **error)
{
  return (!entry->autostart || store_set_autostart (store, entry->name, STORE_AUTOSTART, TRUE, error))
         && (!entry->autostart_once
             || store_set_autostart (store, entry->name, STORE_AUTOSTART_ONCE, TRUE, error));
}

/* The definition is there: nothing that follows takes it away again. */
static void
finish_return (TrashEntry *entry, Store *store)
{
  g_autoptr (GError) problem = NULL;

  if (!mark_autostart (entry, store, &problem) || !trash_remove (entry, &problem))
    g_warning ("%s; the next start of the daemon tries again", problem->message);
}

gboolean
trash_restore (TrashEntry *entry, Store *store, GError **error)
{
  if (!check_free (entry, error) || !write_entry (entry, STATE_RETURNING, error))
    return FALSE;
  if (!return_files (entry, error)
      || !store_texts_copy_in (store, entry->uuid, entry->name, entry->directory, error)) {
    trash_take (entry);
    return FALSE;
  }
  finish_return (entry, store);
  return TRUE;
}

/* After a crash. */

static Store *
store_of (Store *const *stores, guint count, const char *kind)
{
  for (guint i = 0; i < count; i++)
    if (g_str_equal (stores[i]->kind->document->root, kind))
      return stores[i];
  return NULL;
}

static void
recover_entry (TrashEntry *entry, const char *state, Store *store)
{
  g_autofree char *document = store_source_path (store, entry->name);
  gboolean is_defined = access (document, F_OK) == 0;

  if (g_str_equal (state, STATE_LEAVING) && is_defined) {
    trash_cancel (entry);
  } else if (g_str_equal (state, STATE_RETURNING) && is_defined) {
    finish_return (entry, store);
  } else {
    store_texts_forget (store, entry->uuid);
    trash_take (entry);
  }
  g_message ("%s '%s': what was under way with the trash is %s", store->kind->name, entry->name,
             is_defined == g_str_equal (state, STATE_RETURNING) ? "finished" : "undone");
}

/* Entries that are not whole yet, and those that no longer are. */
static void
remove_parts (const char *trash)
{
  g_autoptr (GDir) directory = g_dir_open (trash, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL)
    if (g_str_has_prefix (name, NEW_PREFIX) || g_str_has_prefix (name, GONE_PREFIX)) {
      g_autofree char *path = g_build_filename (trash, name, NULL);

      tree_remove (path);
    }
}

void
trash_recover (const Settings *settings, Store *const *stores, guint count)
{
  g_autofree char *trash = trash_directory (settings);
  g_autoptr (GArray) numbers = list_numbers (trash);

  remove_parts (trash);
  for (guint i = 0; i < numbers->len; i++) {
    const char *state = STATE_KEPT;
    g_autoptr (GError) problem = NULL;
    g_autoptr (TrashEntry) entry = read_entry (settings, g_array_index (numbers, guint, i), &state, &problem);
    Store *store = entry != NULL ? store_of (stores, count, entry->kind) : NULL;

    if (entry == NULL)
      g_warning ("%s", problem->message);
    else if (store != NULL && !g_str_equal (state, STATE_KEPT))
      recover_entry (entry, state, store);
    if (entry != NULL)
      store_remove_temporary (entry->directory);
  }
}
