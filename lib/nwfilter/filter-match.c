/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * One row says of each attribute where in a packet it is and, if it is the lower end of a range or has a
 * mask, which attribute says the rest. Addresses of IP are asked by name; all else by the place of its bits,
 * which needs no knowledge of nft's about what may stand in what (a RARP packet is none of its protocols).
 * What is negated is negated by each part, as ebtables and iptables do, not as a whole.
 */
#include "nwfilter/filter-match.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define ETHER_ARP        0x0806
#define ARP_MAC_LENGTH   6
#define ARP_IP_LENGTH    4
#define ARP_LENGTHS      32 /* bit; of both lengths */
#define TCP_FLAGS_OFFSET 104
#define TCP_FLAGS_MASK   0x3f
#define BITS             8
#define LLC_BITS         24
#define LLC_STP          0x424203
#define NO_ATTRIBUTE     FILTER_ATTRIBUTES

JsonNode *
filter_integer (gint64 number)
{
  return json_node_init_int (json_node_alloc (), number);
}

JsonNode *
filter_text (const char *text)
{
  return json_node_init_string (json_node_alloc (), text);
}

static JsonNode *
object_node (const char *name, JsonNode *value)
{
  JsonObject *object = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), object);

  json_object_set_member (object, name, value);
  json_object_unref (object);
  return node;
}

JsonNode *
filter_payload (const char *protocol, const char *field)
{
  JsonObject *payload = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), payload);

  json_object_set_string_member (payload, "protocol", protocol);
  json_object_set_string_member (payload, "field", field);
  json_object_unref (payload);
  return object_node ("payload", node);
}

JsonNode *
filter_raw (const char *base, guint offset, guint length)
{
  JsonObject *payload = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), payload);

  json_object_set_string_member (payload, "base", base);
  json_object_set_int_member (payload, "offset", offset);
  json_object_set_int_member (payload, "len", length);
  json_object_unref (payload);
  return object_node ("payload", node);
}

JsonNode *
filter_meta (const char *key)
{
  return object_node ("meta", object_node ("key", filter_text (key)));
}

JsonNode *
filter_pair (const char *name, JsonNode *first, JsonNode *second)
{
  JsonArray *pair = json_array_new ();
  JsonNode *node = json_node_init_array (json_node_alloc (), pair);

  json_array_add_element (pair, first);
  json_array_add_element (pair, second);
  json_array_unref (pair);
  return object_node (name, node);
}

void
filter_add_match (JsonArray *expressions, const char *operator, JsonNode * left, JsonNode *right)
{
  JsonObject *match = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), match);

  json_object_set_string_member (match, "op", operator);
  json_object_set_member (match, "left", left);
  json_object_set_member (match, "right", right);
  json_object_unref (match);
  json_array_add_element (expressions, object_node ("match", node));
}

void
filter_add_ether_type (JsonArray *expressions, int type)
{
  filter_add_match (expressions, "==", filter_payload ("ether", "type"), filter_integer (type));
}

/* Where an attribute is. */

typedef enum { PLACE_FIELD, PLACE_META, PLACE_LINK, PLACE_NETWORK, PLACE_TRANSPORT } PlaceBase;

typedef struct {
  FilterAttributeId id, reversed; /* @reversed: which one is asked here when the packet flows the other way */
  FilterAttributeId rest;         /* the upper end, or the mask; NO_ATTRIBUTE: none */
  PlaceBase base;
  guint offset, length;     /* bits */
  const char *name, *name6; /* of fields: PROTOCOL FIELD */
} Place;

