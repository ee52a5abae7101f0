/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Documents of network filters and their bindings: what libvirt writes of each, and what it says of mistakes.
 */
#include "nwfilter/filter-document.h"

#include "cmocka-glib.h"

#include <string.h>

#define UUID "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"

static char *
read_as (const DocumentKind *kind, const char *text, guint flags, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  gpointer def = document_read (kind, text, -1, flags, diagnostics);
  gpointer copy = def != NULL ? document_copy (kind, def) : NULL;
  char *xml = copy != NULL ? document_to_xml (kind, copy, 0) : NULL;

  diagnostics_check (diagnostics, error);
  document_unref (kind, copy);
  document_unref (kind, def);
  return xml;
}

/* What is given and what is written, inside of <rule>; NULL: as it was given. */
static const struct {
  const char *given, *written;
} rules[] = {
  { "<all/>", NULL },
  { "<mac match='no' srcmacaddr='1:2:3:4:5:6' srcmacmask='ff:ff:ff:ff:ff:0' dstmacaddr='$MAC' "
    "protocolid='arp' "
    "comment='a &lt; b'/>",
    "<mac match='no' srcmacaddr='01:02:03:04:05:06' srcmacmask='ff:ff:ff:ff:ff:00' dstmacaddr='$MAC' "
    "protocolid='arp' comment='a &lt; b'/>" },
  { "<mac match='yes' protocolid='0x800'/>", "<mac protocolid='ipv4'/>" },
  { "<mac protocolid='0x600'/>", NULL },
  { "<mac protocolid='1536'/>", NULL },
  { "<mac protocolid='34525'/>", "<mac protocolid='ipv6'/>" },
  { "<mac srcmacaddr='$X[@1]'/>", NULL },
  { "<mac srcmacaddr='$X[0]'/>", NULL },
  { "<mac srcmacaddr='$X[@0]'/>", "<mac srcmacaddr='$X'/>" },
  { "<vlan vlanid='0xfff' encap-protocol='4095'/>", NULL },
  { "<stp type='0x12' srcmacaddr='1:2:3:4:5:6' root-cost='287454020' root-priority-hi='9029'/>",
    "<stp srcmacaddr='01:02:03:04:05:06' type='0x12' root-priority-hi='9029' root-cost='287454020'/>" },
  { "<arp opcode='request' hwtype='12' protocoltype='34' arpsrcmacaddr='1:2:3:4:5:6' "
    "arpdstipmask='255.255.0.0' "
    "gratuitous='yes'/>",
    "<arp hwtype='12' protocoltype='34' opcode='Request' arpsrcmacaddr='01:02:03:04:05:06' arpdstipmask='16' "
    "gratuitous='true'/>" },
  { "<arp opcode='0x1' gratuitous='x'/>", "<arp opcode='Request' gratuitous='false'/>" },
  { "<rarp opcode='11'/>", NULL },
  { "<ip srcipaddr='01.2.3' srcipmask='255.255.255.0' protocol='TCP' srcportstart='20' dstportstart='0xff' "
    "dscp='0x3f'/>",
    "<ip srcipaddr='1.2.0.3' srcipmask='24' protocol='tcp' srcportstart='20' dstportstart='0xff' "
    "dscp='0x3f'/>" },
  { "<ipv6 srcipaddr='A:B:0:0::1' srcipmask='ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc' protocol='58' "
    "type='1'/>",
    "<ipv6 srcipaddr='a:b::1' srcipmask='126' protocol='icmpv6' type='1'/>" },
  { "<tcp state='INVALID,RELATED,new' flags='ACK,SYN/ACK' dstipto='10.1.1.9' dstipfrom='10.1.1.1' "
    "connlimit-above='5'/>",
    "<tcp dstipfrom='10.1.1.1' dstipto='10.1.1.9' connlimit-above='5' state='NEW,RELATED,INVALID' "
    "flags='SYN,ACK/ACK'/>" },
  { "<tcp flags='SYN,ACK,URG,PSH,FIN,RST/'/>", "<tcp flags='ALL/NONE'/>" },
  { "<all ipset='some.set' ipsetflags='SRC,dst'/>", "<all ipset='some.set' ipsetflags='src,dst'/>" },
  { "<icmpv6 type='3' code='0x4' srcipaddr='a::1'/>", "<icmpv6 srcipaddr='a::1' type='3' code='0x4'/>" },
  { "<udplite-ipv6 comment=''/>", NULL },
};

