/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Removing a directory with what is in it, by descriptors, so that no name is looked up twice. */
#include "daemon/core/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
remove_inside (int parent, const char *name, guint depth)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *directory = fd >= 0 && depth < TREE_MAX_DEPTH ? fdopendir (fd) : NULL;
  struct dirent *entry;

  if (directory == NULL) {
    if (fd >= 0)
      close (fd);
    return;
  }
  while ((entry = readdir (directory)) != NULL) {
    if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
      continue;
    if (unlinkat (fd, entry->d_name, 0) != 0)
      remove_inside (fd, entry->d_name, depth + 1);
  }
  closedir (directory);
  unlinkat (parent, name, AT_REMOVEDIR);
}

void
tree_remove (const char *path)
{
  remove_inside (AT_FDCWD, path, 0);
}
