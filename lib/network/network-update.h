/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"

/* A change of one part of a network's definition, as virNetworkUpdate asks for it. Pure. */

/* A change as a client gives it: virNetworkUpdateCommand, virNetworkUpdateSection, which <ip> (-1: the one
 * that fits), and an element of that section. */
typedef struct {
  guint command, section;
  int parent_index;
  const char *xml;
} NetworkUpdate;

/* The definition after it, completed and checked as a whole. NULL with @error in libvirt's words. @def may
 * say how many use each interface: one that is used does not go. (transfer full) */
NetworkDef *network_update (const NetworkDef *def, const NetworkUpdate *update, GError **error);
/* libvirt's name for the section: "ip-dhcp-host"; NULL: none. */
const char *network_section_name (guint section);
