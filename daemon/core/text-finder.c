/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A text may be cut by the pieces in which it comes, so each piece is searched together with the end of what
 * came before it, shorter by one byte than the longest text: no text is found twice, and none is missed.
 */
#include "daemon/core/text-finder.h"

#include <string.h>

struct TextFinder {
  GPtrArray *texts; /* char *; NULL: it has come */
  guint missing;
  gsize kept;       /* bytes at most of the end */
  GByteArray *past; /* the end of what came */
};

TextFinder *
text_finder_new (const GPtrArray *texts)
{
  TextFinder *finder = g_new0 (TextFinder, 1);

  finder->texts = g_ptr_array_new_with_free_func (g_free);
  finder->past = g_byte_array_new ();
  finder->missing = texts->len;
  for (guint i = 0; i < texts->len; i++) {
    const char *text = g_ptr_array_index (texts, i);

    g_ptr_array_add (finder->texts, g_strdup (text));
    finder->kept = MAX (finder->kept, strlen (text) - 1);
  }
  return finder;
}

void
text_finder_free (TextFinder *finder)
{
  if (finder == NULL)
    return;
  g_ptr_array_unref (finder->texts);
  g_byte_array_unref (finder->past);
  g_free (finder);
}

gboolean
text_finder_feed (TextFinder *finder, const char *bytes, gsize length)
{
  guint before = finder->missing;

  if (length == 0)
    return FALSE;
  g_byte_array_append (finder->past, (const guint8 *)bytes, (guint)length);
  for (guint i = 0; i < finder->texts->len; i++) {
    char **text = (char **)&g_ptr_array_index (finder->texts, i);

    if (*text != NULL && memmem (finder->past->data, finder->past->len, *text, strlen (*text)) != NULL) {
      g_clear_pointer (text, g_free);
      finder->missing--;
    }
  }
  if (finder->past->len > finder->kept)
    g_byte_array_remove_range (finder->past, 0, (guint)(finder->past->len - finder->kept));
  return finder->missing < before;
}

gboolean
text_finder_has (const TextFinder *finder, guint index)
{
  return g_ptr_array_index (finder->texts, index) == NULL;
}

gboolean
text_finder_has_all (const TextFinder *finder)
{
  return finder->missing == 0;
}
