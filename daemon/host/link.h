/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "base/virt-error.h"

/*
 * Network links of the host, asked for and changed over rtnetlink. Any thread: each call has a socket of its
 * own. What fails is VIR_ERR_SYSTEM_ERROR with the link's name and the kernel's reason.
 */
#define LINK_NAME_MAX 15 /* bytes of a link's name */

typedef struct {
  guint index, master; /* master: the bridge's index, 0 when none */
  guint mtu;           /* bytes */
  guint parent;        /* of a macvtap: index of the link below, 0 when none */
  guint group;
  gboolean up;
  guint8 mac[MAC_BYTES];
  char alias[64]; /* "" when it has none */
  /* As the host counts: received is what the machine behind a tap has sent. */
  guint64 rx_bytes, rx_packets, rx_errors, rx_dropped;
  guint64 tx_bytes, tx_packets, tx_errors, tx_dropped;
} LinkInfo;

gboolean link_exists (const char *name);
/* @what: "get interface MTU on" and the like, for the error: "Cannot @what 'NAME': No such device". */
gboolean link_query (const char *name, const char *what, LinkInfo *ret_info, GError **error);

gboolean link_set_mac (const char *name, const guint8 mac[MAC_BYTES], GError **error);
gboolean link_set_mtu (const char *name, guint mtu, GError **error);
gboolean link_set_up (const char *name, gboolean up, GError **error);
gboolean link_set_alias (const char *name, const char *alias, GError **error);
/* What a card has of its virtual function of that number: a MAC address and a VLAN, 0 for none. FALSE: it
 * does not say. */
gboolean link_get_function (const char *name, guint function, guint8 mac[MAC_BYTES], guint16 *ret_vlan);
gboolean link_set_function (const char *name, guint function, const guint8 mac[MAC_BYTES], guint16 vlan,
                            GError **error);
gboolean link_set_group (const char *name, guint group, GError **error);
/* @bridge NULL: of none. */
gboolean link_set_bridge (const char *name, const char *bridge, GError **error);
/* As a port of @bridge: kept from talking to other isolated ports. */
gboolean link_set_isolated (const char *name, const char *bridge, gboolean isolated, GError **error);
/* As a port of @bridge: learn addresses from what comes in there, and send there what is for an unknown one?
 */
gboolean link_set_learning (const char *name, const char *bridge, gboolean learns, GError **error);
/* As a port of a bridge: what is for @mac goes there, until it leaves the bridge. */
gboolean link_add_forwarding (const char *name, const guint8 mac[MAC_BYTES], GError **error);
/* As a port of a bridge that filters VLANs: the tags it carries. @untagged: the one that the machine sees as
 * untagged frames, 0 for none. */
gboolean
link_set_vlans (const char *name, const guint16 *tags, guint count, guint16 untagged, GError **error);

/* A macvtap above @parent; @mode is libvirt's word. It is of @group from its first instant. */
gboolean link_add_macvtap (const char *name, const char *parent, const char *mode,
                           const guint8 mac[MAC_BYTES], guint group, GError **error);
/* One that is gone already is no error. */
gboolean link_delete (const char *name, GError **error);
/* The names of links of that group; for what a daemon that was killed left behind. (transfer full) */
GPtrArray *link_list_group (guint group);
/* The name of the link of that index; NULL when it has gone. (transfer full) */
char *link_name_of (guint index);

/* Give the host's end an address, "10.0.0.1" with @prefix bits, and perhaps a @peer. */
gboolean
link_add_address (const char *name, const char *address, guint prefix, const char *peer, GError **error);
gboolean link_add_route (const char *name, const char *address, guint prefix, const char *gateway,
                         guint metric, GError **error);
