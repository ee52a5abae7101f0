/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * A document in one form: two blanks for each level, an element a line, elements in libvirt's order. No byte
 * of a comment, a text or an attribute's value is touched, and a comment goes with the element it stands
 * before, or behind on its line; what is in <metadata> and <description> stays as it is. Pure; any thread.
 *
 * @source: well-formed. @written: the same document as this program writes it, which tells the order; NULL:
 * the elements stay in theirs. NULL with @error: there are more than FORMAT_MAX_DEPTH levels. (transfer full)
 */
#define FORMAT_MAX_DEPTH 256
char *document_format (const char *source, const char *written, GError **error);
