/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* How a network reaches the world outside: <forward> and its parts. Pure. */
typedef enum {
  NETWORK_FORWARD_NONE, /* isolated: the host and the machines, nobody else */
  NETWORK_FORWARD_NAT,
  NETWORK_FORWARD_ROUTE,
  NETWORK_FORWARD_OPEN,
  NETWORK_FORWARD_BRIDGE,
  NETWORK_FORWARD_PASSTHROUGH,
  NETWORK_FORWARD_PRIVATE,
  NETWORK_FORWARD_VEPA,
  NETWORK_FORWARD_HOSTDEV
} NetworkForwardMode;
extern const EnumTable network_forward_modes;

/* <interface dev='eth0'/> */
typedef struct {
  char *dev;
  Number connections; /* machines that use it now; written of a running network only */
} NetworkForwardInterface;

/* <address type='pci' .../> */
typedef struct {
  char *type;                         /* "pci" */
  Number domain, bus, slot, function; /* after completion all set */
  int multifunction;                  /* Tristate */
  Number connections;
} NetworkForwardAddress;

/* <pf dev='eth0'/> */
typedef struct {
  char *dev;
} NetworkForwardPf;

typedef struct {
  gboolean said; /* <forward> is there */
  char *dev;     /* after completion the first of @interfaces, unless there is a @pfs */
  int mode;      /* NetworkForwardMode; after completion NONE only when there is no <forward> */
  int managed;   /* Tristate; after completion set with mode hostdev, and absent otherwise */
  int driver;    /* 1 kvm 2 vfio 3 xen */
  char *driver_model;
  gboolean nat_said;
  int nat_ipv6;                              /* Tristate: IPv6 packets are masqueraded, too */
  char *nat_address_start, *nat_address_end; /* IPv4; both or none */
  Number nat_port_start, nat_port_end;
  GPtrArray *pfs;        /* NetworkForwardPf: one at most */
  GPtrArray *interfaces; /* NetworkForwardInterface */
  GPtrArray *addresses;  /* NetworkForwardAddress */
} NetworkForward;

extern const FieldTable network_forward_interface_table, network_forward_address_table,
    network_forward_pf_table;
extern const EnumTable network_forward_drivers;

/* Whoever has a bridge of ours on the host: isolated, nat, route and open. */
gboolean network_forward_has_own_bridge (int mode);
/* The word for the mode as libvirt's messages have it: "none" of isolated ones. */
const char *network_forward_name (int mode);
void network_forward_complete (NetworkForward *forward);
