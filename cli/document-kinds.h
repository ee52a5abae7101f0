/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The kind of a document that is no domain's, by its root element; NULL: it is a domain's, or nothing that is
 * known. */
const DocumentKind *document_kind_of (const char *text, gsize length);
/* @text read strictly and completed; NULL, with the mistakes in @diagnostics. (transfer full) */
char *document_complete (const DocumentKind *kind, const char *text, gsize length, Diagnostics *diagnostics);
