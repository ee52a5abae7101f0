/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who has which address, as the network's DHCP server knows it. */
#include "daemon/network/networks.h"
#include "daemon/ops/ops.h"

#define LEASES_SECONDS 10

typedef struct {
  Call *call;
  NetworkInput *input;
  char *mac; /* NULL: all */
} Asking;

static void
asking_free (gpointer data)
{
  Asking *asking = data;

  network_input_free (asking->input);
  g_free (asking->mac);
  g_free (asking);
}

static gpointer
ask (Job *job, gpointer data, GError **error)
{
  const Asking *asking = data;

  return network_run_leases (job, asking->input, asking->mac, error);
}

static void
answered (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (GPtrArray) leases = result;
  Call *call = ((Asking *)data)->call;
  GVariantBuilder list;

  if (leases == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(sximsmssumsms)"));
  for (guint i = 0; i < leases->len && call_int (call, 2) != 0; i++) {
    const NetworkLease *lease = g_ptr_array_index (leases, i);

    g_variant_builder_add (&list, "(sximsmssumsms)", lease->interface, lease->expiry, lease->type, lease->mac,
                           lease->iaid, lease->ip, lease->prefix, lease->hostname, lease->client_id);
  }
  call_answer (call, g_variant_new ("(a(sximsmssumsms)u)", &list, leases->len));
}

void
op_network_get_dhcp_leases (Call *call)
{
  Network *network = (Network *)call->object;
  const char *mac = call_maybe_string (call, 1);
  guint8 bytes[MAC_BYTES];
  Asking *asking;

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  if (mac != NULL && !mac_parse (mac, bytes)) {
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INVALID_MAC, "%s", mac);
    return;
  }
  if (!network->active) {
    call_answer (call, g_variant_new ("(@a(sximsmssumsms)u)",
                                      g_variant_new_array (G_VARIANT_TYPE ("(sximsmssumsms)"), NULL, 0), 0));
    return;
  }
  asking = g_new0 (Asking, 1);
  asking->call = call;
  asking->input = network_input_new (network, network->def);
  asking->mac = g_strdup (mac);
  job_start ("net-leases", ask, asking, asking_free, LEASES_SECONDS, answered, asking);
}
