/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * From documents to rules that name no variable and no other filter. A reference brings its own values, which
 * those around it override; a variable that is a list makes a rule of each of its values, lists with one
 * iterator in step with each other, those with different ones in all combinations. All of it is bounded,
 * because a few short documents can refer to each other in very many ways.
 */
#include "nwfilter/filter-instance.h"

#include <string.h>

#define MAX_ITERATORS 16 /* of one rule */

typedef struct {
  FilterLookup lookup;
  gpointer data;
  FilterInstance *instance;
  GHashTable *missing;  /* names of variables */
  GHashTable *chains;   /* name → FilterChain, of the instance */
  GHashTable *visiting; /* names of filters on the way here */
  guint visited;
  GError *error;
} Walk;

GHashTable *
filter_variables_new (const GPtrArray *parameters)
{
  GHashTable *variables =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);

  for (guint i = 0; parameters != NULL && i < parameters->len; i++) {
    const FilterParameter *parameter = g_ptr_array_index (parameters, i);

    filter_variables_add (variables, parameter->name, parameter->value);
  }
  return variables;
}

void
filter_variables_add (GHashTable *variables, const char *name, const char *value)
{
  GPtrArray *values = g_hash_table_lookup (variables, name);

  if (value == NULL)
    return;
  if (values == NULL) {
    values = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (variables, g_strdup (name), values);
  }
  g_ptr_array_add (values, g_strdup (value));
}

const char *
filter_variables_first (GHashTable *variables, const char *name)
{
  const GPtrArray *values = g_hash_table_lookup (variables, name);

  return values != NULL && values->len > 0 ? g_ptr_array_index (values, 0) : NULL;
}

/* What @reference says, under what is said around it. */
static GHashTable *
inner_variables (const FilterReference *reference, GHashTable *outer)
{
  GHashTable *variables = filter_variables_new (reference->parameters);
  GHashTableIter iter;
  gpointer name, values;

  g_hash_table_iter_init (&iter, outer);
  while (g_hash_table_iter_next (&iter, &name, &values))
    g_hash_table_insert (variables, g_strdup (name), g_ptr_array_ref (values));
  return variables;
}

static void
rule_free (gpointer data)
{
  FilterRuleInstance *rule = data;

  g_ptr_array_unref (rule->values);
  g_free (rule);
}

static void
chain_free (gpointer data)
{
  FilterChain *chain = data;

  g_free (chain->name);
  g_free (chain);
}

void
filter_instance_free (FilterInstance *instance)
{
  if (instance == NULL)
    return;
  g_ptr_array_unref (instance->rules);
  g_ptr_array_unref (instance->chains);
  g_free (instance);
}

/* Iterators. */

typedef struct {
  guint id, count, at;
} Iterator;

typedef struct {
  Iterator items[MAX_ITERATORS];
  guint count;
} Iterators;

static const GPtrArray *
values_of (const FilterVariable *variable, GHashTable *variables)
{
  const GPtrArray *values = g_hash_table_lookup (variables, variable->name);

  return values != NULL && (!variable->element || variable->index < values->len) ? values : NULL;
}

static gboolean
add_iterator (Iterators *iterators, guint id, guint count, GError **error)
{
  for (guint i = 0; i < iterators->count; i++)
    if (iterators->items[i].id == id) {
      if (iterators->items[i].count == count)
        return TRUE;
      virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                           "Cardinality of list items must be the same for processing them in parallel");
      return FALSE;
    }
  if (iterators->count == MAX_ITERATORS) {
    virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                         "a rule of a filter has more than %d iterators", MAX_ITERATORS);
    return FALSE;
  }
  iterators->items[iterators->count++] = (Iterator){ id, count, 0 };
  return TRUE;
}

static gboolean
next_combination (Iterators *iterators)
{
  for (guint i = 0; i < iterators->count; i++) {
    if (++iterators->items[i].at < iterators->items[i].count)
      return TRUE;
    iterators->items[i].at = 0;
  }
  return FALSE;
}

static guint
position_of (const Iterators *iterators, const FilterVariable *variable)
{
  if (variable->element)
    return variable->index;
  for (guint i = 0; i < iterators->count; i++)
    if (iterators->items[i].id == variable->index)
      return iterators->items[i].at;
  return 0;
}

/* Rules. */

static void
note_missing (Walk *walk, const FilterVariable *variable)
{
  g_hash_table_add (walk->missing, variable->element
                                       ? g_strdup_printf ("%s[%u]", variable->name, variable->index)
                                       : g_strdup (variable->name));
}

