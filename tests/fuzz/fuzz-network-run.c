/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as what a running network meets from outside: dnsmasq's leases, of which guests choose parts; the
 * host's packet filter as nft lists it; and texts of a document on their way into dnsmasq's settings, where
 * each must stay one field of one line.
 */
#include "base/untrusted-json.h"
#include "network/dnsmasq-leases.h"
#include "network/dnsmasq-text.h"
#include "network/firewall-check.h"
#include "network/network-firewall.h"

#include <string.h>

#define NOW 1000

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static NetworkDef *def;

int
LLVMFuzzerInitialize (G_GNUC_UNUSED int *argc, G_GNUC_UNUSED char ***argv)
{
  static const char text[] = "<network><name>n</name><forward mode='nat'/><bridge name='vb1'/>"
                             "<ip address='192.168.5.1' prefix='24'/></network>";
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  def = network_def_parse (text, -1, 0, diagnostics);
  g_assert_nonnull (def);
  return 0;
}

static void
check_text (const char *text)
{
  g_autofree char *field = dnsmasq_quote (text), *list = dnsmasq_quote_list (text);

  g_assert_true (field == NULL || strpbrk (field, "\n\r") == NULL);
  g_assert_true (list == NULL || strpbrk (list, "\n\r") == NULL);
  if (dnsmasq_is_host (text))
    g_assert_null (strpbrk (text, ",#:[\" \n"));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (JsonObject) listing = untrusted_json_object ((const char *)data, size);
  JsonArray *objects = listing != NULL ? untrusted_list (listing, "nftables") : NULL;

  g_ptr_array_unref (dnsmasq_leases_parse ((const char *)data, size, NOW));
  check_text (text);
  if (objects != NULL) {
    g_autoptr (NetworkFirewallState) state = network_firewall_state_new (objects);

    g_ptr_array_unref (firewall_check (objects, def));
    network_firewall_is_whole (state, def);
    network_firewall_is_idle (state);
  }
  return 0;
}
