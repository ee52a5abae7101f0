/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"

/* What the commands about former definitions share. */

extern char *history_kind; /* --kind, or NULL: a machine's */

#define HISTORY_KIND_OPTION                                                               \
  {                                                                                       \
    "kind", 0, 0, G_OPTION_ARG_STRING, &history_kind,                                     \
        N_ ("What it is: domain (default), network, pool, secret or filter"), N_ ("KIND") \
  }

/* A number of a revision; FALSE when @word is none. */
gboolean history_parse_number (const char *word, guint *ret_number);
/* "root", "1000" where the account is gone, "-" where nobody knows. (transfer full) */
char *history_user_text (gint64 uid);
/* Local time, as g_date_time_format has it. (transfer full) */
char *history_time_text (gint64 microseconds, const char *format);
/* The newest revision; 0 with @error: there is none. The line is connected. */
guint history_newest (CommandLine *line, const char *name, GError **error);
/* The document of a revision; the line is connected. (transfer full) */
char *history_load (CommandLine *line, const char *name, guint number, GError **error);
