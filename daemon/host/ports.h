/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * TCP ports for displays. A port is taken from the moment it is chosen until QEMU listens on it itself, so
 * that two machines that start together do not choose the same. Any thread.
 */
#define PORTS_VNC_FIRST       5900
#define PORTS_WEBSOCKET_FIRST 5700
#define PORTS_LAST            65535

/* The first port from @first on that nobody uses on @address (NULL or a name: every address); 0 with @error
 * set. */
guint ports_take (const char *address, guint first, GError **error);
void ports_release (guint port);
/* Can somebody listen there now? @problem: the kernel's reason when not (transfer full). */
gboolean ports_can_listen (const char *address, guint port, char **ret_problem);
