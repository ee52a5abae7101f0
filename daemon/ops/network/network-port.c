/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ports: made, found, shown and deleted. What a port is plugged into is chosen when it is made; a traffic
 * class and its file are a job's.
 */
#include "daemon/network/network-files.h"
#include "daemon/network/network-plug.h"
#include "daemon/ops/network/port-call.h"
#include "daemon/ops/ops.h"

#include <string.h>

#define PORT_SECONDS 30
#define PORTS_MAX    16384 /* of one network: what a list on the wire holds */

static char *
uuid_text (GVariant *bytes)
{
  gsize length;
  const guint8 *uuid = g_variant_get_fixed_array (bytes, &length, 1);
  char *text;

  if (length != UUID_BYTES)
    return NULL;
  text = g_malloc (UUID_TEXT);
  uuid_format (uuid, text);
  return text;
}

NetworkPortDef *
call_network_port (Call *call, Network **ret_network)
{
  g_autoptr (GVariant) handle = g_variant_get_child_value (call->arguments, 0);
  g_autoptr (GVariant) network_value = g_variant_get_child_value (handle, 0);
  g_autoptr (GVariant) bytes = g_variant_get_child_value (handle, 1);
  g_autofree char *network_uuid = object_handle_key (&network_kind, network_value);
  g_autofree char *uuid = uuid_text (bytes);
  Network *network = network_uuid != NULL ? network_find_uuid (call->manager, network_uuid, NULL) : NULL;
  NetworkPortDef *port;
  GError *error = NULL;
  const char *name;

  if (network == NULL) {
    g_variant_get_child (network_value, 0, "&s", &name);
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_NO_NETWORK, "no network with matching uuid '%s' (%s)",
                    network_uuid != NULL ? network_uuid : "", name);
    return NULL;
  }
  port = network_find_port (network, uuid != NULL ? uuid : "", &error);
  if (port == NULL)
    call_fail (call, error);
  else
    *ret_network = network;
  return port;
}

void
op_network_list_all_ports (Call *call)
{
  const Network *network = (const Network *)call->object;
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 2), 0))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a((say)ay)"));
  for (guint i = 0; i < network->ports->len && call_int (call, 1) != 0; i++)
    g_variant_builder_add_value (&list, network_port_value (network, g_ptr_array_index (network->ports, i)));
  call_answer (call, g_variant_new ("(a((say)ay)u)", &list, network->ports->len));
}

static void
answer_port (Call *call, const Network *network, const NetworkPortDef *port)
{
  call_answer (call, g_variant_new ("(@((say)ay))", network_port_value (network, port)));
}

void
op_network_port_lookup_by_uuid (Call *call)
{
  const Network *network = (const Network *)call->object;
  g_autofree char *uuid = call_uuid (call, 1);
  GError *error = NULL;
  NetworkPortDef *port = network_find_port (network, uuid != NULL ? uuid : "", &error);

  if (port != NULL)
    answer_port (call, network, port);
  else
    call_fail (call, error);
}

void
op_network_port_get_xml_desc (Call *call)
{
  Network *network;
  NetworkPortDef *port;
  g_autofree char *xml = NULL;

  if (!call_check_flags (call, call_uint (call, 1), 0) || (port = call_network_port (call, &network)) == NULL)
    return;
  xml = network_port_def_to_xml (port);
  call_answer (call, g_variant_new ("(s)", xml));
}

/* One job about a port; the call has the network's lock. */
typedef struct {
  Call *call;
  gboolean strict;
  NetworkPortDef *port;
  NetworkInput *input;
} PortWork;

static void
work_free (gpointer data)
{
  PortWork *work = data;

  network_port_def_unref (work->port);
  network_input_free (work->input);
  g_free (work);
}

static gpointer
make_job (Job *job, gpointer data, GError **error)
{
  const PortWork *work = data;

  if (work->port->class_id.set && !network_run_add_port (job, work->input, work->port, error))
    return NULL;
  if (network_files_save_port (work->input->directory, work->port, error))
    return JOB_OK;
  if (work->port->class_id.set)
    network_run_remove_port (job, work->input, work->port, NULL);
  return NULL;
}

