/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A network's rules. A packet that is forwarded is looked up twice: by the device it came from, where it has
 * to be allowed to leave, and by the device it goes to, where it has to be allowed to arrive. What leaves is
 * returned and not accepted, so that no network lets packets into another one that does not want them.
 *
 * Accepting here is worth nothing against a table of somebody else's that drops (Docker, ufw, firewalld):
 * every table has its say. So nothing is said of what the host itself receives, and firewall-check.h looks
 * for such tables.
 *
 * Names of devices come from documents, and nft reads a string as more than that ("@set", "vir*"): only
 * plain ones pass.
 */
#include "network/network-firewall.h"

#include "base/untrusted-json.h"

#include <string.h>

#define LINK_NAME_BYTES 15
#define FILTER_PRIORITY 0
#define NAT_PRIORITY    100
#define MASQUERADE_FIRST                                                             \
  1024 /* as libvirt: a guest's port is never seen as a privileged one of the host's \
        */
#define MASQUERADE_LAST   65535
#define MULTICAST_V4      "224.0.0.0"
#define MULTICAST_V4_BITS 24
#define BROADCAST_V4      "255.255.255.255"
#define MULTICAST_V6      "ff02::"
#define MULTICAST_V6_BITS 16

/* What a network has in the table: a map by the name of its bridge, and a chain it leads to. */
typedef struct {
  const char *map;
  const char *key; /* the device of the packet by which the map is asked */
  const char *hook_chain;
} Direction;

typedef enum { LEAVING, ARRIVING, TRANSLATING, DIRECTIONS } DirectionNumber;
static const Direction directions[DIRECTIONS] = {
  [LEAVING] = { "leaving", "iifname", "forward" },
  [ARRIVING] = { "arriving", "oifname", "forward" },
  [TRANSLATING] = { "translating", "iifname", "postrouting" },
};

/* The subnets of a network, as rules say them. */
typedef struct {
  IpAddress first;
  guint prefix;
  char text[IP_TEXT_MAX];
  const char *protocol; /* "ip", "ip6" */
  gboolean is_translated;
} Subnet;

typedef struct {
  JsonArray *commands;
  const NetworkDef *def;
  GArray *subnets; /* Subnet */
  char *chains[DIRECTIONS];
} Rules;

gboolean
network_link_name_is_plain (const char *name)
{
  gsize length = name != NULL ? strlen (name) : 0;

  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isalnum (name[i]) && strchr ("_.:-", name[i]) == NULL)
      return FALSE;
  return length > 0 && length <= LINK_NAME_BYTES && strcmp (name, ".") != 0 && strcmp (name, "..") != 0;
}

gboolean
network_firewall_is_needed (const NetworkDef *def)
{
  return network_forward_has_own_bridge (def->forward.mode) && def->forward.mode != NETWORK_FORWARD_OPEN;
}

/* nft's own words for a name: letters, digits and "_", so that others' tools can read the table as well. */
static char *
chain_name (const Direction *direction, const char *bridge)
{
  GString *name = g_string_new (direction->map);

  g_string_append_c (name, '_');
  for (const char *c = bridge; *c != '\0'; c++)
    if (g_ascii_isalnum (*c))
      g_string_append_c (name, *c);
    else
      g_string_append_printf (name, "_%02x", (guint)*c);
  return g_string_free (name, FALSE);
}

/* {"family": ..., "table": ...}: what every object of the table begins with. */
static JsonObject *
object_new (void)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "family", NETWORK_FIREWALL_FAMILY);
  json_object_set_string_member (object, "table", NETWORK_FIREWALL_TABLE);
  return object;
}

static void
add_command (JsonArray *commands, const char *verb, const char *noun, JsonObject *object)
{
  JsonObject *command = json_object_new (), *inner = json_object_new ();

  json_object_set_object_member (inner, noun, object);
  json_object_set_object_member (command, verb, inner);
  json_array_add_object_element (commands, command);
}

static void
add_named (JsonArray *commands, const char *verb, const char *noun, const char *name)
{
  JsonObject *object = object_new ();

  json_object_set_string_member (object, "name", name);
  add_command (commands, verb, noun, object);
}

