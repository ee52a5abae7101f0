/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"
#include "cli/connection.h"

/*
 * A call that moves a machine's archive: it comes with the archive's descriptor, shows how far it is on a
 * terminal, and is given up by Ctrl-C.
 */

/* What is made of what the daemon sends through the second descriptor: its answer. (transfer full) */
typedef char *(*TransferTalk) (const char *text, gsize length, gpointer data);

typedef struct {
  CommandLine *line;
  const char *path, *interface, *method;
  int archive;             /* (borrowed) */
  GVariantDict parameters; /* initialised; its end is the call's */
  const char *const *maps; /* NULL: the method takes none */
  guint flags;
  TransferTalk talk; /* NULL: there is no second descriptor */
  gpointer talk_data;
} Transfer;

/* The answer, or NULL with @error. (transfer full) */
GVariant *transfer_run (Transfer *transfer, GError **error);
