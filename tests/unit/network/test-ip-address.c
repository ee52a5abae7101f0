/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Addresses, networks and ranges of both families. */
#include "network/ip-address.h"

#include "cmocka-glib.h"

static IpAddress
address (const char *text)
{
  IpAddress it;

  assert_true (ip_address_parse (text, &it));
  return it;
}

static void
addresses_have_one_spelling (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *given, *spelling; /* NULL: it is none */
  } rows[] = {
    { "10.0.0.1", "10.0.0.1" },
    { "FD00:0:0:0::1", "fd00::1" },
    { "::ffff:1.2.3.4", "::ffff:1.2.3.4" },
    { "::", "::" },
    { "10.0.0.256", NULL },
    { "10.0.0", NULL },
    { "fe80::1%eth0", NULL },
    { "", NULL },
    { "localhost", NULL },
    { "10.0.0.1 ", NULL },
    { NULL, NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *spelling = ip_address_normalize (rows[i].given);

    g_assert_cmpstr (spelling, ==, rows[i].spelling);
  }
}

static void
netmasks_are_prefixes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *mask;
    int prefix; /* -1: it has a hole */
  } rows[] = { { "255.255.255.0", 24 }, { "0.0.0.0", 0 }, { "255.255.255.255", 32 }, { "255.255.254.0", 23 },
               { "255.0.255.0", -1 },   { "ffff::", 16 }, { "0.0.0.255", -1 } };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IpAddress mask = address (rows[i].mask), again;
    guint prefix = 0;

    assert_int_equal (ip_netmask_prefix (&mask, &prefix), rows[i].prefix >= 0);
    if (rows[i].prefix < 0)
      continue;
    assert_int_equal (prefix, rows[i].prefix);
    ip_netmask_of_prefix (mask.family, prefix, &again);
    assert_int_equal (ip_address_compare (&mask, &again), 0);
  }
}

static void
networks_have_bounds (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *address;
    guint prefix;
    const char *first, *last;
  } rows[] = {
    { "192.168.122.77", 24, "192.168.122.0", "192.168.122.255" },
    { "10.1.2.3", 8, "10.0.0.0", "10.255.255.255" },
    { "10.1.2.3", 32, "10.1.2.3", "10.1.2.3" },
    { "10.1.2.3", 0, "0.0.0.0", "255.255.255.255" },
    { "192.168.1.130", 25, "192.168.1.128", "192.168.1.255" },
    { "fd00:1:2:3::4", 64, "fd00:1:2:3::", "fd00:1:2:3:ffff:ffff:ffff:ffff" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IpAddress it = address (rows[i].address), first, last;
    char text[IP_TEXT_MAX];

    ip_network_first (&it, rows[i].prefix, &first);
    ip_network_last (&it, rows[i].prefix, &last);
    ip_address_format (&first, text);
    assert_string_equal (text, rows[i].first);
    ip_address_format (&last, text);
    assert_string_equal (text, rows[i].last);
    assert_true (ip_network_contains (&it, rows[i].prefix, &first));
    assert_true (ip_network_contains (&it, rows[i].prefix, &last));
  }
}

static void
networks_overlap (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *a;
    guint a_prefix;
    const char *b;
    guint b_prefix;
    gboolean overlap;
  } rows[] = {
    { "192.168.122.0", 24, "192.168.122.129", 25, TRUE },
    { "192.168.122.0", 24, "192.168.123.0", 24, FALSE },
    { "10.0.0.0", 8, "10.200.0.1", 32, TRUE },
    { "0.0.0.0", 0, "1.2.3.4", 32, TRUE },
    { "fd00::", 64, "fd00:0:0:1::", 64, FALSE },
    { "fd00::", 48, "fd00:0:0:1::", 64, TRUE },
    { "10.0.0.0", 8, "fd00::", 8, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IpAddress a = address (rows[i].a), b = address (rows[i].b);

    assert_int_equal (ip_networks_overlap (&a, rows[i].a_prefix, &b, rows[i].b_prefix), rows[i].overlap);
    assert_int_equal (ip_networks_overlap (&b, rows[i].b_prefix, &a, rows[i].a_prefix), rows[i].overlap);
  }
}

static void
ranges_have_sizes (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *start, *end;
    guint64 size;
  } rows[] = {
    { "10.0.0.1", "10.0.0.1", 1 },
    { "10.0.0.1", "10.0.1.0", 256 },
    { "10.0.0.2", "10.0.0.1", 0 },
    { "0.0.0.0", "255.255.255.255", G_GUINT64_CONSTANT (1) << 32 },
    { "fd00::1", "fd00::ffff", 0xffff },
    { "fd00::", "fd00:0:0:1::", G_MAXUINT64 },
    { "fd00::", "fd00::ffff:ffff:ffff:ffff", G_MAXUINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    IpAddress start = address (rows[i].start), end = address (rows[i].end);

    assert_int_equal (ip_range_size (&start, &end), rows[i].size);
  }
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (addresses_have_one_spelling), cmocka_unit_test (netmasks_are_prefixes),
    cmocka_unit_test (networks_have_bounds),        cmocka_unit_test (networks_overlap),
    cmocka_unit_test (ranges_have_sizes),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
