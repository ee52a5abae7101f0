/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents of the host's interfaces: what libvirt makes of them, mistakes, and the files of the three ways
 * of configuring a host's network. */
#include "interface/interface-config.h"

#include "cmocka-glib.h"

#include <string.h>

static HostInterfaceDef *
read_document (const char *text)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  HostInterfaceDef *def = document_read (&host_interface_document, text, -1, 0, diagnostics);
  g_autofree char *words = diagnostics_to_text (diagnostics);

  if (def == NULL)
    fail_msg ("%s\n%s", words, text);
  return def;
}

static void
test_written_as_libvirt_does (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *read, *written;
  } rows[] = {
    { "<interface type='ethernet' name='eth0'/>", "<interface type='ethernet' name='eth0'>\n</interface>\n" },
    { "<interface type='ethernet' name='eth0'><start mode='onboot'/><mac address='AA:bb:cc:dd:ee:ff'/>"
      "<mtu size='1492'/><protocol family='ipv4'><dhcp peerdns='no'/></protocol><link speed='1000' "
      "state='up'/></interface>",
      "<interface type='ethernet' name='eth0'>\n  <start mode='onboot'/>\n  <mtu size='1492'/>\n"
      "  <protocol family='ipv4'>\n    <dhcp peerdns='no'/>\n  </protocol>\n"
      "  <link speed='1000' state='up'/>\n  <mac address='AA:bb:cc:dd:ee:ff'/>\n</interface>\n" },
    { "<interface type='ethernet' name='eth0'><protocol family='ipv4'><ip address='192.168.0.5' prefix='24'/>"
      "<ip address='192.168.0.6'/><route gateway='192.168.0.1'/></protocol><protocol "
      "family='ipv6'><autoconf/>"
      "<dhcp/><ip address='fe80::1' prefix='64'/><route gateway='fe80::2'/></protocol></interface>",
      "<interface type='ethernet' name='eth0'>\n  <protocol family='ipv4'>\n"
      "    <ip address='192.168.0.5' prefix='24'/>\n    <ip address='192.168.0.6'/>\n"
      "    <route gateway='192.168.0.1'/>\n  </protocol>\n  <protocol family='ipv6'>\n    <autoconf/>\n"
      "    <dhcp/>\n    <ip address='fe80::1' prefix='64'/>\n    <route gateway='fe80::2'/>\n  </protocol>\n"
      "</interface>\n" },
    { "<interface type='bridge' name='br0'><start mode='hotplug'/><protocol family='ipv4'><dhcp/></protocol>"
      "<bridge stp='off' delay='0.01'><interface type='ethernet' name='eth0'><mac "
      "address='ab:bb:cc:dd:ee:ff'/>"
      "</interface><interface type='bond' name='bond0'><bond mode='active-backup'><miimon freq='100' "
      "updelay='10' carrier='netif'/><interface type='ethernet' name='eth3'/></bond></interface>"
      "<interface type='vlan' name='eth2.4'><vlan tag='4'><interface "
      "name='eth2'/></vlan></interface></bridge>"
      "</interface>",
      "<interface type='bridge' name='br0'>\n  <start mode='hotplug'/>\n  <protocol family='ipv4'>\n"
      "    <dhcp/>\n  </protocol>\n  <bridge stp='off' delay='0.01'>\n"
      "    <interface type='ethernet' name='eth0'>\n      <mac address='ab:bb:cc:dd:ee:ff'/>\n    "
      "</interface>\n"
      "    <interface type='bond' name='bond0'>\n      <bond mode='active-backup'>\n"
      "        <miimon freq='100' updelay='10' carrier='netif'/>\n"
      "        <interface type='ethernet' name='eth3'>\n        </interface>\n      </bond>\n    "
      "</interface>\n"
      "    <interface type='vlan' name='eth2.4'>\n      <vlan tag='4'>\n        <interface name='eth2'/>\n"
      "      </vlan>\n    </interface>\n  </bridge>\n</interface>\n" },
    { "<interface type='bond' name='bond0'><bond mode='802.3ad'><arpmon interval='100' target='192.168.50.7' "
      "validate='active'/><interface type='ethernet' name='eth1'/></bond></interface>",
      "<interface type='bond' name='bond0'>\n  <bond mode='802.3ad'>\n"
      "    <arpmon interval='100' target='192.168.50.7' validate='active'/>\n"
      "    <interface type='ethernet' name='eth1'>\n    </interface>\n  </bond>\n</interface>\n" },
    { "<interface type='bond' name='bond0'><bond/></interface>",
      "<interface type='bond' name='bond0'>\n  <bond>\n  </bond>\n</interface>\n" },
    { "<interface type='vlan' name='eth0.42'><vlan tag='42'><interface name='eth0'/></vlan></interface>",
      "<interface type='vlan' name='eth0.42'>\n  <vlan tag='42'>\n    <interface name='eth0'/>\n  </vlan>\n"
      "</interface>\n" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    HostInterfaceDef *def = read_document (rows[i].read);
    g_autofree char *written = document_to_xml (&host_interface_document, def, 0);

    assert_string_equal (written, rows[i].written);
    document_unref (&host_interface_document, def);
  }
}

