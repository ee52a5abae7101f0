/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/origin.h"

/* Why each value of a completed definition is there that its author did not write. Pure; any thread. */

typedef struct {
  const char *pattern; /* of the path, with '*' */
  const char *name;    /* "machine-version" */
  const char *text;    /* why: one sentence */
} ChoiceRule;

typedef struct {
  char *path;             /* of an element or attribute that was chosen */
  char *value;            /* of a whole element with others in it: NULL */
  const ChoiceRule *rule; /* (borrowed, static) */
  guint line;             /* of the completed document */
} Choice;

void choice_free (gpointer choice);
/* In the order of the completed document. Of an element that was chosen whole, what is in it is not told
 * again. (transfer full) */
GPtrArray *domain_explain (const Origins *origins);
/* @completed, the document of @origins, with a comment behind each line that says something chosen. (transfer
 * full) */
char *domain_explain_text (const Origins *origins, const char *completed);
