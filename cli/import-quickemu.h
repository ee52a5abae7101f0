/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/* Is @file a machine of quickemu's: a .conf, or the directory of one? */
gboolean import_quickemu_is (const char *file);
/* Define it; its images stay where they are. @name: its new one, or NULL. @check: only say what would be. The
 * exit status. */
int import_quickemu_run (CommandLine *line, const char *file, const char *name, gboolean check);
