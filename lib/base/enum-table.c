/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Words and their values, and the word someone probably meant. Spelling distance is the one that counts
 * what fingers do wrong: a letter missing, surplus, wrong, or two neighbours swapped
 * (Damerau-Levenshtein, restricted to one edit per place). How far is still "near" grows with the word,
 * because among three-letter words everything is two edits from everything.
 */
#include "base/enum-table.h"

#include <string.h>

#define WORD_MAX          64 /* longer words are not compared: nothing in the format is as long */
#define EXTENDED_WORD_MIN 3  /* letters of a word that a longer one may begin with */

const EnumTable yes_no_table = { "value", { NULL, "yes", "no" } };
const EnumTable on_off_table = { "value", { NULL, "on", "off" } };

int
enum_table_value (const EnumTable *table, const char *name)
{
  if (name == NULL)
    return 0;
  for (int value = 1; value < ENUM_TABLE_MAX && table->names[value] != NULL; value++)
    if (g_str_equal (table->names[value], name))
      return value;
  return 0;
}

const char *
enum_table_name (const EnumTable *table, int value)
{
  if (value <= 0)
    return NULL;
  for (int i = 1; i < ENUM_TABLE_MAX && table->names[i] != NULL; i++)
    if (i == value)
      return table->names[i];
  return NULL;
}

char *
enum_table_choices (const EnumTable *table)
{
  GString *text = g_string_new (NULL);

  for (int i = 1; i < ENUM_TABLE_MAX && table->names[i] != NULL; i++) {
    gboolean last = i + 1 == ENUM_TABLE_MAX || table->names[i + 1] == NULL;

    if (i > 1)
      g_string_append (text, last ? " or " : ", ");
    g_string_append_printf (text, "'%s'", table->names[i]);
  }
  return g_string_free (text, FALSE);
}

const char **
enum_table_words (const EnumTable *table)
{
  const char **words = g_new0 (const char *, ENUM_TABLE_MAX);

  for (int i = 1; i < ENUM_TABLE_MAX && table->names[i] != NULL; i++)
    words[i - 1] = table->names[i];
  return words;
}

static guint
spelling_distance (const char *a, gsize a_length, const char *b, gsize b_length)
{
  guint rows[3][WORD_MAX + 1];
  guint *before_last = rows[0], *last = rows[1], *row = rows[2];

  for (gsize j = 0; j <= b_length; j++)
    last[j] = (guint)j;
  for (gsize i = 1; i <= a_length; i++) {
    guint *spare = before_last;

    row[0] = (guint)i;
    for (gsize j = 1; j <= b_length; j++) {
      guint wrong = g_ascii_tolower (a[i - 1]) != g_ascii_tolower (b[j - 1]);

      row[j] = MIN (MIN (last[j], row[j - 1]) + 1, last[j - 1] + wrong);
      if (i > 1 && j > 1 && wrong && g_ascii_tolower (a[i - 1]) == g_ascii_tolower (b[j - 2])
          && g_ascii_tolower (a[i - 2]) == g_ascii_tolower (b[j - 1]))
        row[j] = MIN (row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
    row = spare;
  }
  return last[b_length];
}

/* The most edits at which a word of this length is still taken for a misspelling. */
static guint
distance_allowed (gsize length)
{
  if (length <= 4)
    return 1;
  return length <= 7 ? 2 : 3;
}

/* The one word that @word begins with, up to a dash, such as virtio for virtio-blk; NULL when several do. */
static const char *
word_extended (const char *word, const char *const *words)
{
  const char *found = NULL;

  for (; *words != NULL; words++) {
    gsize length = strlen (*words);

    if (length < EXTENDED_WORD_MIN || g_ascii_strncasecmp (word, *words, length) != 0 || word[length] != '-')
      continue;
    if (found != NULL)
      return NULL;
    found = *words;
  }
  return found;
}

const char *
nearest_word (const char *word, const char *const *words)
{
  gsize length = word != NULL ? strlen (word) : 0;
  const char *nearest = NULL;
  const char *const *all = words;
  guint least = distance_allowed (length) + 1;

  if (length == 0 || length > WORD_MAX)
    return NULL;
  for (; *words != NULL; words++) {
    gsize other_length = strlen (*words);
    guint distance;

    if (other_length > WORD_MAX || other_length + least <= length || length + least <= other_length)
      continue;
    distance = spelling_distance (word, length, *words, other_length);
    if (distance < least && distance < MIN (length, other_length)) {
      least = distance;
      nearest = *words;
    }
  }
  return nearest != NULL ? nearest : word_extended (word, all);
}

const char *
enum_table_nearest (const EnumTable *table, const char *word)
{
  const char *words[ENUM_TABLE_MAX + 1] = { NULL };

  memcpy (words, table->names + 1, sizeof (table->names) - sizeof (table->names[0]));
  return nearest_word (word, words);
}