static void
test_mistakes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text, *words;
  } rows[] = {
    { "<interface type='bridge' name='br0'/>", "bridge interface misses the bridge element" },
    { "<interface type='bond' name='b'/>", "bond interface misses the bond element" },
    { "<interface type='vlan' name='v'/>", "vlan interface misses the vlan element" },
    { "<interface type='ethernet'/>", "interface has no name" },
    { "<interface name='x'/>", "type" },
    { "<interface type='ethernet' name='a/b'/>", "'a/b' cannot be the name of an interface" },
    { "<interface type='ethernet' name='..'/>", "'..' cannot be the name of an interface" },
    { "<interface type='ethernet' name='-i'/>", "'-i' cannot be the name of an interface" },
    { "<interface type='ethernet' name='eth0&#10;auto lo'/>", "cannot be the name of an interface" },
    { "<interface type='ethernet' name='sixteencharacters'/>", "cannot be the name of an interface" },
    { "<interface type='ethernet' name='e'><mac address='zz'/></interface>", "'zz' is no MAC address" },
    { "<interface type='ethernet' name='e'><protocol family='ipv4'><ip "
      "address='::1'/></protocol></interface>",
      "'::1' is no IPv4 address" },
    { "<interface type='ethernet' name='e'><protocol family='ipv4'><ip address='10.0.0.1&#10;up reboot'/>"
      "</protocol></interface>",
      "is no IPv4 address" },
    { "<interface type='ethernet' name='e'><protocol family='ipv4'><ip address='10.0.0.1' prefix='33'/>"
      "</protocol></interface>",
      "the prefix 33 is more than 32" },
    { "<interface type='ethernet' name='e'><protocol family='ipv6'/><protocol family='ipv6'/></interface>",
      "more than one <protocol> of that family" },
    { "<interface type='bridge' name='b'><bridge delay='1&#10;x'/></interface>", "is no number of seconds" },
    { "<interface type='bridge' name='b'><bridge><interface type='bridge' name='c'/></bridge></interface>",
      "interface has unsupported type 'bridge'" },
    { "<interface type='bond' name='b'><bond><interface type='bond' name='c'/></bond></interface>",
      "interface has unsupported type 'bond'" },
    { "<interface type='bridge' name='b'><bridge><interface type='ethernet' name='c'/>"
      "<interface type='ethernet' name='c'/></bridge></interface>",
      "the interface 'c' is named twice" },
    { "<interface type='bond' name='b'><bond><arpmon interval='1' target='a b'/></bond></interface>",
      "'a b' is no IPv4 address" },
    { "<interface type='vlan' name='v'><vlan tag='4096'><interface name='e'/></vlan></interface>", "4096" },
    { "<interface type='ethernet' name='e'><what/></interface>", "what" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (guint flags = 0; flags <= DOCUMENT_LAX; flags += DOCUMENT_LAX) {
      g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
      HostInterfaceDef *def = document_read (&host_interface_document, rows[i].text, -1, flags, diagnostics);
      g_autofree char *words = diagnostics_to_text (diagnostics);

      if (strstr (words, rows[i].words) == NULL)
        fail_msg ("%s: expected '%s' in: %s", rows[i].text, rows[i].words, words);
      if (def != NULL && flags == 0)
        fail_msg ("read: %s", rows[i].text);
      document_unref (&host_interface_document, def);
    }
  }
}

