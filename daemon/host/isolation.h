/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What keeps one machine's process from the others and from the host, beside its account: namespaces of its
 * own (mounts, System V and POSIX IPC) in which it sees no processes but its own, and Landlock, which lets it
 * change files below a few directories only, and trace and signal nobody outside. Each is used where the
 * kernel and the place the daemon runs in allow it; what cannot be had is said in the log, once.
 */

/* Any thread. Can a process have namespaces of its own here? Tried once. */
gboolean isolation_has_namespaces (void);
/* A Landlock ruleset: files can be changed below @writable (NULL-terminated; what does not exist is left out)
 * and /proc. A descriptor, -1 where the kernel has no Landlock. Any thread. */
int isolation_ruleset_new (const char *const *writable);

/* In the child, between fork and exec: only async-signal-safe calls. FALSE with errno set. */
gboolean isolation_enter_namespaces (void);
gboolean isolation_enter_ruleset (int ruleset); /* after no_new_privs */
