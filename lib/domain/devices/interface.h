/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/switch-port.h"
#include "domain/devices/hostdev-source.h"
#include "domain/devices/virtio.h"

typedef enum {
  INTERFACE_NONE,
  INTERFACE_USER,
  INTERFACE_ETHERNET,
  INTERFACE_VHOST_USER,
  INTERFACE_SERVER,
  INTERFACE_CLIENT,
  INTERFACE_MCAST,
  INTERFACE_NETWORK,
  INTERFACE_BRIDGE,
  INTERFACE_INTERNAL,
  INTERFACE_DIRECT,
  INTERFACE_HOSTDEV,
  INTERFACE_UDP,
  INTERFACE_VDPA,
  INTERFACE_NULL,
  INTERFACE_VDS
} InterfaceType;
typedef enum { INTERFACE_DRIVER_NONE, INTERFACE_DRIVER_QEMU, INTERFACE_DRIVER_VHOST } InterfaceDriver;
typedef enum { BACKEND_NONE, BACKEND_DEFAULT, BACKEND_PASST } InterfaceBackend;
typedef enum { TEAMING_NONE, TEAMING_PERSISTENT, TEAMING_TRANSIENT } InterfaceTeaming;
typedef enum { HOST_ADDRESS_NONE, HOST_ADDRESS_PCI, HOST_ADDRESS_USB } HostAddressType;
typedef enum { LINK_NONE, LINK_UP, LINK_DOWN } LinkState;

/* <ip>: an address the guest (user) or the host's end (ethernet) is given. */
typedef struct {
  char *address, *family, *peer; /* family: "ipv4", "ipv6" */
  Number prefix;
} InterfaceIp;

/* <route>: of the guest, or of the host's end of an ethernet one. */
typedef struct {
  char *family, *address, *netmask, *gateway;
  Number prefix, metric;
} InterfaceRoute;

/* <portForward>: ports of the host that passt hands to the guest. */
typedef struct {
  Number start, end, to;
  int exclude; /* Tristate */
} InterfacePortRange;
typedef struct {
  int protocol; /* 1 tcp 2 udp */
  char *address, *dev;
  GPtrArray *ranges; /* InterfacePortRange; NULL: all ports */
} InterfacePortForward;

/* <driver><host> and <guest>: Tristates; gso and mrg_rxbuf are the host's only. */
typedef struct {
  int csum, gso, tso4, tso6, ecn, ufo, mrg_rxbuf;
} InterfaceOffloads;

typedef struct {
  Device device;
  int type;                            /* InterfaceType */
  int managed, trust_guest_rx_filters; /* Tristate */

  char *mac; /* made by completion when the document leaves it out */
  gboolean is_mac_made;
  int mac_type;  /* 1 generated 2 static */
  int mac_check; /* Tristate */

  /* <source>: those that are plain attributes; the other types as they stand */
  char *network, *portgroup;       /* network; of a running machine also what that has become: see below */
  char *portid;                    /* UUID of its port on the network; of a running machine's */
  char *bridge;                    /* bridge, network */
  int mac_table_manager;           /* MacTableManager */
  char *source_dev;                /* direct, vdpa, user */
  char *source_name;               /* internal */
  char *source_mode;               /* direct, vhostuser */
  char *source_type, *source_path; /* vhostuser */
  int reconnect;                   /* Tristate */
  Number reconnect_timeout, reconnect_delay;
  char *source_address, *local_address; /* client, server, mcast, udp */
  Number source_port, local_port;
  GPtrArray *host_ips;    /* InterfaceIp: ethernet */
  GPtrArray *host_routes; /* InterfaceRoute */
  int host_driver;        /* HostdevDriver: hostdev */
  char *host_driver_model;
  int host_type; /* HostAddressType; none said: a USB device by its ids */
  HostPci host_pci;
  HostUsb host_usb;
  int host_startup; /* StartupPolicy */
  int host_missing; /* Tristate: it was optional and is not there; live only */
  char *source;     /* vds: the whole element verbatim */

  InterfaceVlan *vlan;
  InterfaceVirtualPort *virtualport;
  InterfaceRate *inbound, *outbound; /* <bandwidth>; NULL: not limited */
  int port_isolated;                 /* Tristate */
  GPtrArray *ips;                    /* InterfaceIp */
  GPtrArray *routes;                 /* InterfaceRoute */
  GPtrArray *port_forwards;          /* InterfacePortForward */
  char *script, *downscript, *backend_domain;
  char *target_dev;
  int target_managed; /* Tristate */
  char *guest_dev, *guest_actual;
  char *model; /* "virtio", "e1000e", ...: any name */

  /* <driver> */
  int driver; /* InterfaceDriver */
  char *driver_model;
  int txmode;               /* 1 iothread 2 timer */
  int ioeventfd, event_idx; /* Tristate */
  Number queues, rx_queue_size, tx_queue_size;
  int rss, rss_hash_report; /* Tristate */
  VirtioOptions virtio;
  InterfaceOffloads host_offloads, guest_offloads;

  int backend_type; /* 1 default 2 passt */
  char *backend_tap, *backend_vhost, *backend_log_file;
  int teaming; /* 1 persistent 2 transient */
  char *teaming_persistent;
  char *filterref; /* verbatim */
  Number sndbuf;   /* tune/sndbuf, bytes */
  int link;        /* LinkState */
  Number mtu;
  Number rx_frames_max; /* coalesce */

  int rom_enabled, rom_bar; /* Tristate */
  char *rom_file;
} DeviceInterface;

extern const DeviceKind interface_kind;
extern const EnumTable interface_types;

gboolean interface_is_virtio (const DeviceInterface *interface);
/* Its end on the host is a tap the daemon makes: bridge, network, ethernet; not macvtap. */
gboolean interface_has_tap (const DeviceInterface *interface);
/*
 * An interface of type 'network' is, in a running machine, what its port on the network is plugged into: it
 * has the type bridge, direct or hostdev then, or still network where the bridge is the network's own, and
 * keeps the network's name. This is what libvirt writes in the document of a running machine.
 */
gboolean interface_is_on_network (const DeviceInterface *interface);
/* One that is on a network is of type 'network' again, and has no port. */
void interface_leave_network (DeviceInterface *interface);
/* Its tap is a port of `bridge`: the host's, or that of a network that runs. */
gboolean interface_has_bridge (const DeviceInterface *interface);
gboolean interface_is_openvswitch (const DeviceInterface *interface);
/* 1 and more. */
guint interface_queues (const DeviceInterface *interface);
/* The kernel moves its packets, where it can: as libvirt decides it, not for an emulated machine, whatever
 * the document says. @available: the host has vhost-net. */
gboolean interface_uses_vhost (const DomainDef *def, const DeviceInterface *interface, gboolean available);
/* QEMU's helper for it is passt. */
gboolean interface_uses_passt (const DeviceInterface *interface);

extern const FieldTable interface_ip_table, interface_route_table;
extern const EnumTable teaming_types; /* InterfaceTeaming */
/* The interface of that MAC address or name on the host; NULL: none. */
DeviceInterface *domain_def_find_interface (const DomainDef *def, const char *name);
