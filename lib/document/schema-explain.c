/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Why a document was refused. libxml2 says of any mistake inside elements that come in any order (nearly all
 * here) only that the outermost one is "extra". So the document is walked once beside the patterns of the
 * schema: at each attribute, child and text it is known what may come, and what comes instead is the mistake.
 * Then the walk goes on as if it had not come, so that all mistakes are found. What a name means elsewhere is
 * looked up in the whole grammar: an element that was put into the wrong parent is told where it belongs.
 */
#include "document/schema-explain.h"

#include "base/enum-table.h"

#include <string.h>

#define STEPS_MAX     20000000 /* of patterns looked at: a second or so */
#define LISTED_MAX    12       /* names or values that a message lists */
#define PARENTS_MAX   3        /* places where a name belongs that a message lists */
#define COLLECTED_MAX 400      /* names or values that are looked at */
#define WORDS_MAX     200      /* bytes of a value that a message quotes */

typedef struct {
  const Grammar *grammar;
  XmlDocument *document;
  const Diagnostics *known;
  Diagnostics *diagnostics;
  Derivation *derivation;
  GHashTable *strays; /* names of elements that stand where they do not belong */
  GPtrArray *missing; /* Missing; told at the end, as what is missed may be a stray further down */
  guint found;
} Explanation;

typedef struct {
  Position where;
  char *message;
  char **names;
} Missing;

static void
missing_free (gpointer data)
{
  Missing *missing = data;

  g_free (missing->message);
  g_strfreev (missing->names);
  g_free (missing);
}

/* Names or values of one level, each once, in the schema's order. */
typedef struct {
  PatternType type; /* those of which type are wanted */
  GPtrArray *words; /* NULL-terminated once it is asked for */
  GHashTable *seen;
} WordList;

static void
word_list_init (WordList *list, PatternType type)
{
  list->type = type;
  list->words = g_ptr_array_new ();
  list->seen = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
word_list_clear (WordList *list)
{
  g_ptr_array_unref (list->words);
  g_hash_table_unref (list->seen);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WordList, word_list_clear)

static void
add_word (WordList *list, const char *word)
{
  if (word != NULL && list->words->len < COLLECTED_MAX && g_hash_table_add (list->seen, (gpointer)word))
    g_ptr_array_add (list->words, (gpointer)word);
}

static void
collect_part (const Pattern *part, gpointer data)
{
  WordList *list = data;

  if (part->type == list->type)
    add_word (list, part->type == PATTERN_VALUE  ? part->value
                    : part->type == PATTERN_DATA ? part->description
                                                 : part->name.name);
}

static void
collect (const Pattern *pattern, gboolean required, WordList *list)
{
  pattern_visit (pattern, required, collect_part, list);
}

static const char *const *
words_of (WordList *list)
{
  if (list->words->len == 0 || g_ptr_array_index (list->words, list->words->len - 1) != NULL)
    g_ptr_array_add (list->words, NULL);
  return (const char *const *)list->words->pdata;
}

/* "<a>, <b> or <c>", each between @before and @after; NULL when there are none or more than @most. (transfer
 * full) */
static char *
list_words (WordList *list, const char *before, const char *after, const char *last_word, guint most)
{
  const char *const *words = words_of (list);
  guint count = g_strv_length ((GStrv)words);
  GString *text;

  if (count == 0 || count > most)
    return NULL;
  text = g_string_new (NULL);
  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "%s%s%s%s",
                            i == 0           ? ""
                            : i + 1 == count ? last_word
                                             : ", ",
                            before, words[i], after);
  return g_string_free (text, FALSE);
}

static gboolean
is_known_at (const Explanation *explanation, Position where)
{
  return explanation->known != NULL && diagnostics_has_error_at (explanation->known, where);
}

/* What is wrong behind the last mistake that is shown need not be explained. */
static gboolean
is_full (const Explanation *explanation)
{
  return explanation->found + explanation->missing->len >= DIAGNOSTICS_MAX;
}

