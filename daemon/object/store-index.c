/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The note of UUIDs, see the header. Lines are "NAME\tUUID\tINODE\tSIZE\tNANOSECONDS\n" with the name encoded
 * as it is in the file's name, which holds no tab. A line torn by a crash does not parse and is passed over.
 */
#include "daemon/object/store-index.h"

#include "base/scalars.h"
#include "daemon/core/file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INDEX_MAX_BYTES   (32 * 1024 * 1024)
#define INDEX_MAX_GARBAGE 256 /* lines that no longer hold, before the file is written again */

typedef struct {
  char *uuid;
  guint64 inode, size, modified;
} Note;

struct StoreIndex {
  GMutex lock;
  char *path;
  GHashTable *notes; /* encoded name → Note */
  guint lines;
};

static void
note_free (gpointer data)
{
  Note *note = data;

  g_free (note->uuid);
  g_free (note);
}

static guint64
modification_time (const struct stat *file)
{
  return (guint64)file->st_mtim.tv_sec * G_GUINT64_CONSTANT (1000000000) + (guint64)file->st_mtim.tv_nsec;
}

static void
read_line (StoreIndex *index, const char *line)
{
  g_auto (GStrv) parts = g_strsplit (line, "\t", 6);
  guint8 uuid[UUID_BYTES];
  Note note;

  if (g_strv_length (parts) != 5 || strlen (parts[1]) != UUID_TEXT - 1 || !uuid_parse (parts[1], uuid)
      || !parse_uint (parts[2], G_MAXUINT64, &note.inode) || !parse_uint (parts[3], G_MAXUINT64, &note.size)
      || !parse_uint (parts[4], G_MAXUINT64, &note.modified))
    return;
  note.uuid = g_strdup (parts[1]);
  g_hash_table_replace (index->notes, g_strdup (parts[0]), g_memdup2 (&note, sizeof note));
}

StoreIndex *
store_index_open (const char *path)
{
  StoreIndex *index = g_new0 (StoreIndex, 1);
  g_autofree char *text = store_read_file (path, INDEX_MAX_BYTES, NULL, NULL);

  g_mutex_init (&index->lock);
  index->path = g_strdup (path);
  index->notes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, note_free);
  for (char *line = text, *end; line != NULL && (end = strchr (line, '\n')) != NULL; line = end + 1) {
    *end = '\0';
    read_line (index, line);
    index->lines++;
  }
  return index;
}

void
store_index_free (StoreIndex *index)
{
  if (index == NULL)
    return;
  g_hash_table_unref (index->notes);
  g_mutex_clear (&index->lock);
  g_free (index->path);
  g_free (index);
}

char *
store_index_find (StoreIndex *index, const char *encoded_name, const struct stat *file)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&index->lock);
  const Note *note = g_hash_table_lookup (index->notes, encoded_name);

  if (note == NULL || note->inode != file->st_ino || note->size != (guint64)file->st_size
      || note->modified != modification_time (file))
    return NULL;
  return g_strdup (note->uuid);
}

static void
append_line (GString *text, const char *name, const Note *note)
{
  g_string_append_printf (text,
                          "%s\t%s\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\n",
                          name, note->uuid, note->inode, note->size, note->modified);
}

void
store_index_note (StoreIndex *index, const char *encoded_name, const char *uuid, const struct stat *file)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&index->lock);
  g_autoptr (GString) line = g_string_new (NULL);
  Note note = { g_strdup (uuid), file->st_ino, (guint64)file->st_size, modification_time (file) };
  int fd = open (index->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

  g_hash_table_replace (index->notes, g_strdup (encoded_name), g_memdup2 (&note, sizeof note));
  append_line (line, encoded_name, &note);
  index->lines++;
  /* A note that cannot be written costs the next start a document to read, nothing else. */
  if (fd >= 0 && write (fd, line->str, line->len) != (gssize)line->len)
    g_debug ("%s: could not be added to", index->path);
  if (fd >= 0)
    close (fd);
}

void
store_index_compact (StoreIndex *index, GHashTable *present)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&index->lock);
  g_autoptr (GString) text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer name, note;

  g_hash_table_iter_init (&iter, index->notes);
  while (g_hash_table_iter_next (&iter, &name, &note))
    if (g_hash_table_contains (present, name))
      append_line (text, name, note);
    else
      g_hash_table_iter_remove (&iter);
  if (index->lines < g_hash_table_size (index->notes) + INDEX_MAX_GARBAGE)
    return;
  if (store_write_file (index->path, text->str, (gssize)text->len, 0600, NULL))
    index->lines = g_hash_table_size (index->notes);
}
