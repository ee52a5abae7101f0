/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/*
 * What the commands about machines that run images share. Each takes a machine by its name.
 */
#define RUN_FAILED 125 /* exit status of run and exec where it is not the program's */

/* Of the daemon that @line is connected to. (transfer full) */
char *run_cache (CommandLine *line);
/* The object path of the machine; NULL after an error was printed. (transfer full) */
char *run_find (CommandLine *line, const char *name);
/* Whether it runs; one that is not there does not. */
gboolean run_is_active (CommandLine *line, const char *name);
/* Waits for its end, so many seconds at most. */
gboolean run_await_end (CommandLine *line, const char *name, int seconds);
/* Ends it and takes away its definition, if there is one, and its files. */
void run_remove (CommandLine *line, const char *cache, const char *name);
/* Takes away what `run --rm -d` left of machines that have ended. */
void run_sweep (CommandLine *line, const char *cache);
/* Names of all of them, in order. (element-type utf8) (transfer full) */
GPtrArray *run_machines (const char *cache);
/* Whether @name is a machine that runs, or ran, an image; FALSE after an error was printed. */
gboolean run_check_machine (const char *cache, const char *name);

/* cli/run-stats.c */
int stats_run (CommandLine *line);
extern const GOptionEntry stats_options[];
