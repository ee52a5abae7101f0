/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One network: asked about, started and stopped. */
#include "daemon/network/networks.h"
#include "daemon/ops/ops.h"

static Network *
network_of (const Call *call)
{
  return (Network *)call->object;
}

void
op_network_get_xml_desc (Call *call)
{
  const Network *network = network_of (call);
  gboolean inactive = (call_uint (call, 1) & VIR_NETWORK_XML_INACTIVE) != 0;
  g_autoptr (NetworkDef) counted = NULL;
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 1), VIR_NETWORK_XML_INACTIVE))
    return;
  if (inactive)
    xml = network_def_to_xml (network->next != NULL ? network->next : network->def, FALSE);
  else {
    counted = network_counted (network);
    xml = network_def_to_xml (counted, TRUE);
  }
  call_answer (call, g_variant_new ("(s)", xml));
}

void
op_network_get_bridge_name (Call *call)
{
  const Network *network = network_of (call);

  if (network->def->bridge != NULL)
    call_answer (call, g_variant_new ("(s)", network->def->bridge));
  else
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_INTERNAL_ERROR,
                    "network '%s' does not have a bridge name.", network->name);
}

static void
create (Call *call)
{
  Network *network = network_of (call);
  GError *error = NULL;

  if (network_check_inactive (network, &error))
    network_start (network, call, NULL);
  else
    call_fail (call, error);
}

void
op_network_create (Call *call)
{
  call_lock (call, "start", create);
}

static void
destroy (Call *call)
{
  Network *network = network_of (call);
  GError *error = NULL;

  if (network_check_active (network, &error))
    network_destroy (network, call);
  else
    call_fail (call, error);
}

void
op_network_destroy (Call *call)
{
  call_lock (call, "destroy", destroy);
}
