/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * Definitions in memory. They are read from the store when first needed, in a job, and the most recently
 * used are kept; the main loop never waits for a disk or a parser. Main loop only but for definition_read.
 */
#define DEFINITIONS_IN_MEMORY 32 /* about 35 kB each */

typedef enum {
  DEFINITION_CURRENT, /* what describes it now: live while it runs, the config otherwise */
  DEFINITION_CONFIG,  /* what will start next: the stored one, or a transient machine's own */
} DefinitionWhich;

/* Called with the definition (borrowed) and the call, which it takes over. */
typedef void (*DefinitionThen) (Call *call, DomainDef *def);
/* The call's domain's definition: @then runs at once when it is in memory, after a reading otherwise. When it
 * cannot be read the call is failed; so it is when the domain went away meanwhile. */
void call_with_definition (Call *call, DefinitionWhich which, DefinitionThen then);

/* The same without a call: @then is told the domain as it is then, or an error (with @domain NULL when it is
 * gone). */
typedef void (*DefinitionRead) (Domain *domain, DomainDef *def, const GError *error, gpointer data);
void definition_request (Domain *domain, DefinitionWhich which, DefinitionRead then, gpointer data);

/* The same when it is in memory, otherwise NULL. (borrowed) */
DomainDef *definition_in_memory (Domain *domain, DefinitionWhich which);
/* A new definition takes the place of the one in memory; @def NULL: it is read again when needed. */
void definition_replace (Domain *domain, DomainDef *def);
void definition_forget (Domain *domain);

/* The persistent definition as text without secrets, ready to be answered; NULL while nobody has asked yet.
 * (borrowed) */
#define DOCUMENTS_MAX_BYTES \
  (16 * 1024 * 1024) /* kept for all domains together; further ones are written anew each time */
const char *definition_document (const Domain *domain);
/* Keep it for the next who asks, until the definition changes. Takes @text. */
void definition_keep_document (Domain *domain, char *text);

/* Any thread: the stored definition, read and, where nobody has yet, completed. @ret_message (may be NULL) is
 * set when the user's document was changed behind the daemon's back. */
DomainDef *definition_read (Store *store, const Platform *platform, const char *uuid, const char *name,
                            char **ret_message, GError **error);
/* Any thread: a client's document, read lax or @strict. Warnings are added to @messages (char *, may be
 * NULL). */
DomainDef *definition_parse (const Platform *platform, const char *text, gboolean strict, GPtrArray *messages,
                             GError **error);
