/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"

/*
 * Are the subnets of @def, and where its routes lead, free? FALSE with VIR_ERR_INTERNAL_ERROR in libvirt's
 * words and both names, when another running network (@others, of NetworkDef) or the host (@host, of
 * HostNetwork, see host-networks.h) has one of them. Pure.
 *
 * The host is in the way where it has the same subnet, or where an address or a gateway of its own lies in
 * one of @def's: a route to more than that, as a VPN has, is none; the narrower one is followed.
 */
gboolean
network_clash_check (const NetworkDef *def, const GPtrArray *others, const GArray *host, GError **error);
