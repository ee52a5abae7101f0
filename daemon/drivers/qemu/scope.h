/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Where systemd runs the host, a machine's process is put into a transient scope of its own in machine.slice,
 * so that a restart of the daemon's unit leaves it alone and its resources are accounted. FALSE, quietly,
 * where there is no systemd or it refuses: the machine then stays where it is. Any thread; waits at most
 * SCOPE_TIMEOUT.
 */
#define SCOPE_TIMEOUT 2000 /* ms */
gboolean scope_enter (const char *uuid, const char *name, GPid pid);
