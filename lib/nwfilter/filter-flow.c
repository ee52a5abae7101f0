/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libvirt gives these rules to iptables, with the state that the kernel's connection tracking knows. In a
 * bridge that takes nf_conntrack_bridge, which many kernels lack, or br_netfilter, which drags the traffic of
 * all bridges through the host's own filters. So each device has a memory of its own, on every kernel the
 * same: sets of who spoke to whom, one of what passed from the machine and one of what passed to it, written
 * by "track" chains behind all rules and forgotten when nobody speaks any more. A reply is what flows against
 * something in the other set; what is in none is new.
 *
 * A key is written from the machine's view (its address and port first), so that it is the same for both
 * directions. Protocols without ports have sets of pairs of addresses.
 */
#include "nwfilter/filter-flow.h"

#include "nwfilter/filter-match.h"
#include "nwfilter/filter-table.h"

#define FLOW_MAX     65536      /* of one set of one device: a flood fills its own memory, and no more */
#define FLOW_SECONDS (2 * 3600) /* of silence, until a flow is forgotten */

typedef enum { ASK_NOTHING, ASK_REPLY, ASK_NEW, ASK_RELATED } Ask;

/* Sets by number: bit 0: pairs; bit 1: IPv6; bit 2: of what passed to the machine. */
#define SET_PAIRS    1
#define SET_IPV6     2
#define SET_RECEIVED 4

static const int port_protocols[] = { 6, 17, 132, 136 };
static const int icmp_errors[] = { 3, 11, 12 }, icmpv6_errors[] = { 1, 2, 3, 4 };

char *
filter_flow_set (const char *port, guint number)
{
  return g_strdup_printf ("%s/%s%s%s", port, (number & SET_RECEIVED) != 0 ? "received" : "sent",
                          (number & SET_IPV6) != 0 ? "-ipv6" : "", (number & SET_PAIRS) != 0 ? "-pairs" : "");
}

void
filter_flow_declare (guint number, JsonObject *set)
{
  const char *address = (number & SET_IPV6) != 0 ? "ipv6_addr" : "ipv4_addr";
  gboolean pairs = (number & SET_PAIRS) != 0;
  JsonArray *types = json_array_new (), *flags = json_array_new ();

  json_array_add_string_element (types, "inet_proto");
  for (guint i = 0; i < 2; i++) {
    json_array_add_string_element (types, address);
    if (!pairs)
      json_array_add_string_element (types, "inet_service");
  }
  json_object_set_array_member (set, "type", types);
  json_array_add_string_element (flags, "timeout");
  json_object_set_array_member (set, "flags", flags);
  json_object_set_int_member (set, "timeout", FLOW_SECONDS);
  json_object_set_int_member (set, "size", FLOW_MAX);
}

/* Who speaks to whom in a packet @from the machine, or to it. */
static JsonNode *
flow_key (gboolean from, guint set)
{
  const char *protocol = (set & SET_IPV6) != 0 ? "ip6" : "ip";
  JsonArray *parts = json_array_new ();
  JsonObject *key = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), key);

  json_array_add_element (parts, filter_meta ("l4proto"));
  for (guint i = 0; i < 2; i++) {
    gboolean source = (i == 0) == from;

    json_array_add_element (parts, filter_payload (protocol, source ? "saddr" : "daddr"));
    if ((set & SET_PAIRS) == 0)
      json_array_add_element (parts, filter_payload ("th", source ? "sport" : "dport"));
  }
  json_object_set_array_member (key, "concat", parts);
  json_object_unref (key);
  return node;
}

static void
add_update (JsonArray *expressions, const char *port, gboolean from, guint set)
{
  g_autofree char *name = filter_flow_set (port, set), *reference = g_strconcat ("@", name, NULL);
  JsonObject *update = json_object_new (), *statement = json_object_new ();

  json_object_set_string_member (update, "op", "update");
  json_object_set_member (update, "elem", flow_key (from, set));
  json_object_set_string_member (update, "set", reference);
  json_object_set_object_member (statement, "set", update);
  json_array_add_object_element (expressions, statement);
}

