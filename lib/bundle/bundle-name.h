/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/* Names and paths that an archive says. Pure; any thread. */
#define BUNDLE_NAME_MAX 255  /* bytes of a file's name in the archive */
#define BUNDLE_PATH_MAX 4000 /* bytes of a path on a host */

/* Names in the archive are ours: letters, digits, '.', '-' and '_', in folders, none of which begins with a
 * '.'. FALSE with VIR_ERR_INVALID_ARG. */
gboolean bundle_name_check (const char *name, GError **error);
/* A path on the host that was left: absolute, nothing in it that leads upwards or ends a line. FALSE with
 * VIR_ERR_INVALID_ARG. */
gboolean bundle_path_check (const char *path, GError **error);
/* What is behind @prefix in @path ("" or "/..."); NULL when it does not begin so. "/srv" is none of
 * "/srv2/a". (borrowed) */
const char *bundle_path_below (const char *path, const char *prefix);
