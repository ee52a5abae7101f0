/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * A control group of its own for each machine, where no systemd makes one and a version 2 hierarchy can be
 * written: CGROUP/domaind/UUID. A machine without one runs as well, so nothing here fails. Any thread.
 */
void cgroup_enter (const char *uuid, GPid pid);
void cgroup_remove (const char *uuid);
