/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "network/network-def.h"

#include "cmocka-glib.h"

/* A network of the document <network><name>test</name>...</network>, with a bridge and a MAC address. */
static inline NetworkDef *
read_network (const char *inside)
{
  g_autofree char *text = g_strdup_printf ("<network xmlns:dnsmasq='" NETWORK_DNSMASQ_NAMESPACE "'>"
                                           "<name>test</name><bridge name='vb1'/>"
                                           "<mac address='52:54:00:11:22:33'/>%s</network>",
                                           inside);
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  NetworkDef *def = network_def_parse (text, -1, 0, diagnostics);
  g_autofree char *mistakes = diagnostics_to_text (diagnostics);

  if (def == NULL)
    fail_msg ("%s", mistakes);
  return def;
}

#define NAT_IP "<forward mode='nat'/><ip address='192.168.5.1' netmask='255.255.255.0'/>"