/* Expressions of a rule. */

static void
add_statement (JsonArray *rule, const char *word, JsonNode *value)
{
  JsonObject *statement = json_object_new ();

  json_object_set_member (statement, word, value);
  json_array_add_object_element (rule, statement);
}

static JsonNode *
text_node (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
object_node (JsonObject *object)
{
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  json_object_unref (object);
  return node;
}

static JsonNode *
array_node (JsonArray *array)
{
  JsonNode *node = json_node_init_array (json_node_alloc (), array);

  json_array_unref (array);
  return node;
}

static void
match (JsonArray *rule, const char *operator, JsonObject * left, JsonNode *right)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "op", operator);
  json_object_set_object_member (object, "left", left);
  json_object_set_member (object, "right", right);
  add_statement (rule, "match", object_node (object));
}

/* {@kind: {"key": @key}} */
static JsonObject *
keyed (const char *kind, const char *key)
{
  JsonObject *object = json_object_new (), *inner = json_object_new ();

  json_object_set_string_member (inner, "key", key);
  json_object_set_object_member (object, kind, inner);
  return object;
}

static void
match_link (JsonArray *rule, const char *key, const char *name)
{
  match (rule, "==", keyed ("meta", key), text_node (name));
}

/* @field: "saddr", "daddr" */
static void
match_network (JsonArray *rule, const char *operator, const char * protocol, const char *field,
               const char *address, guint prefix)
{
  JsonObject *left = json_object_new (), *payload = json_object_new ();
  JsonObject *right = json_object_new (), *network = json_object_new ();

  json_object_set_string_member (payload, "protocol", protocol);
  json_object_set_string_member (payload, "field", field);
  json_object_set_object_member (left, "payload", payload);
  json_object_set_string_member (network, "addr", address);
  json_object_set_int_member (network, "len", prefix);
  json_object_set_object_member (right, "prefix", network);
  match (rule, operator, left, object_node (right));
}

static void
match_subnet (JsonArray *rule, const char *operator, const Subnet * subnet, const char *field)
{
  match_network (rule, operator, subnet->protocol, field, subnet->text, subnet->prefix);
}

static void
match_answers (JsonArray *rule)
{
  JsonArray *states = json_array_new ();

  json_array_add_string_element (states, "established");
  json_array_add_string_element (states, "related");
  match (rule, "in", keyed ("ct", "state"), array_node (states));
}

static void
match_ports (JsonArray *rule)
{
  JsonArray *protocols = json_array_new ();
  JsonObject *set = json_object_new ();

  json_array_add_string_element (protocols, "tcp");
  json_array_add_string_element (protocols, "udp");
  json_object_set_array_member (set, "set", protocols);
  match (rule, "==", keyed ("meta", "l4proto"), object_node (set));
}

/* @verdict: "accept", "return", "drop" */
static void
add_verdict (JsonArray *rule, const char *verdict)
{
  add_statement (rule, "counter", json_node_init_null (json_node_alloc ()));
  add_statement (rule, verdict, json_node_init_null (json_node_alloc ()));
}

static void
add_reject (JsonArray *rule)
{
  JsonObject *how = json_object_new ();

  json_object_set_string_member (how, "type", "icmpx");
  json_object_set_string_member (how, "expr", "port-unreachable");
  add_statement (rule, "counter", json_node_init_null (json_node_alloc ()));
  add_statement (rule, "reject", object_node (how));
}

/* Takes @rule. */
static void
add_rule (JsonArray *commands, const char *chain, JsonArray *rule)
{
  JsonObject *object = object_new ();

  json_object_set_string_member (object, "chain", chain);
  json_object_set_array_member (object, "expr", rule);
  add_command (commands, "add", "rule", object);
}

/* The table, and what is in it for all networks. */

static void
add_table (JsonArray *commands)
{
  JsonObject *table = json_object_new ();

  json_object_set_string_member (table, "family", NETWORK_FIREWALL_FAMILY);
  json_object_set_string_member (table, "name", NETWORK_FIREWALL_TABLE);
  add_command (commands, "add", "table", table);
}

