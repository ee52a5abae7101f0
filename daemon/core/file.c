/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that survive: written under another name beside the old one, fsynced, renamed, and the directory
 * fsynced, so that at every instant the name stands for the old text or the new one, whole. Split in two
 * halves, because two files that belong together must both be on disk before either is renamed. What fails
 * after the rename is answered by undoing it: an error always means that the name stands for the old text.
 */
#include "daemon/core/file.h"

#include "daemon/core/shared-sync.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME_MAX_BYTES 240 /* leaves room for ".xml" and the prefix of what is written aside */

struct PreparedFile {
  char *path, *aside;
  int directory; /* where durable: opened before anything is changed, so that the sync needs no descriptor */
};

void
store_system_error (GError **error, int number, const char *what, const char *path)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot %s '%s': %s", what, path, g_strerror (number));
}

static int
open_directory (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    store_system_error (error, errno, "open directory", path);
  return fd;
}

static gboolean
sync_directory (int fd, const char *path, GError **error)
{
  if (shared_sync (fd) == 0)
    return TRUE;
  store_system_error (error, errno, "sync the directory of", path);
  return FALSE;
}

gboolean
store_sync_directory (const char *directory, GError **error)
{
  int fd = open_directory (directory, error);
  gboolean synced = fd >= 0 && sync_directory (fd, directory, error);

  if (fd >= 0)
    close (fd);
  return synced;
}

/* A name beside @path that nobody has. (transfer full) */
static char *
temporary_name (const char *path)
{
  static gint number;
  g_autofree char *directory = g_path_get_dirname (path);

  return g_strdup_printf ("%s/" STORE_ASIDE_PREFIX "old-%d-%d", directory, getpid (),
                          g_atomic_int_add (&number, 1));
}

static gboolean
write_all (int fd, const char *text, gsize length)
{
  while (length > 0) {
    gssize written = write (fd, text, length);

    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return FALSE;
    text += written;
    length -= (gsize)written;
  }
  return TRUE;
}

PreparedFile *
prepared_file_new (const char *path, const char *text, gssize length, int mode, gboolean durable,
                   GError **error)
{
  g_autoptr (PreparedFile) file = g_new0 (PreparedFile, 1);
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *aside = g_strdup_printf ("%s/" STORE_ASIDE_PREFIX "XXXXXX", directory);
  gboolean written;
  int fd;

  file->directory = durable ? open_directory (directory, error) : -1;
  if (durable && file->directory < 0)
    return NULL;
  fd = g_mkstemp_full (aside, O_WRONLY | O_CLOEXEC, mode);
  if (fd < 0) {
    store_system_error (error, errno, "write", path);
    return NULL;
  }
  file->path = g_strdup (path);
  file->aside = g_steal_pointer (&aside);
  written = write_all (fd, text, length < 0 ? strlen (text) : (gsize)length) && fchmod (fd, (mode_t)mode) == 0
            && (!durable || shared_sync (fd) == 0);
  if (!written)
    store_system_error (error, errno, "write", path);
  if (close (fd) < 0 && written) {
    store_system_error (error, errno, "write", path);
    written = FALSE;
  }
  return written ? g_steal_pointer (&file) : NULL;
}

/* The old file keeps a second name until the new one is safe: a commit that cannot be made durable is taken
 * back, so that an error means that nothing has changed. */
gboolean
prepared_file_commit (PreparedFile *file, GError **error)
{
  gboolean durable = file->directory >= 0;
  g_autofree char *old = durable ? temporary_name (file->path) : NULL;
  gboolean has_old = durable && link (file->path, old) == 0;

  if (durable && !has_old && errno != ENOENT) {
    store_system_error (error, errno, "keep the old text of", file->path);
    return FALSE;
  }
  if (rename (file->aside, file->path) < 0) {
    store_system_error (error, errno, "write", file->path);
    if (has_old)
      unlink (old);
    return FALSE;
  }
  g_clear_pointer (&file->aside, g_free);
  if (durable && !sync_directory (file->directory, file->path, error)) {
    if ((has_old ? rename (old, file->path) : unlink (file->path)) < 0)
      g_warning ("%s: the change cannot be taken back: %s", file->path, g_strerror (errno));
    return FALSE;
  }
  if (has_old)
    unlink (old);
  return TRUE;
}

void
prepared_file_free (PreparedFile *file)
{
  if (file == NULL)
    return;
  if (file->aside != NULL)
    unlink (file->aside);
  if (file->directory >= 0)
    close (file->directory);
  g_free (file->aside);
  g_free (file->path);
  g_free (file);
}

gboolean
store_write_file (const char *path, const char *text, gssize length, int mode, GError **error)
{
  g_autoptr (PreparedFile) file = prepared_file_new (path, text, length, mode, TRUE, error);

  return file != NULL && prepared_file_commit (file, error);
}

