/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>

/* The schema files as they were when the program was built; schemas/embed.py writes the C file. */
typedef struct {
  const char *name; /* "domain.rng"; NULL ends the list */
  const char *text; /* NUL-terminated */
  size_t length;
} SchemaText;

extern const SchemaText schema_texts[];
extern const char *const schema_text_names[]; /* the names alone, NULL-terminated */
