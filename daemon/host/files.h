/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe.h"

/*
 * The files of a recipe, opened by the daemon with its own rights and passed to QEMU as descriptors. Nobody's
 * ownership or mode is changed.
 */
#define FILES_COPY_MAX (1024 * 1024 * 1024) /* bytes of a kernel or initial ramdisk copied into memory */

typedef struct {
  GArray *fds;         /* int: ours, closed by files_clear */
  GArray *fds_as;      /* int: their numbers in QEMU */
  GHashTable *offered; /* char * → descriptor + 1: what a recipe's passed files are; ours too */
} Files;

void files_init (Files *files);
/* All of @recipe's files, or none; in a job, a file that cannot be opened at all is left behind with it:
 * errors name the file, what it is for, and whose it is. @stores_anew: the machine's own stores are made from
 * their templates again. */
gboolean files_open (Files *files, const Recipe *recipe, gboolean stores_anew, GError **error);
/* Could this one be opened? Nothing is made, emptied or kept open. In a job; as files_open. */
gboolean file_check (const RecipeFile *file, GError **error);
/* What the recipe calls @name (recipe_passed) is @fd, which is taken. Before files_open. */
void files_offer (Files *files, const char *name, int fd);
/* One more; takes @fd. */
void files_add (Files *files, int fd, int as);
void files_clear (Files *files);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Files, files_clear)