static JsonNode *
numbers_node (const int *numbers, guint count)
{
  JsonArray *array = json_array_new ();
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  for (guint i = 0; i < count; i++)
    json_array_add_int_element (array, numbers[i]);
  json_object_set_array_member (object, "set", array);
  json_object_unref (object);
  return node;
}

static void
add_ports_match (JsonArray *expressions, gboolean pairs)
{
  filter_add_match (expressions, pairs ? "!=" : "==", filter_meta ("l4proto"),
                    numbers_node (port_protocols, G_N_ELEMENTS (port_protocols)));
}

void
filter_flow_track (const char *port, gboolean from, JsonArray *commands)
{
  g_autofree char *chain = g_strconcat (port, from ? "/track-from" : "/track-to", NULL);

  for (guint set = 0; set < SET_RECEIVED; set++) {
    JsonArray *expressions = filter_table_add_rule (commands, chain);

    filter_add_ether_type (expressions, (set & SET_IPV6) != 0 ? 0x86dd : 0x0800);
    add_ports_match (expressions, (set & SET_PAIRS) != 0);
    add_update (expressions, port, from, from ? set : set | SET_RECEIVED);
  }
}

/* The rules. */

static gboolean
has_ports (const FilterProtocol *protocol)
{
  for (guint i = 0; i < G_N_ELEMENTS (port_protocols); i++)
    if (port_protocols[i] == protocol->number)
      return TRUE;
  return FALSE;
}

static void
add_ask (const FilterRuleInstance *rule, const FilterFlowTarget *target, gboolean from, Ask ask,
         gboolean pairs, JsonArray *expressions)
{
  gboolean v6 = rule->protocol->layer == FILTER_LAYER_IPV6;
  guint set = (pairs ? SET_PAIRS : 0) | (v6 ? SET_IPV6 : 0) | (from ? SET_RECEIVED : 0);
  g_autofree char *name = filter_flow_set (target->port, set), *reference = g_strconcat ("@", name, NULL);

  if (ask == ASK_RELATED) {
    filter_add_match (expressions, "==", filter_meta ("l4proto"), filter_integer (v6 ? 58 : 1));
    filter_add_match (expressions, "==", filter_payload (v6 ? "icmpv6" : "icmp", "type"),
                      v6 ? numbers_node (icmpv6_errors, G_N_ELEMENTS (icmpv6_errors))
                         : numbers_node (icmp_errors, G_N_ELEMENTS (icmp_errors)));
    return;
  }
  if (ask == ASK_NOTHING)
    return;
  if (rule->protocol->number < 0)
    add_ports_match (expressions, pairs);
  filter_add_match (expressions, ask == ASK_REPLY ? "==" : "!=", flow_key (from, set),
                    filter_text (reference));
}

static void
add_connlimit (const FilterRuleInstance *rule, JsonArray *expressions)
{
  const FilterValue *limit = filter_rule_instance_value (rule, FILTER_CONNLIMIT);
  JsonObject *count, *object;

  if (limit == NULL)
    return;
  count = json_object_new ();
  object = json_object_new ();
  json_object_set_int_member (count, "val", (gint64)limit->number);
  if (!rule->negated)
    json_object_set_boolean_member (count, "inv", TRUE); /* "over" */
  json_object_set_object_member (object, "ct count", count);
  json_array_add_object_element (expressions, object);
}

static gboolean
add_rule (const FilterRuleInstance *rule, const FilterFlowTarget *target, gboolean from, gboolean reversed,
          Ask ask, gboolean pairs, GError **error)
{
  g_autofree char *chain = g_strconcat (target->port, from ? "/flow-from" : "/flow-to", NULL);
  g_autoptr (JsonArray) commands = json_array_new ();
  JsonArray *expressions = filter_table_add_rule (commands, chain);

  switch (filter_match (rule, reversed, NULL, expressions, error)) {
    case FILTER_TOO_MUCH:
      return FALSE;
    case FILTER_NEVER:
      return TRUE;
    default:
      break;
  }
  add_ask (rule, target, from, ask, pairs, expressions);
  add_connlimit (rule, expressions);
  filter_add_action (expressions, rule->action == FILTER_RETURN ? FILTER_ACCEPT : rule->action,
                     from && (target->flags & FILTER_TABLE_REJECT) != 0);
  filter_rule_comment (commands, rule);
  json_array_add_element (from ? target->from : target->to,
                          json_node_copy (json_array_get_element (commands, 0)));
  return TRUE;
}

