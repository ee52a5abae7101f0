/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * What is wrong with one document: every mistake with its place, gathered in one run and then either
 * printed as FILE:LINE:COL lines or turned into the one GError a call is answered with.
 */

#define DIAGNOSTICS_MAX 200 /* mistakes kept for one document; further ones are only counted */

typedef struct {
  guint line;   /* 1-based; 0 when the place is not known */
  guint column; /* 1-based, in characters */
} Position;

typedef enum { DIAGNOSTIC_WARNING, DIAGNOSTIC_ERROR } DiagnosticSeverity;

typedef struct {
  DiagnosticSeverity severity;
  virErrorNumber code;
  int origin; /* virErrorDomain; -1: the one that goes with the number */
  Position where;
  char *message;
  char **accepted; /* what would have been accepted: words, or one description; NULL: not known */
  char *nearest;   /* the one of them that was probably meant; NULL: none is near */
  gboolean vague;  /* whoever told it knew only that something is wrong: another may know why */
} Diagnostic;

typedef struct Diagnostics Diagnostics;

/* @file_name is what the lines begin with; NULL means "(document)". */
Diagnostics *diagnostics_new (const char *file_name);
void diagnostics_free (Diagnostics *diagnostics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Diagnostics, diagnostics_free)

/* < 0, 0 or > 0 as @a stands before, at or behind @b. */
int position_compare (Position a, Position b);

/* The same mistake at the same place is kept once. */
void diagnostics_error (Diagnostics *diagnostics, Position where, virErrorNumber code, const char *format,
                        ...) G_GNUC_PRINTF (4, 5);
/* The same, from a part of libvirt that does not go with the number; see virt_error_set_from. */
void diagnostics_error_from (Diagnostics *diagnostics, Position where, virErrorDomain origin,
                             virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (5, 6);
void diagnostics_warning (Diagnostics *diagnostics, Position where, virErrorNumber code, const char *format,
                          ...) G_GNUC_PRINTF (4, 5);

/* What would have been accepted in place of what the last mistake is about, for programs: people read it in
 * the message. @accepted: NULL-terminated, NULL where it is not known; @nearest: one of them, or NULL. */
void diagnostics_offer (Diagnostics *diagnostics, const char *const *accepted, const char *nearest);

/* The last mistake is one of which another check may know more. */
void diagnostics_mark_vague (Diagnostics *diagnostics);
/* Take over the errors of @refusals on lines that have none yet, and where what was told is vague, what they
 * say of the same place instead. */
void diagnostics_explain (Diagnostics *diagnostics, const Diagnostics *refusals);

gboolean diagnostics_has_errors (const Diagnostics *diagnostics);
/* How often an error was told, those not kept too: a part in whose reading it rose was not understood. */
guint diagnostics_errors_reported (const Diagnostics *diagnostics);
gboolean diagnostics_has_error_at (const Diagnostics *diagnostics, Position where);
guint diagnostics_count (const Diagnostics *diagnostics);
const Diagnostic *diagnostics_get (const Diagnostics *diagnostics, guint index); /* ordered by place */
const char *diagnostics_file_name (const Diagnostics *diagnostics);

/* Take over what @further says, but of its errors none at a place where one is told already: a later check
 * says there, in other words, what the earlier one said, or what only follows from it. */
void diagnostics_add_further (Diagnostics *diagnostics, const Diagnostics *further);

/* "FILE:LINE:COL: error: MESSAGE\n" for each, in the order of the document. (transfer full) */
char *diagnostics_to_text (const Diagnostics *diagnostics);
/* The same as a compiler shows it on a terminal: under each the line of @source it is about, cut to what
 * fits, and a caret below the place. (transfer full) */
char *diagnostics_to_marked_text (const Diagnostics *diagnostics, const char *source);
/* How many are not among those that are kept. */
guint diagnostics_dropped (const Diagnostics *diagnostics);

/*
 * FALSE and @error set when there are errors: its code is the first error's, its message the first error's
 * text with its place, and the others after it, a line each. TRUE otherwise.
 */
gboolean diagnostics_check (const Diagnostics *diagnostics, GError **error);
