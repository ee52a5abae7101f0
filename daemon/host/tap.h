/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"
#include "base/virt-error.h"

/*
 * The host's end of a machine's network card: taps, which live as long as a descriptor of them is open, and
 * macvtaps, which have to be removed. Jobs' threads.
 */
#define TAP_DEVICE       "/dev/net/tun"
#define VHOST_NET_DEVICE "/dev/vhost-net"
#define TAP_MADE_PREFIX  "vnet"

/* Open as many queues of the tap @*name as @count says, into @fds; it is made when it does not exist. With
 * *name NULL it gets a name of its own, "vnetN" (transfer full). @device: the character device, NULL for
 * TAP_DEVICE. @header: packets have virtio's header. */
gboolean tap_open (char **name, const char *device, guint count, gboolean header, int *fds, GError **error);
/* The tap of that descriptor, which has one queue, stays when it is closed, and @owner may open it by its
 * name. */
gboolean tap_keep (int fd, const char *name, uid_t owner, GError **error);
/* Is QEMU's bridge helper installed? */
gboolean tap_check_helper (const char *bridge, GError **error);
/* A tap on @bridge from QEMU's bridge helper, for a daemon without rights. *ret_name: (transfer full) */
gboolean
tap_open_by_helper (char **ret_name, const char *bridge, gboolean header, int *ret_fd, GError **error);
/* The same of a macvtap made above @parent; *name is "macvtapN" where it is NULL. In mode "passthrough" the
 * parent gets the card's MAC address, until macvtap_remove. */
gboolean macvtap_open (char **name, const char *parent, const char *mode, const guint8 mac[MAC_BYTES],
                       guint group, guint count, gboolean header, int *fds, GError **error);
void macvtap_remove (const char *name);

/* Can /dev/vhost-net be opened? */
gboolean vhost_net_is_there (const char *device);
/* @device NULL: VHOST_NET_DEVICE. */
gboolean vhost_net_open (const char *device, guint count, int *fds, GError **error);
