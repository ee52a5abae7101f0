/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Opening what a machine uses. The daemon does it so that QEMU, an unprivileged account, needs no right on
 * the files: an image in someone's home works as it is. Locks against two users of one image are QEMU's own:
 * they are taken on the open file, whoever opened it.
 */
#include "daemon/host/files.h"
#include "base/virt-error.h"
#include "daemon/core/blocking.h"
#include "daemon/core/file.h"
#include "daemon/host/path-obstacle.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_TEMPLATE_MAX (64 * 1024 * 1024) /* bytes of what a new file is copied from */
#define FILES_COPY_CHUNK   (16 * 1024 * 1024)

void
files_init (Files *files)
{
  files->fds = g_array_new (FALSE, FALSE, sizeof (int));
  files->fds_as = g_array_new (FALSE, FALSE, sizeof (int));
  files->offered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

void
files_add (Files *files, int fd, int as)
{
  g_array_append_val (files->fds, fd);
  g_array_append_val (files->fds_as, as);
}

void
files_offer (Files *files, const char *name, int fd)
{
  g_hash_table_insert (files->offered, g_strdup (name), GINT_TO_POINTER (fd + 1));
}

static void
close_offered (Files *files)
{
  GHashTableIter iter;
  gpointer fd;

  g_hash_table_iter_init (&iter, files->offered);
  while (g_hash_table_iter_next (&iter, NULL, &fd))
    close (GPOINTER_TO_INT (fd) - 1);
  g_clear_pointer (&files->offered, g_hash_table_unref);
}

void
files_clear (Files *files)
{
  if (files->fds == NULL)
    return;
  for (guint i = 0; i < files->fds->len; i++)
    close (g_array_index (files->fds, int, i));
  close_offered (files);
  g_clear_pointer (&files->fds, g_array_unref);
  g_clear_pointer (&files->fds_as, g_array_unref);
}

/* One file, apart from the recipe it is of: a thread that opens it may be left behind. */
typedef struct {
  char *path, *content, *made_from, *whose, *purpose, *problem;
  virErrorNumber problem_code;
  gboolean writable, by_name, output, truncate;
  gboolean only_looks;     /* nothing is made: file_check */
  gboolean is_store, anew; /* see RecipeFile; it is made again though it is there */
} Wanted;

static Wanted *
wanted_new (const RecipeFile *file, gboolean stores_anew)
{
  Wanted *wanted = g_new0 (Wanted, 1);

  wanted->path = g_strdup (file->path);
  wanted->made_from = g_strdup (file->made_from);
  wanted->content = g_strdup (file->content);
  wanted->problem = g_strdup (file->problem);
  wanted->problem_code = file->problem_code;
  wanted->is_store = file->is_store;
  wanted->anew = file->is_store && stores_anew;
  wanted->whose = file->device != NULL ? device_describe (file->device) : NULL;
  wanted->purpose = g_strdup (file->purpose);
  wanted->writable = file->writable;
  wanted->by_name = file->by_name;
  wanted->output = file->output;
  wanted->truncate = file->truncate;
  return wanted;
}

static void
wanted_free (gpointer data)
{
  Wanted *wanted = data;

  g_free (wanted->path);
  g_free (wanted->made_from);
  g_free (wanted->content);
  g_free (wanted->problem);
  g_free (wanted->whose);
  g_free (wanted->purpose);
  g_free (wanted);
}

/* Always -1. */
static int
cannot_open (const Wanted *file, const char *reason, GError **error)
{
  const char *purpose = file->purpose != NULL ? file->purpose : "file";
  g_autofree char *obstacle = path_obstacle (file->path, file->writable);
  const char *dash = obstacle != NULL ? ": " : "";
  const char *which = obstacle != NULL ? obstacle : "";

  if (file->whose != NULL)
    virt_error_set_from (error, VIR_FROM_STORAGE, VIR_ERR_SYSTEM_ERROR,
                         "Cannot access storage file '%s': %s%s%s (%s of %s)", file->path, reason, dash,
                         which, purpose, file->whose);
  else
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot access %s '%s': %s%s%s", purpose, file->path, reason,
                    dash, which);
  return -1;
}

