/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The rules of each kind of network, in short words, and what is found in the tables of others. */
#include "base/untrusted-json.h"
#include "network/firewall-check.h"
#include "network/network-firewall.h"

#include "network-harness.h"

#include <string.h>

/* The key or the value of an expression: "iifname", "saddr", "10.0.0.0/24", "tcp,udp". */
static void
say (GString *text, JsonNode *node)
{
  JsonObject *object = untrusted_object_of (node);
  JsonArray *list = untrusted_list_of (node);

  if (object != NULL && json_object_has_member (object, "addr") && json_object_has_member (object, "len"))
    g_string_append_printf (text, "%s/%d", untrusted_text (object, "addr"),
                            (int)json_object_get_int_member (object, "len"));
  else if (object != NULL && json_object_has_member (object, "field"))
    g_string_append_printf (text, "%s %s", untrusted_text (object, "protocol"),
                            untrusted_text (object, "field"));
  else if (object != NULL) {
    g_autoptr (GList) names = json_object_get_members (object);

    for (GList *name = names; name != NULL; name = name->next) {
      if (g_strcmp0 (name->data, "addr") == 0 || g_strcmp0 (name->data, "port") == 0)
        g_string_append (text, text->str[text->len - 1] == ' ' ? "" : ":");
      if (g_strcmp0 (name->data, "family") != 0)
        say (text, json_object_get_member (object, name->data));
    }
  } else if (list != NULL)
    for (guint i = 0; i < json_array_get_length (list); i++) {
      g_string_append (text, i > 0 ? "-" : "");
      say (text, json_array_get_element (list, i));
    }
  else if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64)
    g_string_append_printf (text, "%d", (int)json_node_get_int (node));
  else if (JSON_NODE_HOLDS_VALUE (node))
    g_string_append (text, json_node_get_string (node));
}

/* "iifname vb1, accept" */
static void
say_rule (GString *text, JsonObject *rule)
{
  JsonArray *statements = untrusted_list (rule, "expr");

  g_string_append (text, untrusted_text (rule, "chain"));
  for (guint i = 0; i < json_array_get_length (statements); i++) {
    JsonObject *statement = json_array_get_object_element (statements, i);
    JsonObject *match = untrusted_object (statement, "match");
    g_autoptr (GList) names = json_object_get_members (statement);

    if (match != NULL) {
      g_string_append (text, i > 0 ? ", " : ": ");
      say (text, json_object_get_member (match, "left"));
      g_string_append (text, strcmp (untrusted_text (match, "op"), "!=") == 0 ? " != " : " ");
      say (text, json_object_get_member (match, "right"));
    } else if (strcmp (names->data, "counter") != 0) {
      g_string_append_printf (text, ": %s ", (char *)names->data);
      if (strcmp (names->data, "reject") != 0)
        say (text, json_object_get_member (statement, names->data));
    }
  }
  g_strchomp (text->str);
  text->len = strlen (text->str);
  g_string_append_c (text, '\n');
}

/* The rules of the network's own chains. */
static char *
rules_of (const char *inside)
{
  g_autoptr (NetworkDef) def = read_network (inside);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonArray) commands = network_firewall_add (def, &error);
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *rule =
        untrusted_object (untrusted_object (json_array_get_object_element (commands, i), "add"), "rule");

    if (rule != NULL && strstr (untrusted_text (rule, "chain"), "_vb1") != NULL)
      say_rule (text, rule);
  }
  return g_string_free (text, FALSE);
}

#define OWN_LEAVING  "leaving_vb1: oifname vb1: return\n"
#define OWN_ARRIVING "arriving_vb1: iifname vb1: accept\n"
#define LEAVE_END    "leaving_vb1: reject\n"
#define ARRIVE_END   "arriving_vb1: reject\n"
#define V4           "ip saddr 192.168.5.0/24"
#define UNTRANSLATED                                         \
  "translating_vb1: " V4 ", ip daddr 224.0.0.0/24: return\n" \
  "translating_vb1: " V4 ", ip daddr 255.255.255.255/32: return\n"

