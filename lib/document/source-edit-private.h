/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/source-edit.h"

#include "base/xml-document.h"

/*
 * Finding one's way in the bytes of a document that the reader has found well-formed.
 */

/* Past the end of the element whose '<' is at @text. */
const char *source_skip_element (const char *text);
/* The byte at a place of the reader's; NULL when it lies outside. */
const char *source_byte_at (const char *source, Position where);
/* The white space in front of @place, back to and with the line's beginning. */
const char *source_line_start (const char *source, const char *place);
/* @source with @text instead of what is between @from and @to. (transfer full) */
char *source_exchange (const char *source, const char *from, const char *to, const char *text);
xmlNode *source_find_child (xmlNode *root, const char *name);
