/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One file for the volumes of all pools. A line is appended for each raw volume that is made here (inode,
 * time of birth, path) and for each that is forgotten (an inode of 0). When lines that say nothing any more
 * outnumber the others, the file is written anew: so what is written is never more than a few times what
 * there is to say.
 */
#include "daemon/storage/formats.h"

#include "daemon/core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMATS_FILE           "raw-volumes"
#define FORMATS_FILE_MODE      0600
#define FORMATS_DIRECTORY_MODE 0755
#define FORMATS_BYTES_MAX      (64 * 1024 * 1024)
#define FORMATS_MAX            (256 * 1024) /* volumes; what is beyond is probed as any other file */
#define FORMATS_IDLE_MAX       256          /* lines that say nothing any more and do not matter yet */

typedef struct {
  guint64 inode;
  gint64 birth; /* nanoseconds since 1970; 0: the file system does not say */
} FileIdentity;

static GMutex lock;
static GHashTable *raw_volumes; /* path → FileIdentity */
static char *file_path;         /* NULL: kept in memory only */
static guint line_count;        /* of the file */
static gboolean
    is_damaged; /* it may end in the middle of a line: it is written anew before it is appended to */

static gboolean
identify (int fd, FileIdentity *ret)
{
  struct statx status;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) < 0)
    return FALSE;
  *ret = (FileIdentity){ status.stx_ino, 0 };
  if (status.stx_mask & STATX_BTIME)
    ret->birth = status.stx_btime.tv_sec * G_GINT64_CONSTANT (1000000000) + status.stx_btime.tv_nsec;
  return TRUE;
}

/* Called with the lock held. */
static GHashTable *
known (void)
{
  if (raw_volumes == NULL)
    raw_volumes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return raw_volumes;
}

/* "INODE BIRTH PATH", the path escaped as in a URI: a name may have a line's end in it. (transfer full) */
static char *
line_of (const FileIdentity *file, const char *path)
{
  g_autofree char *escaped = g_uri_escape_string (path, "/", FALSE);

  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %s\n", file->inode, file->birth,
                          escaped);
}

static void
take_line (const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 3);
  g_autofree char *path = g_strv_length (words) == 3 ? g_uri_unescape_string (words[2], NULL) : NULL;
  FileIdentity identity = { 0, 0 };

  line_count++;
  if (path == NULL || path[0] != '/'
      || !g_ascii_string_to_unsigned (words[0], 10, 0, G_MAXUINT64, &identity.inode, NULL)
      || !g_ascii_string_to_signed (words[1], 10, G_MININT64, G_MAXINT64, &identity.birth, NULL)) {
    g_warning ("%s: a line that is none of ours is skipped", file_path);
    return;
  }
  if (identity.inode == 0)
    g_hash_table_remove (known (), path);
  else if (g_hash_table_size (known ()) < FORMATS_MAX)
    g_hash_table_insert (known (), g_steal_pointer (&path), g_memdup2 (&identity, sizeof identity));
}

void
storage_formats_open (const char *state_directory)
{
  g_autofree char *directory = g_build_filename (state_directory, "storage", NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&lock);
  g_free (file_path);
  file_path = g_build_filename (directory, FORMATS_FILE, NULL);
  g_hash_table_remove_all (known ());
  line_count = 0;
  if (!store_make_directory (directory, FORMATS_DIRECTORY_MODE, &error))
    g_warning ("%s", error->message);
  else if (g_file_test (file_path, G_FILE_TEST_EXISTS)
           && (text = store_read_file (file_path, FORMATS_BYTES_MAX, NULL, &error)) == NULL)
    g_warning ("which volumes were made raw is not known: %s", error->message);
  is_damaged = text == NULL || (text[0] != '\0' && !g_str_has_suffix (text, "\n"));
  lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (lines[i][0] != '\0')
      take_line (lines[i]);
  g_mutex_unlock (&lock);
}

/* Called with the lock held. */
static gboolean
write_all (GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer path, identity;

  g_hash_table_iter_init (&iter, known ());
  while (g_hash_table_iter_next (&iter, &path, &identity)) {
    g_autofree char *line = line_of (identity, path);

    g_string_append (text, line);
  }
  if (!store_write_file (file_path, text->str, (gssize)text->len, FORMATS_FILE_MODE, error))
    return FALSE;
  line_count = g_hash_table_size (known ());
  is_damaged = FALSE;
  return TRUE;
}

static gboolean
append_line (const char *line)
{
  gsize length = strlen (line);
  int fd = open (file_path, O_WRONLY | O_APPEND | O_CLOEXEC);
  gboolean good = fd >= 0 && write (fd, line, length) == (ssize_t)length && fdatasync (fd) == 0;

  if (fd >= 0)
    close (fd);
  return good;
}

/* Called with the lock held: @path has become that, or is forgotten (NULL). What cannot be appended is
 * written anew with all the rest. */
static gboolean
save (const char *path, const FileIdentity *identity, GError **error)
{
  const FileIdentity forgotten = { 0, 0 };
  g_autofree char *line = line_of (identity != NULL ? identity : &forgotten, path);

  if (file_path == NULL)
    return TRUE;
  if (is_damaged || line_count >= 2 * g_hash_table_size (known ()) + FORMATS_IDLE_MAX)
    return write_all (error);
  is_damaged = TRUE;
  if (!append_line (line))
    return write_all (error);
  is_damaged = FALSE;
  line_count++;
  return TRUE;
}

gboolean
storage_format_is_raw (int fd, const char *path)
{
  const FileIdentity *noted;
  FileIdentity found;
  gboolean is_raw;

  if (!identify (fd, &found))
    return FALSE;
  g_mutex_lock (&lock);
  noted = g_hash_table_lookup (known (), path);
  is_raw = noted != NULL && noted->inode == found.inode && noted->birth == found.birth;
  g_mutex_unlock (&lock);
  return is_raw;
}

gboolean
storage_format_note_raw (int fd, const char *path, GError **error)
{
  FileIdentity identity;
  gboolean saved;

  if (!identify (fd, &identity)) {
    store_system_error (error, errno, "stat", path);
    return FALSE;
  }
  g_mutex_lock (&lock);
  g_hash_table_insert (known (), g_strdup (path), g_memdup2 (&identity, sizeof identity));
  saved = save (path, &identity, error);
  g_mutex_unlock (&lock);
  return saved;
}

void
storage_format_forget (const char *path)
{
  g_autoptr (GError) error = NULL;

  g_mutex_lock (&lock);
  if (g_hash_table_remove (known (), path) && !save (path, NULL, &error))
    g_warning ("%s", error->message);
  g_mutex_unlock (&lock);
}
