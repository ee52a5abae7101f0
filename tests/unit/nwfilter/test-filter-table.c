/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What filters become for one device: references and variables resolved, chains in their order, and the JSON
 * that nf_tables gets. That the kernel takes it, and what it does, is shown by packets (tests/clients). */
#include "nwfilter/filter-learning.h"
#include "nwfilter/filter-packet.h"
#include "nwfilter/filter-table.h"

#include "cmocka-glib.h"

#include <string.h>

#define MAX_FILTERS 4
#define MAC         "52:54:00:00:00:0a"

typedef struct {
  FilterDef *defs[MAX_FILTERS];
  guint count;
} Filters;

static void
read_filter (Filters *filters, const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (GError) error = NULL;
  FilterDef *def = document_read (&filter_document, text, -1, DOCUMENT_LAX, diagnostics);

  diagnostics_check (diagnostics, &error);
  g_assert_no_error (error);
  filters->defs[filters->count++] = def;
}

static const FilterDef *
look_up (const char *name, gpointer data)
{
  const Filters *filters = data;

  for (guint i = 0; i < filters->count; i++)
    if (g_str_equal (filters->defs[i]->name, name))
      return filters->defs[i];
  return NULL;
}

static void
filters_clear (Filters *filters)
{
  for (guint i = 0; i < filters->count; i++)
    document_unref (&filter_document, filters->defs[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Filters, filters_clear)

/* Variables: name, value, ... NULL. */
static FilterInstance *
instantiate (Filters *filters, const char *const *variables, gboolean *needs_ip, GError **error)
{
  g_autoptr (GHashTable) table = filter_variables_new (NULL);

  for (; variables != NULL && variables[0] != NULL; variables += 2)
    filter_variables_add (table, variables[0], variables[1]);
  return filter_instantiate (filters->defs[0]->name, table, look_up, filters, needs_ip, error);
}

/* "CHAIN: RULE" for each rule of the device "vnet0"; a rule as JSON. (transfer full) */
static char *
rules_of (Filters *filters, const char *const *variables)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FilterInstance) instance = instantiate (filters, variables, NULL, &error);
  g_autoptr (JsonArray) commands = json_array_new ();
  g_autoptr (GPtrArray) traces = NULL;
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  assert_true (filter_table_set (commands, "vnet0", instance, 0, NULL, &traces, &error));
  for (guint i = 0; i < json_array_get_length (commands); i++) {
    JsonObject *add = json_object_get_object_member (json_array_get_object_element (commands, i), "add");
    JsonObject *rule =
        json_object_has_member (add, "rule") ? json_object_get_object_member (add, "rule") : NULL;
    g_autofree char *expressions =
        rule != NULL ? json_to_string (json_object_get_member (rule, "expr"), FALSE) : NULL;

    if (rule != NULL)
      g_string_append_printf (text, "%s: %s\n", json_object_get_string_member (rule, "chain"), expressions);
  }
  return g_string_free (text, FALSE);
}

/* What rules ask, as JSON without its ends. */
#define ETHER \
  "{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ether\",\"field\":\"type\"}},\"right\":"
#define IPV4  ETHER "2048}}"
#define ARP   ETHER "2054}}"
#define EQUAL ",{\"match\":{\"op\":\"==\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":"
#define OTHER ",{\"match\":{\"op\":\"!=\",\"left\":{\"payload\":{\"protocol\":\"ip\",\"field\":"
#define SADDR "\"saddr\"}},\"right\":"
#define DADDR "\"daddr\"}},\"right\":"
#define DROP  "}},{\"drop\":null}]\n"

static void
rules_are_in_chains_by_priority (G_GNUC_UNUSED void **state)
{
  g_auto (Filters) filters = { .count = 0 };
  g_autofree char *rules = NULL;

  read_filter (&filters,
               "<filter name='a'><rule action='drop' direction='out' priority='100'/><filterref filter='b'/>"
               "<filterref filter='c'/><rule action='accept' direction='out' priority='-600'/></filter>");
  read_filter (&filters, "<filter name='b' chain='arp'><rule action='return' direction='out'/></filter>");
  read_filter (&filters, "<filter name='c' chain='ipv4-x'><rule action='drop' direction='out' priority='9'/>"
                         "<rule action='continue' direction='out' priority='1'/></filter>");
  rules = rules_of (&filters, NULL);
  assert_string_equal (rules,
                       "vnet0/link-from/ipv4-x: [{\"continue\":null}]\n"
                       "vnet0/link-from/ipv4-x: [{\"drop\":null}]\n"
                       "vnet0/link-from/arp: [{\"return\":null}]\n"
                       "vnet0/link-from: [" IPV4 ",{\"jump\":{\"target\":\"vnet0/link-from/ipv4-x\"}}]\n"
                       "vnet0/link-from: [{\"accept\":null}]\n"
                       "vnet0/link-from: [" ARP ",{\"jump\":{\"target\":\"vnet0/link-from/arp\"}}]\n"
                       "vnet0/link-from: [{\"drop\":null}]\n");
}

