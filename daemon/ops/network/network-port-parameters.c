/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The bandwidth of a port, as typed parameters: each is a member of one of its two rates. */
#include "daemon/network/network-files.h"
#include "daemon/network/network-plug.h"
#include "daemon/ops/domain/parameters.h"
#include "daemon/ops/network/port-call.h"
#include "daemon/ops/ops.h"

#define PARAMETERS_SECONDS 30

static const struct {
  const char *name;
  gboolean inbound;
  gsize offset; /* of a Number in InterfaceRate */
} rates[] = {
  { VIR_NETWORK_PORT_BANDWIDTH_IN_AVERAGE, TRUE, G_STRUCT_OFFSET (InterfaceRate, average) },
  { VIR_NETWORK_PORT_BANDWIDTH_IN_PEAK, TRUE, G_STRUCT_OFFSET (InterfaceRate, peak) },
  { VIR_NETWORK_PORT_BANDWIDTH_IN_FLOOR, TRUE, G_STRUCT_OFFSET (InterfaceRate, floor) },
  { VIR_NETWORK_PORT_BANDWIDTH_IN_BURST, TRUE, G_STRUCT_OFFSET (InterfaceRate, burst) },
  { VIR_NETWORK_PORT_BANDWIDTH_OUT_AVERAGE, FALSE, G_STRUCT_OFFSET (InterfaceRate, average) },
  { VIR_NETWORK_PORT_BANDWIDTH_OUT_PEAK, FALSE, G_STRUCT_OFFSET (InterfaceRate, peak) },
  { VIR_NETWORK_PORT_BANDWIDTH_OUT_BURST, FALSE, G_STRUCT_OFFSET (InterfaceRate, burst) },
};

static const CallParameter known[] = {
  { VIR_NETWORK_PORT_BANDWIDTH_IN_AVERAGE, 'u' },  { VIR_NETWORK_PORT_BANDWIDTH_IN_PEAK, 'u' },
  { VIR_NETWORK_PORT_BANDWIDTH_IN_FLOOR, 'u' },    { VIR_NETWORK_PORT_BANDWIDTH_IN_BURST, 'u' },
  { VIR_NETWORK_PORT_BANDWIDTH_OUT_AVERAGE, 'u' }, { VIR_NETWORK_PORT_BANDWIDTH_OUT_PEAK, 'u' },
  { VIR_NETWORK_PORT_BANDWIDTH_OUT_BURST, 'u' },   { NULL, 0 },
};

void
op_network_port_get_parameters (Call *call)
{
  Network *network;
  NetworkPortDef *port;
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 2), 0) || (port = call_network_port (call, &network)) == NULL)
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a{sv}"));
  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    const InterfaceRate *rate = rates[i].inbound ? port->inbound : port->outbound;

    if (rate != NULL)
      g_variant_builder_add (
          &list, "{sv}", rates[i].name,
          g_variant_new_uint32 ((guint32)((const Number *)((const char *)rate + rates[i].offset))->value));
  }
  call_answer_parameters (call, g_variant_builder_end (&list), call_int (call, 1), TRUE);
}

typedef struct {
  Call *call;
  NetworkPortDef *port, *was;
  NetworkInput *input;
} RateChange;

static void
change_free (gpointer data)
{
  RateChange *change = data;

  network_port_def_unref (change->port);
  network_port_def_unref (change->was);
  network_input_free (change->input);
  g_free (change);
}

static gpointer
change_job (Job *job, gpointer data, GError **error)
{
  const RateChange *change = data;

  return network_run_change_port (job, change->input, change->was, change->port, error) ? JOB_OK : NULL;
}

static void
changed (gpointer result, const GError *error, gpointer data)
{
  RateChange *change = data;

  if (result == NULL) {
    call_fail (change->call, g_error_copy (error));
    return;
  }
  network_put_port ((Network *)change->call->object, network_port_def_ref (change->port));
  call_answer_nothing (change->call);
}

/* The rates that a client gives: both are replaced by what it says, as libvirt does. */
static void
take_rates (Call *call, InterfaceRate *inbound, InterfaceRate *outbound)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 1);

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++) {
    InterfaceRate *rate = rates[i].inbound ? inbound : outbound;
    guint32 value;

    if (g_variant_lookup (parameters, rates[i].name, "u", &value) && value > 0)
      *(Number *)((char *)rate + rates[i].offset) = NUMBER (value);
  }
}

/* Without an average or a floor there is no limit. */
static const InterfaceRate *
limit_of (const InterfaceRate *rate)
{
  return rate->average.set || rate->floor.set ? rate : NULL;
}

static void
set (Call *call)
{
  Network *network;
  NetworkPortDef *port = call_network_port (call, &network), *changed_port;
  InterfaceRate inbound = { 0 }, outbound = { 0 };
  RateChange *change;
  GError *error = NULL;

  if (port == NULL)
    return;
  take_rates (call, &inbound, &outbound);
  changed_port = network_port_with_rates (network, port, limit_of (&inbound), limit_of (&outbound), &error);
  if (changed_port == NULL) {
    call_fail (call, error);
    return;
  }
  change = g_new0 (RateChange, 1);
  change->call = call;
  change->was = network_port_def_ref (port);
  change->port = changed_port;
  change->input = network_input_new (network, network->def);
  job_start ("net-port", change_job, change, change_free, PARAMETERS_SECONDS, changed, change);
}

void
op_network_port_set_parameters (Call *call)
{
  g_autoptr (GVariant) parameters = g_variant_get_child_value (call->arguments, 1);
  Network *network;

  if (!call_check_flags (call, call_uint (call, 2), 0) || !call_check_parameters (call, parameters, known)
      || call_network_port (call, &network) == NULL)
    return;
  call->object = &network->object;
  call_lock (call, "port", set);
}
