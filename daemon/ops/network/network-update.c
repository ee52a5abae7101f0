/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Updates: one part of a definition, of the running network, the stored one, or both. */
#include "network/network-update.h"
#include "daemon/ops/network/network-edit.h"
#include "daemon/ops/ops.h"

#include <string.h>

/* What of a running network a section is. */
static const NetworkParts section_parts[] = {
  [VIR_NETWORK_SECTION_IP_DHCP_HOST] = NETWORK_PART_HOSTS,
  [VIR_NETWORK_SECTION_IP_DHCP_RANGE] = NETWORK_PART_DHCP,
  [VIR_NETWORK_SECTION_FORWARD_INTERFACE] = NETWORK_PART_FORWARD,
  [VIR_NETWORK_SECTION_DNS_HOST] = NETWORK_PART_DNS,
  [VIR_NETWORK_SECTION_DNS_TXT] = NETWORK_PART_DNS,
  [VIR_NETWORK_SECTION_DNS_SRV] = NETWORK_PART_DNS,
};

typedef struct {
  Call *call;
  NetworkDef *live, *config; /* as they are; NULL: not meant */
  NetworkDef *new_live, *new_config;
} Updating;

static void
updating_free (gpointer data)
{
  Updating *updating = data;

  network_def_unref (updating->live);
  network_def_unref (updating->config);
  network_def_unref (updating->new_live);
  network_def_unref (updating->new_config);
  g_free (updating);
}

static gpointer
compute (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  Updating *updating = data;
  const Call *call = updating->call;
  const NetworkUpdate update = { call_uint (call, 1), call_uint (call, 2), call_int (call, 3),
                                 call_string (call, 4) };

  if (updating->live != NULL
      && (updating->new_live = network_update (updating->live, &update, error)) == NULL)
    return NULL;
  if (updating->config != NULL
      && (updating->new_config = network_update (updating->config, &update, error)) == NULL)
    return NULL;
  return JOB_OK;
}

/* The first one to be served by DHCP needs a server that was not there. */
static NetworkParts
changed_parts (const Updating *updating, guint section)
{
  NetworkParts parts = section < G_N_ELEMENTS (section_parts) ? section_parts[section] : 0;

  if (parts != NETWORK_PART_HOSTS || updating->live == NULL)
    return parts;
  for (IpFamily family = IP_V4; family <= IP_V6; family++)
    if ((network_def_dhcp_ip (updating->live, family) == NULL)
        != (network_def_dhcp_ip (updating->new_live, family) == NULL))
      parts |= NETWORK_PART_DHCP;
  return parts;
}

static void
computed (gpointer result, const GError *error, gpointer data)
{
  Updating *updating = data;
  Call *call = updating->call;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else
    network_edit (call, g_steal_pointer (&updating->new_live), g_steal_pointer (&updating->new_config),
                  changed_parts (updating, call_uint (call, 2)), call_answer_nothing);
}

static void
begin (Call *call)
{
  const Network *network = (const Network *)call->object;
  NetworkDef *live, *config;
  Updating *updating;

  if (!network_edit_which (call, call_uint (call, 5), &live, &config))
    return;
  updating = g_new0 (Updating, 1);
  updating->call = call;
  updating->live = live != NULL ? network_counted (network) : NULL;
  updating->config = config != NULL ? network_def_ref (config) : NULL;
  call_work (call, strlen (call_string (call, 4)), "net-update", compute, updating, updating_free, computed);
}

void
op_network_update (Call *call)
{
  if (call_check_flags (call, call_uint (call, 5),
                        VIR_NETWORK_UPDATE_AFFECT_LIVE | VIR_NETWORK_UPDATE_AFFECT_CONFIG))
    call_lock (call, "update", begin);
}
