/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Stands in for what makes a network run: remembers that it does, and changes nothing on the host. */
#include "daemon/network/network-run.h"

#include <net/if.h>

struct NetworkStatus {
  gint ref_count;
};

NetworkStatus *
network_status_ref (NetworkStatus *status)
{
  g_atomic_int_inc (&status->ref_count);
  return status;
}

void
network_status_unref (NetworkStatus *status)
{
  if (status != NULL && g_atomic_int_dec_and_test (&status->ref_count))
    g_free (status);
}

void
network_input_free (NetworkInput *input)
{
  if (input == NULL)
    return;
  g_free (input->directory);
  network_def_unref (input->def);
  network_status_unref (input->status);
  g_ptr_array_unref (input->ports);
  g_ptr_array_unref (input->others);
  g_free (input);
}

const NetworkDef *
network_status_def (G_GNUC_UNUSED const NetworkStatus *status)
{
  return NULL;
}

void
network_run_forget (G_GNUC_UNUSED const Settings *settings, G_GNUC_UNUSED const char *uuid)
{
}

GPtrArray *
network_run_check (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                   G_GNUC_UNUSED GError **error)
{
  return g_ptr_array_new ();
}

static NetworkStatus *
new_status (void)
{
  NetworkStatus *status = g_new0 (NetworkStatus, 1);

  status->ref_count = 1;
  return status;
}

NetworkStatus *
network_run_start (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                   G_GNUC_UNUSED GError **error)
{
  return new_status ();
}

gboolean
network_run_stop (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                  G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

NetworkStatus *
network_run_adopt (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                   G_GNUC_UNUSED GError **error)
{
  return new_status ();
}

NetworkStatus *
network_run_update (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                    G_GNUC_UNUSED NetworkParts parts, G_GNUC_UNUSED GError **error)
{
  return new_status ();
}

gboolean
network_run_add_port (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                      G_GNUC_UNUSED const NetworkPortDef *port, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

gboolean
network_run_remove_port (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                         G_GNUC_UNUSED const NetworkPortDef *port, G_GNUC_UNUSED GError **error)
{
  return TRUE;
}

void
network_lease_free (NetworkLease *lease)
{
  g_free (lease->interface);
  g_free (lease->mac);
  g_free (lease->iaid);
  g_free (lease->ip);
  g_free (lease->hostname);
  g_free (lease->client_id);
  g_free (lease);
}

GPtrArray *
network_run_leases (G_GNUC_UNUSED Job *job, G_GNUC_UNUSED const NetworkInput *input,
                    G_GNUC_UNUSED const char *mac, G_GNUC_UNUSED GError **error)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)network_lease_free);
}

gboolean
network_run_link_exists (const char *name)
{
  return if_nametoindex (name) != 0;
}

struct NetworkWatch {
  int none;
};

NetworkWatch *
network_watch_new (G_GNUC_UNUSED const NetworkStatus *status, G_GNUC_UNUSED const char *directory,
                   G_GNUC_UNUSED NetworkChanged changed, G_GNUC_UNUSED gpointer data)
{
  return g_new0 (NetworkWatch, 1);
}

void
network_watch_free (NetworkWatch *watch)
{
  g_free (watch);
}
