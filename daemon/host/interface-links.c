/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The host's interfaces by rtnetlink. One dump has all of them with what their kinds say, in the network
 * namespace that the daemon is in; sysfs shows that of whoever mounted it. Only the speed is not there: it is
 * asked of the card, and only of one that is up, as libvirt does.
 */
#include "daemon/host/interface-links.h"

#include <arpa/inet.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct nl_sock NlSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlSocket, nl_socket_free)

static void
bond_clear (HostBond *bond)
{
  g_free (bond->miimon);
  if (bond->arpmon != NULL)
    g_free (bond->arpmon->target);
  g_free (bond->arpmon);
}

static void
link_free (gpointer data)
{
  InterfaceLink *link = data;

  g_free (link->name);
  g_free (link->mac);
  bond_clear (&link->bond);
  g_free (link);
}

static guint32
number_of (struct nlattr *const *attributes, int type)
{
  return attributes[type] != NULL && nla_len (attributes[type]) >= (int)sizeof (guint32)
             ? nla_get_u32 (attributes[type])
             : 0;
}

static guint8
byte_of (struct nlattr *const *attributes, int type)
{
  return attributes[type] != NULL && nla_len (attributes[type]) >= 1 ? nla_get_u8 (attributes[type]) : 0;
}

static void
read_bridge (InterfaceLink *link, struct nlattr *data)
{
  struct nlattr *attributes[IFLA_BR_MAX + 1] = { NULL };

  link->type = HOST_BRIDGE;
  if (nla_parse_nested (attributes, IFLA_BR_MAX, data, NULL) < 0)
    return;
  link->bridge_delay = number_of (attributes, IFLA_BR_FORWARD_DELAY);
  link->bridge_stp = number_of (attributes, IFLA_BR_STP_STATE) != 0;
}

static void
read_vlan (InterfaceLink *link, struct nlattr *data)
{
  struct nlattr *attributes[IFLA_VLAN_MAX + 1] = { NULL };

  link->type = HOST_VLAN;
  if (nla_parse_nested (attributes, IFLA_VLAN_MAX, data, NULL) == 0 && attributes[IFLA_VLAN_ID] != NULL)
    link->vlan_tag = nla_get_u16 (attributes[IFLA_VLAN_ID]);
}

/* The first address that is asked; NULL: none. */
static char *
arp_target (struct nlattr *targets)
{
  struct nlattr *target;
  int rest;

  if (targets == NULL)
    return NULL;
  nla_for_each_nested (target, targets, rest)
  {
    char text[INET_ADDRSTRLEN];
    struct in_addr address;

    if (nla_len (target) < (int)sizeof address)
      continue;
    memcpy (&address, nla_data (target), sizeof address);
    return g_strdup (inet_ntop (AF_INET, &address, text, sizeof text));
  }
  return NULL;
}

/* A bond is watched in one way at a time: by ARP where that has an interval. */
static void
read_bond (InterfaceLink *link, struct nlattr *data)
{
  struct nlattr *attributes[IFLA_BOND_MAX + 1] = { NULL };
  guint32 interval, down_delay, up_delay;

  link->type = HOST_BOND;
  if (nla_parse_nested (attributes, IFLA_BOND_MAX, data, NULL) < 0)
    return;
  link->bond.mode = byte_of (attributes, IFLA_BOND_MODE) + HOST_BOND_BALANCE_RR;
  interval = number_of (attributes, IFLA_BOND_ARP_INTERVAL);
  if (interval > 0) {
    link->bond.arpmon = g_new0 (HostArpmon, 1);
    link->bond.arpmon->interval = NUMBER (interval);
    link->bond.arpmon->target = arp_target (attributes[IFLA_BOND_ARP_IP_TARGET]);
    link->bond.arpmon->validate = (int)number_of (attributes, IFLA_BOND_ARP_VALIDATE) + 1;
    return;
  }
  down_delay = number_of (attributes, IFLA_BOND_DOWNDELAY);
  up_delay = number_of (attributes, IFLA_BOND_UPDELAY);
  link->bond.miimon = g_new0 (HostMiimon, 1);
  link->bond.miimon->frequency = NUMBER (number_of (attributes, IFLA_BOND_MIIMON));
  link->bond.miimon->down_delay = (Number){ down_delay > 0, down_delay };
  link->bond.miimon->up_delay = (Number){ up_delay > 0, up_delay };
  link->bond.miimon->carrier =
      byte_of (attributes, IFLA_BOND_USE_CARRIER) ? HOST_CARRIER_NETIF : HOST_CARRIER_IOCTL;
}

