/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From the text of a grammar to patterns. A definition is compiled when it is first referred to; elements are
 * what may contain themselves, so what is in them is compiled after everything that refers to them, from a
 * list. The schemas are our own, so what they do not use (lists, mixed content, combined definitions,
 * grammars within grammars) is not here, and a test compiles every schema.
 */
#include "document/schema-pattern.h"

#include <libxml/xmlregexp.h>
#include <string.h>

#define RELAXNG "http://relaxng.org/ns/structure/1.0"

struct Grammar {
  const Pattern *start;
  GPtrArray *elements; /* Pattern */
};

typedef struct {
  Pattern *element;
  xmlNode *contents; /* the first pattern of them; NULL: none */
} Unfinished;

typedef struct {
  GHashTable *definitions; /* their nodes by name */
  GHashTable *compiled;    /* Pattern by name */
  GQueue unfinished;       /* elements whose contents are still to be compiled */
  GPtrArray *elements;
} Compiler;

/* What kinds of data are, for people: by the definition that has them, where its name is better than its
 * pattern. */
static const struct {
  const char *definition, *description;
} descriptions[] = {
  { "unsignedInt", "a whole number" },
  { "unsignedLong", "a whole number" },
  { "positiveInteger", "a whole number from 1 on" },
  { "uint8", "a number from 0 to 255, decimal or hexadecimal with 0x" },
  { "uint16", "a number from 0 to 65535, decimal or hexadecimal with 0x" },
  { "uint32", "a 32-bit number, decimal or hexadecimal with 0x" },
  { "port", "a port number, or -1 to have one chosen" },
  { "unit", "a unit such as b, KiB, MiB, GiB, KB, MB or GB" },
  { "uuid", "a UUID" },
  { "absolutePath", "an absolute path" },
  { "secretVolume", "an absolute path" },
  { "genericName", "a name of letters, digits, '_', '+' and '-'" },
  { "networkDeviceName", "the name of a network device" },
  { "macAddress", "a unicast MAC address such as 52:54:00:12:34:56" },
  { "ipAddress", "an IP address" },
  { "hostAddress", "an address or a name of a host" },
  { "cpuSet", "a set of CPUs such as 0-3,^2,8" },
  { "line", "one line of text" },
  { "entryName", "a name without '/'" },
  { "timestamp", "seconds and their fraction, such as 1700000000.5" },
};

static gboolean
is_rng (const xmlNode *node, const char *name)
{
  return node->type == XML_ELEMENT_NODE && node->ns != NULL && xmlStrEqual (node->ns->href, BAD_CAST RELAXNG)
         && xmlStrEqual (node->name, BAD_CAST name);
}

static xmlNode *
first_pattern (const xmlNode *parent)
{
  xmlNode *node = parent->children;

  while (node != NULL && node->type != XML_ELEMENT_NODE)
    node = node->next;
  return node;
}

static xmlNode *
next_pattern (const xmlNode *node)
{
  xmlNode *next = node->next;

  while (next != NULL && next->type != XML_ELEMENT_NODE)
    next = next->next;
  return next;
}

static char *
attribute_of (const xmlNode *node, const char *name)
{
  xmlChar *value = xmlGetNoNsProp (node, BAD_CAST name);
  char *copy = value != NULL ? g_strdup ((const char *)value) : NULL;

  xmlFree (value);
  return copy;
}

/* The namespace of a name at @node: of the nearest element that says one. NULL: none. */
static char *
name_space_at (const xmlNode *node)
{
  for (; node != NULL && node->type == XML_ELEMENT_NODE; node = node->parent) {
    g_autofree char *uri = attribute_of (node, "ns");

    if (uri != NULL)
      return uri[0] != '\0' ? g_steal_pointer (&uri) : NULL;
  }
  return NULL;
}

static Pattern *
new_pattern (PatternType type, gboolean nullable, const Pattern *one, const Pattern *other)
{
  Pattern *pattern = g_new0 (Pattern, 1);

  pattern->type = type;
  pattern->nullable = nullable;
  pattern->one = one;
  pattern->other = other;
  return pattern;
}

static const Pattern empty = { .type = PATTERN_EMPTY, .nullable = TRUE };

static const Pattern *compile (Compiler *compiler, xmlNode *node, const char *definition);