static void
each_mode_has_its_rules (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *inside, *rules;
  } rows[] = {
    { "<ip address='192.168.5.1' prefix='24'/>", OWN_LEAVING LEAVE_END OWN_ARRIVING ARRIVE_END },
    { NAT_IP, OWN_LEAVING
      "leaving_vb1: " V4 ": return\n" LEAVE_END OWN_ARRIVING
      "arriving_vb1: ip daddr 192.168.5.0/24, state established-related: accept\n" ARRIVE_END UNTRANSLATED
      "translating_vb1: " V4 ", ip daddr != 192.168.5.0/24, l4proto tcp-udp: masquerade 1024-65535\n"
      "translating_vb1: " V4 ", ip daddr != 192.168.5.0/24: masquerade\n" },
    { "<forward mode='nat' dev='eth7'><nat ipv6='yes'><address start='10.1.1.1' end='10.1.1.5'/>"
      "<port start='500' end='1000'/></nat></forward>"
      "<ip address='192.168.5.1' prefix='24'/><ip family='ipv6' address='fd00:5::1' prefix='64'/>",
      OWN_LEAVING
      "leaving_vb1: " V4 ", oifname eth7: return\n"
      "leaving_vb1: ip6 saddr fd00:5::/64, oifname eth7: return\n" LEAVE_END OWN_ARRIVING
      "arriving_vb1: ip daddr 192.168.5.0/24, iifname eth7, state established-related: accept\n"
      "arriving_vb1: ip6 daddr fd00:5::/64, iifname eth7, state established-related: accept\n" ARRIVE_END
          UNTRANSLATED "translating_vb1: " V4
      ", ip daddr != 192.168.5.0/24, oifname eth7, l4proto tcp-udp: snat "
      "10.1.1.1-10.1.1.5:500-1000\n"
      "translating_vb1: " V4 ", ip daddr != 192.168.5.0/24, oifname eth7: snat 10.1.1.1-10.1.1.5\n"
      "translating_vb1: ip6 saddr fd00:5::/64, ip6 daddr ff02::/16: return\n"
      "translating_vb1: ip6 saddr fd00:5::/64, ip6 daddr != fd00:5::/64, oifname eth7, l4proto tcp-udp: "
      "masquerade "
      "500-1000\n"
      "translating_vb1: ip6 saddr fd00:5::/64, ip6 daddr != fd00:5::/64, oifname eth7: masquerade\n" },
    { "<forward mode='route'/><ip address='192.168.5.1' prefix='24'/>",
      OWN_LEAVING "leaving_vb1: " V4 ": return\n" LEAVE_END OWN_ARRIVING
                  "arriving_vb1: ip daddr 192.168.5.0/24: accept\n" ARRIVE_END },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *rules = rules_of (rows[i].inside);

    assert_string_equal (rules, rows[i].rules);
  }
}

static void
names_that_nft_would_read_otherwise_are_refused (G_GNUC_UNUSED void **state)
{
  static const char *const names[] = {
    "@leaving", "vb*", "a b", "a/b", "a\"b", "", "sixteen-bytes-123", ".."
  };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (NetworkDef) def = read_network (NAT_IP), other = read_network (NAT_IP);

    g_free (def->bridge);
    def->bridge = g_strdup (names[i]);
    assert_null (network_firewall_add (def, NULL));
    assert_null (network_firewall_remove (names[i], NULL));
    other->forward.dev = g_strdup (names[i]);
    assert_null (network_firewall_add (other, NULL));
  }
}

static void
open_networks_and_those_of_the_host_have_none (G_GNUC_UNUSED void **state)
{
  g_autoptr (NetworkDef) nat = read_network (NAT_IP);
  g_autoptr (NetworkDef) open =
      read_network ("<forward mode='open'/><ip address='192.168.5.1' prefix='24'/>");

  assert_true (network_firewall_is_needed (nat));
  assert_false (network_firewall_is_needed (open));
}

