/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * "Permission denied" is said of a whole path, and is mostly the fault of one directory of it: a home that is
 * closed to others. Which one is found by asking the kernel of each from the root on, so that owners, modes,
 * access lists and read-only mounts all count.
 */
#include "daemon/host/path-obstacle.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BUFFER 4096

typedef struct {
  char *path;
  gboolean is_directory;
  const char *right; /* as setfacl says it */
} Obstacle;

static gboolean
is_refused (const char *path, int right)
{
  return faccessat (AT_FDCWD, path, right, AT_EACCESS) != 0 && (errno == EACCES || errno == EPERM);
}

static gboolean
find_obstacle (const char *path, gboolean writes, Obstacle *ret)
{
  g_autofree char *whole = g_canonicalize_filename (path, "/");

  for (char *slash = whole; slash != NULL; slash = strchr (slash + 1, '/')) {
    g_autofree char *above = slash == whole ? g_strdup ("/") : g_strndup (whole, (gsize)(slash - whole));

    if (is_refused (above, X_OK)) {
      *ret = (Obstacle){ g_steal_pointer (&above), TRUE, "x" };
      return TRUE;
    }
  }
  if (!is_refused (whole, writes ? R_OK | W_OK : R_OK))
    return FALSE;
  *ret = (Obstacle){ g_steal_pointer (&whole), g_file_test (path, G_FILE_TEST_IS_DIR), writes ? "rw" : "r" };
  return TRUE;
}

/* "ann", or the number of one without a name. (transfer full) */
static char *
user_name (uid_t uid)
{
  struct passwd entry, *found = NULL;
  char buffer[NAME_BUFFER];

  if (getpwuid_r (uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
    return g_strdup (found->pw_name);
  return g_strdup_printf ("%u", (guint)uid);
}

char *
path_obstacle (const char *path, gboolean writes)
{
  g_autofree char *where = NULL, *me = NULL, *owner = NULL;
  Obstacle obstacle;
  struct stat status;

  if (!find_obstacle (path, writes, &obstacle))
    return NULL;
  where = obstacle.path;
  me = user_name (geteuid ());
  if (stat (where, &status) != 0)
    return g_strdup_printf ("'%s' does not let user '%s' through", where, me);
  owner = user_name (status.st_uid);
  if (g_str_equal (obstacle.right, "x"))
    return g_strdup_printf ("the directory '%s' (mode %04o, of user '%s') does not let user '%s' through",
                            where, (guint)status.st_mode & 07777, owner, me);
  return g_strdup_printf ("'%s' (mode %04o, of user '%s') cannot be %s by user '%s'", where,
                          (guint)status.st_mode & 07777, owner, writes ? "written" : "read", me);
}

char *
path_obstacle_cure (const char *path, gboolean writes)
{
  g_autofree char *where = NULL, *quoted = NULL, *me = NULL;
  Obstacle obstacle;

  if (!find_obstacle (path, writes, &obstacle))
    return NULL;
  where = obstacle.path;
  quoted = g_shell_quote (where);
  me = user_name (geteuid ());
  return g_strdup_printf ("setfacl -m u:%s:%s %s (package acl)", me, obstacle.right, quoted);
}
