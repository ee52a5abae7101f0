/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/*
 * All kinds of document there are, known by their root elements. What reads one kind includes that kind; this
 * is for what takes whatever it is given, such as a directory of documents. Pure; any thread.
 */

/* Ends with NULL. Domains are in it by their fields; their own reading is domain_def_parse. */
extern const DocumentKind *const document_kinds[];

/* NULL: no kind has that root element. */
const DocumentKind *document_kind_of_root (const char *root);
/* The kind of @text, by its root element. NULL with an error in @diagnostics when it is not well-formed, and
 * one of severity @unknown when no kind has its root element. @length -1: NUL-terminated. */
const DocumentKind *
document_kind_of_text (const char *text, gssize length, DiagnosticSeverity unknown, Diagnostics *diagnostics);
