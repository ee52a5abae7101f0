/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Derivatives of patterns. Patterns that are made on the way are shared: the same two parts combined in the
 * same way are one pattern, so that a list of a thousand devices leaves no more behind than one of ten.
 * Whoever asks has a number of steps, as a schema may be ambiguous in ways that make the patterns grow.
 */
#include "document/schema-pattern.h"

#include <libxml/xmlregexp.h>
#include <string.h>

struct Derivation {
  GHashTable *made; /* Pattern, by type and parts */
  guint64 steps;
};

static const Pattern not_allowed = { .type = PATTERN_NOT_ALLOWED };
static const Pattern empty = { .type = PATTERN_EMPTY, .nullable = TRUE };

const Pattern *
pattern_nothing (void)
{
  return &not_allowed;
}

static guint
pattern_hash (gconstpointer key)
{
  const Pattern *pattern = key;

  return g_direct_hash (pattern->one) * 31 + g_direct_hash (pattern->other) * 7 + (guint)pattern->type;
}

static gboolean
pattern_equal (gconstpointer a, gconstpointer b)
{
  const Pattern *one = a, *other = b;

  return one->type == other->type && one->one == other->one && one->other == other->other;
}

Derivation *
derivation_new (guint64 steps)
{
  Derivation *derivation = g_new0 (Derivation, 1);

  derivation->made = g_hash_table_new_full (pattern_hash, pattern_equal, g_free, NULL);
  derivation->steps = steps;
  return derivation;
}

void
derivation_free (Derivation *derivation)
{
  if (derivation == NULL)
    return;
  g_hash_table_unref (derivation->made);
  g_free (derivation);
}

gboolean
derivation_is_exhausted (const Derivation *derivation)
{
  return derivation->steps == 0;
}

static gboolean
take_step (Derivation *derivation)
{
  if (derivation->steps == 0)
    return FALSE;
  derivation->steps--;
  return TRUE;
}

static gboolean
is_allowed (const Pattern *pattern)
{
  return pattern->type != PATTERN_NOT_ALLOWED;
}

static const Pattern *
combined (Derivation *derivation, PatternType type, gboolean nullable, const Pattern *one,
          const Pattern *other)
{
  Pattern wanted = { .type = type, .nullable = nullable, .one = one, .other = other };
  Pattern *pattern = g_hash_table_lookup (derivation->made, &wanted);

  if (pattern == NULL) {
    take_step (derivation);
    pattern = g_memdup2 (&wanted, sizeof wanted);
    g_hash_table_add (derivation->made, pattern);
  }
  return pattern;
}

const Pattern *
pattern_choice (Derivation *derivation, const Pattern *one, const Pattern *other)
{
  if (!is_allowed (one) || one == other)
    return other;
  if (!is_allowed (other))
    return one;
  if ((one->type == PATTERN_EMPTY && other->nullable) || (other->type == PATTERN_EMPTY && one->nullable))
    return one->type == PATTERN_EMPTY ? other : one;
  return combined (derivation, PATTERN_CHOICE, one->nullable || other->nullable, one, other);
}

/* One behind the other, or mixed: @type. */
static const Pattern *
both (Derivation *derivation, PatternType type, const Pattern *one, const Pattern *other)
{
  if (!is_allowed (one) || !is_allowed (other))
    return &not_allowed;
  if (one->type == PATTERN_EMPTY)
    return other;
  if (other->type == PATTERN_EMPTY)
    return one;
  return combined (derivation, type, one->nullable && other->nullable, one, other);
}

/* Behind one of a pattern that may come again. */
static const Pattern *
again (Derivation *derivation, const Pattern *rest, const Pattern *whole)
{
  return both (derivation, PATTERN_GROUP, rest, pattern_choice (derivation, whole, &empty));
}

static gboolean
name_fits (const NameClass *name, const xmlChar *local, const xmlNs *ns)
{
  const char *uri = ns != NULL ? (const char *)ns->href : "";

  if (name->type == NAME_ANY)
    return TRUE;
  if (name->type == NAME_ANY_BUT)
    return !g_strv_contains ((const char *const *)name->excluded, uri);
  return g_str_equal (name->name, (const char *)local)
         && g_str_equal (name->name_space != NULL ? name->name_space : "", uri);
}

