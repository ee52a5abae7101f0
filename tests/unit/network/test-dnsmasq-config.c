/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What dnsmasq is given to read: libvirt's lines for each part of a document, and no line, field or word that
 * a text of the document could add. */
#include "network/dnsmasq-config.h"
#include "network/dnsmasq-text.h"

#include "network-harness.h"

#include <string.h>

static const DnsmasqPlaces places = { "/run/hosts", "/run/names", "/var/leases", "dnsmasq", "nogroup" };

#define SUBNET "<ip address='192.168.5.1' netmask='255.255.255.0'>"
#define RANGE  "<range start='192.168.5.100' end='192.168.5.200'/>"

static DnsmasqConfig *
make (const char *inside)
{
  g_autoptr (NetworkDef) def = read_network (inside);
  g_autoptr (GError) error = NULL;
  DnsmasqConfig *config = dnsmasq_config_new (def, &places, &error);

  g_assert_no_error (error);
  return config;
}

/* Without the first line, which is a comment, and what is the same in all: our own places. */
static char *
own_lines_removed (const char *settings)
{
  static const char *const own[] = { "pid-file=",
                                     "user=",
                                     "group=",
                                     "except-interface=lo",
                                     "bind-dynamic",
                                     "interface=vb1",
                                     "dhcp-leasefile=/var/leases",
                                     "quiet-" };
  g_auto (GStrv) lines = g_strsplit (settings, "\n", -1);
  GString *rest = g_string_new (NULL);

  assert_true (g_str_has_prefix (lines[0], "# "));
  for (guint i = 1; lines[i] != NULL; i++) {
    gboolean is_own = *lines[i] == '\0';

    for (guint k = 0; k < G_N_ELEMENTS (own); k++)
      is_own = is_own || g_str_has_prefix (lines[i], own[k]);
    if (!is_own)
      g_string_append_printf (rest, "%s\n", lines[i]);
  }
  return g_string_free (rest, FALSE);
}