static void
add_hook (JsonArray *commands, const char *name, const char *type, int priority)
{
  JsonObject *chain = object_new ();

  json_object_set_string_member (chain, "name", name);
  json_object_set_string_member (chain, "type", type);
  json_object_set_string_member (chain, "hook", name);
  json_object_set_int_member (chain, "prio", priority);
  json_object_set_string_member (chain, "policy", "accept");
  add_command (commands, "add", "chain", chain);
  add_named (commands, "flush", "chain", name);
}

static void
add_frame (JsonArray *commands)
{
  add_table (commands);
  for (guint i = 0; i < DIRECTIONS; i++) {
    JsonObject *map = object_new ();

    json_object_set_string_member (map, "name", directions[i].map);
    json_object_set_string_member (map, "type", "ifname");
    json_object_set_string_member (map, "map", "verdict");
    add_command (commands, "add", "map", map);
  }
  add_hook (commands, "forward", "filter", FILTER_PRIORITY);
  add_hook (commands, "postrouting", "nat", NAT_PRIORITY);
  for (guint i = 0; i < DIRECTIONS; i++) {
    JsonArray *rule = json_array_new ();
    JsonObject *lookup = json_object_new ();
    g_autofree char *map = g_strconcat ("@", directions[i].map, NULL);

    json_object_set_object_member (lookup, "key", keyed ("meta", directions[i].key));
    json_object_set_string_member (lookup, "data", map);
    add_statement (rule, "vmap", object_node (lookup));
    add_rule (commands, directions[i].hook_chain, rule);
  }
}

/* @with_chain: the verdict that stands for @bridge; without it the key alone, to delete it. */
static void
add_element (JsonArray *commands, const char *verb, const Direction *direction, const char *bridge,
             const char *with_chain)
{
  JsonObject *object = object_new ();
  JsonArray *elements = json_array_new ();

  json_object_set_string_member (object, "name", direction->map);
  if (with_chain != NULL) {
    JsonArray *pair = json_array_new ();
    JsonObject *verdict = json_object_new (), *target = json_object_new ();

    json_object_set_string_member (target, "target", with_chain);
    json_object_set_object_member (verdict, "jump", target);
    json_array_add_string_element (pair, bridge);
    json_array_add_object_element (pair, verdict);
    json_array_add_array_element (elements, pair);
  } else
    json_array_add_string_element (elements, bridge);
  json_object_set_array_member (object, "elem", elements);
  add_command (commands, verb, "element", object);
}

/* One network. */

/* Each device that packets may leave through; NULL once where it is any. */
static guint
way_count (const NetworkDef *def)
{
  return def->forward.interfaces != NULL ? MAX (def->forward.interfaces->len, 1) : 1;
}

static const char *
way (const NetworkDef *def, guint number)
{
  const GPtrArray *interfaces = def->forward.interfaces;

  if (interfaces != NULL && number < interfaces->len)
    return ((const NetworkForwardInterface *)g_ptr_array_index (interfaces, number))->dev;
  return def->forward.dev;
}

static gboolean
is_outgoing (const NetworkDef *def)
{
  return def->forward.mode == NETWORK_FORWARD_NAT || def->forward.mode == NETWORK_FORWARD_ROUTE;
}

/* Machines among themselves, where the kernel shows bridged packets to this filter. */
static void
add_own (Rules *rules, DirectionNumber direction)
{
  JsonArray *rule = json_array_new ();

  match_link (rule, direction == LEAVING ? "oifname" : "iifname", rules->def->bridge);
  add_verdict (rule, direction == LEAVING ? "return" : "accept");
  add_rule (rules->commands, rules->chains[direction], rule);
}

