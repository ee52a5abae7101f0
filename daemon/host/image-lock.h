/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Would QEMU get its lock on an image? Nothing is locked: the kernel is asked whether somebody has what would
 * be in the way. @path is opened for reading. @writes: as a disk that is not read-only; @shares: other
 * machines may write to it as well. FALSE too when that cannot be told. Blocking.
 */
gboolean image_is_locked (const char *path, gboolean writes, gboolean shares);
