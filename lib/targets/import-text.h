/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/diagnostics.h"
#include "base/xml-writer.h"

/*
 * What the targets' ways in have in common: hostile text is checked, cut into lines or into words with their
 * places, and becomes elements of a document.
 */
#define IMPORT_MAX_BYTES (1024 * 1024)
#define IMPORT_MAX_LINES 20000
#define IMPORT_MAX_WORDS 20000

/* FALSE, with the mistake in @diagnostics: it is too long, or has a character that no document can have. */
gboolean import_check_text (const char *text, Diagnostics *diagnostics);

/* Can it stand in a document? For what was decoded from @text's own escapes: any bytes. */
gboolean import_is_text (const char *text);

/* The words of a shell's command line. */
typedef struct {
  char *text;
  Position where;
} ImportWord;

/* The commands of a text, each a GPtrArray of ImportWord with one at least: quotes and backslashes as a shell
 * reads them, a command ends with its line. What a shell would do further (variables, pipes, substitution) is
 * a mistake. NULL with it, or with what import_check_text finds, in @diagnostics. (transfer full) */
GPtrArray *import_read_commands (const char *text, Diagnostics *diagnostics);
/* @word as a shell reads it as one word, quoted only where it has to be. */
void import_append_quoted (GString *line, const char *word);

/* A line "KEY = VALUE". */
typedef struct {
  char *key, *value;
  Position where, value_where;
} ImportLine;

/* The lines of a text of which each says one thing, @separator between key and value; empty ones and those
 * that begin with '#' are passed over. A line "[...]" has the key "[" and what is within as its value. One
 * without @separator is a mistake, and is passed over. NULL with the mistake in @diagnostics when there are
 * too many, or import_check_text finds one. (transfer full) */
GPtrArray *import_read_lines (const char *text, char separator, Diagnostics *diagnostics);

/* A new last child with attributes: name, value, ..., NULL; a NULL value leaves its attribute out. */
XmlElement *import_add (XmlElement *parent, const char *name, ...) G_GNUC_NULL_TERMINATED;
void import_add_text (XmlElement *parent, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* *@member becomes a copy of @text, which may be NULL. */
void import_set_text (char **member, const char *text);
