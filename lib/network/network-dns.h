/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/field.h"

/* What a network's name server says: <dns> and <domain>. Pure. */
typedef struct {
  char *domain, *addr; /* at least one: the domain's questions go to addr; without addr they stay here */
} NetworkDnsForwarder;

typedef struct {
  char *name, *value;
} NetworkDnsTxt;

typedef struct {
  char *service, *protocol, *domain, *target; /* domain, target NULL: not said */
  Number port, priority, weight;
} NetworkDnsSrv;

typedef struct {
  char *ip;
  GPtrArray *hostnames; /* char * */
} NetworkDnsHost;

typedef struct {
  int enable;              /* Tristate; absent: yes */
  int forward_plain_names; /* Tristate; absent: yes */
  GPtrArray *forwarders;   /* NetworkDnsForwarder; NULL: none, as everywhere below */
  GPtrArray *txts, *srvs, *hosts;
} NetworkDns;

extern const FieldTable network_dns_table, network_dns_txt_table, network_dns_srv_table,
    network_dns_host_table;

void network_dns_host_complete (NetworkDnsHost *host);
void network_dns_complete (NetworkDns *dns);
