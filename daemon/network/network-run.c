/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Running a network: the steps of network-steps.h forwards, and backwards. Each is written down before it is
 * made, in the network's status file, and a step that was written down is undone whether or not it was made:
 * so a start that fails, one that a daemon's death cut short, and an ordinary stop end the same way.
 */
#include "daemon/network/network-run.h"

#include "daemon/host/host-networks.h"
#include "daemon/host/link.h"
#include "daemon/network/network-clash.h"
#include "daemon/network/network-dnsmasq.h"
#include "daemon/network/network-files.h"
#include "daemon/network/network-filter.h"
#include "daemon/network/network-floor.h"
#include "daemon/network/network-names.h"
#include "daemon/network/network-pool.h"
#include "daemon/network/network-steps.h"
#include "network/dnsmasq-leases.h"
#include "network/network-firewall.h"

#include <string.h>
#include <unistd.h>

gboolean
network_run_link_exists (const char *name)
{
  return link_exists (name);
}

/* Undo what @run->status says was begun, from the last step to the first. All are tried; the first that fails
 * is told. */
static gboolean
undo (NetworkRun *run, GError **error)
{
  g_autoptr (GError) first = NULL;

  run->status->stage = NETWORK_STOPPING;
  network_status_save (run->status, run->input->directory, &first);
  for (guint i = network_step_count; i > 0; i--) {
    const NetworkStep *step = &network_steps[i - 1];
    g_autoptr (GError) problem = NULL;

    if ((run->status->steps & 1U << (i - 1)) == 0 || step->undo == NULL || step->undo (run, &problem))
      continue;
    g_warning ("network '%s': %s: %s", run->input->def->name, step->name, problem->message);
    if (first == NULL)
      first = g_steal_pointer (&problem);
  }
  network_names_remove (run->input->settings, run->status->bridge);
  network_status_remove (run->input->directory);
  if (first == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&first));
  return FALSE;
}

static gboolean
make (NetworkRun *run, GError **error)
{
  for (guint i = 0; i < network_step_count; i++) {
    const NetworkStep *step = &network_steps[i];

    if (!step->is_needed (run->input->def))
      continue;
    run->status->steps |= 1U << i;
    if (!job_check (run->job, error) || !network_status_save (run->status, run->input->directory, error)
        || !step->make (run, error))
      return FALSE;
  }
  run->status->stage = NETWORK_RUNNING;
  network_names_begin (run->input, run->status);
  return network_status_save (run->status, run->input->directory, error);
}

/* What can be refused before anything is made. */
static gboolean
check (const NetworkInput *input, GError **error)
{
  g_autoptr (GArray) host = NULL;

  if (!network_forward_has_own_bridge (input->def->forward.mode))
    return TRUE;
  if (!network_link_name_is_plain (input->def->bridge)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "network '%s': '%s' cannot be the name of a bridge",
                    input->def->name, input->def->bridge != NULL ? input->def->bridge : "");
    return FALSE;
  }
  host = host_networks_list (error);
  return host != NULL && network_clash_check (input->def, input->others, host, error)
         && network_dnsmasq_check (input->def, error);
}

static NetworkStatus *
plan (const NetworkDef *def)
{
  NetworkStatus *status = network_status_new ();

  status->stage = NETWORK_STARTING;
  if (network_forward_has_own_bridge (def->forward.mode)) {
    status->bridge = g_strdup (def->bridge);
    if (def->mac == NULL || !mac_parse (def->mac, status->mac))
      mac_generate (status->mac);
  }
  return status;
}

NetworkStatus *
network_run_start (Job *job, const NetworkInput *input, GError **error)
{
  g_autoptr (NetworkStatus) status = plan (input->def);
  NetworkRun run = { job, input, status };

  if (!check (input, error) || !network_pool_fill (input->settings, input->def, &status->def, error))
    return NULL;
  if (make (&run, error))
    return g_steal_pointer (&status);
  undo (&run, NULL);
  return NULL;
}

gboolean
network_run_stop (Job *job, const NetworkInput *input, GError **error)
{
  g_autoptr (NetworkStatus) kept =
      input->status == NULL ? network_status_load (input->directory, NULL) : NULL;
  const NetworkStatus *present = input->status != NULL ? input->status : kept;
  g_autoptr (NetworkStatus) status = present != NULL ? network_status_copy (present) : plan (input->def);
  NetworkRun run = { job, input, status };

  return undo (&run, error);
}

/* What died or was taken away while nobody looked. That it cannot be had again does not end a network whose
 * machines have their bridge. */
static void
mend (NetworkRun *run)
{
  const NetworkDef *def = run->input->def;
  g_autoptr (GError) error = NULL;

  if (network_firewall_is_needed (def) && !network_filter_is_set (def, TRUE)
      && !network_step_filter (def, &error)) {
    g_warning ("network '%s' runs without its packet filter: %s", def->name, error->message);
    g_clear_error (&error);
  }
  if (!network_dnsmasq_update (run->job, run->input, run->status, &error))
    g_warning ("network '%s' runs without DHCP and DNS: %s", def->name, error->message);
}

NetworkStatus *
network_run_adopt (Job *job, const NetworkInput *input, GError **error)
{
  g_autoptr (NetworkStatus) status = network_status_load (input->directory, error);
  NetworkRun run = { job, input, status };

  if (status == NULL)
    return NULL;
  if (status->stage == NETWORK_RUNNING && network_steps_hold (status)) {
    if (network_forward_has_own_bridge (input->def->forward.mode))
      mend (&run);
    network_names_begin (input, status);
    network_pool_fill (input->settings, input->def, &status->def, NULL); /* or as it was found before */
    return g_steal_pointer (&status);
  }
  g_message ("network '%s' was %s when its daemon ended: what there is of it is removed", input->def->name,
             status->stage == NETWORK_STARTING   ? "starting"
             : status->stage == NETWORK_STOPPING ? "stopping"
                                                 : "running, but has lost its bridge");
  undo (&run, NULL);
  return NULL;
}

