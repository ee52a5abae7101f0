/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The SHA-256 of a file of a bundle. Of a file without holes it is that of its bytes. Of one with holes,
 * reading whose zeros would cost more than all its data, it is that of its stretches of data in their order:
 * of each its bytes, and then its offset and its length, eight little-endian bytes each. One thread.
 */
#define BUNDLE_SUM_TEXT 65 /* bytes of a sum's text, with its NUL */

typedef struct BundleSum BundleSum;

BundleSum *bundle_sum_new (void);
void bundle_sum_free (BundleSum *sum);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BundleSum, bundle_sum_free)

/* The next bytes, which are at @offset: behind all that were added. */
void bundle_sum_add (BundleSum *sum, guint64 offset, const void *bytes, gsize length);
/* The sum of a file of @size bytes in all; whether it has holes. Once. */
gboolean bundle_sum_end (BundleSum *sum, guint64 size, char ret_text[BUNDLE_SUM_TEXT]);
