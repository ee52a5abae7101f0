/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Removal of a directory that somebody else could write to: links are not followed. Deeper trees are left. */
#define TREE_MAX_DEPTH 16
void tree_remove (const char *path);
