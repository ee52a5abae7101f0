/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Who has a guest's console or channel open through the daemon itself: one client at a time for each, until
 * it lets go or another one takes it by force. A terminal is known by its path on the host. Main loop only.
 */
typedef struct TerminalSession TerminalSession;

/* @taken_over: called when another client takes the terminal by force; it frees the session. */
TerminalSession *terminal_session_new (const char *path, void (*taken_over) (gpointer data), gpointer data);
void terminal_session_free (TerminalSession *session); /* NULL is fine */
gboolean terminal_is_open (const char *path);
void terminal_take_over (const char *path);
