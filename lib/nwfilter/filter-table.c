/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The table is one of the bridge family, because there a device is seen by the name of its port in both
 * directions, whatever the host's addresses and routes; and it needs no br_netfilter, which would send all
 * bridged traffic of the host through the filters of others. Six base chains look the device up in a map of
 * verdicts, so that a host of a thousand devices costs a packet no more than a host of one:
 *
 *   link-from, flow-from, track-from    what a machine sends, where the bridge receives it
 *   flow-to, link-to, track-to          what goes to a machine, where the bridge sends it
 *
 * "link" has the rules that ebtables would have, a chain for each of the filter's; "flow" those that iptables
 * would have; "track" remembers what passed (filter-flow.c). A device's objects are named DEVICE/..., for no
 * device has a slash in its name. All that changes is one transaction: packets meet the old rules or the new
 * ones.
 */
#include "nwfilter/filter-table.h"

#include "nwfilter/filter-flow.h"
#include "nwfilter/filter-match.h"

#include <string.h>

#define MAX_RULE_COMMENT 127 /* bytes; what nf_tables keeps of a rule's comment */

/* The priorities put both before all that others hook there, and the link's rules outermost. */
static const struct {
  const char *name, *hook, *key;
  int priority;
} bases[] = {
  { "link-from", "prerouting", "iifname", -250 },  { "flow-from", "prerouting", "iifname", -240 },
  { "track-from", "prerouting", "iifname", -230 }, { "flow-to", "postrouting", "oifname", 250 },
  { "link-to", "postrouting", "oifname", 260 },    { "track-to", "postrouting", "oifname", 270 },
};

/* {@verb: {@noun: {family, table, name, ...}}}; the inner object, to be filled further. (borrowed) */
static JsonObject *
add_command (JsonArray *commands, const char *verb, const char *noun, const char *name)
{
  JsonObject *command = json_object_new (), *outer = json_object_new (), *inner = json_object_new ();

  json_object_set_string_member (inner, "family", FILTER_FAMILY);
  json_object_set_string_member (inner, "table", FILTER_TABLE);
  if (name != NULL)
    json_object_set_string_member (inner, "name", name);
  json_object_set_object_member (outer, noun, inner);
  json_object_set_object_member (command, verb, outer);
  json_array_add_object_element (commands, command);
  return inner;
}

static void
add_table (JsonArray *commands, const char *verb)
{
  JsonObject *table = add_command (commands, verb, "table", FILTER_TABLE);

  json_object_remove_member (table, "table");
}

JsonArray *
filter_table_add_rule (JsonArray *commands, const char *chain)
{
  JsonObject *rule = add_command (commands, "add", "rule", NULL);
  JsonArray *expressions = json_array_new ();

  json_object_set_string_member (rule, "chain", chain);
  json_object_set_array_member (rule, "expr", expressions);
  return expressions;
}

void
filter_add_verdict (JsonArray *expressions, const char *verdict, const char *target)
{
  JsonObject *object = json_object_new ();

  if (target == NULL) {
    json_object_set_null_member (object, verdict);
  } else {
    JsonObject *jump = json_object_new ();

    json_object_set_string_member (jump, "target", target);
    json_object_set_object_member (object, verdict, jump);
  }
  json_array_add_object_element (expressions, object);
}

static void
add_base (JsonArray *commands, guint row)
{
  JsonObject *map = add_command (commands, "add", "map", bases[row].name), *chain;
  g_autofree char *reference = g_strconcat ("@", bases[row].name, NULL);
  JsonObject *vmap = json_object_new (), *expression = json_object_new ();

  json_object_set_string_member (map, "type", "ifname");
  json_object_set_string_member (map, "map", "verdict");
  chain = add_command (commands, "add", "chain", bases[row].name);
  json_object_set_string_member (chain, "type", "filter");
  json_object_set_string_member (chain, "hook", bases[row].hook);
  json_object_set_int_member (chain, "prio", bases[row].priority);
  json_object_set_string_member (chain, "policy", "accept");
  json_object_set_member (vmap, "key", filter_meta (bases[row].key));
  json_object_set_string_member (vmap, "data", reference);
  json_object_set_object_member (expression, "vmap", vmap);
  json_array_add_object_element (filter_table_add_rule (commands, bases[row].name), expression);
}

