/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/* The path of the domain @word names, for the commands about checkpoints and backups; NULL after an error was
 * printed, as virsh does. (transfer full) */
char *backup_find_domain (CommandLine *line, const char *word);
/* The document in the file @path ("-": stdin); NULL after an error was printed. (transfer full) */
char *backup_read_document (const char *path);
