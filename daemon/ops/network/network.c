/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One network: asked about, started and stopped. */
#include "daemon/network/networks.h"
#include "daemon/ops/ops.h"
#include "network/firewall-check.h"

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

void
op_network_bridge_or_none (Call *call)
{
  const char *bridge = network_of (call)->def->bridge;

  call_answer (call, g_variant_new ("(s)", bridge != NULL ? bridge : ""));
}

typedef struct {
  Store *store;
  char *name;
} SourceRequest;

static void
source_request_free (gpointer data)
{
  SourceRequest *request = data;

  g_free (request->name);
  g_free (request);
}

static GVariant *
load_source (G_GNUC_UNUSED const Call *call, gpointer data, GError **error)
{
  const SourceRequest *request = data;
  g_autofree char *text = store_load_source (request->store, request->name, error);

  return text != NULL ? g_variant_new ("(s)", text) : NULL;
}

void
op_network_get_source (Call *call)
{
  const Network *network = network_of (call);
  SourceRequest *request;

  if (!network->persistent) {
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_OPERATION_INVALID,
                    "transient networks do not have any persistent config");
    return;
  }
  request = g_new0 (SourceRequest, 1);
  request->store = network->registry->store;
  request->name = g_strdup (network->name);
  call_make (call, 0, "source", load_source, request, source_request_free);
}

#define CHECK_SECONDS 30

typedef struct {
  Call *call;
  NetworkInput *input;
} Checking;

static void
checking_free (gpointer data)
{
  Checking *checking = data;

  network_input_free (checking->input);
  g_free (checking);
}

static gpointer
check_job (Job *job, gpointer data, GError **error)
{
  return network_run_check (job, ((const Checking *)data)->input, error);
}

static void
checked (gpointer result, const GError *error, gpointer data)
{
  g_autoptr (GPtrArray) findings = result;
  Call *call = ((Checking *)data)->call;
  GVariantBuilder list;

  if (findings == NULL) {
    call_fail (call, g_error_copy (error));
    return;
  }
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(ss)"));
  for (guint i = 0; i < findings->len; i++) {
    const FirewallFinding *finding = g_ptr_array_index (findings, i);

    g_variant_builder_add (&list, "(ss)", finding->what, finding->cure != NULL ? finding->cure : "");
  }
  call_answer (call, g_variant_new ("(a(ss))", &list));
}

void
op_network_check (Call *call)
{
  Network *network = network_of (call);
  GError *error = NULL;
  Checking *checking;

  if (!network_check_active (network, &error)) {
    call_fail (call, error);
    return;
  }
  checking = g_new0 (Checking, 1);
  checking->call = call;
  checking->input = network_input_new (network, network->def);
  job_start ("net-check", check_job, checking, checking_free, CHECK_SECONDS, checked, checking);
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