const Pattern *
pattern_after_child (Derivation *derivation, const Pattern *pattern, const xmlNode *node,
                     const Pattern **ret_content)
{
  const Pattern *one, *other;

  if (!take_step (derivation))
    return &not_allowed;
  switch (pattern->type) {
    case PATTERN_ELEMENT:
      if (!name_fits (&pattern->name, node->name, node->ns))
        return &not_allowed;
      *ret_content = pattern_choice (derivation, *ret_content, pattern->one);
      return &empty;
    case PATTERN_CHOICE:
      one = pattern_after_child (derivation, pattern->one, node, ret_content);
      other = pattern_after_child (derivation, pattern->other, node, ret_content);
      return pattern_choice (derivation, one, other);
    case PATTERN_INTERLEAVE:
      one = pattern_after_child (derivation, pattern->one, node, ret_content);
      other = pattern_after_child (derivation, pattern->other, node, ret_content);
      return pattern_choice (derivation, both (derivation, PATTERN_INTERLEAVE, one, pattern->other),
                             both (derivation, PATTERN_INTERLEAVE, pattern->one, other));
    case PATTERN_GROUP:
      one = pattern_after_child (derivation, pattern->one, node, ret_content);
      one = both (derivation, PATTERN_GROUP, one, pattern->other);
      if (!pattern->one->nullable)
        return one;
      other = pattern_after_child (derivation, pattern->other, node, ret_content);
      return pattern_choice (derivation, one, other);
    case PATTERN_ONE_OR_MORE:
      one = pattern_after_child (derivation, pattern->one, node, ret_content);
      return again (derivation, one, pattern);
    case PATTERN_NOT_ALLOWED:
    case PATTERN_EMPTY:
    case PATTERN_TEXT:
    case PATTERN_VALUE:
    case PATTERN_DATA:
    case PATTERN_ATTRIBUTE:
      break;
  }
  return &not_allowed;
}

const Pattern *
pattern_after_attribute (Derivation *derivation, const Pattern *pattern, const xmlAttr *attribute,
                         const char *value)
{
  const Pattern *one, *other;

  if (!take_step (derivation))
    return &not_allowed;
  switch (pattern->type) {
    case PATTERN_ATTRIBUTE:
      return name_fits (&pattern->name, attribute->name, attribute->ns)
                     && (value == NULL || pattern_accepts_text (derivation, pattern->one, value))
                 ? &empty
                 : &not_allowed;
    case PATTERN_CHOICE:
      one = pattern_after_attribute (derivation, pattern->one, attribute, value);
      other = pattern_after_attribute (derivation, pattern->other, attribute, value);
      return pattern_choice (derivation, one, other);
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
      one = pattern_after_attribute (derivation, pattern->one, attribute, value);
      other = pattern_after_attribute (derivation, pattern->other, attribute, value);
      return pattern_choice (derivation, both (derivation, pattern->type, one, pattern->other),
                             both (derivation, pattern->type, pattern->one, other));
    case PATTERN_ONE_OR_MORE:
      one = pattern_after_attribute (derivation, pattern->one, attribute, value);
      return again (derivation, one, pattern);
    case PATTERN_NOT_ALLOWED:
    case PATTERN_EMPTY:
    case PATTERN_TEXT:
    case PATTERN_VALUE:
    case PATTERN_DATA:
    case PATTERN_ELEMENT:
      break;
  }
  return &not_allowed;
}

const Pattern *
pattern_close_attributes (Derivation *derivation, const Pattern *pattern, gboolean forgive)
{
  const Pattern *one, *other;

  if (!take_step (derivation))
    return &not_allowed;
  switch (pattern->type) {
    case PATTERN_ATTRIBUTE:
      return forgive ? &empty : &not_allowed;
    case PATTERN_CHOICE:
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
      one = pattern_close_attributes (derivation, pattern->one, forgive);
      other = pattern_close_attributes (derivation, pattern->other, forgive);
      return pattern->type == PATTERN_CHOICE ? pattern_choice (derivation, one, other)
                                             : both (derivation, pattern->type, one, other);
    case PATTERN_ONE_OR_MORE:
      one = pattern_close_attributes (derivation, pattern->one, forgive);
      return is_allowed (one) && one->type != PATTERN_EMPTY
                 ? combined (derivation, PATTERN_ONE_OR_MORE, one->nullable, one, NULL)
                 : one;
    case PATTERN_NOT_ALLOWED:
    case PATTERN_EMPTY:
    case PATTERN_TEXT:
    case PATTERN_VALUE:
    case PATTERN_DATA:
    case PATTERN_ELEMENT:
      break;
  }
  return pattern;
}