static const Pattern *
pair (PatternType type, const Pattern *one, const Pattern *other)
{
  gboolean nullable =
      type == PATTERN_CHOICE ? one->nullable || other->nullable : one->nullable && other->nullable;

  if (type != PATTERN_CHOICE && one->type == PATTERN_EMPTY)
    return other;
  if (type != PATTERN_CHOICE && other->type == PATTERN_EMPTY)
    return one;
  return new_pattern (type, nullable, one, other);
}

/* The patterns from @node on, in this @type. */
static const Pattern *
compile_list (Compiler *compiler, xmlNode *node, PatternType type, const char *definition)
{
  const Pattern *pattern = NULL;

  for (; node != NULL; node = next_pattern (node)) {
    const Pattern *part = compile (compiler, node, definition);

    pattern = pattern != NULL ? pair (type, pattern, part) : part;
  }
  return pattern != NULL ? pattern : &empty;
}

/* <anyName>, <nsName> or, in @node's own attribute, one name. What follows it, in @ret_rest. */
static NameClass
compile_name (xmlNode *node, gboolean is_attribute, xmlNode **ret_rest)
{
  NameClass name = { .type = NAME_ONE, .name = attribute_of (node, "name") };
  xmlNode *child = first_pattern (node);

  *ret_rest = child;
  if (name.name != NULL) {
    /* An attribute without a prefix has no namespace, whatever is around it. */
    g_autofree char *own = attribute_of (node, "ns");

    name.name_space = !is_attribute || (own != NULL && own[0] != '\0') ? name_space_at (node) : NULL;
    return name;
  }
  g_assert (child != NULL && is_rng (child, "anyName"));
  *ret_rest = next_pattern (child);
  name.type = NAME_ANY;
  if (first_pattern (child) != NULL) {
    g_autoptr (GPtrArray) excluded = g_ptr_array_new ();

    for (xmlNode *one = first_pattern (first_pattern (child)); one != NULL; one = next_pattern (one))
      g_ptr_array_add (excluded, attribute_of (one, "ns"));
    g_ptr_array_add (excluded, NULL);
    name.type = NAME_ANY_BUT;
    name.excluded = g_strdupv ((char **)excluded->pdata);
    g_ptr_array_foreach (excluded, (GFunc)(void (*) (void))g_free, NULL);
  }
  return name;
}

static const Pattern *
add_element (Compiler *compiler, NameClass name, xmlNode *contents)
{
  Pattern *element = new_pattern (PATTERN_ELEMENT, FALSE, NULL, NULL);
  Unfinished *unfinished = g_new0 (Unfinished, 1);

  element->name = name;
  *unfinished = (Unfinished){ element, contents };
  g_queue_push_tail (&compiler->unfinished, unfinished);
  g_ptr_array_add (compiler->elements, element);
  return element;
}

/* One that may have any of several names is as many elements. */
static const Pattern *
compile_element (Compiler *compiler, xmlNode *node)
{
  xmlNode *names = first_pattern (node), *rest;
  const Pattern *pattern = NULL;

  if (xmlHasProp (node, BAD_CAST "name") || names == NULL || !is_rng (names, "choice")
      || !is_rng (first_pattern (names), "name")) {
    NameClass name = compile_name (node, FALSE, &rest);

    return add_element (compiler, name, rest);
  }
  for (xmlNode *one = first_pattern (names); one != NULL; one = next_pattern (one)) {
    xmlChar *content = xmlNodeGetContent (one);
    NameClass name = { .type = NAME_ONE, .name = g_strdup ((const char *)content) };
    const Pattern *element;

    name.name_space = name_space_at (one);
    element = add_element (compiler, name, next_pattern (names));
    pattern = pattern != NULL ? pair (PATTERN_CHOICE, pattern, element) : element;
    xmlFree (content);
  }
  return pattern;
}

static const Pattern *
compile_attribute (Compiler *compiler, xmlNode *node)
{
  Pattern *attribute = new_pattern (PATTERN_ATTRIBUTE, FALSE, NULL, NULL);
  xmlNode *rest;

  attribute->name = compile_name (node, TRUE, &rest);
  attribute->one = rest != NULL ? compile_list (compiler, rest, PATTERN_GROUP, NULL)
                                : new_pattern (PATTERN_TEXT, TRUE, NULL, NULL);
  return attribute;
}