static const Place places[] = {
  { FILTER_SRC_MAC, FILTER_DST_MAC, FILTER_SRC_MAC_MASK, PLACE_LINK, 48, 48, NULL, NULL },
  { FILTER_DST_MAC, FILTER_SRC_MAC, FILTER_DST_MAC_MASK, PLACE_LINK, 0, 48, NULL, NULL },
  { FILTER_STP_TYPE, FILTER_STP_TYPE, NO_ATTRIBUTE, PLACE_NETWORK, 48, 8, NULL, NULL },
  { FILTER_STP_FLAGS, FILTER_STP_FLAGS, NO_ATTRIBUTE, PLACE_NETWORK, 56, 8, NULL, NULL },
  { FILTER_STP_ROOT_PRIORITY, FILTER_STP_ROOT_PRIORITY, FILTER_STP_ROOT_PRIORITY_HI, PLACE_NETWORK, 64, 16,
    NULL, NULL },
  { FILTER_STP_ROOT_ADDRESS, FILTER_STP_ROOT_ADDRESS, FILTER_STP_ROOT_ADDRESS_MASK, PLACE_NETWORK, 80, 48,
    NULL, NULL },
  { FILTER_STP_ROOT_COST, FILTER_STP_ROOT_COST, FILTER_STP_ROOT_COST_HI, PLACE_NETWORK, 128, 32, NULL, NULL },
  { FILTER_STP_SENDER_PRIORITY, FILTER_STP_SENDER_PRIORITY, FILTER_STP_SENDER_PRIORITY_HI, PLACE_NETWORK, 160,
    16, NULL, NULL },
  { FILTER_STP_SENDER_ADDRESS, FILTER_STP_SENDER_ADDRESS, FILTER_STP_SENDER_ADDRESS_MASK, PLACE_NETWORK, 176,
    48, NULL, NULL },
  { FILTER_STP_PORT, FILTER_STP_PORT, FILTER_STP_PORT_HI, PLACE_NETWORK, 224, 16, NULL, NULL },
  { FILTER_STP_AGE, FILTER_STP_AGE, FILTER_STP_AGE_HI, PLACE_NETWORK, 240, 16, NULL, NULL },
  { FILTER_STP_MAX_AGE, FILTER_STP_MAX_AGE, FILTER_STP_MAX_AGE_HI, PLACE_NETWORK, 256, 16, NULL, NULL },
  { FILTER_STP_HELLO_TIME, FILTER_STP_HELLO_TIME, FILTER_STP_HELLO_TIME_HI, PLACE_NETWORK, 272, 16, NULL,
    NULL },
  { FILTER_STP_FORWARD_DELAY, FILTER_STP_FORWARD_DELAY, FILTER_STP_FORWARD_DELAY_HI, PLACE_NETWORK, 288, 16,
    NULL, NULL },
  { FILTER_ARP_HARDWARE, FILTER_ARP_HARDWARE, NO_ATTRIBUTE, PLACE_NETWORK, 0, 16, NULL, NULL },
  { FILTER_ARP_PROTOCOL, FILTER_ARP_PROTOCOL, NO_ATTRIBUTE, PLACE_NETWORK, 16, 16, NULL, NULL },
  { FILTER_ARP_OPCODE, FILTER_ARP_OPCODE, NO_ATTRIBUTE, PLACE_NETWORK, 48, 16, NULL, NULL },
  { FILTER_ARP_SRC_MAC, FILTER_ARP_DST_MAC, NO_ATTRIBUTE, PLACE_NETWORK, 64, 48, NULL, NULL },
  { FILTER_ARP_SRC_IP, FILTER_ARP_DST_IP, FILTER_ARP_SRC_IP_MASK, PLACE_NETWORK, 112, 32, NULL, NULL },
  { FILTER_ARP_DST_MAC, FILTER_ARP_SRC_MAC, NO_ATTRIBUTE, PLACE_NETWORK, 144, 48, NULL, NULL },
  { FILTER_ARP_DST_IP, FILTER_ARP_SRC_IP, FILTER_ARP_DST_IP_MASK, PLACE_NETWORK, 192, 32, NULL, NULL },
  { FILTER_SRC_IP, FILTER_DST_IP, FILTER_SRC_IP_MASK, PLACE_FIELD, 0, 0, "saddr", "saddr" },
  { FILTER_DST_IP, FILTER_SRC_IP, FILTER_DST_IP_MASK, PLACE_FIELD, 0, 0, "daddr", "daddr" },
  { FILTER_SRC_IP_FROM, FILTER_DST_IP_FROM, FILTER_SRC_IP_TO, PLACE_FIELD, 0, 0, "saddr", "saddr" },
  { FILTER_DST_IP_FROM, FILTER_SRC_IP_FROM, FILTER_DST_IP_TO, PLACE_FIELD, 0, 0, "daddr", "daddr" },
  { FILTER_DSCP, FILTER_DSCP, NO_ATTRIBUTE, PLACE_FIELD, 0, 0, "dscp", "dscp" },
  { FILTER_IP_PROTOCOL, FILTER_IP_PROTOCOL, NO_ATTRIBUTE, PLACE_META, 0, 0, "l4proto", NULL },
  { FILTER_SRC_PORT, FILTER_DST_PORT, FILTER_SRC_PORT_END, PLACE_TRANSPORT, 0, 16, NULL, NULL },
  { FILTER_DST_PORT, FILTER_SRC_PORT, FILTER_DST_PORT_END, PLACE_TRANSPORT, 16, 16, NULL, NULL },
  { FILTER_ICMP_TYPE, FILTER_ICMP_TYPE, FILTER_ICMP_TYPE_END, PLACE_TRANSPORT, 0, 8, NULL, NULL },
  { FILTER_ICMP_CODE, FILTER_ICMP_CODE, FILTER_ICMP_CODE_END, PLACE_TRANSPORT, 8, 8, NULL, NULL },
};

