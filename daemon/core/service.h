/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/* What a service owes its manager: readiness, one instance, sockets it was given. */

/* Tell whoever started us (NOTIFY_SOCKET), if anybody wants to know: "READY=1", "STOPPING=1", "STATUS=...".
 */
void service_notify (const char *state);
/* The sockets that were handed over at start (LISTEN_FDS), marked close-on-exec; -1 ends the list. (transfer
 * full) */
int *service_listen_sockets (void);

/* The run directory is ours: the lock is held as long as the process lives. FALSE, naming the other's pid,
 * when it is another's. */
gboolean service_lock (const char *run_directory, GError **error);

/* TRUE for the first who asks for @part since the host was started, as the run directory remembers: autostart
 * is for then, and a daemon that is merely started again leaves what was stopped by hand alone. */
gboolean service_first_since_boot (const char *run_directory, const char *part);
