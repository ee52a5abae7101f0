/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "interface/interface-document.h"

/*
 * All network interfaces of the host as they are now, and each as a document: what libvirt's udev backend
 * says of them. One question to the kernel for all of them, so it is a job's.
 */
#define INTERFACE_LINKS_MAX 65536

typedef struct {
  guint index, master, parent; /* 0: none; the parent is what a VLAN is above */
  char *name, *mac;            /* the MAC address "" where it has none */
  guint mtu;                   /* bytes */
  int state;                   /* HostState */
  int type;                    /* HostInterfaceType */
  gboolean is_tap;             /* of a machine or a program: no interface of the host's */
  guint bridge_delay;          /* hundredths of a second */
  gboolean bridge_stp;
  guint vlan_tag;
  HostBond bond; /* without ports */
} InterfaceLink;

/* InterfaceLink, by name. NULL with VIR_ERR_SYSTEM_ERROR. (transfer full) */
GPtrArray *interface_links_read (GError **error);
/* NULL: none. (borrowed) */
const InterfaceLink *interface_links_find (GPtrArray *links, const char *name);
/* The document of it. (transfer full) */
HostInterfaceDef *interface_link_describe (GPtrArray *links, const InterfaceLink *link);
gboolean interface_link_is_active (const InterfaceLink *link);