static const Place *
place_of (FilterAttributeId id)
{
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (places[i].id == id)
      return &places[i];
  return NULL;
}

/* The row whose place is asked for what @place's attribute says of a packet that flows the other way. */
static const Place *
asked_place (const Place *place, gboolean reversed)
{
  return reversed ? place_of (place->reversed) : place;
}

static gboolean
is_ipv6 (const FilterValue *value)
{
  return value->attribute->type == FILTER_TYPE_IPV6;
}

static JsonNode *
place_node (const FilterRuleInstance *rule, const Place *place)
{
  static const char *const bases[] = {
    [PLACE_LINK] = "ll", [PLACE_NETWORK] = "nh", [PLACE_TRANSPORT] = "th"
  };
  gboolean v6 = rule->protocol->layer == FILTER_LAYER_IPV6 || g_str_equal (rule->protocol->name, "ipv6");

  if (place->base == PLACE_META)
    return filter_meta (place->name);
  if (place->base == PLACE_FIELD)
    return filter_payload (v6 ? "ip6" : "ip", v6 ? place->name6 : place->name);
  return filter_raw (bases[place->base], place->offset, place->length);
}

/* The number that @count bytes are. */
static gint64
number_of (const guint8 *bytes, guint count)
{
  gint64 number = 0;

  for (guint i = 0; i < count; i++)
    number = number << BITS | bytes[i];
  return number;
}

static JsonNode *
address_node (const FilterValue *value, guint64 prefix)
{
  guint count = is_ipv6 (value) ? FILTER_IPV6_BYTES : FILTER_IPV4_BYTES;
  char text[INET6_ADDRSTRLEN];
  guint8 bytes[FILTER_IPV6_BYTES];
  JsonObject *object;
  JsonNode *node;

  memcpy (bytes, value->bytes, sizeof (bytes));
  for (guint bit = (guint)prefix; bit < count * BITS; bit++)
    bytes[bit / BITS] &= (guint8) ~(1 << (BITS - 1 - bit % BITS));
  inet_ntop (is_ipv6 (value) ? AF_INET6 : AF_INET, bytes, text, sizeof (text));
  if (prefix == count * BITS)
    return filter_text (text);
  object = json_object_new ();
  node = json_node_init_object (json_node_alloc (), object);
  json_object_set_string_member (object, "addr", text);
  json_object_set_int_member (object, "len", (gint64)prefix);
  json_object_unref (object);
  return object_node ("prefix", node);
}

/* An address that is asked as a number, with a mask of as many bits. */
static void
add_masked (JsonArray *expressions, const char *operator, JsonNode * left, guint length, gint64 number,
            gint64 mask)
{
  gint64 all = (gint64)((G_GUINT64_CONSTANT (1) << length) - 1);

  if ((mask & all) != all)
    left = filter_pair ("&", left, filter_integer (mask));
  filter_add_match (expressions, operator, left, filter_integer (number & mask));
}

static FilterMatch
match_address (const FilterRuleInstance *rule, const FilterValue *value, const Place *place,
               const FilterValue *rest, JsonArray *expressions)
{
  const char *operator= rule->negated ? "!=" : "==";
  gboolean is_range = place->id == FILTER_SRC_IP_FROM || place->id == FILTER_DST_IP_FROM;
  guint bits = (is_ipv6 (value) ? FILTER_IPV6_BYTES : FILTER_IPV4_BYTES) * BITS;
  guint64 prefix = rest != NULL && !is_range ? rest->number : bits;
  JsonNode *right;

  if (prefix == 0) /* every address */
    return rule->negated ? FILTER_NEVER : FILTER_MATCHES;
  if (is_range && rest != NULL && memcmp (value->bytes, rest->bytes, bits / BITS) > 0)
    return rule->negated ? FILTER_MATCHES : FILTER_NEVER;
  if (place->base == PLACE_NETWORK) { /* of ARP */
    gint64 mask = (gint64)((G_GUINT64_CONSTANT (0xffffffff) << (bits - prefix)) & 0xffffffff);

    add_masked (expressions, operator, place_node (rule, place), place->length,
                number_of (value->bytes, FILTER_IPV4_BYTES), mask);
    return FILTER_MATCHES;
  }
  right = is_range && rest != NULL && memcmp (value->bytes, rest->bytes, bits / BITS) != 0
              ? filter_pair ("range", address_node (value, bits), address_node (rest, bits))
              : address_node (value, prefix);
  filter_add_match (expressions, operator, place_node (rule, place), right);
  return FILTER_MATCHES;
}

