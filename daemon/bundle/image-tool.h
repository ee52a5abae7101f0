/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/qemu/recipe.h"

/* qemu-img for bundles, confined to the images that are opened for it. Job's thread. */

/* A file of the daemon's own without a name: gone when it is closed. -1 with @error. */
int image_tool_temporary (const char *directory, GError **error);
/* What a guest sees of @chain, whether it is used or not, into the empty file @out (borrowed). @options: of
 * the format ("subformat=streamOptimized"), or NULL. */
gboolean
image_tool_flatten (const ImageInfo *chain, int out, const char *format, const char *options, GError **error);
/* A file of that format, @in (borrowed), into the empty file @out of another. */
gboolean image_tool_convert (int in, const char *in_format, int out, const char *out_format, GError **error);
/* @file (borrowed) of @format names @backing, of @backing_format, as the image below it; neither is opened.
 * @path: its name, for messages. */
gboolean image_tool_set_backing (int file, const char *path, const char *format, const char *backing,
                                 const char *backing_format, GError **error);