/* A copy of its template, whole or not at all. */
static gboolean
make_from_template (const Wanted *file, GError **error)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *contents = NULL;
  g_autofree char *directory = g_path_get_dirname (file->path);
  struct stat status;
  gsize length;

  if (stat (file->made_from, &status) == 0 && status.st_size > FILES_TEMPLATE_MAX) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the template '%s' of '%s' is larger than %d bytes",
                    file->made_from, file->path, FILES_TEMPLATE_MAX);
    return FALSE;
  }
  if (!g_file_get_contents (file->made_from, &contents, &length, &problem)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s, the template of '%s'", problem->message, file->path);
    return FALSE;
  }
  if (g_mkdir_with_parents (directory, 0711) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make the directory '%s': %s", directory,
                    g_strerror (errno));
    return FALSE;
  }
  return store_write_file (file->path, contents, (gssize)length, 0600, error);
}

/* Could it be made? */
static gboolean
can_make (const Wanted *file, const char *source, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (file->path);

  if (source != NULL && access (source, R_OK) != 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "'%s', the template of '%s': %s", source, file->path,
                    g_strerror (errno));
    return FALSE;
  }
  /* The directory of a store is made with it. */
  if (source != NULL || access (directory, W_OK | X_OK) == 0)
    return TRUE;
  cannot_open (file, g_strerror (errno), error);
  return FALSE;
}

/* A store that is not there, or is wanted anew, is made; what cannot be made anew is left alone. */
static gboolean
ensure_store (const Wanted *file, GError **error)
{
  if (!file->is_store || (!file->anew && access (file->path, F_OK) == 0))
    return TRUE;
  if (file->made_from != NULL)
    return make_from_template (file, error);
  virt_error_set (error, file->problem_code, "%s", file->problem);
  return FALSE;
}

static int
open_flags (const Wanted *file)
{
  struct stat status;

  /* Exactly as QEMU would open it: a descriptor set is asked for that access mode. */
  if (file->output)
    return O_WRONLY | O_CREAT | (file->truncate ? O_TRUNC : O_APPEND);
  /* A drive opens without its medium. */
  gboolean drive = stat (file->path, &status) == 0 && S_ISBLK (status.st_mode);
  return (file->writable ? O_RDWR : O_RDONLY) | (drive ? O_NONBLOCK : 0);
}

static int
open_it (const Wanted *file, GError **error)
{
  struct stat status;
  int flags = open_flags (file) & (file->only_looks ? ~(O_CREAT | O_TRUNC) : ~0);
  int fd = open (file->path, flags | O_CLOEXEC | O_NOCTTY, 0600);

  if (fd < 0)
    return cannot_open (file, g_strerror (errno), error);
  if (fstat (fd, &status) == 0 && S_ISDIR (status.st_mode)) {
    close (fd);
    return cannot_open (file, "it is a directory", error);
  }
  return fd;
}

static int
open_file (const Wanted *file, GError **error)
{
  return ensure_store (file, error) ? open_it (file, error) : -1;
}

static gboolean
copy_all (int from, int to, guint64 length)
{
  while (length > 0) {
    ssize_t sent = sendfile (to, from, NULL, MIN (length, FILES_COPY_CHUNK));
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent <= 0)
      return FALSE;
    length -= (guint64)sent;
  }
  return TRUE;
}