/* Which iterators the rule has; FALSE when something is missing. */
static gboolean
find_iterators (Walk *walk, const FilterDetails *details, GHashTable *variables, Iterators *iterators)
{
  gboolean complete = TRUE;

  for (guint i = 0; i < details->values->len; i++) {
    const FilterVariable *variable = ((FilterValue *)g_ptr_array_index (details->values, i))->variable;
    const GPtrArray *values = variable != NULL ? values_of (variable, variables) : NULL;

    if (variable == NULL)
      continue;
    if (values == NULL) {
      note_missing (walk, variable);
      complete = FALSE;
    } else if (!variable->element && !add_iterator (iterators, variable->index, values->len, &walk->error)) {
      return FALSE;
    }
  }
  return complete;
}

static gboolean
fill_values (Walk *walk, const FilterDetails *details, GHashTable *variables, const Iterators *iterators,
             GPtrArray *filled)
{
  for (guint i = 0; i < details->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (details->values, i);
    FilterValue *plain = NULL;

    if (value->variable == NULL) {
      plain = filter_value_copy (value);
    } else {
      const GPtrArray *values = values_of (value->variable, variables);
      const char *text = g_ptr_array_index (values, position_of (iterators, value->variable));

      plain = filter_value_parse_plain (value->attribute, text);
      if (plain == NULL) {
        virt_error_set_from (&walk->error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                             "variable '%s' is '%s', which cannot be the %s of <%s>", value->variable->name,
                             text, value->attribute->name, details->protocol->name);
        return FALSE;
      }
    }
    g_ptr_array_add (filled, plain);
  }
  return TRUE;
}

static gboolean
add_rule (Walk *walk, const FilterRule *rule, const FilterChain *chain, GHashTable *variables,
          const Iterators *iterators)
{
  FilterRuleInstance *added;

  if (walk->instance->rules->len >= FILTER_MAX_RULES) {
    virt_error_set_from (&walk->error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                         "the filter has more than %d rules", FILTER_MAX_RULES);
    return FALSE;
  }
  added = g_new0 (FilterRuleInstance, 1);
  added->values = g_ptr_array_new_with_free_func ((GDestroyNotify)filter_value_free);
  g_ptr_array_add (walk->instance->rules, added);
  added->action = (FilterAction)rule->action;
  added->direction = (FilterDirection)rule->direction;
  added->priority = (gint)rule->priority.value;
  added->stateless = rule->state_match != NULL;
  added->chain = chain->name;
  if (rule->details == NULL)
    return TRUE;
  added->protocol = rule->details->protocol;
  added->negated = rule->details->negated;
  return fill_values (walk, rule->details, variables, iterators, added->values);
}

static void
add_rules (Walk *walk, const FilterRule *rule, const FilterChain *chain, GHashTable *variables)
{
  Iterators iterators = { .count = 0 };

  if (rule->details != NULL && !find_iterators (walk, rule->details, variables, &iterators))
    return;
  do
    if (!add_rule (walk, rule, chain, variables, &iterators))
      return;
  while (next_combination (&iterators));
}

static const FilterChain *
chain_of (Walk *walk, const FilterDef *def)
{
  FilterChain *chain = g_hash_table_lookup (walk->chains, def->chain);

  if (chain == NULL) {
    chain = g_new0 (FilterChain, 1);
    chain->name = g_strdup (def->chain);
    g_ptr_array_add (walk->instance->chains, chain);
    g_hash_table_insert (walk->chains, chain->name, chain);
  }
  chain->priority = def->priority.set ? (gint)def->priority.value : 0;
  return chain;
}

static void walk_filter (Walk *walk, const char *name, GHashTable *variables);

static void
walk_entries (Walk *walk, const FilterDef *def, GHashTable *variables)
{
  const FilterChain *chain = chain_of (walk, def);

  for (guint i = 0; def->entries != NULL && i < def->entries->len && walk->error == NULL; i++) {
    const FilterEntry *entry = g_ptr_array_index (def->entries, i);

    if (entry->rule != NULL) {
      add_rules (walk, entry->rule, chain, variables);
    } else {
      g_autoptr (GHashTable) inner = inner_variables (entry->reference, variables);

      walk_filter (walk, entry->reference->filter, inner);
    }
  }
}

