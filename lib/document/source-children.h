/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What changed from one completed document to another, put into the user's own text: only the root's children
 * that differ are exchanged, every other byte is left as it is. Pure; any thread.
 *
 * @source: the user's text, of which @before was made; @after: what is to be made of it. NULL where the text
 * cannot be edited so: @after itself then has to take its place. (transfer full)
 */
char *source_change_children (const char *source, const char *before, const char *after);
