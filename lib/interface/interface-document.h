/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/*
 * The document of a network interface of the host: a card, a bridge, a bond or a VLAN, what it is made of and
 * what addresses it has. Pure; immutable once made, shared by reference, any thread.
 */
#define HOST_INTERFACE_NAME_MAX 15   /* bytes */
#define HOST_PORTS_MAX          1024 /* of a bridge or a bond */
#define HOST_ADDRESS_MAX        64   /* addresses of a family */
#define HOST_VLAN_TAG_MAX       4095

typedef enum { HOST_TYPE_ABSENT, HOST_ETHERNET, HOST_BRIDGE, HOST_BOND, HOST_VLAN } HostInterfaceType;
typedef enum { HOST_START_ABSENT, HOST_START_NONE, HOST_START_ONBOOT, HOST_START_HOTPLUG } HostStart;
typedef enum { HOST_FAMILY_ABSENT, HOST_IPV4, HOST_IPV6 } HostFamily;
/* RFC 2863's states, one behind the kernel's IF_OPER_*. */
typedef enum {
  HOST_STATE_ABSENT,
  HOST_STATE_UNKNOWN,
  HOST_STATE_DOWN = 3,
  HOST_STATE_UP = 7,
} HostState;
/* One behind the kernel's BOND_MODE_*. */
typedef enum { HOST_BOND_ABSENT, HOST_BOND_BALANCE_RR, HOST_BOND_ACTIVE_BACKUP } HostBondMode;
typedef enum { HOST_CARRIER_ABSENT, HOST_CARRIER_IOCTL, HOST_CARRIER_NETIF } HostCarrier;

typedef struct {
  char *address;
  Number prefix; /* bits */
} HostAddress;

typedef struct {
  int peerdns; /* Tristate */
} HostDhcp;

typedef struct {
  int family; /* HostFamily */
  gboolean autoconf;
  HostDhcp *dhcp;       /* NULL: none */
  GPtrArray *addresses; /* HostAddress; NULL: none */
  char *gateway;        /* or NULL */
} HostProtocol;

typedef struct {
  Number speed; /* Mbit/s */
  int state;    /* HostState */
} HostLink;

typedef struct {
  Number frequency, down_delay, up_delay; /* milliseconds */
  int carrier;                            /* HostCarrier */
} HostMiimon;

typedef struct {
  Number interval; /* milliseconds */
  char *target;
  int validate; /* one behind the kernel's BOND_ARP_VALIDATE_* */
} HostArpmon;

typedef struct {
  int mode; /* HostBondMode */
  HostMiimon *miimon;
  HostArpmon *arpmon;
  GPtrArray *ports; /* HostInterfaceDef; NULL: none */
} HostBond;

typedef struct {
  int stp;     /* Tristate */
  char *delay; /* of forwarding: seconds with a fraction; as libvirt has it, hundredths where it is read off a
                  running bridge */
  GPtrArray *ports; /* HostInterfaceDef; NULL: none */
} HostBridge;

typedef struct {
  Number tag;
  char *parent;
} HostVlan;

/* Of an interface that is a port, only type, name, link, mac, bond and vlan. */
typedef struct {
  int type; /* HostInterfaceType */
  char *name;
  int start; /* HostStart */
  Number mtu;
  GPtrArray *protocols; /* HostProtocol; NULL: none */
  HostLink link;
  char *mac;
  HostBridge *bridge;
  HostBond *bond;
  HostVlan *vlan;
  gint ref_count;
} HostInterfaceDef;

extern const DocumentKind host_interface_document;
extern const EnumTable host_interface_bond_modes, host_interface_arp_validations;

/* Free a definition that was made as a port of another. */
void host_interface_port_free (HostInterfaceDef *port);
HostInterfaceDef *host_interface_port_new (void);
/* The part of the definition for that family; NULL where it has none. (borrowed) */
const HostProtocol *host_interface_protocol (const HostInterfaceDef *def, HostFamily family);
/* Those that it consists of: a bridge's or a bond's; NULL where there are none. (borrowed) */
GPtrArray *host_interface_ports (const HostInterfaceDef *def);
/* Could the kernel have an interface of that name, and is it safe in files? */
gboolean host_interface_name_is_valid (const char *name);
