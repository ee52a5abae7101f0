/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * libvirt's packages bring a network called "default" at 192.168.122.0/24. Where that subnet is the host's
 * already, or another network's, the next one is taken: a machine inside of a machine is such a host.
 */
#include "cli/network.h"

#include "network/network-def.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <string.h>

#define FIRST_SUBNET 122 /* 192.168.N.0/24 */
#define LAST_SUBNET  254
#define PREFIX       24

typedef struct {
  IpAddress address;
  guint prefix;
} Subnet;

static guint
prefix_of (const struct sockaddr *netmask)
{
  IpAddress mask = { IP_V4, { 0 } };
  guint prefix = 32;

  if (netmask != NULL)
    memcpy (mask.bytes, &((const struct sockaddr_in *)netmask)->sin_addr, sizeof (struct in_addr));
  ip_netmask_prefix (&mask, &prefix);
  return prefix;
}

static void
add_host (GArray *taken)
{
  struct ifaddrs *addresses = NULL;

  if (getifaddrs (&addresses) < 0)
    return;
  for (const struct ifaddrs *it = addresses; it != NULL; it = it->ifa_next)
    if (it->ifa_addr != NULL && it->ifa_addr->sa_family == AF_INET) {
      Subnet subnet = { { IP_V4, { 0 } }, prefix_of (it->ifa_netmask) };

      memcpy (subnet.address.bytes, &((const struct sockaddr_in *)it->ifa_addr)->sin_addr,
              sizeof (struct in_addr));
      g_array_append_val (taken, subnet);
    }
  freeifaddrs (addresses);
}

static void
add_definition (GArray *taken, const NetworkDef *def)
{
  for (guint i = 0; def->ips != NULL && i < def->ips->len; i++) {
    Subnet subnet;

    if (network_ip_address (g_ptr_array_index (def->ips, i), &subnet.address, &subnet.prefix)
        && subnet.address.family == IP_V4)
      g_array_append_val (taken, subnet);
  }
}

/* Those that do not run, too. */
static gboolean
add_networks (CommandLine *line, GArray *taken, GError **error)
{
  g_autoptr (GVariant) answer = connection_call (line->connection, LIBVIRT_ROOT, CONNECT_INTERFACE,
                                                 "ListNetworks", g_variant_new ("(u)", 0), error);
  g_autoptr (GVariantIter) paths = NULL;
  const char *path;

  if (answer == NULL)
    return FALSE;
  g_variant_get (answer, "(ao)", &paths);
  while (g_variant_iter_next (paths, "&o", &path)) {
    g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
    g_autofree char *text = network_text (line, path, FALSE, 0, NULL);
    g_autoptr (NetworkDef) def =
        text != NULL ? network_def_parse (text, -1, DOCUMENT_LAX | NETWORK_READ_LIVE, diagnostics) : NULL;

    if (def != NULL)
      add_definition (taken, def);
  }
  return TRUE;
}

static gboolean
is_taken (const GArray *taken, const IpAddress *network)
{
  for (guint i = 0; i < taken->len; i++) {
    const Subnet *subnet = &g_array_index (taken, Subnet, i);

    if (ip_networks_overlap (network, PREFIX, &subnet->address, subnet->prefix))
      return TRUE;
  }
  return FALSE;
}

char *
network_default_document (CommandLine *line, char **ret_subnet, gboolean *ret_wanted, GError **error)
{
  g_autoptr (GArray) taken = g_array_new (FALSE, FALSE, sizeof (Subnet));

  add_host (taken);
  if (!add_networks (line, taken, error))
    return NULL;
  for (guint n = FIRST_SUBNET; n <= LAST_SUBNET; n++) {
    IpAddress network = { IP_V4, { 192, 168, (guint8)n, 0 } };

    if (is_taken (taken, &network))
      continue;
    *ret_wanted = n == FIRST_SUBNET;
    *ret_subnet = g_strdup_printf ("192.168.%u.0/%d", n, PREFIX);
    return g_strdup_printf ("<network>\n"
                            "  <name>default</name>\n"
                            "  <forward mode='nat'/>\n"
                            "  <bridge name='virbr%%d' stp='on' delay='0'/>\n"
                            "  <ip address='192.168.%u.1' netmask='255.255.255.0'>\n"
                            "    <dhcp>\n"
                            "      <range start='192.168.%u.2' end='192.168.%u.254'/>\n"
                            "    </dhcp>\n"
                            "  </ip>\n"
                            "</network>\n",
                            n, n, n);
  }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _ ("no subnet from 192.168.%d.0/24 to 192.168.%d.0/24 is free"), FIRST_SUBNET, LAST_SUBNET);
  return NULL;
}
