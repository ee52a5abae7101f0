/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* dnsmasq's file of leases, of which guests choose parts. */
#include "network/dnsmasq-leases.h"

#include "cmocka-glib.h"

#include <string.h>

#define NOW 1000

/* "EXPIRY MAC IAID IP HOSTNAME CLIENT" of each, "-" for what is not known. */
static char *
read_leases (const char *text)
{
  g_autoptr (GPtrArray) leases = dnsmasq_leases_parse (text, strlen (text), NOW);
  GString *result = g_string_new (NULL);

  for (guint i = 0; i < leases->len; i++) {
    const DnsmasqLease *lease = g_ptr_array_index (leases, i);
    char mac[MAC_TEXT] = "-", address[IP_TEXT_MAX];

    if (lease->has_mac)
      mac_format (lease->mac, mac);
    ip_address_format (&lease->address, address);
    g_string_append_printf (result, "%d %s %s %s %s %s\n", (int)lease->expiry, mac,
                            lease->iaid != NULL ? lease->iaid : "-", address,
                            lease->hostname != NULL ? lease->hostname : "-",
                            lease->client_id != NULL ? lease->client_id : "-");
  }
  return g_string_free (result, FALSE);
}

static void
what_holds_is_read (G_GNUC_UNUSED void **state)
{
  g_autofree char *leases =
      read_leases ("2000 52:54:00:00:00:01 10.0.0.2 web 01:52:54:00:00:00:01\n"
                   "0 52:54:00:00:00:02 10.0.0.3 * *\n"
                   "999 52:54:00:00:00:03 10.0.0.4 gone *\n"
                   "duid 00:01:00:01:2c:01:02:03:52:54:00:00:00:ff\n"
                   "2000 16777217 fd00::2 web 00:01:00:01:2c:01:02:03:52:54:00:00:00:01\n"
                   "2000 T7 fd00::3 * 00:04:aa:bb\n"
                   "2000 8 fd00::4 * 00:03:00:01:52:54:00:00:00:05\n");

  assert_string_equal (leases, "2000 52:54:00:00:00:01 - 10.0.0.2 web 01:52:54:00:00:00:01\n"
                               "0 52:54:00:00:00:02 - 10.0.0.3 - -\n"
                               "2000 52:54:00:00:00:01 16777217 fd00::2 web "
                               "00:01:00:01:2c:01:02:03:52:54:00:00:00:01\n"
                               "2000 - 7 fd00::3 - 00:04:aa:bb\n"
                               "2000 52:54:00:00:00:05 8 fd00::4 - 00:03:00:01:52:54:00:00:00:05\n");
}

static void
what_is_no_lease_is_passed_over (G_GNUC_UNUSED void **state)
{
  g_autofree char *leases = read_leases ("\n\n \nx\n2000\n2000 a b c\n-5 52:54:00:00:00:01 10.0.0.2 a *\n"
                                         "99999999999999999999 52:54:00:00:00:01 10.0.0.2 a *\n"
                                         "2000 52:54:00:00:00:01 10.0.0.256 a *\n"
                                         "2000 notanumber fd00::2 a *\n"
                                         "2000 zz 10.0.0.9 a\001b \xff\n");

  assert_string_equal (leases, "2000 - - 10.0.0.9 - -\n");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (what_holds_is_read),
    cmocka_unit_test (what_is_no_lease_is_passed_over),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