static void
add_leaving (Rules *rules)
{
  JsonArray *rule;

  add_own (rules, LEAVING);
  for (guint i = 0; is_outgoing (rules->def) && i < rules->subnets->len; i++)
    for (guint w = 0; w < way_count (rules->def); w++) {
      const char *dev = way (rules->def, w);

      rule = json_array_new ();
      match_subnet (rule, "==", &g_array_index (rules->subnets, Subnet, i), "saddr");
      if (dev != NULL)
        match_link (rule, "oifname", dev);
      add_verdict (rule, "return");
      add_rule (rules->commands, rules->chains[LEAVING], rule);
    }
  rule = json_array_new ();
  add_reject (rule);
  add_rule (rules->commands, rules->chains[LEAVING], rule);
}

/* What is translated takes answers only; what is routed takes everything that is for it. */
static void
add_arriving (Rules *rules)
{
  JsonArray *rule;

  add_own (rules, ARRIVING);
  for (guint i = 0; is_outgoing (rules->def) && i < rules->subnets->len; i++)
    for (guint w = 0; w < way_count (rules->def); w++) {
      const Subnet *subnet = &g_array_index (rules->subnets, Subnet, i);
      const char *dev = way (rules->def, w);

      rule = json_array_new ();
      match_subnet (rule, "==", subnet, "daddr");
      if (dev != NULL)
        match_link (rule, "iifname", dev);
      if (subnet->is_translated)
        match_answers (rule);
      add_verdict (rule, "accept");
      add_rule (rules->commands, rules->chains[ARRIVING], rule);
    }
  rule = json_array_new ();
  add_reject (rule);
  add_rule (rules->commands, rules->chains[ARRIVING], rule);
}

/* The machines' packets to @address stay as they are: nobody beyond the host's own links gets them. */
static void
add_untranslated (Rules *rules, const Subnet *subnet, const char *address, guint prefix)
{
  JsonArray *rule = json_array_new ();

  match_subnet (rule, "==", subnet, "saddr");
  match_network (rule, "==", subnet->protocol, "daddr", address, prefix);
  add_verdict (rule, "return");
  add_rule (rules->commands, rules->chains[TRANSLATING], rule);
}

static JsonNode *
range_node (JsonNode *first, JsonNode *last)
{
  JsonArray *ends = json_array_new ();
  JsonObject *range = json_object_new ();

  json_array_add_element (ends, first);
  json_array_add_element (ends, last);
  json_object_set_array_member (range, "range", ends);
  return object_node (range);
}

static JsonNode *
number_node (guint64 number)
{
  return json_node_init_int (json_node_alloc (), (gint64)number);
}

/* To the address of whichever device it leaves by, or to those the document names. */
static void
add_translation (Rules *rules, const Subnet *subnet, const char *dev, gboolean has_ports)
{
  const NetworkForward *forward = &rules->def->forward;
  gboolean is_named = forward->nat_address_start != NULL && strcmp (subnet->protocol, "ip") == 0;
  JsonArray *rule = json_array_new ();
  JsonObject *how = json_object_new ();

  match_subnet (rule, "==", subnet, "saddr");
  match_subnet (rule, "!=", subnet, "daddr");
  if (dev != NULL)
    match_link (rule, "oifname", dev);
  if (is_named) {
    const char *last =
        forward->nat_address_end != NULL ? forward->nat_address_end : forward->nat_address_start;

    json_object_set_string_member (how, "family", "ip");
    json_object_set_member (how, "addr",
                            g_str_equal (forward->nat_address_start, last)
                                ? text_node (last)
                                : range_node (text_node (forward->nat_address_start), text_node (last)));
  }
  if (has_ports) {
    guint64 first = forward->nat_port_start.set ? forward->nat_port_start.value : MASQUERADE_FIRST;
    guint64 last = forward->nat_port_start.set ? forward->nat_port_end.value : MASQUERADE_LAST;

    match_ports (rule);
    json_object_set_member (how, "port", range_node (number_node (first), number_node (last)));
  }
  add_statement (rule, "counter", json_node_init_null (json_node_alloc ()));
  add_statement (rule, is_named ? "snat" : "masquerade",
                 json_object_get_size (how) > 0 ? object_node (json_object_ref (how))
                                                : json_node_init_null (json_node_alloc ()));
  json_object_unref (how);
  add_rule (rules->commands, rules->chains[TRANSLATING], rule);
}

