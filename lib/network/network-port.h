/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "document/switch-port.h"

/*
 * The document of a port of a network: whose it is, and what it is plugged into. Pure; immutable once made,
 * shared by reference, any thread.
 */
typedef enum {
  NETWORK_PLUG_NONE,    /* the network chooses when the port is made */
  NETWORK_PLUG_NETWORK, /* a bridge of ours */
  NETWORK_PLUG_BRIDGE,  /* a bridge of the host */
  NETWORK_PLUG_DIRECT,  /* macvtap on an interface of the host */
  NETWORK_PLUG_HOSTDEV_PCI
} NetworkPlugType;
extern const EnumTable network_plug_types;

typedef enum {
  NETWORK_DIRECT_NONE,
  NETWORK_DIRECT_VEPA,
  NETWORK_DIRECT_BRIDGE,
  NETWORK_DIRECT_PRIVATE,
  NETWORK_DIRECT_PASSTHROUGH
} NetworkDirectMode;
extern const EnumTable network_direct_modes;

typedef struct {
  int type;              /* NetworkPlugType */
  char *bridge;          /* network, bridge */
  int mac_table_manager; /* MacTableManager */
  char *dev;             /* direct */
  int mode;              /* NetworkDirectMode */
  int managed;           /* Tristate: hostdev-pci */
  int driver;            /* 1 kvm 2 vfio 3 xen */
  char *driver_model;
  Number domain, bus, slot, function;
} NetworkPlug;

typedef struct {
  char *uuid;
  char *owner_name, *owner_uuid;
  char *group; /* portgroup */
  char *mac;
  InterfaceVirtualPort *virtualport;
  Number class_id; /* of its traffic class on the bridge, where it has a floor; 0 and absent: none */
  InterfaceRate *inbound, *outbound;
  InterfaceVlan *vlan;
  int isolated;               /* Tristate */
  int trust_guest_rx_filters; /* Tristate */
  NetworkPlug plug;
  gint ref_count;
} NetworkPortDef;

extern const DocumentKind network_port_document;

/* @flags: DocumentReadFlags. NULL, with the mistakes in @diagnostics. */
NetworkPortDef *
network_port_def_parse (const char *text, gssize length, guint flags, Diagnostics *diagnostics);
NetworkPortDef *network_port_def_ref (NetworkPortDef *def);
void network_port_def_unref (NetworkPortDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NetworkPortDef, network_port_def_unref)
NetworkPortDef *network_port_def_copy (const NetworkPortDef *def);
/* As libvirt writes it. (transfer full) */
char *network_port_def_to_xml (const NetworkPortDef *def);
