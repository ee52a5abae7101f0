/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/image-source.h"

/*
 * The layers of a container image as one read-only file system, a squashfs in the file @path, which is made.
 * Every layer is summed before a byte of it is used. Blocking, and long for a large image. FALSE with @error,
 * and nothing is left at @path.
 */
gboolean image_layers_write (ImageSource *source, const Image *image, const char *path, GError **error);
