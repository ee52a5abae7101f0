/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/device.h"
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
typedef enum { LINK_NONE, LINK_UP, LINK_DOWN } LinkState;

/* <ip>: an address the guest (user) or the host's end (ethernet) is given. */
typedef struct {
  char *address, *family, *peer; /* family: "ipv4", "ipv6" */
  Number prefix;
} InterfaceIp;

/* As the guest sees it: inbound is what it receives. KiB per second; burst in KiB. */
typedef struct {
  Number average, peak, floor, burst;
} InterfaceRate;

typedef struct {
  Device device;
  int type;                            /* InterfaceType */
  int managed, trust_guest_rx_filters; /* Tristate */

  char *mac; /* made by completion when the document leaves it out */
  gboolean is_mac_made;
  int mac_type;  /* 1 generated 2 static */
  int mac_check; /* Tristate */

  /* <source>: those that are plain attributes; the other types as they stand */
  char *network, *portgroup, *portid; /* network */
  char *bridge;                       /* bridge, network */
  int mac_table_manager;              /* 1 kernel 2 libvirt */
  char *source_dev;                   /* direct, vdpa, user */
  char *source_name;                  /* internal */
  char *source_mode;                  /* direct */
  char *source;                       /* the whole element verbatim */

  char *vlan, *virtualport;          /* verbatim */
  InterfaceRate *inbound, *outbound; /* <bandwidth>; NULL: not limited */
  int port_isolated;                 /* Tristate */
  GPtrArray *ips;                    /* InterfaceIp */
  GPtrArray *routes, *port_forwards; /* verbatim */
  char *script, *downscript, *backend_domain;
  char *target_dev;
  int target_managed; /* Tristate */
  char *guest;        /* verbatim */
  char *model;        /* "virtio", "e1000e", ...: any name */

  /* <driver> */
  char *driver, *driver_model;
  int txmode;               /* 1 iothread 2 timer */
  int ioeventfd, event_idx; /* Tristate */
  Number queues, rx_queue_size, tx_queue_size;
  int rss, rss_hash_report; /* Tristate */
  VirtioOptions virtio;
  char *driver_host, *driver_guest; /* verbatim: offloads */

  char *backend_type; /* "passt" */
  char *backend_tap, *backend_vhost, *backend_log_file;
  char *teaming, *filterref; /* verbatim */
  Number sndbuf;             /* tune/sndbuf, bytes */
  int link;                  /* LinkState */
  Number mtu;
  char *coalesce; /* verbatim */

  int rom_enabled, rom_bar; /* Tristate */
  char *rom_file;
} DeviceInterface;

extern const DeviceKind interface_kind;
extern const EnumTable interface_types;

gboolean interface_is_virtio (const DeviceInterface *interface);

extern const FieldTable interface_rate_table; /* InterfaceRate */
/* The interface of that MAC address or name on the host; NULL: none. */
DeviceInterface *domain_def_find_interface (const DomainDef *def, const char *name);
