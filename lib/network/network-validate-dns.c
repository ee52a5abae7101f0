/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <dns> and <domain>. Their texts end up in lines of dnsmasq's settings, so whatever could end a line there,
 * or a part of one, is refused here.
 */
#include "network/network-validate.h"

#include <string.h>

static gboolean
has_line_break (const char *text)
{
  return text != NULL && strpbrk (text, "\r\n") != NULL;
}

/* A part of a line whose parts are separated by commas. */
static gboolean
can_be_part (const char *text)
{
  return text == NULL || strpbrk (text, ",\r\n\" \t/") == NULL;
}

void
network_check_dns_txt (const NetworkCheck *check, const NetworkDnsTxt *txt, gboolean partial)
{
  if (txt->name == NULL)
    network_refuse (check, txt, txt, VIR_ERR_XML_DETAIL,
                    "missing required name attribute in DNS TXT record of network %s", check->network);
  else if (strpbrk (txt->name, " ,\r\n\t\"") != NULL)
    network_refuse (check, &txt->name, txt, VIR_ERR_XML_DETAIL,
                    "prohibited character in DNS TXT record name '%s' of network %s", txt->name,
                    check->network);
  else if (txt->value == NULL && !partial)
    network_refuse (check, txt, txt, VIR_ERR_XML_DETAIL,
                    "missing required value attribute in DNS TXT record named '%s' of network %s", txt->name,
                    check->network);
  else if (has_line_break (txt->value))
    network_refuse (check, &txt->value, txt, VIR_ERR_XML_DETAIL,
                    "invalid line break in DNS TXT record value attribute");
}

static void
check_srv_without_target (const NetworkCheck *check, const NetworkDnsSrv *srv)
{
  const struct {
    const char *name;
    const Number *number;
  } numbers[] = { { "port", &srv->port }, { "priority", &srv->priority }, { "weight", &srv->weight } };

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    if (numbers[i].number->set) {
      network_refuse (check, numbers[i].number, srv, VIR_ERR_XML_DETAIL,
                      "DNS SRV %s attribute not permitted without target for service '%s' in network '%s'",
                      numbers[i].name, srv->service, check->network);
      return;
    }
}

void
network_check_dns_srv (const NetworkCheck *check, const NetworkDnsSrv *srv, gboolean partial)
{
  if (srv->service == NULL && !partial)
    network_refuse (check, srv, srv, VIR_ERR_XML_DETAIL,
                    "missing required service attribute in DNS SRV record of network '%s'", check->network);
  else if (srv->service != NULL && (strchr (srv->service, '.') != NULL || !can_be_part (srv->service)))
    network_refuse (check, &srv->service, srv, VIR_ERR_XML_DETAIL,
                    "invalid character in service attribute '%s' in DNS SRV record of network '%s'",
                    srv->service, check->network);
  else if (srv->protocol == NULL && !partial)
    network_refuse (check, srv, srv, VIR_ERR_XML_DETAIL,
                    "missing required protocol attribute in DNS SRV record '%s' of network '%s'",
                    srv->service, check->network);
  else if (srv->protocol != NULL && (strchr (srv->protocol, '.') != NULL || !can_be_part (srv->protocol)))
    network_refuse (check, &srv->protocol, srv, VIR_ERR_XML_DETAIL,
                    "invalid character in protocol attribute '%s' in DNS SRV record of network '%s'",
                    srv->protocol, check->network);
  else if (!can_be_part (srv->domain) || !can_be_part (srv->target))
    network_refuse (check, !can_be_part (srv->domain) ? &srv->domain : &srv->target, srv, VIR_ERR_XML_DETAIL,
                    "invalid character in %s attribute '%s' in DNS SRV record of network '%s'",
                    !can_be_part (srv->domain) ? "domain" : "target",
                    !can_be_part (srv->domain) ? srv->domain : srv->target, check->network);
  else if (srv->target == NULL && srv->service != NULL)
    check_srv_without_target (check, srv);
  else if (srv->port.set && srv->port.value == 0)
    network_refuse (check, &srv->port, srv, VIR_ERR_XML_DETAIL,
                    "invalid DNS SRV port attribute for service '%s' in network '%s'",
                    srv->service != NULL ? srv->service : "", check->network);
}