#define CHAIN(table, name, hook, policy)                                   \
  "{\"chain\":{\"family\":\"ip\",\"table\":\"" table "\",\"name\":\"" name \
  "\",\"type\":\"filter\",\"hook\":\"" hook "\",\"prio\":0,\"policy\":\"" policy "\"}}"
#define RULE(table, chain, statements) \
  "{\"rule\":{\"family\":\"ip\",\"table\":\"" table "\",\"chain\":\"" chain "\",\"expr\":[" statements "]}}"

static void
what_drops_elsewhere_is_found_with_its_cure (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *objects, *found;
  } rows[] = {
    { "", "" },
    { CHAIN ("filter", "FORWARD", "forward", "accept"), "" },
    { CHAIN ("filter", "FORWARD", "forward", "drop"),
      "the table 'ip filter' drops what is forwarded by policy (chain 'FORWARD'), also of bridge 'vb1'\n"
      "nft 'insert rule ip filter FORWARD iifname \"vb1\" accept' && "
      "nft 'insert rule ip filter FORWARD oifname \"vb1\" accept'\n" },
    { CHAIN ("filter", "FORWARD", "forward",
             "drop") ",{\"chain\":{\"family\":\"ip\",\"table\":\"filter\",\"name\":\"DOCKER-USER\"}}",
      "the table 'ip filter' drops what is forwarded by policy (chain 'FORWARD'), also of bridge 'vb1'\n"
      "nft 'insert rule ip filter DOCKER-USER iifname \"vb1\" accept' && "
      "nft 'insert rule ip filter DOCKER-USER oifname \"vb1\" accept'\n" },
    { CHAIN ("filter", "FORWARD", "forward",
             "drop") "," RULE ("filter", "FORWARD",
                               "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"iifname\"}},"
                               "\"right\":\"vb1\"}},{\"accept\":null}"),
      "" },
    { CHAIN ("own", "in", "input", "accept") "," RULE ("own", "in", "{\"counter\":{}},{\"drop\":null}"),
      "the table 'ip own' stops what machines ask the host for (DHCP, DNS) by its last rule (chain 'in'), "
      "also of "
      "bridge 'vb1'\n"
      "nft 'insert rule ip own in iifname \"vb1\" udp dport { 53, 67, 547 } accept' && "
      "nft 'insert rule ip own in iifname \"vb1\" tcp dport 53 accept'\n" },
    { CHAIN ("firewalld", "f", "forward", "drop"),
      "the table 'ip firewalld' drops what is forwarded by policy (chain 'f'), also of bridge 'vb1'\n"
      "firewall-cmd --permanent --zone=trusted --change-interface=vb1 && firewall-cmd --reload\n" },
    { CHAIN ("x;reboot", "f", "forward", "drop"), "" },
    { "7,null,{\"chain\":3},{\"rule\":[]},{\"chain\":{}}", "" },
  };
  g_autoptr (NetworkDef) def = read_network (NAT_IP);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf ("{\"nftables\":[%s]}", rows[i].objects);
    g_autoptr (JsonObject) listing = untrusted_json_object (text, strlen (text));
    g_autoptr (GPtrArray) findings = firewall_check (untrusted_list (listing, "nftables"), def);
    g_autoptr (GString) found = g_string_new (NULL);

    for (guint f = 0; f < findings->len; f++) {
      const FirewallFinding *finding = g_ptr_array_index (findings, f);

      g_string_append_printf (found, "%s\n%s\n", finding->what, finding->cure);
    }
    assert_string_equal (found->str, rows[i].found);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (each_mode_has_its_rules),
    cmocka_unit_test (names_that_nft_would_read_otherwise_are_refused),
    cmocka_unit_test (open_networks_and_those_of_the_host_have_none),
    cmocka_unit_test (what_drops_elsewhere_is_found_with_its_cure),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
