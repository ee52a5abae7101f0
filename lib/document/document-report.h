/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * What was found in documents, for programs: each mistake with its place, the path of the element or
 * attribute it is about, the value that stands there, what would be accepted and which of it was probably
 * meant. Pure; any thread that may read documents.
 */
typedef struct DocumentReport DocumentReport;

DocumentReport *document_report_new (void);
void document_report_free (DocumentReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DocumentReport, document_report_free)

/* The mistakes of one document, whose name @diagnostics knows. @text: what was read, NULL when it could not
 * be;
 * @length -1: NUL-terminated. Nothing of either is kept. */
void
document_report_add (DocumentReport *report, const Diagnostics *diagnostics, const char *text, gssize length);
/* An object with a member for each document: an array of its mistakes. (transfer full) */
char *document_report_to_json (const DocumentReport *report);
/* A log in the Static Analysis Results Interchange Format, version 2.1.0, with one run of the program's
 * @version. (transfer full) */
char *document_report_to_sarif (const DocumentReport *report, const char *version);