/* Whole numbers as text, of any length: < 0, 0 or > 0. */
static int
compare_numbers (const char *a, const char *b)
{
  gboolean negative_a = a[0] == '-', negative_b = b[0] == '-';
  gsize length_a, length_b;
  int order;

  if (negative_a != negative_b)
    return negative_a ? -1 : 1;
  a += strspn (a, "+-");
  b += strspn (b, "+-");
  a += strspn (a, "0");
  b += strspn (b, "0");
  length_a = strlen (a);
  length_b = strlen (b);
  order = length_a != length_b ? (length_a < length_b ? -1 : 1) : strcmp (a, b);
  return negative_a ? -order : order;
}

static gboolean
is_whole_number (const char *text)
{
  const char *digits = text + (text[0] == '-' || text[0] == '+');

  return digits[0] != '\0' && digits[strspn (digits, "0123456789")] == '\0';
}

static gboolean
fits_data (const Pattern *pattern, const char *text)
{
  if (pattern->minimum != NULL || pattern->maximum != NULL) {
    if (!is_whole_number (text) || (pattern->minimum != NULL && compare_numbers (text, pattern->minimum) < 0)
        || (pattern->maximum != NULL && compare_numbers (text, pattern->maximum) > 0))
      return FALSE;
  }
  return pattern->expression == NULL || xmlRegexpExec (pattern->expression, BAD_CAST text) == 1;
}

gboolean
pattern_accepts_text (Derivation *derivation, const Pattern *pattern, const char *text)
{
  if (!take_step (derivation))
    return FALSE;
  switch (pattern->type) {
    case PATTERN_TEXT:
      return TRUE;
    case PATTERN_VALUE:
      return g_str_equal (pattern->value, text);
    case PATTERN_DATA:
      return fits_data (pattern, text);
    case PATTERN_CHOICE:
      return pattern_accepts_text (derivation, pattern->one, text)
             || pattern_accepts_text (derivation, pattern->other, text);
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
      return (pattern->other->nullable && pattern_accepts_text (derivation, pattern->one, text))
             || (pattern->one->nullable && pattern_accepts_text (derivation, pattern->other, text));
    case PATTERN_ONE_OR_MORE:
      return pattern_accepts_text (derivation, pattern->one, text);
    case PATTERN_EMPTY:
      return text[0] == '\0';
    case PATTERN_NOT_ALLOWED:
    case PATTERN_ATTRIBUTE:
    case PATTERN_ELEMENT:
      break;
  }
  return FALSE;
}

gboolean
pattern_allows_mixed (const Pattern *pattern)
{
  switch (pattern->type) {
    case PATTERN_TEXT:
      return TRUE;
    case PATTERN_CHOICE:
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
      return pattern_allows_mixed (pattern->one) || pattern_allows_mixed (pattern->other);
    case PATTERN_ONE_OR_MORE:
      return pattern_allows_mixed (pattern->one);
    case PATTERN_NOT_ALLOWED:
    case PATTERN_EMPTY:
    case PATTERN_VALUE:
    case PATTERN_DATA:
    case PATTERN_ATTRIBUTE:
    case PATTERN_ELEMENT:
      break;
  }
  return FALSE;
}

void
pattern_visit (const Pattern *pattern, gboolean required, PatternVisit *visit, gpointer data)
{
  if (required && pattern->nullable)
    return;
  switch (pattern->type) {
    case PATTERN_VALUE:
    case PATTERN_DATA:
    case PATTERN_ATTRIBUTE:
    case PATTERN_ELEMENT:
      visit (pattern, data);
      return;
    case PATTERN_CHOICE:
    case PATTERN_INTERLEAVE:
    case PATTERN_GROUP:
      pattern_visit (pattern->one, required, visit, data);
      pattern_visit (pattern->other, required, visit, data);
      return;
    case PATTERN_ONE_OR_MORE:
      pattern_visit (pattern->one, required, visit, data);
      return;
    case PATTERN_NOT_ALLOWED:
    case PATTERN_EMPTY:
    case PATTERN_TEXT:
      return;
  }
}