static void
each_part_has_libvirts_lines (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *inside, *settings, *hosts, *names;
  } rows[] = {
    { NAT_IP, "strict-order\naddn-hosts=/run/names\n", "", "" },
    { SUBNET "<dhcp>" RANGE "</dhcp></ip>",
      "strict-order\ndhcp-option=3\nno-resolv\nra-param=*,0,0\n"
      "dhcp-range=192.168.5.100,192.168.5.200,255.255.255.0\ndhcp-no-override\ndhcp-authoritative\n"
      "dhcp-lease-max=229\ndhcp-hostsfile=/run/hosts\naddn-hosts=/run/names\n",
      "", "" },
    { "<forward mode='nat'/>" SUBNET
      "<dhcp><range start='192.168.5.100' end='192.168.5.200'><lease expiry='20' unit='minutes'/></range>"
      "<host mac='52:54:00:00:00:01' name='g1' ip='192.168.5.10'><lease expiry='1' unit='hours'/></host>"
      "<host name='g2' ip='192.168.5.11'/>"
      "<host mac='52:54:00:00:00:03' ip='192.168.5.12'><lease expiry='0'/></host>"
      "<bootp file='/pxe.0' server='192.168.5.9'/></dhcp></ip>"
      "<ip family='ipv6' address='fd00:1::1' prefix='64'><dhcp><range start='fd00:1::100' end='fd00:1::1ff'/>"
      "<host id='0:1:0:1:18:aa:62:fe:0:16:3e:44:55:66' name='v6' ip='fd00:1::20'/>"
      "<host name='v6b' ip='fd00:1::21'/></dhcp></ip>",
      "strict-order\n"
      "dhcp-range=192.168.5.100,192.168.5.200,255.255.255.0,20m\ndhcp-no-override\ndhcp-authoritative\n"
      "dhcp-boot=/pxe.0,,192.168.5.9\n"
      "dhcp-range=fd00:1::100,fd00:1::1ff,64\n"
      "dhcp-lease-max=613\ndhcp-hostsfile=/run/hosts\naddn-hosts=/run/names\nenable-ra\n",
      "52:54:00:00:00:01,192.168.5.10,g1,1h\n"
      "g2,192.168.5.11\n"
      "52:54:00:00:00:03,192.168.5.12,infinite\n"
      "id:0:1:0:1:18:aa:62:fe:0:16:3e:44:55:66,v6,[fd00:1::20]\n"
      "v6b,[fd00:1::21]\n",
      "" },
    { "<forward mode='nat'/>" SUBNET "<dhcp><host name='only' ip='192.168.5.11'/></dhcp></ip>",
      "strict-order\ndhcp-range=192.168.5.1,static\ndhcp-no-override\n"
      "dhcp-lease-max=128\ndhcp-hostsfile=/run/hosts\naddn-hosts=/run/names\n",
      "only,192.168.5.11\n", "" },
    { "<forward mode='route'/><domain name='d.x'/><dns enable='no'/>" SUBNET "<dhcp>" RANGE "</dhcp></ip>"
      "<ip family='ipv6' address='fd00:3::1' prefix='64'/>"
      "<dnsmasq:options><dnsmasq:option "
      "value='cname=*.foo.example.com,master.example.com'/></dnsmasq:options>",
      "strict-order\nport=0\ndomain=d.x\nexpand-hosts\n"
      "dhcp-range=192.168.5.100,192.168.5.200,255.255.255.0\ndhcp-no-override\ndhcp-authoritative\n"
      "dhcp-lease-max=229\ndhcp-hostsfile=/run/hosts\ndhcp-range=fd00:3::1,ra-only\n"
      "cname=*.foo.example.com,master.example.com\n",
      "", "" },
    { "<mtu size='1400'/><forward mode='nat'/><domain name='ex.org' localOnly='yes'/>"
      "<dns forwardPlainNames='no'><forwarder addr='8.8.8.8'/><forwarder domain='a.b' addr='1.2.3.4'/>"
      "<forwarder domain='c.d'/><txt name='t.ex' value='hello,&quot;a,b&quot; # x'/>"
      "<srv service='ldap' protocol='tcp' domain='ex.org' target='srv.ex.org' port='389' priority='1' "
      "weight='2'/>"
      "<srv service='x' protocol='udp'/>"
      "<host ip='192.168.5.2'><hostname>h1</hostname><hostname>h2</hostname></host>"
      "<host ip='fd00::5'><hostname>h6</hostname></host></dns>"
      "<ip address='192.168.5.1' netmask='255.255.255.0' localPtr='yes'><tftp root='/srv/a b'/></ip>"
      "<ip family='ipv6' address='fd00:1::1' prefix='64' localPtr='yes'/>",
      "strict-order\nserver=8.8.8.8\nserver=/a.b/1.2.3.4\nserver=/c.d/#\nno-resolv\n"
      "local=/ex.org/\ndomain=ex.org\nexpand-hosts\nlocal=/5.168.192.in-addr.arpa/\n"
      "local=/0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa/\n"
      "domain-needed\nlocal=//\n"
      "txt-record=t.ex,hello,\"a,b # x\"\n"
      "srv-host=_ldap._tcp.ex.org,srv.ex.org,389,1,2\nsrv-host=_x._udp\n"
      "enable-tftp\ntftp-root=\"/srv/a b\"\n"
      "addn-hosts=/run/names\ndhcp-option=option:mtu,1400\ndhcp-range=fd00:1::1,ra-only\n",
      "", "192.168.5.2\th1\n192.168.5.2\th2\nfd00::5\th6\n" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (DnsmasqConfig) config = make (rows[i].inside);
    g_autofree char *settings = own_lines_removed (config->settings);

    assert_string_equal (settings, rows[i].settings);
    assert_string_equal (config->hosts, rows[i].hosts);
    assert_string_equal (config->names, rows[i].names);
  }
}

/* Whatever a schema lets pass: each text of the document in turn becomes one that tries. */
static char **
each_text (NetworkDef *def, guint number)
{
  NetworkIp *ip = g_ptr_array_index (def->ips, 0);
  NetworkDhcpHost *host = g_ptr_array_index (ip->dhcp->hosts, 0);
  NetworkDhcpRange *range = g_ptr_array_index (ip->dhcp->ranges, 0);
  NetworkDnsForwarder *forwarder = g_ptr_array_index (def->dns.forwarders, 0);
  NetworkDnsTxt *txt = g_ptr_array_index (def->dns.txts, 0);
  NetworkDnsSrv *srv = g_ptr_array_index (def->dns.srvs, 0);
  NetworkDnsHost *name = g_ptr_array_index (def->dns.hosts, 0);
  NetworkOption *option = g_ptr_array_index (def->options, 0);
  char **all[] = { &def->bridge,
                   &def->domain,
                   &ip->tftp_root,
                   &host->mac,
                   &host->name,
                   &host->ip,
                   &host->id,
                   &range->start,
                   &range->end,
                   &forwarder->addr,
                   &forwarder->domain,
                   &txt->name,
                   &txt->value,
                   &srv->service,
                   &srv->protocol,
                   &srv->domain,
                   &srv->target,
                   &name->ip,
                   (char **)&g_ptr_array_index (name->hostnames, 0),
                   &ip->dhcp->bootp->file,
                   &ip->dhcp->bootp->server,
                   &option->value };

  return number < G_N_ELEMENTS (all) ? all[number] : NULL;
}