gboolean
store_append_file (const char *path, gsize offset, const char *text, gssize length, int mode, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  gboolean is_new = access (path, F_OK) < 0;
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
  gboolean written =
      fd >= 0 && ftruncate (fd, (off_t)offset) == 0 && lseek (fd, (off_t)offset, SEEK_SET) == (off_t)offset
      && write_all (fd, text, length < 0 ? strlen (text) : (gsize)length) && shared_sync (fd) == 0;

  if (!written)
    store_system_error (error, errno, "write", path);
  if (fd >= 0)
    close (fd);
  return written && (!is_new || store_sync_directory (directory, error));
}

gboolean
store_rename_file (const char *from, const char *to, GError **error)
{
  g_autofree char *source = g_path_get_dirname (from), *target = g_path_get_dirname (to);

  if (rename (from, to) < 0) {
    store_system_error (error, errno, "move", from);
    return FALSE;
  }
  if (store_sync_directory (target, error)
      && (g_str_equal (source, target) || store_sync_directory (source, error)))
    return TRUE;
  if (rename (to, from) < 0)
    g_warning ("%s: the change cannot be taken back: %s", to, g_strerror (errno));
  return FALSE;
}

char *
store_read_file (const char *path, gsize limit, gsize *ret_length, GError **error)
{
  struct stat status;
  g_autofree char *text = NULL;
  gsize length;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gssize got = 0;

  if (fd < 0 || fstat (fd, &status) < 0) {
    store_system_error (error, errno, "read", path);
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  if (!S_ISREG (status.st_mode) || (guint64)status.st_size > limit) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot read '%s': it is %s", path,
                    S_ISREG (status.st_mode) ? "too large" : "no regular file");
    close (fd);
    return NULL;
  }
  text = g_malloc ((gsize)status.st_size + 1);
  for (length = 0; length < (gsize)status.st_size; length += (gsize)got)
    if ((got = read (fd, text + length, (gsize)status.st_size - length)) <= 0)
      break;
  if (got < 0)
    store_system_error (error, errno, "read", path);
  close (fd);
  if (got < 0)
    return NULL;
  text[length] = '\0';
  if (ret_length != NULL)
    *ret_length = length;
  return g_steal_pointer (&text);
}

gboolean
store_make_directory (const char *path, int mode, GError **error)
{
  if (g_mkdir_with_parents (path, mode) == 0)
    return TRUE;
  store_system_error (error, errno, "make directory", path);
  return FALSE;
}

/* Under another name until its going is safe, for the same reason. */
gboolean
store_remove_file (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  g_autofree char *old = temporary_name (path);
  int fd;
  gboolean synced;

  if (faccessat (AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
    return TRUE;
  fd = open_directory (directory, error);
  if (fd < 0)
    return FALSE;
  if (rename (path, old) < 0) {
    store_system_error (error, errno, "remove", path);
    close (fd);
    return FALSE;
  }
  synced = sync_directory (fd, path, error);
  close (fd);
  if (synced)
    unlink (old);
  else if (rename (old, path) < 0)
    g_warning ("%s: its removal cannot be taken back: %s", path, g_strerror (errno));
  return synced;
}

void
store_remove_temporary (const char *directory)
{
  g_autoptr (GDir) entries = directory != NULL ? g_dir_open (directory, 0, NULL) : NULL;
  const char *name;

  while (entries != NULL && (name = g_dir_read_name (entries)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    if (g_str_has_prefix (name, STORE_ASIDE_PREFIX))
      unlink (path);
  }
}

char *
store_encode_name (const char *name)
{
  GString *encoded = g_string_new (NULL);

  for (const char *c = name; *c != '\0'; c++)
    if (*c == '/' || *c == '%' || g_ascii_iscntrl (*c) || (c == name && *c == '.'))
      g_string_append_printf (encoded, "%%%02X", (guint8)*c);
    else
      g_string_append_c (encoded, *c);
  return g_string_free (encoded, FALSE);
}

char *
store_decode_name (const char *encoded)
{
  g_autoptr (GString) name = g_string_new (NULL);

  if (strlen (encoded) > FILE_NAME_MAX_BYTES)
    return NULL;
  for (const char *c = encoded; *c != '\0'; c++) {
    int high, low;

    if (*c != '%') {
      g_string_append_c (name, *c);
      continue;
    }
    high = g_ascii_xdigit_value (c[1]);
    low = high < 0 ? -1 : g_ascii_xdigit_value (c[2]);
    if (low < 0 || (high == 0 && low == 0))
      return NULL;
    g_string_append_c (name, (char)(high * 16 + low));
    c += 2;
  }
  return name->len > 0 && g_utf8_validate (name->str, (gssize)name->len, NULL)
             ? g_string_free (g_steal_pointer (&name), FALSE)
             : NULL;
}