static void
add_translating (Rules *rules)
{
  for (guint i = 0; i < rules->subnets->len; i++) {
    const Subnet *subnet = &g_array_index (rules->subnets, Subnet, i);

    if (!subnet->is_translated)
      continue;
    if (subnet->first.family == IP_V4) {
      add_untranslated (rules, subnet, MULTICAST_V4, MULTICAST_V4_BITS);
      add_untranslated (rules, subnet, BROADCAST_V4, 32);
    } else
      add_untranslated (rules, subnet, MULTICAST_V6, MULTICAST_V6_BITS);
    for (guint w = 0; w < way_count (rules->def); w++) {
      add_translation (rules, subnet, way (rules->def, w), TRUE);
      add_translation (rules, subnet, way (rules->def, w), FALSE);
    }
  }
}

static gboolean
refuse_name (const char *what, const char *name, GError **error)
{
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "'%s' cannot be the name of the %s: letters, digits and '_', '.', ':', '-' can, at most %d",
                  name != NULL ? name : "", what, LINK_NAME_BYTES);
  return FALSE;
}

static gboolean
check_names (const NetworkDef *def, GError **error)
{
  if (!network_link_name_is_plain (def->bridge))
    return refuse_name ("bridge", def->bridge, error);
  for (guint w = 0; is_outgoing (def) && w < way_count (def); w++)
    if (way (def, w) != NULL && !network_link_name_is_plain (way (def, w)))
      return refuse_name ("interface to forward to", way (def, w), error);
  return TRUE;
}

static gboolean
check_range (const NetworkForward *forward, GError **error)
{
  IpAddress start, end;

  if (forward->nat_address_start == NULL)
    return TRUE;
  if (ip_address_parse (forward->nat_address_start, &start) && start.family == IP_V4
      && (forward->nat_address_end == NULL
          || (ip_address_parse (forward->nat_address_end, &end) && ip_address_compare (&start, &end) <= 0
              && end.family == IP_V4)))
    return TRUE;
  virt_error_set (error, VIR_ERR_XML_ERROR, "'%s' to '%s' is no range of IPv4 addresses to translate to",
                  forward->nat_address_start,
                  forward->nat_address_end != NULL ? forward->nat_address_end : "");
  return FALSE;
}

static gboolean
find_subnets (const NetworkDef *def, GArray *subnets, GError **error)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    Subnet subnet = { .prefix = 0 };
    IpAddress address;

    if (!network_ip_address (g_ptr_array_index (def->ips, i), &address, &subnet.prefix)) {
      virt_error_set (error, VIR_ERR_XML_ERROR, "network '%s' has an <ip> without an address", def->name);
      return FALSE;
    }
    ip_network_first (&address, subnet.prefix, &subnet.first);
    ip_address_format (&subnet.first, subnet.text);
    subnet.protocol = address.family == IP_V6 ? "ip6" : "ip";
    subnet.is_translated = def->forward.mode == NETWORK_FORWARD_NAT
                           && (address.family == IP_V4 || def->forward.nat_ipv6 == TRISTATE_YES);
    g_array_append_val (subnets, subnet);
  }
  return TRUE;
}

JsonArray *
network_firewall_add (const NetworkDef *def, GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GArray) subnets = g_array_new (FALSE, FALSE, sizeof (Subnet));
  Rules rules = { commands, def, subnets, { NULL } };

  if (!check_names (def, error) || !check_range (&def->forward, error) || !find_subnets (def, subnets, error))
    return NULL;
  add_frame (commands);
  for (guint i = 0; i < DIRECTIONS; i++) {
    rules.chains[i] = chain_name (&directions[i], def->bridge);
    add_named (commands, "add", "chain", rules.chains[i]);
    add_named (commands, "flush", "chain", rules.chains[i]);
  }
  add_leaving (&rules);
  add_arriving (&rules);
  add_translating (&rules);
  for (guint i = 0; i < DIRECTIONS; i++) {
    add_element (commands, "add", &directions[i], def->bridge, rules.chains[i]);
    g_free (rules.chains[i]);
  }
  return g_steal_pointer (&commands);
}