static void
read_kind (InterfaceLink *link, struct nlattr *information)
{
  struct nlattr *attributes[IFLA_INFO_MAX + 1] = { NULL };
  g_autofree char *kind = NULL;
  struct nlattr *data;

  if (information == NULL || nla_parse_nested (attributes, IFLA_INFO_MAX, information, NULL) < 0
      || attributes[IFLA_INFO_KIND] == NULL)
    return;
  kind = nla_strdup (attributes[IFLA_INFO_KIND]);
  data = attributes[IFLA_INFO_DATA];
  link->is_tap = g_strcmp0 (kind, "tun") == 0;
  if (data == NULL)
    return;
  if (g_strcmp0 (kind, "bridge") == 0)
    read_bridge (link, data);
  else if (g_strcmp0 (kind, "vlan") == 0)
    read_vlan (link, data);
  else if (g_strcmp0 (kind, "bond") == 0)
    read_bond (link, data);
}

static char *
read_mac (struct nlattr *attribute)
{
  const guint8 *bytes = attribute != NULL ? nla_data (attribute) : NULL;
  int length = attribute != NULL ? nla_len (attribute) : 0;
  GString *text = g_string_new (NULL);

  for (int i = 0; i < length; i++)
    g_string_append_printf (text, "%s%02x", i > 0 ? ":" : "", bytes[i]);
  return g_string_free (text, FALSE);
}

static int
take_link (struct nl_msg *message, void *data)
{
  struct nlattr *attributes[IFLA_MAX + 1] = { NULL };
  struct nlmsghdr *header = nlmsg_hdr (message);
  GPtrArray *links = data;
  InterfaceLink *link;

  if (header->nlmsg_type != RTM_NEWLINK || links->len >= INTERFACE_LINKS_MAX
      || nlmsg_parse (header, sizeof (struct ifinfomsg), attributes, IFLA_MAX, NULL) < 0
      || attributes[IFLA_IFNAME] == NULL)
    return NL_OK;
  link = g_new0 (InterfaceLink, 1);
  link->index = (guint)((struct ifinfomsg *)nlmsg_data (header))->ifi_index;
  link->name = nla_strdup (attributes[IFLA_IFNAME]);
  link->mac = read_mac (attributes[IFLA_ADDRESS]);
  link->mtu = number_of (attributes, IFLA_MTU);
  link->master = number_of (attributes, IFLA_MASTER);
  link->parent = attributes[IFLA_LINK_NETNSID] == NULL ? number_of (attributes, IFLA_LINK) : 0;
  link->state = byte_of (attributes, IFLA_OPERSTATE) + HOST_STATE_UNKNOWN;
  link->type = HOST_ETHERNET;
  read_kind (link, attributes[IFLA_LINKINFO]);
  g_ptr_array_add (links, link);
  return NL_OK;
}

/* "eth2" before "eth10", as libvirt has a bridge's ports. */
static int
compare_links (gconstpointer a, gconstpointer b)
{
  return strverscmp ((*(InterfaceLink *const *)a)->name, (*(InterfaceLink *const *)b)->name);
}

static int
dump (NlSocket *socket, GPtrArray *links)
{
  struct ifinfomsg request = { .ifi_family = AF_UNSPEC };
  int code = nl_connect (socket, NETLINK_ROUTE);

  if (code == 0)
    code = nl_socket_modify_cb (socket, NL_CB_VALID, NL_CB_CUSTOM, take_link, links);
  if (code == 0)
    code = nl_send_simple (socket, RTM_GETLINK, NLM_F_DUMP, &request, sizeof request);
  return code < 0 ? code : nl_recvmsgs_default (socket);
}

GPtrArray *
interface_links_read (GError **error)
{
  g_autoptr (GPtrArray) links = g_ptr_array_new_with_free_func (link_free);
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  int code = dump (socket, links);

  if (code < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR,
                    "cannot ask the kernel for the host's network interfaces: %s", nl_geterror (code));
    return NULL;
  }
  g_ptr_array_sort (links, compare_links);
  return g_steal_pointer (&links);
}

