/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/* From now on what has been in the trash for longer than the setting says leaves it. Main loop. */
void trash_watch (Manager *manager);