/* The numbers of XML Schema, and the limits of their types; NULL: there is none. */
static const struct {
  const char *type, *minimum, *maximum;
} number_types[] = {
  { "unsignedByte", "0", "255" },
  { "unsignedShort", "0", "65535" },
  { "unsignedInt", "0", "4294967295" },
  { "unsignedLong", "0", "18446744073709551615" },
  { "positiveInteger", "1", NULL },
  { "nonNegativeInteger", "0", NULL },
  { "short", "-32768", "32767" },
  { "int", "-2147483648", "2147483647" },
  { "long", "-9223372036854775808", "9223372036854775807" },
  { "integer", NULL, NULL },
};

/* XML Schema's types that are texts of a form. */
static const struct {
  const char *type, *expression, *description;
} text_types[] = {
  { "NCName", "[\\i-[:]][\\c-[:]]*", "a name of letters, digits, '.', '-' and '_'" },
  { "dateTime",
    "-?[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?(Z|[+\\-][0-9]{2}:[0-9]{2})?",
    "a time such as 2026-01-02T03:04:05" },
};

static char *
describe_number (const Pattern *pattern, gboolean has_limits)
{
  if (has_limits && pattern->minimum != NULL && pattern->maximum != NULL)
    return g_strdup_printf ("a whole number from %s to %s", pattern->minimum, pattern->maximum);
  if (has_limits && pattern->minimum != NULL)
    return g_strdup_printf ("a whole number from %s on", pattern->minimum);
  return g_strdup (pattern->minimum != NULL && pattern->minimum[0] != '-'
                       ? "a whole number"
                       : "a whole number, which may be negative");
}

/* Facets beside the type; TRUE when there is a limit among them. */
static gboolean
read_parameters (xmlNode *node, Pattern *pattern, char **expression)
{
  gboolean has_limits = FALSE;

  for (xmlNode *parameter = first_pattern (node); parameter != NULL; parameter = next_pattern (parameter)) {
    g_autofree char *name = attribute_of (parameter, "name");
    xmlChar *content = xmlNodeGetContent (parameter);
    char **member = g_strcmp0 (name, "pattern") == 0        ? expression
                    : g_strcmp0 (name, "minInclusive") == 0 ? &pattern->minimum
                    : g_strcmp0 (name, "maxInclusive") == 0 ? &pattern->maximum
                                                            : NULL;

    if (member != NULL) {
      g_free (*member);
      *member = g_strdup ((const char *)content);
      has_limits = has_limits || member != expression;
    }
    xmlFree (content);
  }
  return has_limits;
}

static const Pattern *
compile_data (xmlNode *node, const char *definition)
{
  Pattern *pattern = new_pattern (PATTERN_DATA, FALSE, NULL, NULL);
  g_autofree char *expression = NULL;
  const char *description = NULL;
  gboolean is_number = FALSE, has_limits;

  pattern->data_type = attribute_of (node, "type");
  for (guint i = 0; i < G_N_ELEMENTS (number_types); i++)
    if (g_strcmp0 (number_types[i].type, pattern->data_type) == 0) {
      pattern->minimum =
          g_strdup (number_types[i].minimum != NULL ? number_types[i].minimum : "-99999999999999999999");
      pattern->maximum = g_strdup (number_types[i].maximum);
      is_number = TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (text_types); i++)
    if (g_strcmp0 (text_types[i].type, pattern->data_type) == 0) {
      expression = g_strdup (text_types[i].expression);
      description = text_types[i].description;
    }
  has_limits = read_parameters (node, pattern, &expression);
  if (expression != NULL)
    pattern->expression = xmlRegexpCompile (BAD_CAST expression);
  for (guint i = 0; definition != NULL && i < G_N_ELEMENTS (descriptions); i++)
    if (g_str_equal (descriptions[i].definition, definition))
      description = descriptions[i].description;
  if (description != NULL)
    pattern->description = g_strdup (description);
  else if (is_number)
    pattern->description = describe_number (pattern, has_limits);
  else
    pattern->description =
        expression != NULL ? g_strdup_printf ("a text of the form %s", expression) : g_strdup ("a text");
  return pattern;
}

