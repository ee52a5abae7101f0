/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/host/account.h"
#include "targets/qemu/recipe.h"

/*
 * The files that QEMU maps by their names, see RecipeMemoryFile: each is made where it does not exist. One in
 * the daemon's own state is given to @account; any other one belongs to whoever made it, and its group joins
 * @groups (of @max) where that opens it. FALSE, VIR_ERR_SYSTEM_ERROR with what would have to be changed,
 * where QEMU could not open one. @groups NULL: QEMU runs already, with the groups it has. In a job's thread.
 */
gboolean memory_files_prepare (const Recipe *recipe, const Settings *settings, const Account *account,
                               gid_t *groups, guint *count, guint max, GError **error);
/* Could that one be used, as things are now? Nothing is made. */
gboolean memory_file_check (const RecipeMemoryFile *file, const Settings *settings, const Account *account,
                            GError **error);