/* It is made first, so that it can be deleted whether it was there or not. */
JsonArray *
network_firewall_remove (const char *bridge, GError **error)
{
  g_autoptr (JsonArray) commands = json_array_new ();

  if (!network_link_name_is_plain (bridge)) {
    refuse_name ("bridge", bridge, error);
    return NULL;
  }
  add_frame (commands);
  for (guint i = 0; i < DIRECTIONS; i++) {
    g_autofree char *chain = chain_name (&directions[i], bridge);

    add_named (commands, "add", "chain", chain);
    add_element (commands, "add", &directions[i], bridge, chain);
    add_element (commands, "delete", &directions[i], bridge, NULL);
    add_named (commands, "flush", "chain", chain);
    add_named (commands, "delete", "chain", chain);
  }
  return g_steal_pointer (&commands);
}

struct NetworkFirewallState {
  GHashTable *rules;   /* name of a chain → how many it has */
  GHashTable *bridges; /* "MAP BRIDGE": where a map leads on from that bridge */
};

static void
note_map (NetworkFirewallState *state, JsonObject *map)
{
  JsonArray *elements = untrusted_list (map, "elem");
  const char *name = untrusted_text (map, "name");

  for (guint i = 0; elements != NULL && name != NULL && i < json_array_get_length (elements); i++) {
    JsonArray *pair = untrusted_list_of (json_array_get_element (elements, i));
    const char *bridge = pair != NULL && json_array_get_length (pair) == 2
                             ? untrusted_text_of (json_array_get_element (pair, 0))
                             : NULL;

    if (bridge != NULL)
      g_hash_table_add (state->bridges, g_strdup_printf ("%s %s", name, bridge));
  }
}

static guint
count_rules (const NetworkFirewallState *state, const char *chain)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (state->rules, chain));
}

NetworkFirewallState *
network_firewall_state_new (JsonArray *objects)
{
  NetworkFirewallState *state = g_new0 (NetworkFirewallState, 1);

  state->rules = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  state->bridges = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < json_array_get_length (objects); i++) {
    JsonObject *object = untrusted_object_of (json_array_get_element (objects, i));
    JsonObject *rule = untrusted_object (object, "rule"), *map = untrusted_object (object, "map");
    const char *chain = rule != NULL ? untrusted_text (rule, "chain") : NULL;

    if (chain != NULL)
      g_hash_table_replace (state->rules, g_strdup (chain),
                            GUINT_TO_POINTER (count_rules (state, chain) + 1));
    if (map != NULL)
      note_map (state, map);
  }
  return state;
}

void
network_firewall_state_free (NetworkFirewallState *state)
{
  if (state == NULL)
    return;
  g_hash_table_unref (state->rules);
  g_hash_table_unref (state->bridges);
  g_free (state);
}

/* Of the commands of one network, those that add a rule to @chain. */
static guint
count_wanted (JsonArray *commands, const char *chain)
{
  guint wanted = 0;

  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *command = untrusted_object (json_array_get_object_element (commands, i), "add");
    JsonObject *rule = untrusted_object (command, "rule");

    wanted += rule != NULL && g_strcmp0 (untrusted_text (rule, "chain"), chain) == 0;
  }
  return wanted;
}

gboolean
network_firewall_is_whole (const NetworkFirewallState *state, const NetworkDef *def)
{
  g_autoptr (JsonArray) commands = network_firewall_add (def, NULL);
  gboolean is_whole = commands != NULL;

  for (guint i = 0; is_whole && i < DIRECTIONS; i++) {
    g_autofree char *chain = chain_name (&directions[i], def->bridge);
    g_autofree char *element = g_strdup_printf ("%s %s", directions[i].map, def->bridge);

    is_whole = g_hash_table_contains (state->bridges, element)
               && count_rules (state, chain) == count_wanted (commands, chain)
               && count_rules (state, directions[i].hook_chain) > 0;
  }
  return is_whole;
}

gboolean
network_firewall_is_idle (const NetworkFirewallState *state)
{
  return g_hash_table_size (state->bridges) == 0;
}