static const Pattern *
compile_value (xmlNode *node)
{
  Pattern *pattern = new_pattern (PATTERN_VALUE, FALSE, NULL, NULL);
  xmlChar *content = xmlNodeGetContent (node);

  pattern->value = g_strdup ((const char *)content);
  xmlFree (content);
  return pattern;
}

static const Pattern *
compile_reference (Compiler *compiler, xmlNode *node)
{
  g_autofree char *name = attribute_of (node, "name");
  const Pattern *pattern = g_hash_table_lookup (compiler->compiled, name);
  xmlNode *definition = g_hash_table_lookup (compiler->definitions, name);

  if (pattern != NULL)
    return pattern;
  if (definition == NULL)
    g_error ("a built-in schema is wrong: nothing is called '%s'", name);
  pattern = compile_list (compiler, first_pattern (definition), PATTERN_GROUP, name);
  g_hash_table_insert (compiler->compiled, g_strdup (name), (gpointer)pattern);
  return pattern;
}

static const Pattern *
compile (Compiler *compiler, xmlNode *node, const char *definition)
{
  xmlNode *inside = first_pattern (node);
  const Pattern *part;

  if (is_rng (node, "ref"))
    return compile_reference (compiler, node);
  if (is_rng (node, "element"))
    return compile_element (compiler, node);
  if (is_rng (node, "attribute"))
    return compile_attribute (compiler, node);
  if (is_rng (node, "data"))
    return compile_data (node, definition);
  if (is_rng (node, "value"))
    return compile_value (node);
  if (is_rng (node, "text"))
    return new_pattern (PATTERN_TEXT, TRUE, NULL, NULL);
  if (is_rng (node, "empty"))
    return &empty;
  if (is_rng (node, "notAllowed"))
    return new_pattern (PATTERN_NOT_ALLOWED, FALSE, NULL, NULL);
  if (is_rng (node, "choice"))
    return compile_list (compiler, inside, PATTERN_CHOICE, definition);
  if (is_rng (node, "interleave"))
    return compile_list (compiler, inside, PATTERN_INTERLEAVE, definition);

  part = compile_list (compiler, inside, PATTERN_GROUP, definition);
  if (is_rng (node, "group"))
    return part;
  if (is_rng (node, "optional"))
    return pair (PATTERN_CHOICE, part, &empty);
  part = new_pattern (PATTERN_ONE_OR_MORE, part->nullable, part, NULL);
  if (is_rng (node, "oneOrMore"))
    return part;
  if (!is_rng (node, "zeroOrMore"))
    g_error ("a built-in schema is wrong: <%s> is not understood", (const char *)node->name);
  return pair (PATTERN_CHOICE, part, &empty);
}

/* The definitions of @parent, which is the grammar or a part that was included into it. */
static void
collect_definitions (Compiler *compiler, xmlNode *parent, xmlNode **ret_start)
{
  for (xmlNode *node = first_pattern (parent); node != NULL; node = next_pattern (node)) {
    if (is_rng (node, "div"))
      collect_definitions (compiler, node, ret_start);
    else if (is_rng (node, "start"))
      *ret_start = node;
    else if (is_rng (node, "define"))
      g_hash_table_insert (compiler->definitions, attribute_of (node, "name"), node);
  }
}

static void
finish_elements (Compiler *compiler)
{
  Unfinished *unfinished;

  while ((unfinished = g_queue_pop_head (&compiler->unfinished)) != NULL) {
    unfinished->element->one = compile_list (compiler, unfinished->contents, PATTERN_GROUP, NULL);
    g_free (unfinished);
  }
}

const Grammar *
grammar_new (xmlDoc *document)
{
  Grammar *grammar = g_new0 (Grammar, 1);
  Compiler compiler = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                        g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL), G_QUEUE_INIT,
                        g_ptr_array_new () };
  xmlNode *start = NULL;

  collect_definitions (&compiler, xmlDocGetRootElement (document), &start);
  grammar->start = compile_list (&compiler, first_pattern (start), PATTERN_GROUP, NULL);
  finish_elements (&compiler);
  grammar->elements = compiler.elements;
  g_hash_table_unref (compiler.definitions);
  g_hash_table_unref (compiler.compiled);
  return grammar;
}

const Pattern *
grammar_start (const Grammar *grammar)
{
  return grammar->start;
}

const GPtrArray *
grammar_elements (const Grammar *grammar)
{
  return grammar->elements;
}