#define SERVICE_PARTS (NETWORK_PART_DNS | NETWORK_PART_DHCP | NETWORK_PART_HOSTS | NETWORK_PART_HELPER)
#define FILTER_PARTS  (NETWORK_PART_FORWARD | NETWORK_PART_FIREWALL)

NetworkStatus *
network_run_update (Job *job, const NetworkInput *input, NetworkParts parts, GError **error)
{
  g_autoptr (NetworkStatus) status = NULL;

  g_return_val_if_fail (input->status != NULL, NULL);
  status = network_status_copy (input->status);
  if (!network_forward_has_own_bridge (input->def->forward.mode))
    return g_steal_pointer (&status);
  if (((parts & FILTER_PARTS) != 0 && !network_step_filter (input->def, error))
      || ((parts & NETWORK_PART_BANDWIDTH) != 0
          && !network_floor_set_bridge (input->def, input->ports, error))
      || ((parts & SERVICE_PARTS) != 0 && !network_dnsmasq_update (job, input, status, error))
      || !network_status_save (status, input->directory, error))
    return NULL;
  if ((parts & NETWORK_PART_LEASES) != 0)
    network_names_write (input);
  return g_steal_pointer (&status);
}

/* Leases. */

void
network_lease_free (NetworkLease *lease)
{
  if (lease == NULL)
    return;
  g_free (lease->interface);
  g_free (lease->mac);
  g_free (lease->iaid);
  g_free (lease->ip);
  g_free (lease->hostname);
  g_free (lease->client_id);
  g_free (lease);
}

/* Of the subnet in which it is. */
static guint
prefix_of (const NetworkDef *def, const IpAddress *address)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    IpAddress own;
    guint prefix;

    if (network_ip_address (g_ptr_array_index (def->ips, i), &own, &prefix) && own.family == address->family
        && ip_network_contains (&own, prefix, address))
      return prefix;
  }
  return ip_address_bits (address);
}

static NetworkLease *
lease_of (const NetworkDef *def, DnsmasqLease *from)
{
  NetworkLease *lease = g_new0 (NetworkLease, 1);
  char text[IP_TEXT_MAX], mac[MAC_TEXT];

  ip_address_format (&from->address, text);
  lease->interface = g_strdup (def->bridge);
  lease->expiry = from->expiry;
  lease->type = from->address.family == IP_V6 ? VIR_IP_ADDR_TYPE_IPV6 : VIR_IP_ADDR_TYPE_IPV4;
  if (from->has_mac) {
    mac_format (from->mac, mac);
    lease->mac = g_strdup (mac);
  }
  lease->ip = g_strdup (text);
  lease->prefix = prefix_of (def, &from->address);
  lease->iaid = g_steal_pointer (&from->iaid);
  lease->hostname = g_steal_pointer (&from->hostname);
  lease->client_id = g_steal_pointer (&from->client_id);
  return lease;
}

GPtrArray *
network_run_leases (G_GNUC_UNUSED Job *job, const NetworkInput *input, const char *mac, GError **error)
{
  g_autoptr (GPtrArray) all = network_dnsmasq_leases (input->settings, input->def->uuid, error);
  GPtrArray *leases;
  guint8 wanted[MAC_BYTES];

  if (all == NULL)
    return NULL;
  if (mac != NULL && !mac_parse (mac, wanted)) {
    virt_error_set (error, VIR_ERR_INVALID_MAC, "%s", mac);
    return NULL;
  }
  leases = g_ptr_array_new_with_free_func ((GDestroyNotify)network_lease_free);
  for (guint i = 0; i < all->len; i++) {
    DnsmasqLease *lease = g_ptr_array_index (all, i);

    if (mac == NULL || (lease->has_mac && memcmp (lease->mac, wanted, MAC_BYTES) == 0))
      g_ptr_array_add (leases, lease_of (input->def, lease));
  }
  return leases;
}

void
network_run_forget (const Settings *settings, const char *uuid)
{
  g_autofree char *leases = network_dnsmasq_leases_path (settings, uuid);

  unlink (leases);
}

/* A floor: a share of the bridge's bandwidth that one machine has for sure. */

gboolean
network_run_add_port (G_GNUC_UNUSED Job *job, const NetworkInput *input, const NetworkPortDef *port,
                      GError **error)
{
  return network_floor_add (input->def, input->ports, port, error);
}

gboolean
network_run_remove_port (G_GNUC_UNUSED Job *job, const NetworkInput *input, const NetworkPortDef *port,
                         GError **error)
{
  return network_floor_remove (input->def, input->ports, port, error);
}

/* The class goes and comes again with what it now guarantees. */
gboolean
network_run_change_port (Job *job, const NetworkInput *input, const NetworkPortDef *was,
                         const NetworkPortDef *port, GError **error)
{
  if (was->class_id.set && !network_run_remove_port (job, input, was, error))
    return FALSE;
  if ((!port->class_id.set || network_run_add_port (job, input, port, error))
      && network_files_save_port (input->directory, port, error))
    return TRUE;
  if (port->class_id.set)
    network_run_remove_port (job, input, port, NULL);
  if (was->class_id.set)
    network_run_add_port (job, input, was, NULL);
  return FALSE;
}
