/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/*
 * What a switch is told of a port: VLANs, the profile of a managed switch, how much may pass. Networks, their
 * portgroups and ports, and the cards of machines say it alike. Pure.
 */

/* <vlan> */
typedef struct {
  Number id;
  int native_mode; /* 1 tagged 2 untagged */
} InterfaceVlanTag;
typedef struct {
  int trunk; /* Tristate */
  GPtrArray *tags;
} InterfaceVlan;

/* <virtualport>: what a managed switch is told of the port. */
typedef enum {
  VIRTUAL_PORT_NONE,
  VIRTUAL_PORT_802_1QBG,
  VIRTUAL_PORT_802_1QBH,
  VIRTUAL_PORT_OPENVSWITCH,
  VIRTUAL_PORT_MIDONET
} VirtualPortType;
typedef struct {
  int type; /* VirtualPortType */
  Number manager_id, type_id, type_id_version;
  char *instance_id, *interface_id; /* uuids */
  char *profile_id;
} InterfaceVirtualPort;

/* As the guest sees it: inbound is what it receives. KiB per second; burst in KiB. */
typedef struct {
  Number average, peak, floor, burst;
} InterfaceRate;
/* Each may be NULL: no limit. */
gboolean interface_rate_equal (const InterfaceRate *a, const InterfaceRate *b);
guint64 interface_rate_floor (const InterfaceRate *rate); /* 0: it has none */

/* Who fills a bridge's table of MAC addresses: the kernel, which learns them from packets, or whoever starts
 * the machine. */
typedef enum { MAC_TABLE_UNSET, MAC_TABLE_KERNEL, MAC_TABLE_LIBVIRT } MacTableManager;
extern const EnumTable mac_table_managers;

extern const FieldTable interface_vlan_table, interface_virtual_port_table, interface_rate_table;
extern const EnumTable virtual_port_types; /* VirtualPortType */

/* A parameter its type cannot do without and that it lacks; NULL: none. (static) */
const char *virtual_port_missing_parameter (const InterfaceVirtualPort *port);
/* A port is known to its switch by ids, which are made once, when nobody chose them. */
void virtual_port_complete (InterfaceVirtualPort *port);
/* A rate of 0 is no limit; a rate without a limit is freed. *@rate may be NULL. */
void interface_rate_complete (InterfaceRate **rate);
/* Several tags are a trunk. @vlan may be NULL. */
void interface_vlan_complete (InterfaceVlan *vlan);
