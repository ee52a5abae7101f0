/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/network/network-input.h"

/*
 * What makes a network run: its bridge, addresses and routes, the name and DHCP server, the firewall. These
 * are functions of jobs: immutable input, a result that the main loop commits, a deadline on every wait. What
 * runs is a NetworkStatus, which is written to @directory (RUN/networks/UUID/status.json) before each step,
 * so that a daemon that finds it there finishes or undoes what was half made.
 *
 * The caller makes @directory and removes it once nothing of the network is left; the live definition
 * (live.xml in it) and the ports (ports.xml) are the caller's files, all others are this part's.
 */

/* All of them in a job's thread. */

/*
 * Start: NULL with @error, and then nothing of it is left. Addresses that another network or the host has
 * already are refused before the first step, with both names.
 */
NetworkStatus *network_run_start (Job *job, const NetworkInput *input, GError **error);
/* Stop: undoes all it can and says the first thing that failed; what is gone already is no error. */
gboolean network_run_stop (Job *job, const NetworkInput *input, GError **error);
/*
 * A daemon before made it: take over what @directory says (finish or undo a step that was cut short, start
 * what died). NULL without @error: it does not run, and nothing is left of it.
 */
NetworkStatus *network_run_adopt (Job *job, const NetworkInput *input, GError **error);

typedef enum {
  NETWORK_PART_DNS = 1 << 0,     /* names: hosts, txt, srv, forwarders */
  NETWORK_PART_DHCP = 1 << 1,    /* ranges, bootp: dnsmasq is started anew */
  NETWORK_PART_HOSTS = 1 << 2,   /* DHCP hosts: dnsmasq reads them again */
  NETWORK_PART_FORWARD = 1 << 3, /* interfaces and addresses of <forward>: the firewall */
  NETWORK_PART_BANDWIDTH = 1 << 4,
  NETWORK_PART_HELPER = 1 << 5,   /* dnsmasq died: start it again, with the leases it gave */
  NETWORK_PART_FIREWALL = 1 << 6, /* somebody has flushed our table (firewalld was reloaded) */
  NETWORK_PART_LEASES = 1 << 7,   /* dnsmasq gave an address: the files for the host's name service */
} NetworkParts;
/* Make @input->def true of a running network, where it differs from @input->status in @parts. NULL with
 * @error: it is as before. */
NetworkStatus *network_run_update (Job *job, const NetworkInput *input, NetworkParts parts, GError **error);

/* A port that has a floor (its def has a class_id, which is the caller's to choose), or lost it: a class of
 * the bridge's traffic. @port is not among @input->ports when it is added, and is when it is removed. */
gboolean
network_run_add_port (Job *job, const NetworkInput *input, const NetworkPortDef *port, GError **error);
gboolean
network_run_remove_port (Job *job, const NetworkInput *input, const NetworkPortDef *port, GError **error);

/* @port in the place of @was, which is among @input->ports: its class, and the file it is written down in. On
 * an error it is as before. */
gboolean network_run_change_port (Job *job, const NetworkInput *input, const NetworkPortDef *was,
                                  const NetworkPortDef *port, GError **error);

/* A lease, as virNetworkDHCPLease has it. */
typedef struct {
  char *interface;
  gint64 expiry; /* seconds since 1970; 0: for ever */
  int type;      /* virIPAddrType */
  char *mac;     /* NULL: not known (IPv6) */
  char *iaid;    /* NULL: IPv4 */
  char *ip;
  guint prefix;
  char *hostname, *client_id; /* NULL: not said */
} NetworkLease;
void network_lease_free (NetworkLease *lease);
/* Those that hold now, of @mac (any spelling) or with NULL of all. (transfer full) of NetworkLease */
GPtrArray *network_run_leases (Job *job, const NetworkInput *input, const char *mac, GError **error);

/* The network of that UUID is no more: nothing is remembered of the addresses it gave. Any thread. */
void network_run_forget (const Settings *settings, const char *uuid);

/* What keeps a running network from working though all of it is there, each with the line for the host's
 * shell that cures it: (transfer full), of FirewallFinding, see network/firewall-check.h. */
GPtrArray *network_run_check (Job *job, const NetworkInput *input, GError **error);

/* Has the host a link of that name? Asks the kernel, so it is a job's. */
gboolean network_run_link_exists (const char *name);

/* What dnsmasq or the firewall of a running network needs in the main loop: its helper is watched, and
 * @changed is called when something of it ended or was taken away, with the parts that
 * network_run_update() is to mend. Main loop only. */
typedef struct NetworkWatch NetworkWatch;
typedef void (*NetworkChanged) (NetworkParts parts, const char *why, gpointer data);
NetworkWatch *
network_watch_new (const NetworkStatus *status, const char *directory, NetworkChanged changed, gpointer data);
/* What runs goes on. To be freed before network_run_stop(), and made anew with what network_run_update()
 * returned; until then the end of a dnsmasq that it replaced may be told, and mended by doing nothing. */
void network_watch_free (NetworkWatch *watch);
