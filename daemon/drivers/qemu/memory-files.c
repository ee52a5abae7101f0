/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Memory that machines share, or that outlives them, is a file that QEMU opens by its name, as it can be
 * passed no descriptor of it. Machines have accounts of their own that never stay the same, so no owner and
 * no mode says who may share a file: its group does, "kvm" for those that are made here, as people have it
 * for the programs at the other end.
 */
#include "daemon/drivers/qemu/memory-files.h"

#include "base/virt-error.h"
#include "daemon/host/named-file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHARED_GROUP "kvm"
#define SHARED_MODE  0660
#define GROUP_BUFFER 4096

static gboolean
cannot (const RecipeMemoryFile *file, const char *what, GError **error)
{
  g_autofree char *whose = device_describe (file->device);

  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot %s '%s' (%s of %s): %s", what, file->path,
                  file->purpose, whose, g_strerror (errno));
  return FALSE;
}

static gboolean
is_own (const RecipeMemoryFile *file, const Settings *settings)
{
  g_autofree char *inside = g_strconcat (settings->state_directory, "/", NULL);

  return g_str_has_prefix (file->path, inside);
}

/* (gid_t)-1: there is none. */
static gid_t
shared_group (void)
{
  struct group entry, *found = NULL;
  char buffer[GROUP_BUFFER];

  if (getgrnam_r (SHARED_GROUP, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL)
    return (gid_t)-1;
  return found->gr_gid;
}

/* Its size and owner, once it is there: of a new file, and of one that is the machine's own. */
static gboolean
set_up (const RecipeMemoryFile *file, int fd, gboolean is_new, gboolean own, const Account *account)
{
  gboolean gives = geteuid () == 0 && account->name != NULL;

  if (is_new && ftruncate (fd, (off_t)file->size) != 0)
    return FALSE;
  if (own)
    return !gives || fchown (fd, account->uid, account->gid) == 0;
  /* The mode is set, as the daemon's mask may be narrower. */
  return !is_new
         || ((!gives || fchown (fd, (uid_t)-1, shared_group ()) == 0) && fchmod (fd, SHARED_MODE) == 0);
}

/* Where everybody can make files, a link may lead to what its maker could not open, and the machine would be
 * let into the group of that. */
static gboolean
check_others_file (const RecipeMemoryFile *file, const char *directory, GError **error)
{
  struct stat where, status;
  int fd = named_file_open (file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  gboolean known = fd >= 0 && fstat (fd, &status) == 0 && named_file_stat (directory, &where) == 0;

  if (!known)
    cannot (file, "look at", error);
  if (fd >= 0)
    close (fd);
  if (!known || (where.st_mode & S_IWOTH) == 0 || S_ISREG (status.st_mode))
    return known;
  errno = EINVAL;
  return cannot (
      file, S_ISLNK (status.st_mode) ? "use, for it is a link," : "use, for it is no regular file,", error);
}

static gboolean
ensure (const RecipeMemoryFile *file, gboolean own, const Account *account, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (file->path);
  struct stat status;
  gboolean is_new, done;
  int fd;

  if (own && g_mkdir_with_parents (directory, 0711) != 0)
    return cannot (file, "make the directory of", error);
  fd = named_file_open (file->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        own ? 0600 : SHARED_MODE);
  is_new = fd >= 0;
  if (fd < 0 && errno == EEXIST && !own) /* somebody else's, and as it shall be */
    return check_others_file (file, directory, error);
  if (fd < 0 && errno == EEXIST)
    fd = named_file_open (file->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd < 0)
    return cannot (file, "open", error);
  done = fstat (fd, &status) == 0 && set_up (file, fd, is_new, own, account);
  if (done && !S_ISREG (status.st_mode)) {
    errno = EINVAL;
    done = FALSE;
  }
  if (!done) {
    cannot (file, "set up", error);
    if (is_new)
      unlink (file->path);
  }
  close (fd);
  return done;
}

static gboolean
join_group (const RecipeMemoryFile *file, const Account *account, gid_t *groups, guint *count, guint max,
            GError **error)
{
  g_autofree char *problem = account_device_problem (account, file->path);
  g_autofree char *whose = device_describe (file->device);
  gid_t group;

  if (problem != NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s cannot be opened by its machine: %s", whose, problem);
    return FALSE;
  }
  if (groups == NULL || account->name == NULL || !account_device_group (file->path, &group))
    return TRUE;
  for (guint i = 0; i < *count; i++)
    if (groups[i] == group)
      return TRUE;
  if (*count < max)
    groups[(*count)++] = group;
  return TRUE;
}

gboolean
memory_files_prepare (const Recipe *recipe, const Settings *settings, const Account *account, gid_t *groups,
                      guint *count, guint max, GError **error)
{
  for (guint i = 0; i < recipe_memory_file_count (recipe); i++) {
    const RecipeMemoryFile *file = recipe_get_memory_file (recipe, i);
    gboolean own = is_own (file, settings);

    if (!ensure (file, own, account, error)
        || (!own && !join_group (file, account, groups, count, max, error)))
      return FALSE;
  }
  return TRUE;
}

gboolean
memory_file_check (const RecipeMemoryFile *file, const Settings *settings, const Account *account,
                   GError **error)
{
  g_autofree char *directory = g_path_get_dirname (file->path);
  struct stat status;

  if (is_own (file, settings))
    return TRUE;
  if (named_file_stat (file->path, &status) == 0)
    return check_others_file (file, directory, error) && join_group (file, account, NULL, NULL, 0, error);
  return access (directory, W_OK | X_OK) == 0 || cannot (file, "open", error);
}
