/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/* Is @file a document, and no archive? */
gboolean import_document_is (const char *file);
/* Define the machine of the document @file, whose images lie beside it. @name: its new one, or NULL. @check:
 * only say what would be. The exit status. */
int import_document_run (CommandLine *line, const char *file, const char *name, gboolean check);
/* The same of the document @text that was made of @file. @changes: char *, of what is told besides. */
int import_text_run (CommandLine *line, const char *file, const char *text, const GPtrArray *changes,
                     const char *name, gboolean check);
