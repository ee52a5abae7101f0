/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The daemon's log. All code logs through GLib, whose levels stand for ours:
 *
 *   g_critical  error     something is wrong that the administrator must mend, or a bug
 *   g_warning   warning   something was refused, skipped or lost, and the daemon goes on
 *   g_message, g_info  info   what happened: a machine started, ended, was defined
 *   g_debug     debug     what only helps to find out why
 *
 * Lines carry what clients and guests sent; control characters in them are shown, not obeyed.
 */

/* Install the writer. @level: "error", "warning", "info", "debug"; @format: "auto", "text", "journal". */
void log_start (const char *level, const char *format);
/*
 * Where the message bus has started the daemon, its standard error may be the terminal of whoever started the
 * bus, which is not for our lines: they go to @path from then on, for what comes from children too. Nothing
 * happens where standard error is no terminal or the daemon was started by hand.
 */
void log_leave_foreign_terminal (const char *path);
/* Another level from now on. Any thread. */
void log_set_level (const char *level);