void
filter_table_begin (JsonArray *commands)
{
  add_table (commands, "add");
  add_table (commands, "delete");
  add_table (commands, "add");
  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    add_base (commands, i);
}

/* A device's parts. */

static void
add_element (JsonArray *commands, const char *verb, const char *map, const char *port, const char *chain)
{
  JsonObject *element = add_command (commands, verb, "element", map), *verdict = json_object_new (),
             *jump = json_object_new ();
  JsonArray *elements = json_array_new (), *pair = json_array_new ();

  json_object_set_string_member (jump, "target", chain);
  json_object_set_object_member (verdict, "goto", jump);
  json_array_add_string_element (pair, port);
  json_array_add_object_element (pair, verdict);
  json_array_add_array_element (elements, pair);
  json_object_set_array_member (element, "elem", elements);
}

static gboolean
trace_is (const char *trace, const char *noun, const char **ret_name)
{
  gsize length = strlen (noun);

  *ret_name = trace + length + 1;
  return strncmp (trace, noun, length) == 0 && trace[length] == ' ';
}

static gboolean
has_trace (const FilterTraces *traces, const char *trace)
{
  return traces != NULL && g_ptr_array_find_with_equal_func ((GPtrArray *)traces, trace, g_str_equal, NULL);
}

/* The maps no longer lead to the device's chains, and those are empty, so that nothing uses anything. */
static void
detach (JsonArray *commands, const char *port, const FilterTraces *traces)
{
  const char *name;

  for (guint i = 0; traces != NULL && i < traces->len; i++)
    if (trace_is (g_ptr_array_index (traces, i), "map", &name)) {
      g_autofree char *chain = g_strconcat (port, "/", name, NULL);

      add_element (commands, "delete", name, port, chain);
    }
  for (guint i = 0; traces != NULL && i < traces->len; i++)
    if (trace_is (g_ptr_array_index (traces, i), "chain", &name))
      add_command (commands, "flush", "chain", name);
}

/* What is in @traces, but not in @kept. */
static void
remove_traces (JsonArray *commands, const FilterTraces *traces, const FilterTraces *kept)
{
  static const char *const nouns[] = { "chain", "set" };
  const char *name;

  for (guint noun = 0; noun < G_N_ELEMENTS (nouns); noun++)
    for (guint i = 0; traces != NULL && i < traces->len; i++) {
      const char *trace = g_ptr_array_index (traces, i);

      if (trace_is (trace, nouns[noun], &name) && !has_trace (kept, trace))
        add_command (commands, "delete", nouns[noun], name);
    }
}

void
filter_table_remove (JsonArray *commands, const char *port, const FilterTraces *traces)
{
  detach (commands, port, traces);
  remove_traces (commands, traces, NULL);
}

/* The building of one device: chains by name, each the commands that add its rules. */
typedef struct {
  const char *port;
  const FilterInstance *instance;
  guint flags;
  GHashTable *chains; /* name → JsonArray of commands */
  GPtrArray *order;   /* of the names */
  GPtrArray *sets;    /* names of sets of gratuitous ARP's addresses */
} Building;

static JsonArray *
chain_rules (Building *building, const char *name)
{
  JsonArray *rules = g_hash_table_lookup (building->chains, name);

  if (rules == NULL) {
    char *key = g_strdup (name);

    rules = json_array_new ();
    g_hash_table_insert (building->chains, key, rules);
    g_ptr_array_add (building->order, key);
  }
  return rules;
}

/* "vnet0/link-from", or "vnet0/link-from/arp". (transfer full) */
static char *
link_chain (const Building *building, gboolean from, const char *chain)
{
  const char *base = from ? "link-from" : "link-to";

  if (g_str_equal (chain, FILTER_ROOT_CHAIN))
    return g_strconcat (building->port, "/", base, NULL);
  return g_strconcat (building->port, "/", base, "/", chain, NULL);
}

