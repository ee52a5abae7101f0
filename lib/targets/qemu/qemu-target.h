/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe.h"
#include "targets/target.h"

extern const Target qemu_target;

/* The recipe of a whole machine, with files named by path. *@ret is NULL where it has problems, which are in
 * @losses. FALSE with @error: no part of the document is to blame. */
gboolean
qemu_target_recipe (const TargetRequest *request, TargetLosses *losses, Recipe **ret, GError **error);
