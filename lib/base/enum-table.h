/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The words of one enumeration of the document. names[0] is NULL: value 0 means "not said".
 *
 *   enum { RNG_MODEL_NONE, RNG_MODEL_VIRTIO, ... };
 *   const EnumTable rng_models = { "model", { NULL, "virtio", ... } };
 */
#define ENUM_TABLE_MAX 48

typedef struct {
  const char *what;                  /* what the value is, for messages: "disk bus" */
  const char *names[ENUM_TABLE_MAX]; /* indexed by value; a NULL after index 0 ends the table */
} EnumTable;

/* The value of @name, or 0 when the table has no such word. */
int enum_table_value (const EnumTable *table, const char *name);
/* The word for @value; NULL for 0 and for values outside the table. */
const char *enum_table_name (const EnumTable *table, int value);
/* "'a', 'b' or 'c'". (transfer full) */
char *enum_table_choices (const EnumTable *table);
/* All words, as a list. (transfer container) */
const char **enum_table_words (const EnumTable *table);
/* The word nearest in spelling to @word, or NULL when none is near. Any NULL-terminated list of words. */
const char *nearest_word (const char *word, const char *const *words);
const char *enum_table_nearest (const EnumTable *table, const char *word);

/* The two-valued attributes of the format: 0 not said, 1 yes/on, 2 no/off. */
typedef enum { TRISTATE_ABSENT, TRISTATE_YES, TRISTATE_NO } Tristate;
extern const EnumTable yes_no_table;
extern const EnumTable on_off_table;
