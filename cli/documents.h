/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"
#include "daemon/drivers/qemu/probe.h"
#include "domain/domain-def.h"

/* What the commands about documents alone share. */

/* The emulators of this host, asked about when a document names one. */
typedef struct {
  CapsCache *cache;
  QemuCaps *fixed;      /* --capabilities, or the built-in ones once they were needed */
  gboolean asks_nobody; /* documents are judged as they would be on any other host */
  gboolean warned;
} Emulators;

#define SYSTEM_STATE_DIRECTORY "/var/lib/domaind" /* as a system daemon has it */

extern char *capabilities_file; /* --capabilities */

#define CAPABILITIES_OPTION                                            \
  {                                                                    \
    "capabilities", 0, 0, G_OPTION_ARG_FILENAME, &capabilities_file,   \
        N_ ("Take the emulator's capabilities from FILE"), N_ ("FILE") \
  }

/* FALSE after an error was printed. */
gboolean emulators_open (Emulators *emulators);
void emulators_close (Emulators *emulators);
/* Read and complete a domain's document; NULL, with the mistakes in @diagnostics. */
DomainDef *
emulators_complete (Emulators *emulators, const char *text, gsize length, Diagnostics *diagnostics);

/* The same of a file; @ret_text (transfer full, may be NULL) gets what was read. */
DomainDef *emulators_load (Emulators *emulators, const char *path, Diagnostics *diagnostics, char **ret_text);
/* The capabilities of an emulator, by path; NULL: the default one. A QemuCapsLookup whose data is Emulators.
 * (transfer full) */
QemuCaps *emulators_find_caps (gpointer data, const char *emulator);

/* "-" is standard input. NULL, said in @diagnostics. (transfer full) */
char *documents_read_file (const char *path, gsize *ret_length, Diagnostics *diagnostics);
/* On standard error. */
void documents_print_diagnostics (const Diagnostics *diagnostics);

/* cli/validate.c */
int validate_run (CommandLine *line);
extern const GOptionEntry validate_options[];
