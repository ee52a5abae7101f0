/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * dnsmasq's files, with what libvirt writes in them and in its order. Every line is made by one function that
 * measures it, and every text of the document comes through one that quotes or refuses it: a schema that lets
 * something pass cannot give anybody a line of dnsmasq's settings, which can name a program to run.
 */
#include "network/dnsmasq-config.h"

#include "network/dnsmasq-text.h"
#include "network/network-firewall.h"

#include <string.h>

#define BITS_PER_LABEL_V4 8         /* of a name below in-addr.arpa, ... */
#define BITS_PER_LABEL_V6 4         /* ... and below ip6.arpa */
#define HOSTS_STEP        128       /* known machines are counted in such steps: one more is no new setting */
#define LEASES_MAX        (1 << 24) /* dnsmasq counts them in an int */
#define LEASE_SECONDS_MAX G_MAXINT32

typedef struct {
  const NetworkDef *def;
  GString *text;
  gboolean failed;
  GError **error;
} Writer;

/* The first mistake is the one that is told. */
static void refuse (Writer *writer, virErrorNumber code, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
refuse (Writer *writer, virErrorNumber code, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list values;

  if (writer->failed)
    return;
  va_start (values, format);
  text = g_strdup_vprintf (format, values);
  va_end (values);
  virt_error_set (writer->error, code, "network '%s': %s", writer->def->name, text);
  writer->failed = TRUE;
}

/* A line of settings. Only what the functions below have let pass, and numbers, go into it. */
static void line (Writer *writer, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
line (Writer *writer, const char *format, ...)
{
  gsize before = writer->text->len;
  va_list values;

  va_start (values, format);
  g_string_append_vprintf (writer->text, format, values);
  va_end (values);
  if (writer->text->len - before > DNSMASQ_LINE_MAX)
    refuse (writer, VIR_ERR_CONFIG_UNSUPPORTED,
            "'%.40s...' is longer than the %d bytes that dnsmasq reads of a line", writer->text->str + before,
            DNSMASQ_LINE_MAX);
  g_string_append_c (writer->text, '\n');
}

/* What the document says, as it may stand in a line. They return "" where they refuse. */

static const char *
domain_text (Writer *writer, const char *what, const char *text)
{
  if (dnsmasq_is_domain (text))
    return text;
  refuse (writer, VIR_ERR_XML_ERROR,
          "'%s' is no name for the %s: letters, digits, '-', '_' and '.' can be in it", text, what);
  return "";
}

/* (transfer full) */
static char *
quoted (Writer *writer, const char *what, const char *text)
{
  char *result = dnsmasq_quote (text);

  if (result != NULL)
    return result;
  refuse (writer, VIR_ERR_XML_ERROR, "the %s has a control character, such as the end of a line", what);
  return g_strdup ("");
}

/* In its usual spelling. (transfer full) */
static char *
address_text (Writer *writer, const char *what, const char *text)
{
  char *result = ip_address_normalize (text);

  if (result != NULL)
    return result;
  refuse (writer, VIR_ERR_XML_ERROR, "'%s' is no IP address for the %s", text != NULL ? text : "", what);
  return g_strdup ("");
}

/* ",20m", ",infinite", "" (transfer full) */
static char *
lease_text (Writer *writer, const NetworkLeaseTime *lease)
{
  static const char units[] = {
    [LEASE_UNIT_NONE] = 'm', [LEASE_SECONDS] = 's', [LEASE_MINUTES] = 'm', [LEASE_HOURS] = 'h'
  };

  if (lease == NULL)
    return g_strdup ("");
  if (lease->expiry.value == 0)
    return g_strdup (",infinite");
  if (lease->expiry.value > LEASE_SECONDS_MAX || network_lease_seconds (lease) > LEASE_SECONDS_MAX)
    refuse (writer, VIR_ERR_XML_ERROR, "a lease of %" G_GUINT64_FORMAT " %s is longer than dnsmasq can count",
            lease->expiry.value,
            lease->unit == LEASE_HOURS     ? "hours"
            : lease->unit == LEASE_SECONDS ? "seconds"
                                           : "minutes");
  return g_strdup_printf (",%" G_GUINT64_FORMAT "%c", lease->expiry.value, units[lease->unit]);
}

#define EACH(list, Type, item)                                                                  \
  for (guint item##_number = 0; (list) != NULL && item##_number < (list)->len; item##_number++) \
    for (const Type *item = g_ptr_array_index ((list), item##_number); item != NULL; item = NULL)

/* Names. */

static gboolean
has_dns (const NetworkDef *def)
{
  return def->dns.enable != TRISTATE_NO;
}

static gboolean
has_dhcp (const NetworkIp *ip)
{
  return ip->dhcp != NULL && (ip->dhcp->ranges != NULL || ip->dhcp->hosts != NULL);
}

gboolean
dnsmasq_is_needed (const NetworkDef *def)
{
  gboolean is_needed = has_dns (def);

  if (!network_forward_has_own_bridge (def->forward.mode) || def->ips == NULL || def->ips->len == 0)
    return FALSE;
  EACH (def->ips, NetworkIp, ip)
  is_needed = is_needed || has_dhcp (ip) || ip->tftp_root != NULL;
  return is_needed;
}

static void
write_forwarders (Writer *writer)
{
  gboolean has_own = FALSE;

  EACH (writer->def->dns.forwarders, NetworkDnsForwarder, forwarder)
  {
    g_autofree char *address =
        forwarder->addr != NULL ? address_text (writer, "DNS forwarder", forwarder->addr) : g_strdup ("#");

    has_own = has_own || (forwarder->domain == NULL && forwarder->addr != NULL);
    if (forwarder->domain != NULL)
      line (writer, "server=/%s/%s", domain_text (writer, "DNS forwarder's domain", forwarder->domain),
            address);
    else
      line (writer, "server=%s", address);
  }
  if (has_own)
    line (writer, "no-resolv");
}

/* "122.168.192.in-addr.arpa": whose names are all in @ip. (transfer full), or NULL */
static char *
reverse_zone (Writer *writer, const NetworkIp *ip)
{
  static const char digits[] = "0123456789abcdef";
  GString *zone;
  IpAddress address;
  guint prefix, step;

  if (!network_ip_address (ip, &address, &prefix))
    return NULL;
  step = address.family == IP_V6 ? BITS_PER_LABEL_V6 : BITS_PER_LABEL_V4;
  if (prefix % step != 0) {
    refuse (writer, VIR_ERR_CONFIG_UNSUPPORTED,
            "PTR domain for %s with prefix %u cannot be automatically created", ip->address, prefix);
    return NULL;
  }
  zone = g_string_new (NULL);
  for (guint label = prefix / step; label > 0; label--) {
    guint8 byte = address.bytes[(label - 1) * step / 8];

    if (address.family == IP_V6)
      g_string_append_printf (zone, "%c.", digits[label % 2 == 0 ? byte & 0xf : byte >> 4]);
    else
      g_string_append_printf (zone, "%u.", byte);
  }
  g_string_append (zone, address.family == IP_V6 ? "ip6.arpa" : "in-addr.arpa");
  return g_string_free (zone, FALSE);
}

static void
write_domain (Writer *writer)
{
  const NetworkDef *def = writer->def;

  if (def->domain != NULL) {
    const char *domain = domain_text (writer, "domain", def->domain);

    if (def->domain_local_only == TRISTATE_YES)
      line (writer, "local=/%s/", domain);
    line (writer, "domain=%s", domain);
    line (writer, "expand-hosts");
  }
  EACH (def->ips, NetworkIp, ip)
  {
    g_autofree char *zone = ip->local_ptr == TRISTATE_YES ? reverse_zone (writer, ip) : NULL;

    if (zone != NULL)
      line (writer, "local=/%s/", zone);
  }
  /* Names without a dot: whether or not a domain is put behind them, they stay here. */
  if (def->dns.forward_plain_names == TRISTATE_NO) {
    line (writer, "domain-needed");
    line (writer, "local=//");
  }
}

static void
write_srv (Writer *writer, const NetworkDnsSrv *srv)
{
  GString *value = g_string_new (NULL);

  g_string_append_printf (value, "_%s._%s", domain_text (writer, "DNS service", srv->service),
                          domain_text (writer, "DNS service's protocol", srv->protocol));
  if (srv->domain != NULL)
    g_string_append_printf (value, ".%s", domain_text (writer, "DNS service's domain", srv->domain));
  if (srv->target != NULL) {
    g_string_append_printf (value, ",%s", domain_text (writer, "DNS service's target", srv->target));
    /* Each is known by its place: one that is said brings those before it. */
    if (srv->port.set || srv->priority.set || srv->weight.set)
      g_string_append_printf (value, ",%u", srv->port.set ? (guint)srv->port.value : 1);
    if (srv->priority.set || srv->weight.set)
      g_string_append_printf (value, ",%u", (guint)srv->priority.value);
    if (srv->weight.set)
      g_string_append_printf (value, ",%u", (guint)srv->weight.value);
  }
  line (writer, "srv-host=%s", value->str);
  g_string_free (value, TRUE);
}

static void
write_records (Writer *writer)
{
  EACH (writer->def->dns.txts, NetworkDnsTxt, txt)
  {
    g_autofree char *value = dnsmasq_quote_list (txt->value != NULL ? txt->value : "");

    if (value == NULL)
      refuse (writer, VIR_ERR_XML_ERROR,
              "the DNS TXT record '%s' has a control character, such as the end of a line", txt->name);
    line (writer, "txt-record=%s,%s", domain_text (writer, "DNS TXT record", txt->name),
          value != NULL ? value : "");
  }
  EACH (writer->def->dns.srvs, NetworkDnsSrv, srv)
  write_srv (writer, srv);
}

/* DHCP. */

static void
write_ranges (Writer *writer, const NetworkIp *ip, guint64 *leases)
{
  IpAddress address, start, end, mask;
  char mask_text[IP_TEXT_MAX];
  guint prefix, hosts;

  if (!network_ip_address (ip, &address, &prefix)) {
    refuse (writer, VIR_ERR_XML_ERROR, "an <ip> with DHCP has no address");
    return;
  }
  ip_netmask_of_prefix (address.family, prefix, &mask);
  ip_address_format (&mask, mask_text);
  EACH (ip->dhcp->ranges, NetworkDhcpRange, range)
  {
    g_autofree char *first = address_text (writer, "start of a DHCP range", range->start);
    g_autofree char *last = address_text (writer, "end of a DHCP range", range->end);
    g_autofree char *time = lease_text (writer, range->lease);

    if (address.family == IP_V6)
      line (writer, "dhcp-range=%s,%s,%u%s", first, last, prefix, time);
    else
      line (writer, "dhcp-range=%s,%s,%s%s", first, last, mask_text, time);
    if (ip_address_parse (first, &start) && ip_address_parse (last, &end))
      *leases = MIN (*leases + MIN (ip_range_size (&start, &end), LEASES_MAX), LEASES_MAX);
  }
  /* Machines that are known, and no others. */
  if (ip->dhcp->ranges == NULL) {
    char text[IP_TEXT_MAX];

    ip_address_format (&address, text);
    if (address.family == IP_V6)
      line (writer, "dhcp-range=%s,static,%u", text, prefix);
    else
      line (writer, "dhcp-range=%s,static", text);
  }
  hosts = ip->dhcp->hosts != NULL ? ip->dhcp->hosts->len : 0;
  *leases = MIN (*leases + (hosts / HOSTS_STEP + 1) * HOSTS_STEP, LEASES_MAX);
}

static void
write_bootp (Writer *writer, const NetworkBootp *bootp)
{
  g_autofree char *file = quoted (writer, "boot file of <bootp>", bootp->file);

  if (bootp->server != NULL)
    line (writer, "dhcp-boot=%s,,%s", file, domain_text (writer, "server of <bootp>", bootp->server));
  else
    line (writer, "dhcp-boot=%s", file);
}

/* Of each family one subnet has DHCP: the first. */
static gboolean
write_subnets (Writer *writer, guint64 *leases)
{
  gboolean served[IP_V6 + 1] = { FALSE };

  EACH (writer->def->ips, NetworkIp, ip)
  {
    IpAddress address;
    guint prefix;

    if (ip->tftp_root != NULL) {
      g_autofree char *root = quoted (writer, "directory of <tftp>", ip->tftp_root);

      line (writer, "enable-tftp");
      line (writer, "tftp-root=%s", root);
    }
    if (!has_dhcp (ip) || !network_ip_address (ip, &address, &prefix) || served[address.family])
      continue;
    served[address.family] = TRUE;
    write_ranges (writer, ip, leases);
    if (address.family == IP_V4) {
      line (writer, "dhcp-no-override");
      if (ip->dhcp->ranges != NULL)
        line (writer, "dhcp-authoritative");
      if (ip->dhcp->bootp != NULL)
        write_bootp (writer, ip->dhcp->bootp);
    }
  }
  return served[IP_V4] || served[IP_V6];
}

/* Adverts of the router: with DHCP they say that there is some, and otherwise how to do without. */
static void
write_adverts (Writer *writer)
{
  gboolean has_dhcp6 = network_def_dhcp_ip (writer->def, IP_V6) != NULL;

  if (has_dhcp6) {
    line (writer, "enable-ra");
    return;
  }
  EACH (writer->def->ips, NetworkIp, ip)
  {
    IpAddress address;
    guint prefix;
    char text[IP_TEXT_MAX];

    if (!network_ip_address (ip, &address, &prefix) || address.family != IP_V6)
      continue;
    ip_address_format (&address, text);
    line (writer, "dhcp-range=%s,ra-only", text);
  }
}

static void
write_options (Writer *writer)
{
  EACH (writer->def->options, NetworkOption, option)
  {
    if (strpbrk (option->value, "\n\r") != NULL)
      refuse (writer, VIR_ERR_XML_ERROR, "an option of <dnsmasq:options> has more than one line");
    line (writer, "%s", option->value);
  }
}

/* What we decide, and nobody's document. */
static void
write_own (Writer *writer, const DnsmasqPlaces *places)
{
  g_autofree char *leases = quoted (writer, "path of the leases", places->leases);

  line (writer, "pid-file="); /* the daemon knows it */
  if (places->user != NULL)
    line (writer, "user=%s", places->user);
  if (places->group != NULL)
    line (writer, "group=%s", places->group);
  line (writer, "except-interface=lo");
  line (writer, "bind-dynamic");
  line (writer, "interface=%s", writer->def->bridge);
  line (writer, "dhcp-leasefile=%s", leases);
  line (writer, "quiet-dhcp");
  line (writer, "quiet-dhcp6");
  line (writer, "quiet-ra");
  line (writer, "quiet-tftp");
}

static char *
make_settings (const NetworkDef *def, const DnsmasqPlaces *places, GError **error)
{
  Writer writer = { def, g_string_new (NULL), FALSE, error };
  guint64 leases = 0;

  g_string_append (writer.text, "# Written anew by domaind whenever the network starts or changes.\n");
  line (&writer, "strict-order");
  if (has_dns (def))
    write_forwarders (&writer);
  else
    line (&writer, "port=0");
  write_domain (&writer);
  write_own (&writer, places);
  if (def->forward.mode == NETWORK_FORWARD_NONE) {
    line (&writer, "dhcp-option=3"); /* no router */
    line (&writer, "no-resolv");
    line (&writer, "ra-param=*,0,0");
  }
  write_records (&writer);
  if (write_subnets (&writer, &leases)) {
    g_autofree char *hosts = quoted (&writer, "path of the hosts", places->hosts);

    line (&writer, "dhcp-lease-max=%" G_GUINT64_FORMAT, leases);
    line (&writer, "dhcp-hostsfile=%s", hosts);
  }
  if (has_dns (def)) {
    g_autofree char *names = quoted (&writer, "path of the names", places->names);

    line (&writer, "addn-hosts=%s", names);
  }
  if (def->mtu.set && def->mtu.value > 0)
    line (&writer, "dhcp-option=option:mtu,%" G_GUINT64_FORMAT, def->mtu.value);
  write_adverts (&writer);
  write_options (&writer);
  return g_string_free (writer.text, writer.failed);
}

/* A file of its own: one machine a line. */

static void
write_host (Writer *writer, const NetworkDhcpHost *host)
{
  g_autofree char *address = host->ip != NULL ? address_text (writer, "DHCP host", host->ip) : NULL;
  g_autofree char *time = lease_text (writer, host->lease);
  g_autoptr (GString) fields = g_string_new (NULL);
  gboolean is_v6 = address != NULL && strchr (address, ':') != NULL;
  guint8 mac[MAC_BYTES];
  char mac_text[MAC_TEXT] = "";

  if (host->mac != NULL && !mac_parse (host->mac, mac))
    refuse (writer, VIR_ERR_XML_ERROR, "'%s' is no MAC address of a DHCP host", host->mac);
  else if (host->mac != NULL)
    mac_format (mac, mac_text);
  if (host->id != NULL
      && (*host->id == '\0' || host->id[strspn (host->id, "0123456789abcdefABCDEF:")] != '\0'))
    refuse (writer, VIR_ERR_XML_ERROR, "'%s' is no DHCPv6 unique identifier", host->id);
  if (host->name != NULL && !dnsmasq_is_host (host->name))
    refuse (
        writer, VIR_ERR_XML_ERROR,
        "Cannot use name '%s' for a DHCP host: it has to begin with a letter, and letters, digits, '-', '_' "
        "and '.' can follow",
        host->name);
  if (writer->failed)
    return;
  if (host->mac != NULL)
    g_string_append_printf (fields, ",%s", mac_text);
  if (host->id != NULL)
    g_string_append_printf (fields, ",id:%s", host->id);
  /* libvirt's order: with IPv6 the name is before the address, and alone it is the key. */
  if (is_v6 || (host->mac == NULL && host->id == NULL)) {
    if (host->name != NULL)
      g_string_append_printf (fields, ",%s", host->name);
    if (address != NULL)
      g_string_append_printf (fields, is_v6 ? ",[%s]" : ",%s", address);
  } else {
    if (address != NULL)
      g_string_append_printf (fields, ",%s", address);
    if (host->name != NULL)
      g_string_append_printf (fields, ",%s", host->name);
  }
  line (writer, "%s%s", fields->len > 0 ? fields->str + 1 : "", time);
}

static char *
make_hosts (const NetworkDef *def, GError **error)
{
  Writer writer = { def, g_string_new (NULL), FALSE, error };

  EACH (def->ips, NetworkIp, ip)
  EACH (ip->dhcp != NULL ? ip->dhcp->hosts : NULL, NetworkDhcpHost, host)
  write_host (&writer, host);
  return g_string_free (writer.text, writer.failed);
}

/* As /etc/hosts: an address and its names. */
static char *
make_names (const NetworkDef *def, GError **error)
{
  Writer writer = { def, g_string_new (NULL), FALSE, error };

  EACH (def->dns.hosts, NetworkDnsHost, host)
  {
    g_autofree char *address = address_text (&writer, "DNS host", host->ip);

    for (guint i = 0; host->hostnames != NULL && i < host->hostnames->len; i++)
      line (&writer, "%s\t%s", address,
            domain_text (&writer, "DNS host", g_ptr_array_index (host->hostnames, i)));
  }
  return g_string_free (writer.text, writer.failed);
}

void
dnsmasq_config_free (DnsmasqConfig *config)
{
  if (config == NULL)
    return;
  g_free (config->settings);
  g_free (config->hosts);
  g_free (config->names);
  g_free (config);
}

DnsmasqConfig *
dnsmasq_config_new (const NetworkDef *def, const DnsmasqPlaces *places, GError **error)
{
  g_autoptr (DnsmasqConfig) config = g_new0 (DnsmasqConfig, 1);

  if (!network_link_name_is_plain (def->bridge)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "network '%s': '%s' cannot be the name of the bridge",
                    def->name, def->bridge != NULL ? def->bridge : "");
    return NULL;
  }
  config->settings = make_settings (def, places, error);
  if (config->settings != NULL)
    config->hosts = make_hosts (def, error);
  if (config->hosts != NULL)
    config->names = make_names (def, error);
  return config->names != NULL ? g_steal_pointer (&config) : NULL;
}