const InterfaceLink *
interface_links_find (GPtrArray *links, const char *name)
{
  for (guint i = 0; i < links->len; i++) {
    const InterfaceLink *link = g_ptr_array_index (links, i);

    if (g_str_equal (link->name, name))
      return link;
  }
  return NULL;
}

gboolean
interface_link_is_active (const InterfaceLink *link)
{
  return link->state == HOST_STATE_UP;
}

/* Mbit/s; 0: it does not say. */
static guint32
speed_of (const InterfaceLink *link)
{
  struct ethtool_cmd command = { .cmd = ETHTOOL_GSET };
  struct ifreq request = { .ifr_data = (char *)&command };
  int fd = interface_link_is_active (link) ? socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
  guint32 speed = 0;

  if (fd < 0)
    return 0;
  g_strlcpy (request.ifr_name, link->name, sizeof request.ifr_name);
  if (ioctl (fd, SIOCETHTOOL, &request) == 0)
    speed = ethtool_cmd_speed (&command);
  close (fd);
  return speed == (guint32)SPEED_UNKNOWN || speed == G_MAXUINT16 ? 0 : speed;
}

static void describe (GPtrArray *links, const InterfaceLink *link, HostInterfaceDef *def);

/* NULL: none. The kernel puts no bridge into a bridge and no bond into a bond. */
static GPtrArray *
describe_ports (GPtrArray *links, const InterfaceLink *master)
{
  GPtrArray *ports = NULL;

  for (guint i = 0; i < links->len; i++) {
    const InterfaceLink *link = g_ptr_array_index (links, i);
    HostInterfaceDef *port;

    if (link->master != master->index || link->type == HOST_BRIDGE || link->type == master->type
        || (ports != NULL && ports->len >= HOST_PORTS_MAX))
      continue;
    port = host_interface_port_new ();
    describe (links, link, port);
    if (ports == NULL)
      ports = g_ptr_array_new ();
    g_ptr_array_add (ports, port);
  }
  return ports;
}

static void
describe_bond (GPtrArray *links, const InterfaceLink *link, HostInterfaceDef *def)
{
  def->bond = g_new0 (HostBond, 1);
  def->bond->mode = link->bond.mode;
  if (link->bond.miimon != NULL)
    def->bond->miimon = g_memdup2 (link->bond.miimon, sizeof *link->bond.miimon);
  if (link->bond.arpmon != NULL) {
    def->bond->arpmon = g_memdup2 (link->bond.arpmon, sizeof *link->bond.arpmon);
    def->bond->arpmon->target = g_strdup (link->bond.arpmon->target);
  }
  def->bond->ports = describe_ports (links, link);
}

static const InterfaceLink *
find_index (GPtrArray *links, guint index)
{
  for (guint i = 0; i < links->len && index != 0; i++) {
    const InterfaceLink *link = g_ptr_array_index (links, i);

    if (link->index == index)
      return link;
  }
  return NULL;
}

static void
describe (GPtrArray *links, const InterfaceLink *link, HostInterfaceDef *def)
{
  const InterfaceLink *below = find_index (links, link->parent);
  guint32 speed;

  def->name = g_strdup (link->name);
  def->type = link->type == HOST_VLAN && below == NULL ? HOST_ETHERNET : link->type;
  switch (def->type) {
    case HOST_BRIDGE:
      def->bridge = g_new0 (HostBridge, 1);
      def->bridge->stp = link->bridge_stp ? TRISTATE_YES : TRISTATE_NO;
      def->bridge->delay = g_strdup_printf ("%u", link->bridge_delay);
      def->bridge->ports = describe_ports (links, link);
      break;
    case HOST_BOND:
      describe_bond (links, link, def);
      break;
    case HOST_VLAN:
      def->vlan = g_new0 (HostVlan, 1);
      def->vlan->tag = NUMBER (link->vlan_tag);
      def->vlan->parent = g_strdup (below->name);
      break;
    default:
      speed = speed_of (link);
      def->link.speed = (Number){ speed > 0, speed };
      def->link.state = link->state;
      def->mac = link->mac[0] != '\0' ? g_strdup (link->mac) : NULL;
  }
}

HostInterfaceDef *
interface_link_describe (GPtrArray *links, const InterfaceLink *link)
{
  HostInterfaceDef *def = document_new (&host_interface_document);

  describe (links, link, def);
  def->mtu = NUMBER (link->mtu);
  return def;
}