void
filter_add_action (JsonArray *expressions, FilterAction action, gboolean may_reject)
{
  static const char *const verdicts[] = {
    [FILTER_DROP] = "drop",         [FILTER_ACCEPT] = "accept", [FILTER_REJECT] = "drop",
    [FILTER_CONTINUE] = "continue", [FILTER_RETURN] = "return",
  };

  if (action == FILTER_REJECT && may_reject) {
    JsonObject *reject = json_object_new (), *object = json_object_new ();

    json_object_set_string_member (reject, "type", "icmpx");
    json_object_set_string_member (reject, "expr", "port-unreachable");
    json_object_set_object_member (object, "reject", reject);
    json_array_add_object_element (expressions, object);
  } else {
    filter_add_verdict (expressions, verdicts[action], NULL);
  }
}

void
filter_rule_comment (JsonArray *commands, const FilterRuleInstance *rule)
{
  const FilterValue *comment = filter_rule_instance_value (rule, FILTER_COMMENT);
  g_autofree char *text = NULL;
  JsonObject *command;

  if (comment == NULL || comment->text[0] == '\0')
    return;
  text = g_strndup (comment->text, MAX_RULE_COMMENT);
  *(char *)(g_utf8_validate (text, -1, NULL) ? text + strlen (text)
                                             : g_utf8_find_prev_char (text, text + strlen (text))) = '\0';
  command = json_array_get_object_element (commands, json_array_get_length (commands) - 1);
  json_object_set_string_member (
      json_object_get_object_member (json_object_get_object_member (command, "add"), "rule"), "comment",
      text);
}

/* The name of the set that @rule's gratuitous ARP packets need; NULL: it has none. (borrowed) */
static const char *
gratuitous_set (Building *building, const FilterRuleInstance *rule)
{
  if (!filter_rule_needs_set (rule))
    return NULL;
  g_ptr_array_add (building->sets, g_strdup_printf ("%s/arp-%u", building->port, building->sets->len));
  return g_ptr_array_index (building->sets, building->sets->len - 1);
}

static gboolean
add_link_rule (Building *building, const FilterRuleInstance *rule, gboolean from, GError **error)
{
  g_autofree char *chain = link_chain (building, from, rule->chain);
  gboolean reversed = from && rule->direction == FILTER_INOUT;
  g_autoptr (JsonArray) commands = json_array_new ();
  JsonArray *expressions = filter_table_add_rule (commands, chain);

  if (reversed && rule->protocol != NULL && g_str_equal (rule->protocol->name, "stp")
      && filter_rule_instance_value (rule, FILTER_SRC_MAC) != NULL) {
    virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_INTERNAL_ERROR,
                         "STP filtering in %s direction with source MAC address set is not supported",
                         "inout");
    return FALSE;
  }
  switch (filter_match (rule, reversed, gratuitous_set (building, rule), expressions, error)) {
    case FILTER_TOO_MUCH:
      return FALSE;
    case FILTER_NEVER:
      return TRUE;
    default:
      break;
  }
  filter_add_action (expressions, rule->action, FALSE);
  filter_rule_comment (commands, rule);
  json_array_add_element (chain_rules (building, chain),
                          json_node_copy (json_array_get_element (commands, 0)));
  return TRUE;
}

static void
add_jump (Building *building, gboolean from, const FilterChain *chain)
{
  g_autofree char *root = link_chain (building, from, FILTER_ROOT_CHAIN);
  g_autofree char *target = link_chain (building, from, chain->name);
  const char *prefix = filter_chain_protocol (chain->name);
  const FilterProtocol *protocol = filter_protocol_of (g_str_equal (prefix, "ipv4") ? "ip" : prefix);
  JsonArray *expressions;

  if (!g_hash_table_contains (building->chains, target))
    return;
  expressions = filter_table_add_rule (chain_rules (building, root), root);
  if (g_str_equal (prefix, "stp"))
    filter_add_match (expressions, "==", filter_payload ("ether", "daddr"), filter_text (FILTER_STP_ADDRESS));
  else if (protocol->number >= 0)
    filter_add_ether_type (expressions, protocol->number);
  filter_add_verdict (expressions, "jump", target);
}

static gboolean
is_root (const FilterRuleInstance *rule)
{
  return g_str_equal (rule->chain, FILTER_ROOT_CHAIN);
}

static gboolean
is_link_rule (const FilterRuleInstance *rule, gboolean from)
{
  return (rule->protocol == NULL || rule->protocol->layer == FILTER_LAYER_LINK)
         && rule->direction != (from ? FILTER_IN : FILTER_OUT);
}