#define BRIDGE                                                                                           \
  "<interface type='bridge' name='br0'><start mode='onboot'/><mtu size='9000'/><protocol family='ipv4'>" \
  "<ip address='10.0.0.2' prefix='24'/><route gateway='10.0.0.1'/></protocol><protocol family='ipv6'>"   \
  "<autoconf/></protocol><bridge stp='off' delay='3'><interface type='ethernet' name='eth0'/></bridge>"  \
  "</interface>"
#define BOND                                                                                                \
  "<interface type='bond' name='bond0'><protocol family='ipv4'><dhcp peerdns='no'/></protocol>"             \
  "<bond mode='active-backup'><miimon freq='100' carrier='netif'/><interface type='ethernet' name='eth1'/>" \
  "</bond></interface>"
#define VLAN \
  "<interface type='vlan' name='bond0.7'><vlan tag='7'><interface name='bond0'/></vlan></interface>"
/* All files as one text, each under its path, without the line that says whose they are. */
static char *
write_files (const NetworkConfig *config, const char *const *texts, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func ((GDestroyNotify)config_file_free);
  g_autoptr (GPtrArray) defs = g_ptr_array_new ();
  GString *all = g_string_new (NULL);
  gboolean written;

  for (; *texts != NULL; texts++)
    g_ptr_array_add (defs, read_document (*texts));
  written = config->write (defs, files, error);
  for (guint i = 0; i < files->len; i++) {
    const ConfigFile *file = g_ptr_array_index (files, i);

    assert_true (g_str_has_prefix (file->text, "# Written by domaind from the definition of the interface "));
    g_string_append_printf (all, "== %s%s", file->path + strlen (config->file_prefix),
                            strchr (file->text, '\n'));
  }
  for (guint i = 0; i < defs->len; i++)
    document_unref (&host_interface_document, g_ptr_array_index (defs, i));
  if (!written)
    g_string_truncate (all, 0);
  return g_string_free (all, FALSE);
}

static const char *const documents[] = { BRIDGE, BOND, VLAN, NULL };

static void
check_files (const NetworkConfig *config, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = write_files (config, documents, &error);

  assert_null (error);
  assert_string_equal (text, expected);
}

static void
test_ifupdown (G_GNUC_UNUSED void **state)
{
  check_files (&config_ifupdown, "== br0\n"
                                 "auto br0\n"
                                 "iface br0 inet static\n"
                                 "    address 10.0.0.2/24\n"
                                 "    gateway 10.0.0.1\n"
                                 "    mtu 9000\n"
                                 "    bridge_ports eth0\n"
                                 "    bridge_stp off\n"
                                 "    bridge_fd 3\n"
                                 "iface br0 inet6 auto\n"
                                 "iface eth0 inet manual\n"
                                 "== bond0\n"
                                 "iface bond0 inet dhcp\n"
                                 "    bond-slaves eth1\n"
                                 "    bond-mode active-backup\n"
                                 "    bond-miimon 100\n"
                                 "    bond-use-carrier 1\n"
                                 "iface eth1 inet manual\n"
                                 "== bond0.7\n"
                                 "iface bond0.7 inet manual\n"
                                 "    vlan-raw-device bond0\n");
}

