/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* <dns>: what a network's own name server knows, and whom it asks. */
#include "network/network-dns.h"

#include "network/ip-address.h"

static const FieldTable forwarder_table = {
  sizeof (NetworkDnsForwarder),
  (const Field[]){
      FIELD (NetworkDnsForwarder, domain, "@domain", field_text, NULL),
      FIELD (NetworkDnsForwarder, addr, "@addr", field_text, NULL),
      FIELD_END,
  },
};

const FieldTable network_dns_txt_table = {
  sizeof (NetworkDnsTxt),
  (const Field[]){
      FIELD (NetworkDnsTxt, name, "@name", field_text, NULL),
      FIELD (NetworkDnsTxt, value, "@value", field_text, NULL),
      FIELD_END,
  },
};

static const FieldRange range_16 = { 0, 65535 };

const FieldTable network_dns_srv_table = {
  sizeof (NetworkDnsSrv),
  (const Field[]){
      FIELD (NetworkDnsSrv, service, "@service", field_text, NULL),
      FIELD (NetworkDnsSrv, protocol, "@protocol", field_text, NULL),
      FIELD (NetworkDnsSrv, domain, "@domain", field_text, NULL),
      FIELD (NetworkDnsSrv, target, "@target", field_text, NULL),
      FIELD (NetworkDnsSrv, port, "@port", field_number, &range_16),
      FIELD (NetworkDnsSrv, priority, "@priority", field_number, &range_16),
      FIELD (NetworkDnsSrv, weight, "@weight", field_number, &range_16),
      FIELD_END,
  },
};

const FieldTable network_dns_host_table = {
  sizeof (NetworkDnsHost),
  (const Field[]){
      FIELD (NetworkDnsHost, ip, "@ip", field_text, NULL),
      FIELD (NetworkDnsHost, hostnames, "hostname", field_texts, NULL),
      FIELD_END,
  },
};

const FieldTable network_dns_table = {
  sizeof (NetworkDns),
  (const Field[]){
      FIELD (NetworkDns, enable, "@enable", field_yes_no, NULL),
      FIELD (NetworkDns, forward_plain_names, "@forwardPlainNames", field_yes_no, NULL),
      FIELD (NetworkDns, forwarders, "forwarder", field_list, &forwarder_table),
      FIELD (NetworkDns, txts, "txt", field_list, &network_dns_txt_table),
      FIELD (NetworkDns, srvs, "srv", field_list, &network_dns_srv_table),
      FIELD (NetworkDns, hosts, "host", field_list, &network_dns_host_table),
      FIELD_END,
  },
};

static void
normalize (char **address)
{
  char *spelling = ip_address_normalize (*address);

  if (spelling == NULL)
    return;
  g_free (*address);
  *address = spelling;
}

void
network_dns_host_complete (NetworkDnsHost *host)
{
  normalize (&host->ip);
}

void
network_dns_complete (NetworkDns *dns)
{
  for (guint i = 0; dns->forwarders != NULL && i < dns->forwarders->len; i++)
    normalize (&((NetworkDnsForwarder *)g_ptr_array_index (dns->forwarders, i))->addr);
  for (guint i = 0; dns->hosts != NULL && i < dns->hosts->len; i++)
    network_dns_host_complete (g_ptr_array_index (dns->hosts, i));
}