/* A protocol that is any has two kinds of key. */
static gboolean
add_asking (const FilterRuleInstance *rule, const FilterFlowTarget *target, gboolean from, gboolean reversed,
            Ask ask, gboolean *ret_tracked, GError **error)
{
  gboolean both = rule->protocol->number < 0 && (ask == ASK_REPLY || ask == ASK_NEW);

  *ret_tracked |= ask == ASK_REPLY || ask == ASK_NEW;
  if (!both)
    return add_rule (rule, target, from, reversed, ask, !has_ports (rule->protocol), error);
  return add_rule (rule, target, from, reversed, ask, FALSE, error)
         && add_rule (rule, target, from, reversed, ask, TRUE, error);
}

/* A rule that says which states it is of: each is a rule of its own. What the kernel's tracking calls
 * invalid, this memory does not know. */
static gboolean
add_states (const FilterRuleInstance *rule, guint64 states, const FilterFlowTarget *target, gboolean from,
            gboolean reversed, gboolean *ret_tracked, GError **error)
{
  static const struct {
    FilterState state;
    Ask ask;
  } asks[] = { { FILTER_STATE_NEW, ASK_NEW },
               { FILTER_STATE_ESTABLISHED, ASK_REPLY },
               { FILTER_STATE_RELATED, ASK_RELATED } };
  const guint64 any = FILTER_STATE_NEW | FILTER_STATE_ESTABLISHED;
  gboolean may_be_icmp =
      rule->protocol->number < 0 || rule->protocol->number == 1 || rule->protocol->number == 58;

  if ((states & any) == any || states == FILTER_STATE_NONE)
    return add_asking (rule, target, from, reversed, ASK_NOTHING, ret_tracked, error);
  for (guint i = 0; i < G_N_ELEMENTS (asks); i++)
    if ((states & asks[i].state) != 0 && (asks[i].ask != ASK_RELATED || may_be_icmp)
        && !add_asking (rule, target, from, reversed, asks[i].ask, ret_tracked, error))
      return FALSE;
  return TRUE;
}

/*
 * One rule in one direction. As libvirt has it: what is accepted in one direction lets replies pass in the
 * other, unless it is both or says that states do not matter; what is dropped is dropped in both; what says
 * its states is of its own direction alone, as are limits of connections and types of ICMP.
 */
static gboolean
add_direction (const FilterRuleInstance *rule, const FilterFlowTarget *target, gboolean from,
               gboolean *ret_tracked, GError **error)
{
  const FilterValue *state = rule->stateless ? NULL : filter_rule_instance_value (rule, FILTER_STATE);
  gboolean both = rule->direction == FILTER_INOUT;
  gboolean own = both || (rule->direction == FILTER_OUT) == from;
  gboolean reversed = from ? rule->direction != FILTER_OUT : rule->direction == FILTER_OUT;
  gboolean limited = filter_rule_instance_value (rule, FILTER_CONNLIMIT) != NULL;
  gboolean typed = filter_rule_instance_value (rule, FILTER_ICMP_TYPE) != NULL;

  if ((!own && (typed || (state != NULL && state->number != 0))) || (limited && reversed))
    return TRUE;
  if (state != NULL && state->number != 0)
    return add_states (rule, state->number, target, from, reversed, ret_tracked, error);
  return add_asking (rule, target, from, reversed,
                     own || rule->stateless || rule->action != FILTER_ACCEPT ? ASK_NOTHING : ASK_REPLY,
                     ret_tracked, error);
}

gboolean
filter_flow_rules (const FilterInstance *instance, const FilterFlowTarget *target, gboolean *ret_tracked,
                   GError **error)
{
  *ret_tracked = FALSE;
  for (guint i = 0; i < instance->rules->len; i++) {
    const FilterRuleInstance *rule = g_ptr_array_index (instance->rules, i);

    if (rule->protocol == NULL || rule->protocol->layer == FILTER_LAYER_LINK)
      continue;
    if (!add_direction (rule, target, TRUE, ret_tracked, error)
        || !add_direction (rule, target, FALSE, ret_tracked, error))
      return FALSE;
  }
  return TRUE;
}