static void
rules_are_written_as_libvirt_writes_them (G_GNUC_UNUSED void **state)
{
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++) {
    g_autofree char *text = g_strdup_printf ("<filter name='t'><uuid>" UUID
                                             "</uuid><rule action='accept' direction='in'>%s</rule></filter>",
                                             rules[i].given);
    g_autofree char *expected =
        g_strdup_printf ("<filter name='t' chain='root'>\n  <uuid>" UUID "</uuid>\n  <rule action='accept' "
                         "direction='in' priority='500'>\n    %s\n  </rule>\n</filter>\n",
                         rules[i].written != NULL ? rules[i].written : rules[i].given);
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_as (&filter_document, text, DOCUMENT_LAX, &error);

    g_assert_no_error (error);
    assert_string_equal (xml, expected);
  }
}

static void
filters_are_written_as_libvirt_writes_them (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *written;
  } rows[] = {
    { " chain='mac'>", " chain='mac' priority='-800'>" },
    { " chain='stp'>", " chain='stp'>" },
    { " chain='arp-x' priority='5'>", " chain='arp-x' priority='5'>" },
    { " priority='5'>", " chain='root'>" },
    { "><rule action='drop' direction='inout' priority='2000' statematch='0'/>",
      " chain='root'>\n  <rule action='drop' direction='inout' priority='500' statematch='false'/>" },
    { "><filterref filter='b'><parameter name='B' value='2'/><parameter name='A' value='x y'/><parameter "
      "name='A' "
      "value='1'/></filterref><rule action='return' direction='out' priority='-5'/><filterref filter='a'/>",
      " chain='root'>\n  <filterref filter='b'>\n    <parameter name='A' value='1'/>\n    <parameter "
      "name='B' "
      "value='2'/>\n  </filterref>\n  <rule action='return' direction='out' priority='-5'/>\n  <filterref "
      "filter='a'/>" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *inside = strchr (rows[i].given, '>'), *written = strchr (rows[i].written, '>');
    g_autofree char *text = g_strdup_printf ("<filter name='t'%.*s><uuid>" UUID "</uuid>%s</filter>",
                                             (int)(inside - rows[i].given), rows[i].given, inside + 1);
    g_autofree char *expected =
        g_strdup_printf ("<filter name='t'%.*s>\n  <uuid>" UUID "</uuid>%s\n</filter>\n",
                         (int)(written - rows[i].written), rows[i].written, written + 1);
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_as (&filter_document, text, DOCUMENT_LAX, &error);

    g_assert_no_error (error);
    assert_string_equal (xml, expected);
  }
}

static void
bindings_are_written_as_libvirt_writes_them (G_GNUC_UNUSED void **state)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml = read_as (
      &filter_binding_document,
      "<filterbinding><filterref filter='f'><parameter name='B' value='1'/><parameter name='A' value='2'/>"
      "</filterref><mac address='52:54:00:7B:35:93'/><linkdev name='eth0'/><portdev name='vnet0'/>"
      "<owner><uuid>" UUID "</uuid><name>m</name></owner></filterbinding>",
      0, &error);

  g_assert_no_error (error);
  assert_string_equal (
      xml, "<filterbinding>\n  <owner>\n    <name>m</name>\n    <uuid>" UUID
           "</uuid>\n  </owner>\n  <portdev name='vnet0'/>\n  <linkdev name='eth0'/>\n  <mac "
           "address='52:54:00:7b:35:93'/>\n  <filterref filter='f'>\n    <parameter name='A' "
           "value='2'/>\n    <parameter name='B' value='1'/>\n  </filterref>\n</filterbinding>\n");
}