/* Nobody changes it again, and everybody may read it. FALSE with errno set. */
static gboolean
seal (int copy)
{
  return fchmod (copy, 0444) == 0
         && fcntl (copy, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0;
}

/* A text that is no file, as one. */
static int
open_content (const Wanted *file, GError **error)
{
  int copy = memfd_create (file->purpose, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  gsize length = strlen (file->content);
  int problem;

  if (copy >= 0 && write (copy, file->content, length) == (gssize)length && seal (copy))
    return copy;
  problem = errno;
  if (copy >= 0)
    close (copy);
  return cannot_open (file, g_strerror (problem), error);
}

/* QEMU opens it by name, with its own rights: an unchangeable copy that everybody may read. */
static int
open_copy (const Wanted *file, GError **error)
{
  int from = open_file (file, error);
  struct stat status;

  if (from < 0)
    return -1;
  if (fstat (from, &status) != 0 || !S_ISREG (status.st_mode) || status.st_size > FILES_COPY_MAX) {
    close (from);
    return cannot_open (file, "it is no file of at most 1 GiB", error);
  }

  int copy = memfd_create (file->purpose != NULL ? file->purpose : "file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (copy < 0 || !copy_all (from, copy, (guint64)status.st_size) || !seal (copy)) {
    int problem = errno;
    close (from);
    if (copy >= 0)
      close (copy);
    return cannot_open (file, g_strerror (problem), error);
  }
  close (from);
  return copy;
}

/* A result is never NULL: the descriptor and one. */
static gpointer
open_wanted (gpointer input, GError **error)
{
  const Wanted *wanted = input;
  int fd = wanted->content != NULL ? open_content (wanted, error)
           : wanted->by_name       ? open_copy (wanted, error)
                                   : open_file (wanted, error);

  return fd >= 0 ? GINT_TO_POINTER (fd + 1) : NULL;
}

/* What is made by opening it is not opened. */
static gpointer
look_at_wanted (gpointer input, GError **error)
{
  const Wanted *wanted = input;
  gboolean is_there = access (wanted->path, F_OK) == 0;
  int fd;

  if (wanted->content != NULL)
    return GINT_TO_POINTER (TRUE);
  if (!is_there && wanted->is_store && wanted->made_from == NULL)
    return GINT_TO_POINTER (ensure_store (wanted, error));
  if (!is_there && (wanted->is_store || wanted->output))
    return GINT_TO_POINTER (can_make (wanted, wanted->made_from, error));
  fd = open_it (wanted, error);
  if (fd >= 0)
    close (fd);
  return GINT_TO_POINTER (fd >= 0);
}

gboolean
file_check (const RecipeFile *file, GError **error)
{
  Wanted *wanted;

  if (file->passed || file->made)
    return TRUE;
  wanted = wanted_new (file, FALSE);
  wanted->only_looks = TRUE;
  return blocking_run (look_at_wanted, wanted, wanted_free, NULL, error) != NULL;
}

static void
close_unwanted (gpointer result)
{
  close (GPOINTER_TO_INT (result) - 1);
}

/* What was made for the recipe. */
static gboolean
take_offered (Files *files, const RecipeFile *file, GError **error)
{
  int fd = GPOINTER_TO_INT (g_hash_table_lookup (files->offered, file->path)) - 1;

  if (fd < 0) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the descriptor '%s' was not made", file->path);
    return FALSE;
  }
  g_hash_table_remove (files->offered, file->path);
  files_add (files, fd, file->fd);
  return TRUE;
}

gboolean
files_open (Files *files, const Recipe *recipe, gboolean stores_anew, GError **error)
{
  for (guint i = 0; i < recipe_file_count (recipe); i++) {
    const RecipeFile *file = recipe_get_file (recipe, i);
    gpointer opened;

    if (file->passed || file->made) {
      if (!take_offered (files, file, error))
        return FALSE;
      continue;
    }
    opened = blocking_run (open_wanted, wanted_new (file, stores_anew), wanted_free, close_unwanted, error);
    if (opened == NULL)
      return FALSE;
    files_add (files, GPOINTER_TO_INT (opened) - 1, file->fd);
  }
  return TRUE;
}
