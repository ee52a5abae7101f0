/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cli/command.h"
#include "cli/document-set.h"

/* What `domctl plan` and `domctl apply` share: a plan, asked of the daemon and shown. */
enum { PLAN_NO_CHANGES = 0, PLAN_ERROR = 1, PLAN_CHANGES = 2 };

typedef struct {
  GVariant *documents; /* a(sss), as the daemon takes them */
  char *source;        /* label; "": none */
  guint flags;         /* of PlanDocuments */
  DocumentSet *set;    /* NULL: of a plan that was kept */
  JsonNode *plan;
  char *digest; /* of the plan */
} PlanRequest;

void plan_request_clear (PlanRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PlanRequest, plan_request_clear)

/* Read the documents and ask for their plan. FALSE after the errors were printed. */
gboolean plan_request_read (CommandLine *line, char *const *words, guint count, PlanRequest *request);
/* A plan that was kept in a file, and its documents. FALSE after an error was printed. */
gboolean plan_request_load (const char *path, PlanRequest *request);
gboolean plan_is_kept (const char *path);
guint plan_count_changes (const PlanRequest *request);
/* cli/plan-print.c */
void plan_print_objects (const CommandLine *line, const JsonNode *plan);

extern char *plan_source;
extern gboolean plan_prunes, plan_restarts;
#define PLAN_OPTIONS                                                                 \
  { "source",                                                                        \
    0,                                                                               \
    0,                                                                               \
    G_OPTION_ARG_STRING,                                                             \
    &plan_source,                                                                    \
    N_ ("The label of what is applied (default: the directory's whole path)"),       \
    N_ ("LABEL") },                                                                  \
      { "prune",                                                                     \
        0,                                                                           \
        0,                                                                           \
        G_OPTION_ARG_NONE,                                                           \
        &plan_prunes,                                                                \
        N_ ("Remove what carries the same label and is in no document; disks stay"), \
        NULL },                                                                      \
      { "restart",                                                                   \
        0,                                                                           \
        0,                                                                           \
        G_OPTION_ARG_NONE,                                                           \
        &plan_restarts,                                                              \
        N_ ("Restart running machines where a change waits for their next start"),   \
        NULL },                                                                      \
      VALUES_OPTION
