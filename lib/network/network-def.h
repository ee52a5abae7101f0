/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "document/switch-port.h"
#include "network/network-dns.h"
#include "network/network-forward.h"
#include "network/network-ip.h"

/*
 * The document of a virtual network: everything libvirt's format has. Pure; immutable once made, shared by
 * reference, any thread. Lists are NULL where there is nothing.
 */

#define NETWORK_NAME_MAX 255 /* bytes: it names files */

/* <portgroup>: what machines say by its name. */
typedef struct {
  char *name;
  int is_default;             /* Tristate */
  int trust_guest_rx_filters; /* Tristate */
  InterfaceVlan *vlan;
  Number class_id; /* never: refused */
  InterfaceRate *inbound, *outbound;
  InterfaceVirtualPort *virtualport;
} NetworkPortgroup;

/* <dnsmasq:option>: a line of dnsmasq's settings, past the format. */
typedef struct {
  char *value;
} NetworkOption;
#define NETWORK_DNSMASQ_NAMESPACE "http://libvirt.org/schemas/network/dnsmasq/1.0"

typedef struct {
  char *dnsmasq_namespace;    /* NETWORK_DNSMASQ_NAMESPACE when there are @options */
  Number connections;         /* machines that use it; written of a running network only */
  int ipv6;                   /* Tristate; yes: IPv6 between machines without an IPv6 address of the host */
  int trust_guest_rx_filters; /* Tristate */
  char *name, *uuid, *title, *description;
  char *metadata; /* the <metadata> element as it stands */
  NetworkForward forward;
  char *bridge; /* NULL until one is chosen, see network_def_needs_bridge_name(); may hold "%d" before that */
  char *bridge_zone;
  int stp;               /* Tristate; after completion set where the bridge is ours, and absent otherwise */
  Number delay;          /* seconds; the same */
  int mac_table_manager; /* MacTableManager */
  Number mtu;
  char *mac;                              /* of the bridge, where it is ours: made by completion */
  char *domain;                           /* <domain name> */
  int domain_local_only, domain_register; /* Tristate */
  NetworkDns dns;
  InterfaceVlan *vlan;
  Number class_id; /* never: refused */
  InterfaceRate *inbound, *outbound;
  int port_isolated; /* Tristate */
  GPtrArray *ips;    /* NetworkIp */
  GPtrArray *routes; /* NetworkRoute */
  InterfaceVirtualPort *virtualport;
  GPtrArray *portgroups; /* NetworkPortgroup */
  GPtrArray *options;    /* NetworkOption */
  gint ref_count;
} NetworkDef;

extern const DocumentKind network_document;
extern const FieldTable network_portgroup_table;

/* Its rates as they are kept. */
void network_portgroup_complete (NetworkPortgroup *group);

#define NETWORK_READ_LIVE DOCUMENT_OWN_FLAGS /* a <pf> has its functions beside it */

/* @flags: DocumentReadFlags and the above. NULL, with the mistakes in @diagnostics. UUID, MAC address and
 * what has a default are filled in; the bridge's name is not. */
NetworkDef *network_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics);
NetworkDef *network_def_ref (NetworkDef *def);
void network_def_unref (NetworkDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkDef, network_def_unref)
NetworkDef *network_def_copy (const NetworkDef *def);
/* As libvirt writes it. @live: with what is true only while it runs (connections, the interfaces of a pf).
 * (transfer full) */
char *network_def_to_xml (const NetworkDef *def, gboolean live);

/* Its bridge is ours and has no name yet. */
gboolean network_def_needs_bridge_name (const NetworkDef *def);
/* The name it would get with @number: "virbr3" mostly; a document can say "lan%d". (transfer full) */
char *network_def_bridge_name (const NetworkDef *def, guint number);
/* The portgroup of that name, or with NULL the default one; NULL: none. (borrowed) */
const NetworkPortgroup *network_def_find_portgroup (const NetworkDef *def, const char *name);
/* The first subnet of that family in which DHCP gives addresses; NULL: none. (borrowed) */
const NetworkIp *network_def_dhcp_ip (const NetworkDef *def, IpFamily family);
