/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/image.h"

/*
 * An image as qemu-img is to open it: every file of its chain by name and format, and nothing below the last,
 * so that qemu-img goes by what was read and checked here and by no header of its own reading.
 */
/* The word for qemu-img, to be used without -f. @top_file: where the top image is, as qemu-img sees it.
 * (transfer full) */
char *image_source (const ImageInfo *chain, const char *top_file);
