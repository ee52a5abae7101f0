/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The thread that runs the main loop owns every object, client and socket, and never waits. What only it may
 * call says so with MAIN_LOOP_ONLY, and documents, which cost what their author likes, are read anywhere but
 * there. Either mistake is a critical message; the tests run with those fatal.
 */

/* In the daemon's first thread, before any other. A program that never does has no such rules. */
void main_loop_claim (void);
/* Is this its thread? FALSE where nobody has claimed it. Any thread. */
gboolean main_loop_is_here (void);

/* The first statement of a function that only the main loop may call. */
#define MAIN_LOOP_ONLY() main_loop_check (G_STRFUNC)
void main_loop_check (const char *function);
