/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"

/*
 * A document's bytes as UTF-8, without a byte order mark, NUL-terminated; NULL, with the mistake in
 * @diagnostics, when its declared encoding is none of those read. Text that is declared as UTF-8 is copied
 * unchecked. Internal to the XML reader. (transfer full)
 */
char *xml_to_utf8 (const char *text, gsize length, gsize *ret_length, Diagnostics *diagnostics);
