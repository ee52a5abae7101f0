/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-unix.h>

/*
 * As g_unix_fd_add_full, at the usual priority, for a descriptor that is often ready. GLib takes a source out
 * of the poll while it is dispatched, and wakes the main loop by its eventfd for that and for putting it
 * back; a source that may recurse is spared it, which is two of five system calls. Nothing in the daemon runs
 * the main loop from within itself, so none ever does. @free_data may be NULL.
 */
guint watch_fd (int fd, GIOCondition condition, GUnixFDSourceFunc function, gpointer data,
                GDestroyNotify free_data);
