/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Copies of the firmware's variables and of the TPM's state. They are small, and so they are copied as files:
 * then neither the format of the variables nor that of the disks decides whether a machine can have
 * snapshots.
 */
#include "daemon/snapshot/snapshot-state.h"

#include "base/virt-error.h"
#include "daemon/core/atomic-file.h"
#include "daemon/core/file.h"
#include "daemon/core/tree.h"
#include "domain/devices/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX    ".state"
#define VARIABLES "nvram"
#define TPM       "tpm"
#define COPY_MAX  ((gint64)256 << 20) /* bytes of one file */
#define FILES_MAX 64                  /* of one TPM */
#define DEPTH_MAX 2                   /* of the folders of its state */
#define BLOCK     (256 * 1024)

static char *
state_directory (const char *directory, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);

  return g_strconcat (directory, "/", encoded, SUFFIX, NULL);
}

static const char *
variables_of (const DomainDef *def)
{
  return def->os.nvram_type == NULL || g_str_equal (def->os.nvram_type, "file") ? def->os.nvram : NULL;
}

/* Of an emulated one whose state is kept here. */
static gboolean
has_tpm (const DomainDef *def)
{
  DOMAIN_FOREACH_DEVICE (def, tpm_kind, DeviceTpm, tpm) {
    if (tpm->type == TPM_EMULATOR && tpm->source == TPM_SOURCE_NONE)
      return TRUE;
  }
  return FALSE;
}

static char *
tpm_directory (const DomainDef *def, const Settings *settings)
{
  return g_build_filename (settings->state_directory, "tpm", def->uuid, NULL);
}

gboolean
snapshot_state_is_needed (const DomainDef *def)
{
  return variables_of (def) != NULL || has_tpm (def);
}

static gboolean
copy_bytes (int from, int to, const char *path, GError **error)
{
  g_autofree char *block = g_malloc (BLOCK);
  gint64 total = 0;
  gssize length;

  while ((length = read (from, block, BLOCK)) > 0) {
    total += length;
    if (total > COPY_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' has more than %d MiB", path,
                      (int)(COPY_MAX >> 20));
      return FALSE;
    }
    for (gssize done = 0, part; done < length; done += part) {
      part = write (to, block + done, (gsize)(length - done));
      if (part < 0) {
        store_system_error (error, errno, "write a copy of", path);
        return FALSE;
      }
    }
  }
  if (length < 0)
    store_system_error (error, errno, "read", path);
  return length == 0;
}

/* A regular file, no link; @owner of the copy (NULL: the daemon's). */
static gboolean
copy_file (const char *from, const char *to, GError **error)
{
  int fd = open (from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  g_autoptr (AtomicFile) aside = NULL;
  struct stat status;
  gboolean good = FALSE;

  if (fd < 0 || fstat (fd, &status) != 0)
    store_system_error (error, errno, "open", from);
  else if (!S_ISREG (status.st_mode))
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "'%s' is no file", from);
  else if ((aside = atomic_file_open (to, error)) != NULL)
    good = copy_bytes (fd, aside->fd, from, error) && fchmod (aside->fd, status.st_mode & 0777) == 0
           && atomic_file_commit (aside, error);
  if (fd >= 0)
    close (fd);
  return good;
}

/* Files and the folders they are in; what is neither stays. */
static gboolean
copy_tree (const char *from, const char *to, guint depth, guint *count, GError **error)
{
  g_autoptr (GDir) directory = g_dir_open (from, 0, NULL);
  const char *name;

  if (!store_make_directory (to, 0700, error))
    return FALSE;
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *one = g_build_filename (from, name, NULL), *copy = g_build_filename (to, name, NULL);
    struct stat status;

    if (lstat (one, &status) != 0 || name[0] == '.')
      continue;
    if (++*count > FILES_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the TPM's state '%s' has more than %d files", from,
                      FILES_MAX);
      return FALSE;
    }
    if (S_ISDIR (status.st_mode) && depth < DEPTH_MAX
            ? !copy_tree (one, copy, depth + 1, count, error)
            : S_ISREG (status.st_mode) && !copy_file (one, copy, error))
      return FALSE;
  }
  return store_sync_directory (to, error);
}

static gboolean
keep (const char *into, const DomainDef *def, const Settings *settings, GError **error)
{
  const char *variables = variables_of (def);
  g_autofree char *tpm = tpm_directory (def, settings);
  g_autofree char *tpm_copy = g_build_filename (into, TPM, NULL);
  g_autofree char *copy = g_build_filename (into, VARIABLES, NULL);
  guint count = 0;

  if (!store_make_directory (into, 0700, error))
    return FALSE;
  if (variables != NULL && g_file_test (variables, G_FILE_TEST_EXISTS) && !copy_file (variables, copy, error))
    return FALSE;
  return !has_tpm (def) || !g_file_test (tpm, G_FILE_TEST_IS_DIR)
         || copy_tree (tpm, tpm_copy, 0, &count, error);
}

gboolean
snapshot_state_keep (const char *directory, const char *name, const DomainDef *def, const Settings *settings,
                     GError **error)
{
  g_autofree char *place = state_directory (directory, name);
  g_autofree char *aside = g_strconcat (place, ".new", NULL);

  if (!snapshot_state_is_needed (def))
    return TRUE;
  tree_remove (aside);
  tree_remove (place);
  if (keep (aside, def, settings, error)) {
    if (rename (aside, place) == 0)
      return store_sync_directory (directory, error);
    store_system_error (error, errno, "rename", aside);
  }
  tree_remove (aside);
  return FALSE;
}

gboolean
snapshot_state_put_back (const char *directory, const char *name, const DomainDef *def,
                         const Settings *settings, GError **error)
{
  g_autofree char *place = state_directory (directory, name);
  g_autofree char *variables = g_build_filename (place, VARIABLES, NULL);
  g_autofree char *kept = g_build_filename (place, TPM, NULL);
  g_autofree char *tpm = tpm_directory (def, settings);
  guint count = 0;

  if (variables_of (def) != NULL && g_file_test (variables, G_FILE_TEST_EXISTS)
      && !copy_file (variables, variables_of (def), error))
    return FALSE;
  if (!has_tpm (def) || !g_file_test (kept, G_FILE_TEST_IS_DIR))
    return TRUE;
  tree_remove (tpm);
  return copy_tree (kept, tpm, 0, &count, error);
}

void
snapshot_state_remove (const char *directory, const char *name)
{
  g_autofree char *place = state_directory (directory, name);

  tree_remove (place);
}