void
network_check_dns_host (const NetworkCheck *check, const NetworkDnsHost *host, gboolean partial)
{
  IpAddress address;
  guint names = host->hostnames != NULL ? host->hostnames->len : 0;

  if (host->ip == NULL && !partial)
    network_refuse (check, host, host, VIR_ERR_XML_DETAIL,
                    "Missing IP address in network '%s' DNS HOST record", check->network);
  else if (host->ip != NULL && !ip_address_parse (host->ip, &address))
    network_refuse (check, &host->ip, host, VIR_ERR_XML_DETAIL,
                    "Invalid IP address in network '%s' DNS HOST record", check->network);
  else if (names == 0 && !partial)
    network_refuse (check, host, host, VIR_ERR_XML_DETAIL, "Missing hostname in network '%s' DNS HOST record",
                    check->network);
  else if (names == 0 && host->ip == NULL)
    network_refuse (check, host, host, VIR_ERR_XML_DETAIL,
                    "Missing ip and hostname in network '%s' DNS HOST record", check->network);
  for (guint i = 0; i < names; i++) {
    const char *name = g_ptr_array_index (host->hostnames, i);

    if (name[0] == '\0')
      network_refuse (check, host, host, VIR_ERR_XML_DETAIL,
                      "Missing hostname in network '%s' DNS HOST record", check->network);
    else if (strpbrk (name, " \t\r\n#,\"") != NULL)
      network_refuse (check, host, host, VIR_ERR_XML_DETAIL,
                      "invalid character in hostname '%s' in network '%s' DNS HOST record", name,
                      check->network);
  }
}

static void
check_forwarder (const NetworkCheck *check, const NetworkDnsForwarder *forwarder)
{
  IpAddress address;

  if (forwarder->addr == NULL && forwarder->domain == NULL)
    network_refuse (check, forwarder, forwarder, VIR_ERR_XML_ERROR,
                    "Invalid forwarder element, must contain at least one of addr or domain");
  else if (forwarder->addr != NULL && !ip_address_parse (forwarder->addr, &address))
    network_refuse (check, &forwarder->addr, forwarder, VIR_ERR_XML_ERROR,
                    "Invalid forwarder IP address '%s' in network '%s'", forwarder->addr, check->network);
  else if (!can_be_part (forwarder->domain))
    network_refuse (check, &forwarder->domain, forwarder, VIR_ERR_XML_ERROR,
                    "invalid character in domain '%s' of a forwarder in network '%s'", forwarder->domain,
                    check->network);
}

static void
check_domain (const NetworkCheck *check, const NetworkDef *def)
{
  if (!can_be_part (def->domain))
    network_refuse (check, &def->domain, def, VIR_ERR_XML_ERROR,
                    "invalid character in <domain name='%s'> of network '%s'", def->domain, check->network);
  if (def->domain_register == TRISTATE_YES && def->domain_local_only != TRISTATE_YES)
    network_refuse (check, &def->domain_register, def, VIR_ERR_CONFIG_UNSUPPORTED,
                    "attribute 'register=yes' in <domain> element requires 'localOnly=yes' in network %s",
                    check->network);
}

void
network_check_dns (const NetworkCheck *check, const NetworkDef *def)
{
  const NetworkDns *dns = &def->dns;

  check_domain (check, def);
  for (guint i = 0; dns->forwarders != NULL && i < dns->forwarders->len; i++)
    check_forwarder (check, g_ptr_array_index (dns->forwarders, i));
  for (guint i = 0; dns->txts != NULL && i < dns->txts->len; i++)
    network_check_dns_txt (check, g_ptr_array_index (dns->txts, i), FALSE);
  for (guint i = 0; dns->srvs != NULL && i < dns->srvs->len; i++)
    network_check_dns_srv (check, g_ptr_array_index (dns->srvs, i), FALSE);
  for (guint i = 0; dns->hosts != NULL && i < dns->hosts->len; i++)
    network_check_dns_host (check, g_ptr_array_index (dns->hosts, i), FALSE);
  if (dns->enable == TRISTATE_NO
      && (dns->forwarders != NULL || dns->txts != NULL || dns->srvs != NULL || dns->hosts != NULL))
    network_refuse (check, dns, def, VIR_ERR_XML_ERROR, "Extra data in disabled network '%s'",
                    check->network);
}