static FilterMatch
match_number (const FilterRuleInstance *rule, const FilterValue *value, const Place *place,
              const FilterValue *rest, JsonArray *expressions)
{
  const char *operator= rule->negated ? "!=" : "==";

  if (rest != NULL && rest->number < value->number)
    return rule->negated ? FILTER_MATCHES : FILTER_NEVER;
  filter_add_match (expressions, operator, place_node (rule, place),
                    rest != NULL && rest->number > value->number
                        ? filter_pair ("range", filter_integer ((gint64)value->number),
                                       filter_integer ((gint64)rest->number))
                        : filter_integer ((gint64)value->number));
  return FILTER_MATCHES;
}

static FilterMatch
match_place (const FilterRuleInstance *rule, const FilterValue *value, const Place *place, gboolean reversed,
             JsonArray *expressions)
{
  const FilterValue *rest =
      place->rest != NO_ATTRIBUTE ? filter_rule_instance_value (rule, place->rest) : NULL;
  const Place *asked = asked_place (place, reversed);

  switch (value->attribute->type) {
    case FILTER_TYPE_MAC:
      add_masked (expressions, rule->negated ? "!=" : "==", place_node (rule, asked), asked->length,
                  number_of (value->bytes, MAC_BYTES),
                  rest != NULL ? number_of (rest->bytes, MAC_BYTES) : G_GINT64_CONSTANT (0xffffffffffff));
      return FILTER_MATCHES;
    case FILTER_TYPE_IPV4:
    case FILTER_TYPE_IPV6:
      return match_address (rule, value, asked, rest, expressions);
    default:
      return match_number (rule, value, asked, rest, expressions);
  }
}

/* What has no single place. */

static void
match_tcp_flags (const FilterRuleInstance *rule, const FilterValue *value, JsonArray *expressions)
{
  filter_add_match (expressions, rule->negated ? "!=" : "==",
                    filter_pair ("&", filter_raw ("th", TCP_FLAGS_OFFSET, BITS),
                                 filter_integer ((gint64)(value->number >> FILTER_TCP_MASK_SHIFT))),
                    filter_integer ((gint64)(value->number & TCP_FLAGS_MASK)));
}

static void
match_vlan (const FilterRuleInstance *rule, const FilterValue *value, JsonArray *expressions)
{
  filter_add_match (expressions, rule->negated ? "!=" : "==",
                    filter_payload ("vlan", value->attribute->id == FILTER_VLAN_ID ? "id" : "type"),
                    filter_integer ((gint64)value->number));
}

/* nf_tables compares no two fields: the sender's address is put into a set, the target's looked for in it,
 * and the address taken out again. */
static void
add_set_statement (JsonArray *expressions, const char *operation, const char *set)
{
  JsonObject *statement = json_object_new ();
  JsonNode *node = json_node_init_object (json_node_alloc (), statement);
  g_autofree char *reference = g_strconcat ("@", set, NULL);

  json_object_set_string_member (statement, "op", operation);
  json_object_set_member (statement, "elem", filter_payload ("arp", "saddr ip"));
  json_object_set_string_member (statement, "set", reference);
  json_object_unref (statement);
  json_array_add_element (expressions, object_node ("set", node));
}

static void
match_gratuitous (const FilterRuleInstance *rule, const char *set, JsonArray *expressions)
{
  g_autofree char *reference = g_strconcat ("@", set, NULL);

  add_set_statement (expressions, "update", set);
  filter_add_match (expressions, rule->negated ? "!=" : "==", filter_payload ("arp", "daddr ip"),
                    filter_text (reference));
  add_set_statement (expressions, "delete", set);
}

static FilterMatch
too_much (const FilterRuleInstance *rule, const FilterValue *value, const char *why, GError **error)
{
  virt_error_set_from (error, VIR_FROM_NWFILTER, VIR_ERR_CONFIG_UNSUPPORTED,
                       "a rule of <%s> with '%s' cannot be applied: %s", rule->protocol->name,
                       value->attribute->name, why);
  return FILTER_TOO_MUCH;
}

