/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"
#include <net/if.h>

/*
 * The networks the host itself is in: the addresses of its links and its routes, of the network namespace of
 * the thread that asks. Jobs' threads.
 */
#define HOST_NETWORKS_MAX 65536 /* that are kept; a router of the internet has more routes */

typedef struct {
  char link[IF_NAMESIZE];
  gboolean is_v6, is_route, is_from_ra; /* is_from_ra: a route that a router's advertisement made */
  guint8 address[16];                   /* of the link, or of a route's destination; 4 bytes with IPv4 */
  guint prefix;                         /* bits; a default route has 0 */
  gboolean has_gateway;
  guint8 gateway[16];
} HostNetwork;

/* (transfer full), of HostNetwork. Loopback and link-local addresses are not among them. */
GArray *host_networks_list (GError **error);