static void
made (gpointer result, const GError *error, gpointer data)
{
  PortWork *work = data;
  Network *network = (Network *)work->call->object;
  NetworkPortDef *port = work->port;

  if (result == NULL) {
    call_fail (work->call, g_error_copy (error));
    return;
  }
  network_put_port (network, network_port_def_ref (port));
  answer_port (work->call, network, port);
}

static void
make (Call *call)
{
  PortWork *parsed = call->user_data, *work;
  Network *network = (Network *)call->object;
  gboolean reclaim = (call_uint (call, 2) & VIR_NETWORK_PORT_CREATE_RECLAIM) != 0;
  g_autoptr (NetworkPortDef) port = NULL;
  GError *error = NULL;

  if (!network_check_active (network, &error)) {
    call_fail (call, error);
    return;
  }
  if (network_find_port (network, parsed->port->uuid, NULL) != NULL) {
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_NETWORK_PORT_EXIST,
                    "Network port with UUID %s already exists", parsed->port->uuid);
    return;
  }
  if (network->ports->len >= PORTS_MAX) {
    call_fail_from (call, VIR_FROM_NETWORK, VIR_ERR_OPERATION_FAILED, "network '%s' has %d ports already",
                    network->name, PORTS_MAX);
    return;
  }
  port = network_plug (network, parsed->port, reclaim, &error);
  if (port == NULL) {
    call_fail (call, error);
    return;
  }
  work = g_new0 (PortWork, 1);
  work->call = call;
  work->input = network_input_new (network, network->def);
  work->port = g_steal_pointer (&port);
  job_start ("net-port", make_job, work, work_free, PORT_SECONDS, made, work);
}

static gpointer
parse (G_GNUC_UNUSED Job *job, gpointer data, GError **error)
{
  PortWork *work = data;
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);

  work->port =
      network_port_def_parse (call_string (work->call, 1), -1, work->strict ? 0 : DOCUMENT_LAX, diagnostics);
  return diagnostics_check (diagnostics, error) ? JOB_OK : NULL;
}

static void
parsed (gpointer result, const GError *error, gpointer data)
{
  PortWork *work = data;
  Call *call = work->call;

  if (result == NULL)
    call_fail (call, g_error_copy (error));
  else
    call_lock (call, "port", make);
}

void
op_network_port_create_xml (Call *call)
{
  guint flags = call_uint (call, 2);
  PortWork *work;

  if (!call_check_flags (call, flags, VIR_NETWORK_PORT_CREATE_RECLAIM | VIR_NETWORK_PORT_CREATE_VALIDATE))
    return;
  work = g_new0 (PortWork, 1);
  work->call = call;
  work->strict = (flags & VIR_NETWORK_PORT_CREATE_VALIDATE) != 0;
  call->user_data = work;
  call->user_free = work_free;
  call_work (call, strlen (call_string (call, 1)), "net-port", parse, work, NULL, parsed);
}

static gpointer
delete_job (Job *job, gpointer data, GError **error)
{
  const PortWork *work = data;

  if (work->port->class_id.set && !network_run_remove_port (job, work->input, work->port, error))
    return NULL;
  network_files_remove_port (work->input->directory, work->port->uuid);
  return JOB_OK;
}

static void
deleted (gpointer result, const GError *error, gpointer data)
{
  PortWork *work = data;

  if (result == NULL) {
    call_fail (work->call, g_error_copy (error));
    return;
  }
  network_drop_port ((Network *)work->call->object, work->port->uuid);
  call_answer_nothing (work->call);
}

static void delete (Call *call)
{
  Network *network;
  NetworkPortDef *port = call_network_port (call, &network);
  GError *error = NULL;
  PortWork *work;

  if (port == NULL)
    return;
  if (!network_check_active (network, &error)) {
    call_fail (call, error);
    return;
  }
  work = g_new0 (PortWork, 1);
  work->call = call;
  work->port = network_port_def_ref (port);
  work->input = network_input_new (network, network->def);
  job_start ("net-port", delete_job, work, work_free, PORT_SECONDS, deleted, work);
}

void
op_network_port_delete (Call *call)
{
  Network *network;

  if (!call_check_flags (call, call_uint (call, 1), 0) || call_network_port (call, &network) == NULL)
    return;
  call->object = &network->object;
  call_lock (call, "port", delete);
}