static void
variables_become_rules (G_GNUC_UNUSED void **state)
{
  static const char *const values[] = { "A", "10.0.0.1", "A", "10.0.0.2", "M", "24", "M", "32", NULL };
  g_auto (Filters) filters = { .count = 0 };
  g_autofree char *rules = NULL;

  read_filter (&filters,
               "<filter name='a'><rule action='drop' direction='out'><ip srcipaddr='$A' srcipmask='$M'/>"
               "</rule></filter>");
  rules = rules_of (&filters, values);
  assert_string_equal (rules, "vnet0/link-from: [" IPV4 EQUAL SADDR
                              "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":24}}" DROP
                              "vnet0/link-from: [" IPV4 EQUAL SADDR "\"10.0.0.2\"" DROP);
}

static void
inner_references_are_overridden_from_outside (G_GNUC_UNUSED void **state)
{
  static const char *const values[] = { "A", "10.0.0.9", NULL };
  g_auto (Filters) filters = { .count = 0 };
  g_autofree char *rules = NULL;

  read_filter (&filters, "<filter name='a'><filterref filter='b'><parameter name='A' value='1.1.1.1'/>"
                         "<parameter name='B' value='10.0.0.0'/></filterref></filter>");
  read_filter (&filters, "<filter name='b'><rule action='drop' direction='in'><ip match='no' srcipaddr='$A' "
                         "dstipaddr='$B'/></rule></filter>");
  rules = rules_of (&filters, values);
  assert_string_equal (rules,
                       "vnet0/link-to: [" IPV4 OTHER SADDR "\"10.0.0.9\"}}" OTHER DADDR "\"10.0.0.0\"" DROP);
}

static void
what_cannot_be_resolved_is_told (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *rule;
    const char *variables[5];
    const char *words;
  } rows[] = {
    { "<rule action='drop' direction='in'><ip srcipaddr='$X' dstipaddr='$A[3]'/></rule>",
      { "A", "1.1.1.1", NULL },
      "unresolvable variables or unavailable list elements: A[3], X" },
    { "<rule action='drop' direction='in'><ip srcipaddr='$A'/></rule>",
      { "A", "nonsense", NULL },
      "variable 'A' is 'nonsense', which cannot be the srcipaddr of <ip>" },
    { "<rule action='drop' direction='in'><ip srcipaddr='$A' dstipaddr='$B'/></rule>",
      { "A", "1.1.1.1", NULL },
      "unavailable list elements: B" },
    { "<filterref filter='gone'/>", { NULL }, "referenced filter 'gone' is missing" },
    { "<filterref filter='a'/>", { NULL }, "refers to itself" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Filters) filters = { .count = 0 };
    g_autofree char *text = g_strdup_printf ("<filter name='a'>%s</filter>", rows[i].rule);
    g_autoptr (GError) error = NULL;

    read_filter (&filters, text);
    assert_null (instantiate (&filters, rows[i].variables, NULL, &error));
    assert_non_null (strstr (error->message, rows[i].words));
  }
}

static void
lists_in_step_are_of_one_length (G_GNUC_UNUSED void **state)
{
  static const char *const values[] = { "A", "1.1.1.1", "A", "2.2.2.2", "B", "3.3.3.3", NULL };
  g_auto (Filters) filters = { .count = 0 };
  g_autoptr (GError) error = NULL;

  read_filter (
      &filters,
      "<filter name='a'><rule action='drop' direction='in'><ip srcipaddr='$A' dstipaddr='$B'/></rule>"
      "</filter>");
  assert_null (instantiate (&filters, values, NULL, &error));
  assert_non_null (strstr (error->message, "Cardinality of list items must be the same"));
}

/* Documents of a few lines must not become rules without end. */
static void
expansion_is_bounded (G_GNUC_UNUSED void **state)
{
  g_auto (Filters) filters = { .count = 0 };
  g_autoptr (GHashTable) variables = filter_variables_new (NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 300; i++) {
    g_autofree char *value = g_strdup_printf ("10.0.%u.%u", i / 100, i % 100);

    filter_variables_add (variables, "A", value);
  }
  read_filter (
      &filters,
      "<filter name='a'><rule action='drop' direction='in'><all srcipaddr='$A[@1]' dstipaddr='$A[@2]' "
      "srcipfrom='$A[@3]' dstipfrom='$A[@4]'/></rule></filter>");
  assert_null (filter_instantiate ("a", variables, look_up, &filters, NULL, &error));
  assert_non_null (strstr (error->message, "more than 65536 rules"));
}

