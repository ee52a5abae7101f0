/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * Which of some texts a stream of bytes has had, that comes in pieces and that nobody keeps. The bytes are
 * anybody's: what is remembered of them is as long as the longest text. Any thread, one at a time.
 */
typedef struct TextFinder TextFinder;

TextFinder *text_finder_new (const GPtrArray *texts); /* char *, none of them empty; copied */
void text_finder_free (TextFinder *finder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TextFinder, text_finder_free)

/* The next piece. TRUE: a text has come that had not been there before. */
gboolean text_finder_feed (TextFinder *finder, const char *bytes, gsize length);
gboolean text_finder_has (const TextFinder *finder, guint index);
gboolean text_finder_has_all (const TextFinder *finder);
