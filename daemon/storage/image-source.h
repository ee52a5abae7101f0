/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/image.h"
#include "daemon/storage/tool.h"

/*
 * An image as qemu-img is to open it: every file of its chain by name and format, and nothing below the last,
 * so that qemu-img goes by what was read and checked here and by no header of its own reading.
 */
/* The word for qemu-img, to be used without -f. @top: where the top image is, if it is open in @files
 * already; NULL: it is opened as those below it are, to be read. NULL with @error when one cannot be.
 * (transfer full)
 */
char *image_source (const ImageInfo *chain, const char *top, ToolFiles *files, GError **error);
