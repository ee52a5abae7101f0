/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "base/virt-error.h"
#include "network/ip-address.h"

/*
 * The kernel's bridges, over rtnetlink. Any thread but the main loop's. Errors are VIR_ERR_SYSTEM_ERROR in
 * libvirt's words, with the kernel's reason.
 */
typedef struct {
  const char *name;
  guint8 mac[MAC_BYTES]; /* it has from its first instant on: see bridge_remove */
  gboolean spanning_tree;
  guint delay;            /* ms; with a spanning tree the kernel makes less than 2 s into 2 s */
  gboolean filters_vlans; /* and so does not flood or learn by itself where its ports say so */
} BridgePlan;

/* A bridge that is down and without ports. One of that name, whoever made it, is an error ("error creating
 * bridge interface NAME: File exists"). */
gboolean bridge_add (const BridgePlan *plan, GError **error);
/* Remove the bridge of that name and that MAC address, which tells ours from one that somebody else has made
 * meanwhile. None, or somebody else's, is no error and stays. */
gboolean bridge_remove (const char *name, const guint8 mac[MAC_BYTES], GError **error);
/* Is there a bridge of that name with that MAC address? */
gboolean bridge_is (const char *name, const guint8 mac[MAC_BYTES]);
/* The host's address in its network; of IPv6 it is there at once, without asking whether another has it. */
gboolean bridge_add_address (const char *name, const IpAddress *address, guint prefix, GError **error);