/* The chains below the root first, for the root leads to those that have rules; then the root's rules, with
 * the ways to those chains among them by priority. */
static gboolean
add_link_rules (Building *building, gboolean from, GError **error)
{
  const GPtrArray *rules = building->instance->rules, *chains = building->instance->chains;
  guint next = 0;

  for (guint i = 0; i < rules->len; i++) {
    const FilterRuleInstance *rule = g_ptr_array_index (rules, i);

    if (is_link_rule (rule, from) && !is_root (rule) && !add_link_rule (building, rule, from, error))
      return FALSE;
  }
  for (guint i = 0; i <= rules->len; i++) {
    const FilterRuleInstance *rule = i < rules->len ? g_ptr_array_index (rules, i) : NULL;

    if (rule != NULL && (!is_link_rule (rule, from) || !is_root (rule)))
      continue;
    for (; next < chains->len; next++) {
      const FilterChain *chain = g_ptr_array_index (chains, next);

      if (rule != NULL && chain->priority > rule->priority)
        break;
      if (!g_str_equal (chain->name, FILTER_ROOT_CHAIN))
        add_jump (building, from, chain);
    }
    if (rule != NULL && !add_link_rule (building, rule, from, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
build (Building *building, gboolean *ret_tracked, GError **error)
{
  FilterFlowTarget target = { building->port, building->flags, NULL, NULL };
  gboolean done;

  if (!add_link_rules (building, TRUE, error) || !add_link_rules (building, FALSE, error))
    return FALSE;
  target.from = json_array_new ();
  target.to = json_array_new ();
  done = filter_flow_rules (building->instance, &target, ret_tracked, error);
  for (guint i = 0; i < 2 && done; i++) {
    JsonArray *rules = i == 0 ? target.from : target.to;
    g_autofree char *name = g_strconcat (building->port, i == 0 ? "/flow-from" : "/flow-to", NULL);

    if (json_array_get_length (rules) > 0) {
      char *key = g_strdup (name);

      g_hash_table_insert (building->chains, key, json_array_ref (rules));
      g_ptr_array_add (building->order, key);
    }
  }
  if (done && *ret_tracked) {
    g_autofree char *from = g_strconcat (building->port, "/track-from", NULL);
    g_autofree char *to = g_strconcat (building->port, "/track-to", NULL);

    filter_flow_track (building->port, TRUE, chain_rules (building, from));
    filter_flow_track (building->port, FALSE, chain_rules (building, to));
  }
  json_array_unref (target.from);
  json_array_unref (target.to);
  return done;
}

static void
add_gratuitous_set (JsonArray *commands, const char *name)
{
  JsonObject *set = add_command (commands, "add", "set", name);
  JsonArray *set_flags = json_array_new ();

  json_object_set_string_member (set, "type", "ipv4_addr");
  /* nft adds "dynamic" by itself, and in JSON some versions do not know the word. */
  json_array_add_string_element (set_flags, "timeout");
  json_object_set_array_member (set, "flags", set_flags);
  json_object_set_int_member (set, "timeout", FILTER_ARP_SECONDS);
  json_object_set_int_member (set, "size", FILTER_ARP_MAX);
}

static void
add_trace (FilterTraces *traces, const char *noun, const char *name)
{
  g_ptr_array_add (traces, g_strconcat (noun, " ", name, NULL));
}

/* All that is there before a rule names it; and what led to it last. */
static void
emit (const Building *building, gboolean tracked, const FilterTraces *old, JsonArray *commands,
      FilterTraces *traces)
{
  detach (commands, building->port, old);
  for (guint i = 0; i < building->sets->len; i++) {
    add_gratuitous_set (commands, g_ptr_array_index (building->sets, i));
    add_trace (traces, "set", g_ptr_array_index (building->sets, i));
  }
  for (guint i = 0; tracked && i < FILTER_FLOW_SETS; i++) {
    g_autofree char *name = filter_flow_set (building->port, i);

    filter_flow_declare (i, add_command (commands, "add", "set", name));
    add_trace (traces, "set", name);
  }
  for (guint i = 0; i < building->order->len; i++) {
    add_command (commands, "add", "chain", g_ptr_array_index (building->order, i));
    add_trace (traces, "chain", g_ptr_array_index (building->order, i));
  }
  for (guint i = 0; i < building->order->len; i++) {
    JsonArray *rules = g_hash_table_lookup (building->chains, g_ptr_array_index (building->order, i));

    for (guint k = 0; k < json_array_get_length (rules); k++)
      json_array_add_element (commands, json_node_copy (json_array_get_element (rules, k)));
  }
  for (guint i = 0; i < G_N_ELEMENTS (bases); i++) {
    g_autofree char *chain = g_strconcat (building->port, "/", bases[i].name, NULL);

    if (!g_hash_table_contains (building->chains, chain))
      continue;
    add_element (commands, "add", bases[i].name, building->port, chain);
    add_trace (traces, "map", bases[i].name);
  }
  remove_traces (commands, old, traces);
}

gboolean
filter_table_set (JsonArray *commands, const char *port, const FilterInstance *instance, guint flags,
                  const FilterTraces *traces, FilterTraces **ret_traces, GError **error)
{
  g_autoptr (GHashTable) chains =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_array_unref);
  g_autoptr (GPtrArray) order = g_ptr_array_new (), sets = g_ptr_array_new_with_free_func (g_free);
  Building building = { port, instance, flags, chains, order, sets };
  FilterTraces *added;
  gboolean tracked = FALSE;

  if (!build (&building, &tracked, error))
    return FALSE;
  added = g_ptr_array_new_with_free_func (g_free);
  emit (&building, tracked, traces, commands, added);
  *ret_traces = added;
  return TRUE;
}

/* Reading a listing: foreign text. */

static const char *
text_of (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node)
                                                                          : NULL;
}

static JsonObject *
object_of (JsonObject *object, const char *name)
{
  JsonNode *node = object != NULL ? json_object_get_member (object, name) : NULL;

  return node != NULL && JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
}

static void
note (GHashTable *devices, const char *device, const char *noun, const char *name)
{
  FilterTraces *traces = g_hash_table_lookup (devices, device);

  if (traces == NULL) {
    traces = g_ptr_array_new_with_free_func (g_free);
    g_hash_table_insert (devices, g_strdup (device), traces);
  }
  add_trace (traces, noun, name);
}

static int
base_row (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (bases); i++)
    if (g_str_equal (bases[i].name, name))
      return (int)i;
  return -1;
}

static void
read_elements (GHashTable *devices, JsonObject *map, const char *name)
{
  JsonNode *node = json_object_get_member (map, "elem");
  JsonArray *elements = node != NULL && JSON_NODE_HOLDS_ARRAY (node) ? json_node_get_array (node) : NULL;

  for (guint i = 0; elements != NULL && i < json_array_get_length (elements); i++) {
    JsonNode *element = json_array_get_element (elements, i);
    JsonArray *pair = JSON_NODE_HOLDS_ARRAY (element) ? json_node_get_array (element) : NULL;
    JsonNode *key =
        pair != NULL && json_array_get_length (pair) == 2 ? json_array_get_element (pair, 0) : NULL;

    if (key != NULL && json_node_get_value_type (key) == G_TYPE_STRING)
      note (devices, json_node_get_string (key), "map", name);
  }
}

GHashTable *
filter_table_read (JsonArray *objects)
{
  static const char *const nouns[] = { "chain", "set", "map" };
  g_autoptr (GHashTable) devices =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
  guint found = 0;

  for (guint i = 0; i < json_array_get_length (objects); i++) {
    JsonNode *node = json_array_get_element (objects, i);

    for (guint noun = 0; noun < G_N_ELEMENTS (nouns); noun++) {
      JsonObject *object =
          JSON_NODE_HOLDS_OBJECT (node) ? object_of (json_node_get_object (node), nouns[noun]) : NULL;
      const char *name = text_of (object, "name"), *slash = name != NULL ? strchr (name, '/') : NULL;
      g_autofree char *device = slash != NULL ? g_strndup (name, (gsize)(slash - name)) : NULL;

      if (device != NULL) {
        note (devices, device, nouns[noun], name);
      } else if (name != NULL && base_row (name) >= 0) {
        found++;
        if (g_str_equal (nouns[noun], "map"))
          read_elements (devices, object, name);
      }
    }
  }
  return found == 2 * G_N_ELEMENTS (bases) ? g_steal_pointer (&devices) : NULL;
}
