/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <libxml/tree.h>

/*
 * A RelaxNG grammar as patterns that can be asked what may come next. The schemas are compiled by libxml2 for
 * the question whether a document is accepted; these are for the question why not, of a document that was
 * refused.
 *
 * The method is James Clark's derivatives: what is left of a pattern when a child, an attribute or a text has
 * been taken away from it is a pattern again. A grammar is immutable once made; what an explanation derives
 * from it belongs to its Derivation. A Derivation is used by one thread.
 */
typedef enum {
  PATTERN_NOT_ALLOWED,
  PATTERN_EMPTY,
  PATTERN_TEXT,
  PATTERN_VALUE,
  PATTERN_DATA,
  PATTERN_ATTRIBUTE,
  PATTERN_ELEMENT,
  PATTERN_CHOICE,
  PATTERN_INTERLEAVE,
  PATTERN_GROUP,
  PATTERN_ONE_OR_MORE,
} PatternType;

typedef struct Pattern Pattern;
typedef struct Grammar Grammar;
typedef struct Derivation Derivation;

typedef enum { NAME_ONE, NAME_ANY, NAME_ANY_BUT } NameClassType;

typedef struct {
  NameClassType type;
  char *name;       /* of NAME_ONE */
  char *name_space; /* the same; NULL: none */
  char **excluded;  /* of NAME_ANY_BUT: namespaces, "" for none */
} NameClass;

struct Pattern {
  PatternType type;
  gboolean nullable;          /* it may be nothing */
  const Pattern *one, *other; /* of those made of others; of attributes and elements: what is in them */
  NameClass name;             /* of attributes and elements */
  char *value;                /* of PATTERN_VALUE */
  char *description;          /* of PATTERN_DATA: "a whole number" */
  char *data_type;            /* of PATTERN_DATA: XML Schema's name of it */
  char *minimum, *maximum;    /* of numbers; NULL: that of their type */
  gpointer expression;        /* libxml2's, or NULL */
};

/* @document: a grammar whose includes were replaced by <div>s. It is no longer needed afterwards. Lives as
 * long as the program. */
const Grammar *grammar_new (xmlDoc *document);
const Pattern *grammar_start (const Grammar *grammar);
/* All elements of the grammar, Pattern; for who looks where a name belongs. */
const GPtrArray *grammar_elements (const Grammar *grammar);

/* @steps: how many patterns may be looked at or made at most. */
Derivation *derivation_new (guint64 steps);
void derivation_free (Derivation *derivation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Derivation, derivation_free)
/* Were there too many steps? What was said since then means nothing. */
gboolean derivation_is_exhausted (const Derivation *derivation);

/* That nothing may come. */
const Pattern *pattern_nothing (void);
/* What is left of @pattern behind a child of @node's name; what may be in that child, is added to
 * @ret_content, which begins as pattern_nothing. Not allowed: neither. */
const Pattern *pattern_after_child (Derivation *derivation, const Pattern *pattern, const xmlNode *node,
                                    const Pattern **ret_content);
/* What is left behind an attribute; @value NULL: whatever its value is. */
const Pattern *pattern_after_attribute (Derivation *derivation, const Pattern *pattern,
                                        const xmlAttr *attribute, const char *value);
/* What is left when no attribute comes any more. @forgive: those that should have come are not missed. */
const Pattern *pattern_close_attributes (Derivation *derivation, const Pattern *pattern, gboolean forgive);
/* May the whole text of an element, or the value of an attribute, be @text? */
gboolean pattern_accepts_text (Derivation *derivation, const Pattern *pattern, const char *text);
/* May there be any text between children? */
gboolean pattern_allows_mixed (const Pattern *pattern);
/* Either of them. */
const Pattern *pattern_choice (Derivation *derivation, const Pattern *one, const Pattern *other);

typedef void PatternVisit (const Pattern *part, gpointer data);
/* Each part of @pattern that is an attribute, an element, a value or a kind of data, not those inside of
 * attributes and elements. @required: only those without which it is not complete, where it is a choice,
 * those of all. */
void pattern_visit (const Pattern *pattern, gboolean required, PatternVisit *visit, gpointer data);