static void
loops_are_found (G_GNUC_UNUSED void **state)
{
  g_auto (Filters) filters = { .count = 0 };
  g_autoptr (GError) error = NULL;

  read_filter (&filters, "<filter name='a'><filterref filter='b'/></filter>");
  read_filter (&filters, "<filter name='b'><filterref filter='c'/></filter>");
  read_filter (&filters, "<filter name='c'/>");
  assert_true (filter_refers_to (filters.defs[0], "c", look_up, &filters));
  assert_false (filter_refers_to (filters.defs[1], "a", look_up, &filters));
  assert_true (filter_check_loop (filters.defs[0], look_up, &filters, &error));
  read_filter (&filters, "<filter name='c'><filterref filter='a'/></filter>");
  filters.defs[2]->name[0] = 'x';
  assert_false (filter_check_loop (filters.defs[0], look_up, &filters, &error));
  assert_int_equal (error->code, VIR_ERR_OPERATION_FAILED);
}

static void
what_nf_tables_cannot_ask_is_refused_by_name (G_GNUC_UNUSED void **state)
{
  static const char *const rows[][2] = {
    { "<all ipset='s' ipsetflags='src'/>", "a rule of <all> with 'ipset' cannot be applied" },
    { "<rarp gratuitous='yes'/>", "a rule of <rarp> with 'gratuitous' cannot be applied" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_auto (Filters) filters = { .count = 0 };
    g_autofree char *text = g_strdup_printf (
        "<filter name='a'><rule action='drop' direction='in'>%s</rule></filter>", rows[i][0]);
    g_autoptr (GError) error = NULL;
    g_autoptr (FilterInstance) instance = NULL;
    g_autoptr (JsonArray) commands = json_array_new ();
    FilterTraces *traces = NULL;

    read_filter (&filters, text);
    instance = instantiate (&filters, NULL, NULL, &error);
    g_assert_no_error (error);
    assert_false (filter_table_set (commands, "vnet0", instance, 0, NULL, &traces, &error));
    assert_int_equal (error->code, VIR_ERR_CONFIG_UNSUPPORTED);
    assert_non_null (strstr (error->message, rows[i][1]));
  }
}

/* What is replaced is taken out of the maps, emptied, and removed unless it stays. */
static void
a_device_leaves_nothing_of_its_old_filter (G_GNUC_UNUSED void **state)
{
  g_auto (Filters) filters = { .count = 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FilterInstance) instance = NULL;
  g_autoptr (JsonArray) commands = json_array_new (), removal = json_array_new ();
  g_autoptr (GPtrArray) old = g_ptr_array_new (), traces = NULL;
  g_autofree char *text = NULL;
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_ARRAY);

  g_ptr_array_add (old, (gpointer) "chain vnet0/link-from");
  g_ptr_array_add (old, (gpointer) "chain vnet0/link-from/arp");
  g_ptr_array_add (old, (gpointer) "map link-from");
  read_filter (&filters, "<filter name='a'><rule action='drop' direction='out'/></filter>");
  instance = instantiate (&filters, NULL, NULL, &error);
  assert_true (filter_table_set (commands, "vnet0", instance, 0, old, &traces, &error));
  assert_int_equal (traces->len, 2);
  filter_table_remove (removal, "vnet0", old);
  json_node_set_array (node, removal);
  text = json_to_string (node, FALSE);
  assert_string_equal (text, "[{\"delete\":{\"element\":{\"family\":\"bridge\",\"table\":\"domaind-"
                             "nwfilter\",\"name\":\"link-from\",\"elem\":"
                             "[[\"vnet0\",{\"goto\":{\"target\":\"vnet0/link-from\"}}]]}}},"
                             "{\"flush\":{\"chain\":{\"family\":\"bridge\",\"table\":\"domaind-nwfilter\","
                             "\"name\":\"vnet0/link-from\"}}},"
                             "{\"flush\":{\"chain\":{\"family\":\"bridge\",\"table\":\"domaind-nwfilter\","
                             "\"name\":\"vnet0/link-from/arp\"}}},"
                             "{\"delete\":{\"chain\":{\"family\":\"bridge\",\"table\":\"domaind-nwfilter\","
                             "\"name\":\"vnet0/link-from\"}}},"
                             "{\"delete\":{\"chain\":{\"family\":\"bridge\",\"table\":\"domaind-nwfilter\","
                             "\"name\":\"vnet0/link-from/arp\"}}}]");
}