static void
test_networkd (G_GNUC_UNUSED void **state)
{
  check_files (&config_networkd,
               "== br0.netdev\n[NetDev]\nName=br0\nKind=bridge\n\n[Bridge]\nSTP=no\nForwardDelaySec=3\n"
               "== br0.network\n[Match]\nName=br0\n\n[Link]\nMTUBytes=9000\n\n[Network]\nDHCP=no\n"
               "IPv6AcceptRA=yes\nLinkLocalAddressing=ipv6\nAddress=10.0.0.2/24\nGateway=10.0.0.1\n"
               "== eth0.network\n[Match]\nName=eth0\n\n[Network]\nBridge=br0\nLinkLocalAddressing=no\n"
               "== bond0.netdev\n[NetDev]\nName=bond0\nKind=bond\n\n[Bond]\nMode=active-backup\n"
               "MIIMonitorSec=100ms\n"
               "== bond0.network\n[Match]\nName=bond0\n\n[Link]\nActivationPolicy=manual\n\n[Network]\n"
               "DHCP=ipv4\nIPv6AcceptRA=no\nLinkLocalAddressing=no\nVLAN=bond0.7\n\n[DHCPv4]\nUseDNS=no\n"
               "== eth1.network\n[Match]\nName=eth1\n\n[Network]\nBond=bond0\nLinkLocalAddressing=no\n"
               "== bond0.7.netdev\n[NetDev]\nName=bond0.7\nKind=vlan\n\n[VLAN]\nId=7\n"
               "== bond0.7.network\n[Match]\nName=bond0.7\n\n[Link]\nActivationPolicy=manual\n\n[Network]\n"
               "DHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n");
}

static void
test_network_manager (G_GNUC_UNUSED void **state)
{
  check_files (&config_network_manager,
               "== br0.nmconnection\n[connection]\nid=domaind-br0\ntype=bridge\ninterface-name=br0\n"
               "autoconnect=true\n\n[ethernet]\nmtu=9000\n\n[bridge]\nstp=false\nforward-delay=3\n\n"
               "[ipv4]\nmethod=manual\naddress1=10.0.0.2/24\ngateway=10.0.0.1\n\n[ipv6]\nmethod=auto\n"
               "== eth0.nmconnection\n[connection]\nid=domaind-eth0\ntype=ethernet\ninterface-name=eth0\n"
               "master=br0\nslave-type=bridge\n"
               "== bond0.nmconnection\n[connection]\nid=domaind-bond0\ntype=bond\ninterface-name=bond0\n"
               "autoconnect=false\n\n[bond]\nmode=active-backup\nmiimon=100\nuse_carrier=1\n\n"
               "[ipv4]\nmethod=auto\nignore-auto-dns=true\n\n[ipv6]\nmethod=disabled\n"
               "== eth1.nmconnection\n[connection]\nid=domaind-eth1\ntype=ethernet\ninterface-name=eth1\n"
               "master=bond0\nslave-type=bond\n"
               "== bond0.7.nmconnection\n[connection]\nid=domaind-bond0.7\ntype=vlan\n"
               "interface-name=bond0.7\nautoconnect=false\n\n[vlan]\nid=7\nparent=bond0\n\n"
               "[ipv4]\nmethod=disabled\n\n[ipv6]\nmethod=disabled\n");
}

static void
test_refused_by_name (G_GNUC_UNUSED void **state)
{
  static const struct {
    const NetworkConfig *config;
    const char *text, *words;
  } rows[] = {
    { &config_ifupdown,
      "<interface type='vlan' name='blue'><vlan tag='7'><interface name='e'/></vlan></interface>",
      "interface 'blue': ifupdown cannot make a VLAN of that name" },
    { &config_networkd, VLAN,
      "systemd-networkd cannot make a VLAN above 'bond0' unless that is defined here too" },
    { &config_networkd,
      "<interface type='bond' name='b'><bond><miimon freq='1' carrier='ioctl'/></bond></interface>",
      "systemd-networkd cannot watch a bond's carrier by 'ioctl'" },
    { &config_network_manager, "<interface type='bridge' name='b'><bridge delay='0.01'/></interface>",
      "NetworkManager cannot delay forwarding by '0.01' seconds; whole numbers from 2 to 30 it can" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *const texts[] = { rows[i].text, NULL };
    g_autoptr (GError) error = NULL;
    g_autofree char *written = write_files (rows[i].config, texts, &error);

    assert_string_equal (written, "");
    assert_true (g_error_matches (error, VIRT_ERROR, VIR_ERR_CONFIG_UNSUPPORTED));
    assert_non_null (strstr (error->message, rows[i].words));
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_written_as_libvirt_does),
    cmocka_unit_test (test_mistakes),
    cmocka_unit_test (test_ifupdown),
    cmocka_unit_test (test_networkd),
    cmocka_unit_test (test_network_manager),
    cmocka_unit_test (test_refused_by_name),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