static void report (Explanation *explanation, Position where, const char *const *accepted,
                    const char *nearest, const char *format, ...) G_GNUC_PRINTF (5, 6);

static void
report (Explanation *explanation, Position where, const char *const *accepted, const char *nearest,
        const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  /* When the schema was too much to follow, what it seems to refuse may be in order. */
  if (derivation_is_exhausted (explanation->derivation))
    return;
  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  diagnostics_error (explanation->diagnostics, where, VIR_ERR_XML_INVALID_SCHEMA, "%s", message);
  diagnostics_offer (explanation->diagnostics, accepted, nearest);
  explanation->found++;
}

static Position
place_of (const Explanation *explanation, const xmlNode *node)
{
  return node->type == XML_ATTRIBUTE_NODE
             ? xml_document_attribute_position (explanation->document, (const xmlAttr *)node)
             : xml_document_node_position (explanation->document, node);
}

/* What the value of an attribute or the text of an element may be, as the end of a message: ": did you mean
 * 'x'? accepted: 'x', 'y' or a whole number". */
typedef struct {
  WordList values, kinds;
  GPtrArray *all; /* NULL-terminated */
  const char *nearest;
  char *text;
} Choices;

static void
choices_init (Choices *choices, const Pattern *content, const char *value)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *listed = NULL, *described = NULL;

  word_list_init (&choices->values, PATTERN_VALUE);
  word_list_init (&choices->kinds, PATTERN_DATA);
  collect (content, FALSE, &choices->values);
  collect (content, FALSE, &choices->kinds);
  choices->nearest = nearest_word (value, words_of (&choices->values));
  listed =
      list_words (&choices->values, "'", "'", choices->kinds.words->len > 0 ? ", " : " or ", COLLECTED_MAX);
  described = list_words (&choices->kinds, "", "", " or ", LISTED_MAX);
  choices->all = g_ptr_array_new ();
  for (guint i = 0; words_of (&choices->values)[i] != NULL; i++)
    g_ptr_array_add (choices->all, (gpointer)words_of (&choices->values)[i]);
  for (guint i = 0; words_of (&choices->kinds)[i] != NULL; i++)
    g_ptr_array_add (choices->all, (gpointer)words_of (&choices->kinds)[i]);
  g_ptr_array_add (choices->all, NULL);
  if (choices->nearest != NULL)
    g_string_append_printf (text, ": did you mean '%s'?", choices->nearest);
  if (listed != NULL || described != NULL)
    g_string_append_printf (text, "%s accepted: %s%s%s", choices->nearest != NULL ? "" : ":",
                            listed != NULL ? listed : "", listed != NULL && described != NULL ? " or " : "",
                            described != NULL ? described : "");
  choices->text = g_string_free (g_steal_pointer (&text), FALSE);
}

