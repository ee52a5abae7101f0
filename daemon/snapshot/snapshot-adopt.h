/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/domain.h"

/* What the row of snapshots has for a daemon that finds something cut short: see ChildKind. */
gboolean snapshot_is_unfinished (Manager *manager, const char *uuid);
void snapshot_finish_stopped (Manager *manager, const char *uuid, const char *name);
void snapshot_finish_running (Object *owner);