static void
mistakes_have_libvirts_numbers (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *text; /* of <rule>, or a whole document */
    int code, origin;
    const char *word;
  } rows[] = {
    { "<filter/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "filter has no name" },
    { "<filter name='t' chain='foo'/>", VIR_ERR_INVALID_ARG, VIR_FROM_NWFILTER,
      "Invalid chain name 'foo'. Please" },
    { "<filter name='t' chain='arp-$a'/>", VIR_ERR_INVALID_ARG, VIR_FROM_NWFILTER,
      "Chain name contains invalid characters" },
    { "<filter name='t' chain='mac-xyzabcdefghijk'/>", VIR_ERR_INVALID_ARG, VIR_FROM_NWFILTER,
      "Name of chain is longer than 12 characters" },
    { "<filter name='t' priority='1001'/>", VIR_ERR_INVALID_ARG, VIR_FROM_NWFILTER,
      "Priority '1001' is outside valid range of [-1000,1000]" },
    { "<filter name='t'><rule action='bad' direction='in'/></filter>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
      "Invalid value for attribute 'action' in element 'rule': 'bad'" },
    { "<filter name='t'><rule action='drop'/></filter>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
      "Missing required attribute 'direction' in element 'rule'" },
    { "<filter name='t'><filterref/></filter>", VIR_ERR_XML_ERROR, VIR_FROM_XML,
      "Missing required attribute 'filter' in element 'filterref'" },
    { "<mac protocolid='1535'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "protocolid has illegal value 1535" },
    { "<mac srcmacaddr='$X[@99999]'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "illegal value $X[@99999]" },
    { "<mac srcmacaddr='$X$Y'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "srcmacaddr has illegal value $X$Y" },
    { "<vlan vlanid='4096'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "vlanid has illegal value 4096" },
    { "<ip srcipmask='255.0.255.0'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "illegal value 255.0.255.0" },
    { "<ip srcipaddr='::1'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "srcipaddr has illegal value ::1" },
    { "<ip protocol='icmp' srcportstart='20'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "IP rule with port specification requires protocol specification" },
    { "<tcp connlimit-above='0x7'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER,
      "connlimit-above has illegal" },
    { "<tcp flags='SYN'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "flags has illegal value SYN" },
    { "<tcp state='FOO'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "state has illegal value FOO" },
    { "<tcp ipset='a/b'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "ipset has illegal value a/b" },
    { "<icmp type='256'/>", VIR_ERR_INTERNAL_ERROR, VIR_FROM_NWFILTER, "type has illegal value 256" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    gboolean whole = g_str_has_prefix (rows[i].text, "<filter");
    g_autofree char *text =
        whole ? g_strdup (rows[i].text)
              : g_strdup_printf ("<filter name='t'><rule action='drop' direction='in'>%s</rule>"
                                 "</filter>",
                                 rows[i].text);
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_as (&filter_document, text, DOCUMENT_LAX, &error);

    if (xml != NULL || error->code != rows[i].code || virt_error_origin (error) != rows[i].origin
        || strstr (error->message, rows[i].word) == NULL)
      fail_msg ("%s: %s", rows[i].text, error != NULL ? error->message : "accepted");
  }
}

static void
the_schema_is_asked_when_wanted (G_GNUC_UNUSED void **state)
{
  static const char *const refused[] = {
    "<filter name='t'><foo/></filter>",
    "<filter name='t'><rule action='drop' direction='in'><tcp foo='1'/></rule></filter>",
    "<filter name='t'><rule action='drop' direction='in' priority='2000'/></filter>",
    "<filter name='t'><rule action='drop' direction='in' statematch='no'/></filter>",
    "<filter name='t'><filterref filter='a'><parameter name='A' value='a,b'/></filterref></filter>",
  };

  for (guint i = 0; i < G_N_ELEMENTS (refused); i++) {
    g_autoptr (GError) error = NULL, lax_error = NULL;
    g_autofree char *xml = read_as (&filter_document, refused[i], 0, &error);
    g_autofree char *lax = read_as (&filter_document, refused[i], DOCUMENT_LAX, &lax_error);

    assert_null (xml);
    assert_non_null (error);
    assert_non_null (lax);
  }
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++) {
    g_autofree char *text =
        g_strdup_printf ("<filter name='t'><rule action='accept' direction='in'>%s</rule></filter>",
                         rules[i].written != NULL ? rules[i].written : rules[i].given);
    g_autoptr (GError) error = NULL;
    g_autofree char *xml = read_as (&filter_document, text, 0, &error);

    if (xml == NULL && strstr (text, "gratuitous='false'") == NULL)
      fail_msg ("%s: %s", text, error->message);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (rules_are_written_as_libvirt_writes_them),
    cmocka_unit_test (filters_are_written_as_libvirt_writes_them),
    cmocka_unit_test (bindings_are_written_as_libvirt_writes_them),
    cmocka_unit_test (mistakes_have_libvirts_numbers),
    cmocka_unit_test (the_schema_is_asked_when_wanted),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
