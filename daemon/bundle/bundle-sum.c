/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Sums over stretches of data. What is written and what is read cut a stretch into pieces of different sizes,
 * so it ends where a gap begins, and not where a piece does.
 */
#include "daemon/bundle/bundle-sum.h"

#include <nettle/sha2.h>
#include <stdio.h>

struct BundleSum {
  struct sha256_ctx context;
  guint64 start, end; /* of the stretch that is being added to */
  gboolean has_gap;
};

BundleSum *
bundle_sum_new (void)
{
  BundleSum *sum = g_new0 (BundleSum, 1);

  sha256_init (&sum->context);
  return sum;
}

void
bundle_sum_free (BundleSum *sum)
{
  g_free (sum);
}

static void
end_stretch (BundleSum *sum)
{
  const guint64 place[] = { GUINT64_TO_LE (sum->start), GUINT64_TO_LE (sum->end - sum->start) };

  if (sum->end > sum->start)
    sha256_update (&sum->context, sizeof place, (const guint8 *)place);
}

void
bundle_sum_add (BundleSum *sum, guint64 offset, const void *bytes, gsize length)
{
  if (length == 0)
    return;
  if (offset != sum->end) {
    end_stretch (sum);
    sum->has_gap = TRUE;
    sum->start = offset;
  }
  sha256_update (&sum->context, length, bytes);
  sum->end = offset + length;
}

gboolean
bundle_sum_end (BundleSum *sum, guint64 size, char ret_text[BUNDLE_SUM_TEXT])
{
  guint8 digest[SHA256_DIGEST_SIZE];

  sum->has_gap = sum->has_gap || sum->end != size;
  if (sum->has_gap)
    end_stretch (sum);
  sha256_digest (&sum->context, sizeof digest, digest);
  for (guint i = 0; i < sizeof digest; i++)
    g_snprintf (ret_text + 2 * (gsize)i, 3, "%02x", digest[i]);
  return sum->has_gap;
}
