/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is asked of a network's document besides its text, and every mistake of one with its place. What
 * becomes of whole documents is in tests/golden. */
#include "network/network-def.h"
#include "network/network-port.h"
#include "network/network-update.h"

#include "cmocka-glib.h"

#include <libvirt/libvirt.h>
#include <string.h>

static NetworkDef *
network (const char *inside)
{
  g_autofree char *text = g_strdup_printf ("<network><name>n</name>%s</network>", inside);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (GError) error = NULL;
  NetworkDef *def = network_def_parse (text, -1, 0, diagnostics);

  diagnostics_check (diagnostics, &error);
  g_assert_no_error (error);
  return def;
}

static void
bridges_are_named (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *inside, *name; /* with number 3; NULL: it needs none */
  } rows[] = {
    { "", "virbr3" },
    { "<bridge name='lan%d'/>", "lan3" },
    { "<bridge name='a%db'/>", "a3b" },
    { "<bridge name='a%d%d'/>", "virbr3" },
    { "<bridge name='br7'/>", NULL },
    { "<forward mode='bridge'/><bridge name='br0'/>", NULL },
    { "<forward mode='passthrough' dev='eth0'/>", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (NetworkDef) def = network (rows[i].inside);
    g_autofree char *name = network_def_needs_bridge_name (def) ? network_def_bridge_name (def, 3) : NULL;

    g_assert_cmpstr (name, ==, rows[i].name);
  }
}

static void
subnets_have_sizes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *ip;
    guint prefix;
  } rows[] = { { "<ip address='10.1.1.1'/>", 8 },
               { "<ip address='172.16.0.1'/>", 16 },
               { "<ip address='192.168.1.1'/>", 24 },
               { "<ip address='192.168.1.1' netmask='255.255.255.128'/>", 25 },
               { "<ip address='192.168.1.1' prefix='30'/>", 30 },
               { "<ip family='ipv6' address='fd00::1'/>", 64 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (NetworkDef) def = network (rows[i].ip);
    IpAddress address;
    guint prefix;

    assert_true (network_ip_address (g_ptr_array_index (def->ips, 0), &address, &prefix));
    assert_int_equal (prefix, rows[i].prefix);
  }
}

static void
all_mistakes_are_found_with_their_places (G_GNUC_UNUSED void **state)
{
  static const char *const text = "<network>\n"
                                  "  <name>a/b</name>\n"
                                  "  <forward mode='nat'><nat><port start='9' end='1'/></nat></forward>\n"
                                  "  <mac address='01:00:00:00:00:01'/>\n"
                                  "  <dns><txt name='a b' value='c'/></dns>\n"
                                  "  <ip address='10.0.0.1' prefix='24'>\n"
                                  "    <dhcp>\n"
                                  "      <range start='10.0.0.9' end='10.0.0.99'/>\n"
                                  "      <range start='10.0.0.50' end='10.0.0.60'/>\n"
                                  "      <host mac='52:54:00:00:00:01' ip='10.0.1.1'/>\n"
                                  "    </dhcp>\n"
                                  "  </ip>\n"
                                  "  <portgroup name='p' default='yes'/>\n"
                                  "  <portgroup name='q' default='yes'/>\n"
                                  "</network>\n";
  static const guint lines[] = { 2, 3, 4, 5, 9, 10, 14 };
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  assert_null (network_def_parse (text, -1, 0, diagnostics));
  assert_int_equal (diagnostics_count (diagnostics), G_N_ELEMENTS (lines));
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++)
    assert_int_equal (diagnostics_get (diagnostics, i)->where.line, lines[i]);
}

static void
an_update_is_checked_as_a_whole (G_GNUC_UNUSED void **state)
{
  g_autoptr (NetworkDef) def = network ("<ip address='10.0.0.1' prefix='24'><dhcp>"
                                        "<range start='10.0.0.9' end='10.0.0.99'/></dhcp></ip>");
  const struct {
    guint command, section;
    int index;
    const char *xml, *refusal; /* NULL: it is taken */
  } rows[] = {
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_RANGE, 0,
      "<range start='10.0.0.100' end='10.0.0.110'/>", NULL },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_RANGE, 0,
      "<range start='10.0.0.90' end='10.0.0.110'/>", "overlaps range 10.0.0.9 - 10.0.0.99" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_IP_DHCP_RANGE, 1,
      "<range start='10.0.0.100' end='10.0.0.110'/>", "no <ip> element found at index 1" },
    { 9, VIR_NETWORK_SECTION_DNS_TXT, -1, "<txt name='a' value='b'/>",
      "unrecognized network update command code 9" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, 99, -1, "<x/>", "can't update unrecognized section of network" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_FORWARD_INTERFACE, -1, "<interface dev='e'/>",
      "has no <forward>" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_DNS_TXT, -1, "<txt name='a' value='b", "" },
    { VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, VIR_NETWORK_SECTION_DNS_TXT, -1, "<txt name='a' value='b&#10;c'/>",
      "invalid line break" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const NetworkUpdate update = { rows[i].command, rows[i].section, rows[i].index, rows[i].xml };
    g_autoptr (GError) error = NULL;
    g_autoptr (NetworkDef) updated = network_update (def, &update, &error);

    assert_int_equal (updated != NULL, rows[i].refusal == NULL);
    if (rows[i].refusal != NULL)
      assert_non_null (strstr (error->message, rows[i].refusal));
  }
}

static void
ports_are_written_as_they_were (G_GNUC_UNUSED void **state)
{
  static const char *const plugs[] = {
    "  <plug type='network' bridge='virbr0' macTableManager='libvirt'/>\n",
    "  <plug type='bridge' bridge='br0'/>\n",
    "  <plug type='direct' dev='eth0' mode='passthrough'/>\n",
    ("  <plug type='hostdev-pci' managed='yes'>\n    <driver name='vfio'/>\n"
     "    <address domain='0x0001' bus='0x02' slot='0x03' function='0x4'/>\n  </plug>\n"),
  };

  for (guint i = 0; i < G_N_ELEMENTS (plugs); i++) {
    g_autofree char *text =
        g_strdup_printf ("<networkport>\n"
                         "  <uuid>5d744f21-ba4a-4d6e-bdb2-30a35ff3207d</uuid>\n"
                         "  <owner>\n    <name>web</name>\n"
                         "    <uuid>06578fc1-c686-46fa-bc2c-83893b466a6f</uuid>\n  </owner>\n"
                         "  <mac address='52:54:00:7b:35:93'/>\n%s</networkport>\n",
                         plugs[i]);
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autoptr (NetworkPortDef) port = network_port_def_parse (text, -1, 0, diagnostics);
    g_autofree char *mistakes = diagnostics_to_text (diagnostics), *written = NULL;

    assert_string_equal (mistakes, "");
    written = network_port_def_to_xml (port);
    assert_string_equal (written, text);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (bridges_are_named),
    cmocka_unit_test (subnets_have_sizes),
    cmocka_unit_test (all_mistakes_are_found_with_their_places),
    cmocka_unit_test (an_update_is_checked_as_a_whole),
    cmocka_unit_test (ports_are_written_as_they_were),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
