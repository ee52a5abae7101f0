/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/* A text in the user's editor, until the daemon takes it or the user gives up. */
typedef enum { EDIT_FAILED, EDIT_UNCHANGED, EDIT_TAKEN, EDIT_GIVEN_UP } EditOutcome;

/* Hands @text to the daemon; what it returns means that it was taken, and is freed. */
typedef char *(*EditorTake) (CommandLine *line, const char *text, GError **error);

/* EDIT_FAILED: with @error. EDIT_GIVEN_UP: the mistakes were printed, and the text is in *@ret_file (transfer
 * full). */
EditOutcome
editor_run (CommandLine *line, const char *text, EditorTake take, char **ret_file, GError **error);