static void
an_address_that_nobody_says_is_learnt (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *parameters[5];
    const char *addresses[2];
    int method; /* FilterLearnMethod; -1: an error */
  } rows[] = {
    { { NULL }, { NULL }, FILTER_LEARN_ANY },
    { { NULL }, { "10.0.0.1" }, FILTER_LEARN_NOTHING },
    { { "IP", "10.0.0.1" }, { NULL }, FILTER_LEARN_NOTHING },
    { { "CTRL_IP_LEARNING", "dhcp" }, { NULL }, FILTER_LEARN_DHCP },
    { { "CTRL_IP_LEARNING", "DHCP", "DHCPSERVER", "10.0.0.9" }, { "10.0.0.1" }, FILTER_LEARN_DHCP },
    { { "CTRL_IP_LEARNING", "none" }, { NULL }, -1 },
    { { "CTRL_IP_LEARNING", "guess" }, { NULL }, -1 },
  };
  g_auto (Filters) filters = { .count = 0 };

  read_filter (&filters,
               "<filter name='a'><rule action='drop' direction='in'><ip srcipaddr='$IP'/></rule></filter>");
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FilterParameter parameters[2];
    g_autoptr (GPtrArray) list = g_ptr_array_new (), addresses = g_ptr_array_new ();
    char port[] = "vnet0", mac[] = MAC, filter[] = "a";
    FilterBindingDef def = { .port = port, .mac = mac, .reference = { filter, list } };
    FilterLearning learning;
    g_autoptr (GError) error = NULL;
    g_autoptr (FilterInstance) instance = NULL;

    for (guint k = 0; k < 2 && rows[i].parameters[2 * k] != NULL; k++) {
      parameters[k] =
          (FilterParameter){ (char *)rows[i].parameters[2 * k], (char *)rows[i].parameters[2 * k + 1] };
      g_ptr_array_add (list, &parameters[k]);
    }
    if (rows[i].addresses[0] != NULL)
      g_ptr_array_add (addresses, (gpointer)rows[i].addresses[0]);
    instance = filter_learning_instantiate (&def, addresses, look_up, &filters, &learning, &error);
    assert_int_equal (instance != NULL, rows[i].method >= 0);
    if (rows[i].method >= 0)
      assert_int_equal (learning.method, rows[i].method);
    filter_learning_clear (&learning);
  }
}

static void
frames_tell_addresses_and_nothing_is_read_behind_their_end (G_GNUC_UNUSED void **state)
{
  static const guint8 mac[MAC_BYTES] = { 0x52, 0x54, 0, 0, 0, 0x0a };
  static const guint8 arp[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0,    0,    0,  0x0a, 8, 6,
                                0,    1,    8,    0,    6,    4,    0,    1,    0x52, 0x54, 0,  0,    0, 0x0a,
                                10,   1,    2,    3,    0,    0,    0,    0,    0,    0,    10, 1,    2, 9 };
  FilterPacket packet = filter_packet_read (arp, sizeof (arp), mac, FALSE);

  assert_int_equal (packet.kind, FILTER_PACKET_USED);
  assert_memory_equal (packet.address, arp + 28, 4);
  for (gsize length = 0; length < sizeof (arp); length++) {
    g_autofree guint8 *part = g_memdup2 (arp, MAX (length, 1));

    assert_int_equal (filter_packet_read (part, length, mac, FALSE).kind, FILTER_PACKET_NOTHING);
  }
  assert_int_equal (filter_packet_read (arp, sizeof (arp), mac, TRUE).kind, FILTER_PACKET_NOTHING);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (rules_are_in_chains_by_priority),
    cmocka_unit_test (variables_become_rules),
    cmocka_unit_test (inner_references_are_overridden_from_outside),
    cmocka_unit_test (what_cannot_be_resolved_is_told),
    cmocka_unit_test (lists_in_step_are_of_one_length),
    cmocka_unit_test (expansion_is_bounded),
    cmocka_unit_test (loops_are_found),
    cmocka_unit_test (what_nf_tables_cannot_ask_is_refused_by_name),
    cmocka_unit_test (a_device_leaves_nothing_of_its_old_filter),
    cmocka_unit_test (an_address_that_nobody_says_is_learnt),
    cmocka_unit_test (frames_tell_addresses_and_nothing_is_read_behind_their_end),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