#define EVERYTHING                                                                                       \
  "<forward mode='nat'/><domain name='ex.org'/>"                                                         \
  "<dns><forwarder domain='a.b' addr='1.2.3.4'/><txt name='t.ex' value='v'/>"                            \
  "<srv service='ldap' protocol='tcp' domain='ex.org' target='srv.ex.org'/>"                             \
  "<host ip='192.168.5.2'><hostname>h1</hostname></host></dns>"                                          \
  "<ip address='192.168.5.1' netmask='255.255.255.0'><tftp root='/srv'/><dhcp>" RANGE                    \
  "<host mac='52:54:00:00:00:01' name='g1' ip='192.168.5.10'/><bootp file='/pxe' server='192.168.5.9'/>" \
  "</dhcp></ip><dnsmasq:options><dnsmasq:option value='bogus-priv'/></dnsmasq:options>"

static void
no_text_becomes_a_line_of_its_own (G_GNUC_UNUSED void **state)
{
  static const char *const attempts[] = { "a\nlog-queries", "a\rlog-queries", "a\013b", "a\001b" };
  guint texts = 0;

  for (guint a = 0; a < G_N_ELEMENTS (attempts); a++)
    for (texts = 0;; texts++) {
      g_autoptr (NetworkDef) def = read_network (EVERYTHING);
      g_autoptr (GError) error = NULL;
      char **text = each_text (def, texts);

      if (text == NULL)
        break;
      /* An option is a line as it stands, whatever is in it. */
      if (texts == 21 && a > 1)
        continue;
      g_free (*text);
      *text = g_strdup (attempts[a]);
      assert_null (dnsmasq_config_new (def, &places, &error));
      assert_non_null (error);
    }
  assert_int_equal (texts, 22);
}

/* dnsmasq would read what is behind its buffer as the next line. */
static void
no_text_is_longer_than_dnsmasq_reads (G_GNUC_UNUSED void **state)
{
  g_autofree char *filler = g_strnfill (1100, 'a');

  for (guint i = 1;; i++) {
    g_autoptr (NetworkDef) def = read_network (EVERYTHING);
    char **text = each_text (def, i);

    if (text == NULL)
      break;
    g_free (*text);
    *text = g_strdup (filler);
    assert_null (dnsmasq_config_new (def, &places, NULL));
  }
}

static void
no_host_is_a_word_of_dnsmasqs (G_GNUC_UNUSED void **state)
{
  static const char *const refused[] = { "ignore", "infinite", "1.2.3.4", "20m", "a,ignore",
                                         "set:x",  "a b",      "#a",      "" };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    assert_false (dnsmasq_is_host (refused[i]));
  assert_true (dnsmasq_is_host ("web-1.example"));
  assert_true (dnsmasq_is_host ("\xc3\xa4pfel"));
}

static void
quotes_hide_what_separates (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *field, *list;
  } rows[] = {
    { "plain/x", "plain/x", "plain/x" },
    { "a,b", "\"a,b\"", "a,b" },
    { "a, b", "\"a, b\"", "a,\" b\"" },
    { "\"a,b\",c", "\"\\\"a,b\\\",c\"", "\"a,b\",c" },
    { "say \"", "\"say \\\"\"", "\"say \\\"\"" },
    { "x # y", "\"x # y\"", "\"x # y\"" },
    { "back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\"" },
    { "", "\"\"", "\"\"" },
    { "a\nb", NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *field = dnsmasq_quote (rows[i].given), *list = dnsmasq_quote_list (rows[i].given);

    assert_true (g_strcmp0 (field, rows[i].field) == 0);
    assert_true (g_strcmp0 (list, rows[i].list) == 0);
  }
}

static void
it_is_needed_for_a_subnet_with_dns_or_dhcp (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *inside;
    gboolean is_needed;
  } rows[] = {
    { "", FALSE },
    { SUBNET "</ip>", TRUE },
    { "<dns enable='no'/>" SUBNET "</ip>", FALSE },
    { "<dns enable='no'/>" SUBNET "<dhcp>" RANGE "</dhcp></ip>", TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (NetworkDef) def = read_network (rows[i].inside);

    assert_int_equal (dnsmasq_is_needed (def), rows[i].is_needed);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (each_part_has_libvirts_lines),
    cmocka_unit_test (no_text_becomes_a_line_of_its_own),
    cmocka_unit_test (no_text_is_longer_than_dnsmasq_reads),
    cmocka_unit_test (no_host_is_a_word_of_dnsmasqs),
    cmocka_unit_test (quotes_hide_what_separates),
    cmocka_unit_test (it_is_needed_for_a_subnet_with_dns_or_dhcp),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
