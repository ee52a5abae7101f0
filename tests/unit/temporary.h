/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A directory for one test, and everything below it gone afterwards. */
#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>

static inline char *
temporary_directory (void)
{
  return g_dir_make_tmp ("domaind-test-XXXXXX", NULL);
}

static inline int
temporary_remove_one (const char *path, G_GNUC_UNUSED const struct stat *status, G_GNUC_UNUSED int type,
                      G_GNUC_UNUSED struct FTW *position)
{
  return remove (path);
}

static inline void
temporary_remove (char *directory)
{
  nftw (directory, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
  g_free (directory);
}