static void
walk_filter (Walk *walk, const char *name, GHashTable *variables)
{
  const FilterDef *def = walk->lookup (name, walk->data);

  if (def == NULL) {
    virt_error_set_from (&walk->error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                         "referenced filter '%s' is missing", name);
    return;
  }
  if (g_hash_table_size (walk->visiting) >= FILTER_MAX_DEPTH || ++walk->visited > FILTER_MAX_RULES
      || !g_hash_table_add (walk->visiting, (gpointer)def->name)) {
    virt_error_set_from (&walk->error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                         "filter '%s' refers to itself, or too many filters to others", name);
    return;
  }
  walk_entries (walk, def, variables);
  g_hash_table_remove (walk->visiting, def->name);
}

/* Those of the root come first; else by priority, and as they were written. */
static int
compare_rules (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  const FilterRuleInstance *one = *(FilterRuleInstance *const *)a, *other = *(FilterRuleInstance *const *)b;
  gboolean one_root = g_str_equal (one->chain, FILTER_ROOT_CHAIN);
  gboolean other_root = g_str_equal (other->chain, FILTER_ROOT_CHAIN);

  return one_root != other_root ? other_root - one_root : one->priority - other->priority;
}

static int
compare_chains (gconstpointer a, gconstpointer b, G_GNUC_UNUSED gpointer data)
{
  const FilterChain *one = *(FilterChain *const *)a, *other = *(FilterChain *const *)b;

  return one->priority - other->priority;
}

/* Only addresses of the machine are missing. */
static gboolean
misses_only_ip (GHashTable *missing)
{
  return g_hash_table_size (missing) == 1 && g_hash_table_contains (missing, FILTER_VARIABLE_IP);
}

static void
report_missing (GHashTable *missing, GError **error)
{
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (missing), (GCompareFunc)strcmp);
  g_autoptr (GString) text = g_string_new (NULL);

  for (GList *item = names; item != NULL; item = item->next)
    g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", (const char *)item->data);
  virt_error_set_from (
      error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
      "Cannot instantiate filter due to unresolvable variables or unavailable list elements: "
      "%s",
      text->str);
}

FilterInstance *
filter_instantiate (const char *filter, GHashTable *variables, FilterLookup lookup, gpointer data,
                    gboolean *ret_needs_ip, GError **error)
{
  g_autoptr (FilterInstance) instance = g_new0 (FilterInstance, 1);
  g_autoptr (GHashTable) missing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) chains = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) visiting = g_hash_table_new (g_str_hash, g_str_equal);
  Walk walk = { lookup, data, instance, missing, chains, visiting, 0, NULL };

  instance->rules = g_ptr_array_new_with_free_func (rule_free);
  instance->chains = g_ptr_array_new_with_free_func (chain_free);
  if (ret_needs_ip != NULL)
    *ret_needs_ip = FALSE;
  walk_filter (&walk, filter, variables);
  if (walk.error != NULL) {
    g_propagate_error (error, walk.error);
    return NULL;
  }
  if (g_hash_table_size (missing) > 0) {
    if (ret_needs_ip != NULL && misses_only_ip (missing))
      *ret_needs_ip = TRUE;
    else
      report_missing (missing, error);
    return NULL;
  }
  g_ptr_array_sort_with_data (instance->rules, compare_rules, NULL);
  g_ptr_array_sort_with_data (instance->chains, compare_chains, NULL);
  return g_steal_pointer (&instance);
}

static gboolean
refers_to (const FilterDef *filter, const char *name, FilterLookup lookup, gpointer data, GHashTable *seen)
{
  for (guint i = 0; filter->entries != NULL && i < filter->entries->len; i++) {
    const FilterEntry *entry = g_ptr_array_index (filter->entries, i);
    const FilterDef *next;

    if (entry->reference == NULL || !g_hash_table_add (seen, entry->reference->filter))
      continue;
    if (g_str_equal (entry->reference->filter, name))
      return TRUE;
    next = g_hash_table_size (seen) <= FILTER_MAX_RULES ? lookup (entry->reference->filter, data) : NULL;
    if (next != NULL && refers_to (next, name, lookup, data, seen))
      return TRUE;
  }
  return FALSE;
}

gboolean
filter_refers_to (const FilterDef *filter, const char *name, FilterLookup lookup, gpointer data)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  return refers_to (filter, name, lookup, data, seen);
}

gboolean
filter_check_loop (const FilterDef *filter, FilterLookup lookup, gpointer data, GError **error)
{
  if (!filter_refers_to (filter, filter->name, lookup, data))
    return TRUE;
  virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_OPERATION_FAILED, "filter would introduce a loop");
  return FALSE;
}

const FilterValue *
filter_rule_instance_value (const FilterRuleInstance *rule, FilterAttributeId id)
{
  for (guint i = 0; i < rule->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (rule->values, i);

    if (value->attribute->id == id)
      return value;
  }
  return NULL;
}
