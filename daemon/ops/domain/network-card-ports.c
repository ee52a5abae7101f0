/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ports come, and change, in two halves: chosen in the main loop, which knows all ports there are, with the
 * network's lock, and written down in a job. A port that a job makes is in no definition until the job is
 * over: its owner is `busy` meanwhile, so that the port is not taken for one that was left behind.
 */
#include "daemon/ops/domain/network-card-ports.h"

#include "daemon/network/network-files.h"
#include "daemon/network/network-plug.h"

#define PORT_SECONDS NETWORK_CARD_PORT_SECONDS

/* Domains (UUIDs) for which a job makes ports. Main loop only. */
static GHashTable *busy;

static void
set_busy (const char *uuid)
{
  if (busy == NULL)
    busy = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add (busy, g_strdup (uuid));
}

void
network_card_ports_made (const char *uuid)
{
  if (busy != NULL)
    g_hash_table_remove (busy, uuid);
}

gboolean
network_card_ports_are_made_for (const char *uuid)
{
  return busy != NULL && g_hash_table_contains (busy, uuid);
}

typedef struct {
  Manager *manager;
  const char *name;             /* of the network */
  const NetworkPortDef *wanted; /* as the card has it; of a change: its UUID, and the rates */
  gboolean reclaim, changes;
  char *uuid;                 /* of the network */
  Lock *lock;                 /* held, once it has begun without an error */
  NetworkPortDef *port, *was; /* was: before it is changed */
  NetworkInput *input;
  GMutex mutex;
  GCond changed;
  gboolean settled; /* it has the lock, or an error */
  GError *error;
} Making;

static void
making_clear (Making *making)
{
  g_free (making->uuid);
  if (making->lock != NULL)
    lock_unref (making->lock);
  if (making->port != NULL)
    network_port_def_unref (making->port);
  if (making->was != NULL)
    network_port_def_unref (making->was);
  if (making->input != NULL)
    network_input_free (making->input);
  g_clear_error (&making->error);
  g_mutex_clear (&making->mutex);
  g_cond_clear (&making->changed);
}

static void
making_settle (Making *making)
{
  g_mutex_lock (&making->mutex);
  making->settled = TRUE;
  g_cond_signal (&making->changed);
  g_mutex_unlock (&making->mutex);
}

/* The port there is, with the rates that are wanted. */
static NetworkPortDef *
port_with_rates (const Network *network, Making *making)
{
  NetworkPortDef *port = network_find_port (network, making->wanted->uuid, &making->error);

  if (port == NULL)
    return NULL;
  making->was = network_port_def_ref (port);
  return network_port_with_rates (network, port, making->wanted->inbound, making->wanted->outbound,
                                  &making->error);
}

/* With the network's lock: the port is chosen among those there are. */
static void
making_begin (gpointer data)
{
  Making *making = data;
  Network *network = network_find_uuid (making->manager, making->uuid, &making->error);

  if (network != NULL && network_check_active (network, &making->error))
    making->port = making->changes ? port_with_rates (network, making)
                                   : network_plug (network, making->wanted, making->reclaim, &making->error);
  if (making->port != NULL) {
    making->input = network_input_new (network, network->def);
    if (!making->changes)
      set_busy (making->wanted->owner_uuid);
  } else {
    lock_release (making->lock, making);
  }
  making_settle (making);
}

static void
making_fail (gpointer data, GError *error)
{
  Making *making = data;

  making->error = error;
  making_settle (making);
}

static void
making_ask (gpointer data)
{
  Making *making = data;
  Network *network = network_find_name (making->manager, making->name, &making->error);
  LockRequest request = { .name = "port",
                          .holder = making,
                          .seconds = PORT_SECONDS,
                          .begin = making_begin,
                          .fail = making_fail,
                          .data = making };

  if (network == NULL) {
    making_settle (making);
    return;
  }
  making->uuid = g_strdup (network->uuid);
  making->lock = lock_ref (network->lock);
  lock_acquire (making->lock, &request);
}

static void
making_end (gpointer data)
{
  Making *making = data;
  Network *network = network_find_uuid (making->manager, making->uuid, NULL);

  if (making->error == NULL && network != NULL)
    network_put_port (network, network_port_def_ref (making->port));
  lock_release (making->lock, making);
}

static void
write_port (Job *job, Making *making)
{
  const NetworkPortDef *port = making->port;
  gboolean has_class = port->class_id.set && port->class_id.value != 0;

  if (making->changes) {
    network_run_change_port (job, making->input, making->was, port, &making->error);
    return;
  }
  if (has_class && !network_run_add_port (job, making->input, port, &making->error))
    return;
  if (!network_files_save_port (making->input->directory, port, &making->error) && has_class)
    network_run_remove_port (job, making->input, port, NULL);
}

/* The new port, or of a change the one before. (transfer full) */
static NetworkPortDef *
make (Job *job, Making *making, GError **error)
{
  NetworkPortDef *port = NULL;

  g_mutex_init (&making->mutex);
  g_cond_init (&making->changed);
  job_in_main_loop (job, making_ask, making);
  g_mutex_lock (&making->mutex);
  while (!making->settled) /* the request for the lock ends by itself */
    g_cond_wait (&making->changed, &making->mutex);
  g_mutex_unlock (&making->mutex);
  if (making->error == NULL) {
    write_port (job, making);
    job_in_main_loop (job, making_end, making);
  }
  if (making->error == NULL)
    port = network_port_def_ref (making->changes ? making->was : making->port);
  else
    g_propagate_error (error, g_steal_pointer (&making->error));
  making_clear (making);
  return port;
}

NetworkPortDef *
network_card_port_make (Job *job, Manager *manager, const char *network, const NetworkPortDef *wanted,
                        gboolean reclaim, GError **error)
{
  Making making = { .manager = manager, .name = network, .wanted = wanted, .reclaim = reclaim };

  return make (job, &making, error);
}

NetworkPortDef *
network_card_port_change_rates (Job *job, Manager *manager, const char *network, const char *uuid,
                                const InterfaceRate *inbound, const InterfaceRate *outbound, GError **error)
{
  const NetworkPortDef wanted = { .uuid = (char *)uuid,
                                  .inbound = (InterfaceRate *)inbound,
                                  .outbound = (InterfaceRate *)outbound };
  Making making = { .manager = manager, .name = network, .wanted = &wanted, .changes = TRUE };

  return make (job, &making, error);
}