static void
choices_clear (Choices *choices)
{
  word_list_clear (&choices->values);
  word_list_clear (&choices->kinds);
  g_ptr_array_unref (choices->all);
  g_free (choices->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Choices, choices_clear)

/* What is in the attribute of that name, in any of its forms. */
typedef struct {
  const xmlAttr *attribute;
  Derivation *derivation;
  const Pattern *content;
} AttributeSearch;

static void
find_attribute_content (const Pattern *part, gpointer data)
{
  AttributeSearch *search = data;

  if (part->type == PATTERN_ATTRIBUTE && part->name.type == NAME_ONE
      && g_str_equal (part->name.name, (const char *)search->attribute->name))
    search->content =
        search->content != NULL ? pattern_choice (search->derivation, search->content, part->one) : part->one;
}

static const Pattern *
attribute_content (const Explanation *explanation, const Pattern *pattern, const xmlAttr *attribute)
{
  AttributeSearch search = { attribute, explanation->derivation, NULL };

  pattern_visit (pattern, FALSE, find_attribute_content, &search);
  return search.content;
}

static void
report_attribute_value (Explanation *explanation, const Pattern *pattern, const xmlAttr *attribute,
                        const char *value)
{
  const Pattern *content = attribute_content (explanation, pattern, attribute);
  g_auto (Choices) choices;

  choices_init (&choices, content != NULL ? content : pattern, value);
  report (explanation, place_of (explanation, (const xmlNode *)attribute),
          content != NULL ? (const char *const *)choices.all->pdata : NULL, choices.nearest,
          "<%s> cannot have the attribute %s='%.*s' here%s", attribute->parent->name, attribute->name,
          WORDS_MAX, value, content != NULL ? choices.text : "");
}

/* Is there a child element, or with PATTERN_ATTRIBUTE an attribute, of that name in @pattern? */
static gboolean
has_name (const Pattern *pattern, PatternType type, const char *name)
{
  g_auto (WordList) list;

  word_list_init (&list, type);
  collect (pattern, FALSE, &list);
  return g_hash_table_contains (list.seen, name);
}

/* "type='sdl' and display=':0'": what stands beside it. (transfer full) */
static char *
other_attributes (const xmlAttr *attribute)
{
  GString *text = g_string_new (NULL);

  for (const xmlAttr *other = attribute->parent->properties; other != NULL; other = other->next) {
    xmlChar *value = other != attribute ? xmlNodeListGetString (other->doc, other->children, 1) : NULL;

    if (other == attribute || text->len > WORDS_MAX)
      continue;
    g_string_append_printf (text, "%s%s='%.*s'", text->len > 0 ? " and " : "", (const char *)other->name,
                            WORDS_MAX, value != NULL ? (const char *)value : "");
    xmlFree (value);
  }
  if (text->len == 0)
    g_string_append (text, "what is in it");
  return g_string_free (text, FALSE);
}

/* An attribute that cannot be where it is. @whole: what may be in the element, @pattern: what is left of it.
 */
static void
report_attribute (Explanation *explanation, const Pattern *whole, const Pattern *pattern,
                  const xmlAttr *attribute, const char *value)
{
  const char *name = (const char *)attribute->name, *element = (const char *)attribute->parent->name;
  Position where = place_of (explanation, (const xmlNode *)attribute);
  g_autofree char *others = other_attributes (attribute);
  g_auto (WordList) names;
  g_autofree char *listed = NULL;
  const char *nearest;

  word_list_init (&names, PATTERN_ATTRIBUTE);
  collect (pattern, FALSE, &names);
  nearest = nearest_word (name, words_of (&names));
  listed = list_words (&names, "'", "'", " and ", LISTED_MAX);
  if (attribute_content (explanation, whole, attribute) != NULL)
    report (explanation, where, NULL, NULL, "<%s> cannot have the attribute %s='%.*s' beside %s", element,
            name, WORDS_MAX, value, others);
  else if (has_name (whole, PATTERN_ELEMENT, name))
    report (explanation, where, NULL, NULL,
            "unknown attribute '%s' in element '%s': it is an element, <%s>%.*s</%s>", name, element, name,
            WORDS_MAX, value, name);
  else
    report (explanation, where, words_of (&names), nearest,
            "unknown attribute '%s' in element '%s'%s%s%s%s%s", name, element,
            nearest != NULL ? ": did you mean '" : "", nearest != NULL ? nearest : "",
            nearest != NULL ? "'?" : "", nearest == NULL && listed != NULL ? ": it has " : "",
            nearest == NULL && listed != NULL ? listed : "");
}

/* The elements that may have an element, or an attribute, of that name. */
static void
find_parents (const Explanation *explanation, PatternType type, const char *name, WordList *parents)
{
  const GPtrArray *elements = grammar_elements (explanation->grammar);

  for (guint i = 0; i < elements->len; i++) {
    const Pattern *parent = g_ptr_array_index (elements, i);

    if (parent->name.type == NAME_ONE && has_name (parent->one, type, name))
      add_word (parents, parent->name.name);
  }
}

static const xmlNode *
said_before (const xmlNode *child)
{
  for (const xmlNode *node = child->prev; node != NULL; node = node->prev)
    if (node->type == XML_ELEMENT_NODE && xmlStrEqual (node->name, child->name))
      return node;
  return NULL;
}

/* What can be said of an element that its parent does not have: where it belongs, or else what there is
 * instead. (transfer full) */
static char *
advice_for_stranger (const Explanation *explanation, WordList *names, const char *name)
{
  g_auto (WordList) parents, owners;
  g_autofree char *places = NULL, *attribute_of = NULL, *listed = NULL;
  const char *nearest = nearest_word (name, words_of (names));

  word_list_init (&parents, PATTERN_ELEMENT);
  word_list_init (&owners, PATTERN_ELEMENT);
  find_parents (explanation, PATTERN_ELEMENT, name, &parents);
  find_parents (explanation, PATTERN_ATTRIBUTE, name, &owners);
  places = list_words (&parents, "<", ">", " or ", PARENTS_MAX);
  attribute_of = list_words (&owners, "<", ">", " or ", PARENTS_MAX);
  listed = list_words (names, "<", ">", " and ", LISTED_MAX);
  if (places != NULL)
    return g_strdup_printf (": it belongs in %s", places);
  if (nearest != NULL)
    return g_strdup_printf (": did you mean '%s'?", nearest);
  if (attribute_of != NULL)
    return g_strdup_printf (": it is an attribute of %s", attribute_of);
  if (listed != NULL)
    return g_strdup_printf (": it may have %s", listed);
  return g_strdup (words_of (names)[0] == NULL ? ": it has no elements" : "");
}

/* A name that the element does not have at all. */
static void
report_stranger (Explanation *explanation, const Pattern *pattern, const xmlNode *child)
{
  const char *name = (const char *)child->name;
  g_auto (WordList) names;
  g_autofree char *advice = NULL;

  word_list_init (&names, PATTERN_ELEMENT);
  collect (pattern, FALSE, &names);
  g_hash_table_add (explanation->strays, (gpointer)name);
  advice = advice_for_stranger (explanation, &names, name);
  report (explanation, place_of (explanation, child), words_of (&names),
          nearest_word (name, words_of (&names)), "unknown element '%s' in element '%s'%s", name,
          (const char *)child->parent->name, advice);
}

/* A child that cannot be where it is. @whole: what may be in the element, @form: without what its attributes
 * exclude, @pattern: what is left of that. */
static void
report_child (Explanation *explanation, const Pattern *whole, const Pattern *form, const Pattern *pattern,
              const xmlNode *child)
{
  const char *name = (const char *)child->name, *parent = (const char *)child->parent->name;
  Position where = place_of (explanation, child);
  const xmlNode *before = said_before (child);

  if (has_name (form, PATTERN_ELEMENT, name) && before != NULL)
    report (explanation, where, NULL, NULL,
            "<%s> is there more than once in <%s>: it was said before, in line %u", name, parent,
            place_of (explanation, before).line);
  else if (has_name (form, PATTERN_ELEMENT, name))
    report (explanation, where, NULL, NULL,
            "<%s> in <%s> cannot stand beside what comes before it: each is right by itself", name, parent);
  else if (has_name (whole, PATTERN_ELEMENT, name))
    report (explanation, where, NULL, NULL, "<%s> does not go with this form of <%s>: see its attributes",
            name, parent);
  else if (has_name (whole, PATTERN_ATTRIBUTE, name))
    report (explanation, where, NULL, NULL,
            "unknown element '%s' in element '%s': it is an attribute, %s='...'", name, parent, name);
  else
    report_stranger (explanation, pattern, child);
}

/* Something must be there that is not. */
static void
report_missing (Explanation *explanation, const Pattern *pattern, const xmlNode *element, PatternType type)
{
  gboolean is_attribute = type == PATTERN_ATTRIBUTE;
  g_auto (WordList) names;
  g_autofree char *listed = NULL;
  Missing *missing;

  word_list_init (&names, type);
  collect (pattern, TRUE, &names);
  if (names.words->len == 0)
    collect (pattern, FALSE, &names);
  listed = list_words (&names, is_attribute ? "'" : "<", is_attribute ? "'" : ">",
                       pattern->type == PATTERN_CHOICE ? " or " : " and ", LISTED_MAX);
  missing = g_new0 (Missing, 1);
  missing->where = place_of (explanation, element);
  missing->names = is_attribute ? g_new0 (char *, 1) : g_strdupv ((char **)words_of (&names));
  missing->message =
      g_strdup_printf ("<%s> lacks %s%s", (const char *)element->name, is_attribute ? "the attribute " : "",
                       listed != NULL ? listed : "something that must be in it");
  g_ptr_array_add (explanation->missing, missing);
}

static void
report_all_missing (Explanation *explanation)
{
  for (guint i = 0; i < explanation->missing->len; i++) {
    const Missing *missing = g_ptr_array_index (explanation->missing, i);
    gboolean is_stray = FALSE;

    for (char **name = missing->names; *name != NULL; name++)
      is_stray = is_stray || g_hash_table_contains (explanation->strays, *name);
    if (!is_stray)
      report (explanation, missing->where, (const char *const *)missing->names, NULL, "%s", missing->message);
  }
}

static void
report_text (Explanation *explanation, const Pattern *pattern, const xmlNode *element, const char *words)
{
  g_auto (Choices) choices;

  choices_init (&choices, pattern, words);
  if (choices.all->len > 1)
    report (explanation, place_of (explanation, element), (const char *const *)choices.all->pdata,
            choices.nearest, "<%s> cannot have the value '%.*s'%s", element->name, WORDS_MAX, words,
            choices.text);
  else
    report (explanation, place_of (explanation, element), NULL, NULL,
            "<%s> takes no text: '%.*s' is too much", element->name, WORDS_MAX, words);
}

/* Take the attributes; what is left of @whole. In @ret_flawed: one of them was refused. */
static const Pattern *
follow_attributes (Explanation *explanation, const Pattern *whole, const xmlNode *element,
                   gboolean *ret_flawed)
{
  const Pattern *pattern = whole, *closed;

  for (const xmlAttr *attribute = element->properties; attribute != NULL && !is_full (explanation);
       attribute = attribute->next) {
    xmlChar *content = xmlNodeListGetString (element->doc, attribute->children, 1);
    const char *value = content != NULL ? (const char *)content : "";
    const Pattern *next = pattern_after_attribute (explanation->derivation, pattern, attribute, value);
    const Pattern *named;

    if (next->type == PATTERN_NOT_ALLOWED) {
      named = pattern_after_attribute (explanation->derivation, pattern, attribute, NULL);
      if (named->type != PATTERN_NOT_ALLOWED)
        report_attribute_value (explanation, pattern, attribute, value);
      else
        report_attribute (explanation, whole, pattern, attribute, value);
      next = named->type != PATTERN_NOT_ALLOWED ? named : pattern;
      *ret_flawed = TRUE;
    }
    *ret_flawed =
        *ret_flawed || is_known_at (explanation, place_of (explanation, (const xmlNode *)attribute));
    pattern = next;
    xmlFree (content);
  }
  closed = pattern_close_attributes (explanation->derivation, pattern, FALSE);
  if (closed->type != PATTERN_NOT_ALLOWED)
    return closed;
  if (!*ret_flawed)
    report_missing (explanation, pattern, element, PATTERN_ATTRIBUTE);
  *ret_flawed = TRUE;
  return pattern_close_attributes (explanation->derivation, pattern, TRUE);
}

static gboolean
is_blank (const char *text)
{
  return text[strspn (text, " \t\r\n")] == '\0';
}

static void
follow_text (Explanation *explanation, const Pattern *pattern, const xmlNode *element, gboolean flawed)
{
  xmlChar *content = xmlNodeGetContent (element);
  const char *text = content != NULL ? (const char *)content : "";
  g_autofree char *words = g_strstrip (g_strdup (text));

  if (!pattern_accepts_text (explanation->derivation, pattern, text)
      && !(is_blank (text)
           && (pattern->nullable || pattern_accepts_text (explanation->derivation, pattern, "")))
      && !pattern_accepts_text (explanation->derivation, pattern, words)) {
    g_auto (WordList) children;

    word_list_init (&children, PATTERN_ELEMENT);
    collect (pattern, TRUE, &children);
    if (words[0] != '\0' || children.words->len == 0)
      report_text (explanation, pattern, element, words);
    else if (!flawed)
      report_missing (explanation, pattern, element, PATTERN_ELEMENT);
  }
  xmlFree (content);
}

static void follow_element (Explanation *explanation, const Pattern *content, const xmlNode *element);

/* Text between the children of @element. */
static void
check_stray_text (Explanation *explanation, const xmlNode *element)
{
  for (const xmlNode *node = element->children; node != NULL; node = node->next) {
    g_autofree char *words = NULL;

    if ((node->type != XML_TEXT_NODE && node->type != XML_CDATA_SECTION_NODE)
        || is_blank ((const char *)node->content))
      continue;
    words = g_strstrip (g_strdup ((const char *)node->content));
    report (explanation, place_of (explanation, element), NULL, NULL,
            "<%s> takes no text: '%.*s' is too much", element->name, WORDS_MAX, words);
    return;
  }
}

static void
follow_children (Explanation *explanation, const Pattern *whole, const Pattern *form, const xmlNode *element,
                 gboolean flawed)
{
  const Pattern *pattern = form;

  for (const xmlNode *child = element->children; child != NULL && !is_full (explanation);
       child = child->next) {
    const Pattern *content, *next;

    if (child->type != XML_ELEMENT_NODE)
      continue;
    flawed = flawed || is_known_at (explanation, place_of (explanation, child));
    content = pattern_nothing ();
    next = pattern_after_child (explanation->derivation, pattern, child, &content);
    if (next->type == PATTERN_NOT_ALLOWED) {
      report_child (explanation, whole, form, pattern, child);
      flawed = TRUE;
      continue;
    }
    follow_element (explanation, content, child);
    pattern = next;
  }
  if (!pattern_allows_mixed (form))
    check_stray_text (explanation, element);
  if (!pattern->nullable && !flawed)
    report_missing (explanation, pattern, element, PATTERN_ELEMENT);
}

static void
follow_element (Explanation *explanation, const Pattern *content, const xmlNode *element)
{
  gboolean flawed = FALSE;
  const Pattern *form = follow_attributes (explanation, content, element, &flawed);

  if (xmlFirstElementChild ((xmlNode *)element) == NULL)
    follow_text (explanation, form, element, flawed);
  else
    follow_children (explanation, content, form, element, flawed);
}

void
schema_explain (const Grammar *grammar, XmlDocument *document, const Diagnostics *known,
                Diagnostics *diagnostics)
{
  g_autoptr (Derivation) derivation = derivation_new (STEPS_MAX);
  g_autoptr (GHashTable) strays = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) missing = g_ptr_array_new_with_free_func (missing_free);
  Explanation explanation = { grammar, document, known, diagnostics, derivation, strays, missing, 0 };
  const xmlNode *root = xml_document_root (document);
  const Pattern *content = pattern_nothing ();

  if (pattern_after_child (derivation, grammar_start (grammar), root, &content)->type != PATTERN_NOT_ALLOWED)
    follow_element (&explanation, content, root);
  report_all_missing (&explanation);
  if (explanation.found == 0 && (known == NULL || !diagnostics_has_errors (known)))
    diagnostics_error (diagnostics, xml_document_node_position (document, root), VIR_ERR_XML_INVALID_SCHEMA,
                       "<%s> is not what the schema allows", root->name);
}