static FilterMatch
match_value (const FilterRuleInstance *rule, const FilterValue *value, gboolean reversed, const char *set,
             JsonArray *expressions, GError **error)
{
  const Place *place = place_of (value->attribute->id);

  if (place != NULL)
    return match_place (rule, value, place, reversed, expressions);
  switch (value->attribute->id) {
    case FILTER_ETHER_TYPE:
      if (rule->protocol->number >= 0)
        match_vlan (rule, value, expressions);
      else
        filter_add_match (expressions, rule->negated ? "!=" : "==", filter_payload ("ether", "type"),
                          filter_integer ((gint64)value->number));
      return FILTER_MATCHES;
    case FILTER_VLAN_ID:
      match_vlan (rule, value, expressions);
      return FILTER_MATCHES;
    case FILTER_TCP_FLAGS:
      match_tcp_flags (rule, value, expressions);
      return FILTER_MATCHES;
    case FILTER_ARP_GRATUITOUS:
      if (value->number == 0)
        return FILTER_MATCHES;
      if (rule->protocol->number != ETHER_ARP)
        return too_much (rule, value, "nf_tables cannot tell gratuitous RARP packets from others", error);
      match_gratuitous (rule, set, expressions);
      return FILTER_MATCHES;
    case FILTER_IPSET:
      return too_much (rule, value, "sets of ipset(8) are not in reach of nf_tables", error);
    default: /* a mask, an upper end, a comment, and what is said of states */
      return FILTER_MATCHES;
  }
}

static gboolean
asks_arp_addresses (const FilterRuleInstance *rule)
{
  for (FilterAttributeId id = FILTER_ARP_SRC_MAC; id <= FILTER_ARP_GRATUITOUS; id++)
    if (filter_rule_instance_value (rule, id) != NULL)
      return TRUE;
  return FALSE;
}

/* What the protocol itself asks, however the rule is negated. */
static void
match_protocol (const FilterRuleInstance *rule, JsonArray *expressions)
{
  const FilterProtocol *protocol = rule->protocol;

  if (protocol->layer != FILTER_LAYER_LINK) {
    filter_add_ether_type (expressions, protocol->layer == FILTER_LAYER_IPV6 ? 0x86dd : 0x0800);
    if (protocol->number >= 0)
      filter_add_match (expressions, "==", filter_meta ("l4proto"), filter_integer (protocol->number));
    return;
  }
  if (g_str_equal (protocol->name, "stp")) {
    filter_add_match (expressions, "==", filter_payload ("ether", "daddr"), filter_text (FILTER_STP_ADDRESS));
    filter_add_match (expressions, "==", filter_raw ("nh", 0, LLC_BITS), filter_integer (LLC_STP));
  } else if (protocol->number >= 0) {
    filter_add_ether_type (expressions, protocol->number);
  }
  if (asks_arp_addresses (rule))
    filter_add_match (expressions, "==", filter_raw ("nh", ARP_LENGTHS, 2 * BITS),
                      filter_integer (ARP_MAC_LENGTH << BITS | ARP_IP_LENGTH));
}

/* A frame's ports and ICMP types are there only in their protocols. */
static gboolean
asks_nothing (const FilterRuleInstance *rule, const FilterValue *value)
{
  const FilterValue *protocol = filter_rule_instance_value (rule, FILTER_IP_PROTOCOL);

  return rule->protocol->layer == FILTER_LAYER_LINK && value->attribute->id >= FILTER_ICMP_TYPE
         && value->attribute->id <= FILTER_ICMP_CODE_END
         && (protocol == NULL || protocol->number != IPPROTO_ICMPV6);
}

gboolean
filter_rule_needs_set (const FilterRuleInstance *rule)
{
  const FilterValue *gratuitous = filter_rule_instance_value (rule, FILTER_ARP_GRATUITOUS);

  return gratuitous != NULL && gratuitous->number != 0;
}

FilterMatch
filter_match (const FilterRuleInstance *rule, gboolean reversed, const char *set, JsonArray *expressions,
              GError **error)
{
  gboolean mac_left_out = FALSE;
  guint asked = 0;

  if (rule->protocol == NULL)
    return FILTER_MATCHES;
  match_protocol (rule, expressions);
  for (guint i = 0; i < rule->values->len; i++) {
    const FilterValue *value = g_ptr_array_index (rule->values, i);
    FilterMatch match;

    if (asks_nothing (rule, value))
      continue;
    if (reversed && rule->protocol->layer != FILTER_LAYER_LINK && value->attribute->id == FILTER_SRC_MAC) {
      mac_left_out = TRUE;
      continue;
    }
    asked += value->attribute->id != FILTER_COMMENT;
    match = match_value (rule, value, reversed, set, expressions, error);
    if (match != FILTER_MATCHES)
      return match;
  }
  /* Nobody knows what MAC address the answer of a flow comes from; and without it, the rule asks nothing. */
  return mac_left_out && asked == 0 ? FILTER_NEVER : FILTER_MATCHES;
}
