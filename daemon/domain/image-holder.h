/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/domain.h"

/* @error, and where QEMU says in it that somebody else uses an image: which running domain that is. Main
 * loop; touches no disk. (transfer full) */
GError *image_holder_explain (Manager *manager, const GError *error);
