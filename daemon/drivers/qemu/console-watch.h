/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "domain/domain-def.h"

/*
 * What a machine writes to its first serial console, or where it has no serial port its first console, looked
 * through for the texts that its policy waits for (domaind-policy(5), <ready>). Whoever uses the console is
 * not disturbed: QEMU writes the same a second time, as a log, into a pipe; where the document has a log of
 * its own, that is read.
 *
 * The guest writes what it likes, as much as it likes: nothing is kept but the end of it, and it is read when
 * the main loop has nothing better to do.
 */
#define CONSOLE_WATCH_PIECE (16 * 1024) /* bytes read at a time */
#define CONSOLE_WATCH_POLL  250         /* ms between two looks at a log */

/* A start's job. Before the definition is translated: its console gets the log that is looked through, if
 * anything of it is waited for. Then, when @run_directory is there, that is made and is looked through from
 * now on; and when it has been opened for QEMU, the definition is again what it was. */
void console_watch_prepare (DomainDef *def, const char *run_directory);
gboolean console_watch_begin (const DomainDef *def, const char *run_directory, Job *job, GError **error);
void console_watch_conceal (DomainDef *def, const char *run_directory);

/* Main loop. A machine found again: what it wrote while no daemon read it is not known, where it is no log of
 * the document's. */
void console_watch_find (const DomainDef *def, const char *run_directory);
/* Has the text at @index of the policy been written? */
gboolean console_watch_has (const char *uuid, guint index);
/* Is there anything to look through? */
gboolean console_watch_is_there (const char *uuid);
void console_watch_end (const char *uuid);
/* Who is told that a text has come; one in a process. */
void console_watch_set_handler (void (*seen) (const char *uuid));
