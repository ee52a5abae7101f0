/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Links over rtnetlink, by libnl. A change is a request with only what changes; the kernel's answer is waited
 * for, which takes as long as its own lock. What libnl has no function for (a bridge's port flags, VLANs) is
 * a message written here.
 */
#include "daemon/host/link.h"

#include <linux/if_bridge.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/macvtap.h>
#include <netlink/route/link/sriov.h>
#include <netlink/route/nexthop.h>
#include <netlink/route/route.h>
#include <string.h>

typedef struct nl_sock NlSocket;
typedef struct rtnl_link RtnlLink;
typedef struct nl_msg NlMessage;
typedef struct nl_cache NlCache;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlSocket, nl_socket_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RtnlLink, rtnl_link_put)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlMessage, nlmsg_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlCache, nl_cache_free)

/* The kernel's words where libnl's are only about it. */
static const char *
reason (int code)
{
  switch (-code) {
    case NLE_NODEV:
    case NLE_OBJ_NOTFOUND:
      return "No such device";
    case NLE_PERM:
      return "Operation not permitted";
    case NLE_EXIST:
      return "File exists";
    case NLE_INVAL:
      return "Invalid argument";
    case NLE_OPNOTSUPP:
      return "Operation not supported";
    case NLE_BUSY:
      return "Device or resource busy";
    default:
      return nl_geterror (code);
  }
}

static NlSocket *
open_socket (GError **error)
{
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  int code = socket != NULL ? nl_connect (socket, NETLINK_ROUTE) : -NLE_NOMEM;

  if (code == 0)
    return g_steal_pointer (&socket);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot talk to the kernel about network links: %s",
                  reason (code));
  return NULL;
}

gboolean
link_exists (const char *name)
{
  return if_nametoindex (name) != 0;
}

char *
link_name_of (guint index)
{
  char name[IF_NAMESIZE];

  return if_indextoname (index, name) != NULL ? g_strdup (name) : NULL;
}

gboolean
link_query (const char *name, const char *what, LinkInfo *ret_info, GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  g_autoptr (RtnlLink) link = NULL;
  struct nl_addr *address;
  int code;

  if (socket == NULL)
    return FALSE;
  code = rtnl_link_get_kernel (socket, 0, name, &link);
  if (code < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot %s '%s': %s", what, name, reason (code));
    return FALSE;
  }
  *ret_info = (LinkInfo){
    .index = (guint)rtnl_link_get_ifindex (link),
    .master = (guint)rtnl_link_get_master (link),
    .mtu = rtnl_link_get_mtu (link),
    .parent = (guint)rtnl_link_get_link (link),
    .group = rtnl_link_get_group (link),
    .up = (rtnl_link_get_flags (link) & IFF_UP) != 0,
    .rx_bytes = rtnl_link_get_stat (link, RTNL_LINK_RX_BYTES),
    .rx_packets = rtnl_link_get_stat (link, RTNL_LINK_RX_PACKETS),
    .rx_errors = rtnl_link_get_stat (link, RTNL_LINK_RX_ERRORS),
    .rx_dropped = rtnl_link_get_stat (link, RTNL_LINK_RX_DROPPED),
    .tx_bytes = rtnl_link_get_stat (link, RTNL_LINK_TX_BYTES),
    .tx_packets = rtnl_link_get_stat (link, RTNL_LINK_TX_PACKETS),
    .tx_errors = rtnl_link_get_stat (link, RTNL_LINK_TX_ERRORS),
    .tx_dropped = rtnl_link_get_stat (link, RTNL_LINK_TX_DROPPED),
  };
  g_strlcpy (ret_info->alias, rtnl_link_get_ifalias (link) != NULL ? rtnl_link_get_ifalias (link) : "",
             sizeof ret_info->alias);
  address = rtnl_link_get_addr (link);
  if (address != NULL && nl_addr_get_len (address) == MAC_BYTES)
    memcpy (ret_info->mac, nl_addr_get_binary_addr (address), MAC_BYTES);
  return TRUE;
}

/* Ask the kernel for @change of the link @name; @problem says what could not be done. */
static gboolean change_link (const char *name, RtnlLink *change, GError **error, const char *format, ...)
    G_GNUC_PRINTF (4, 5);

static gboolean
change_link (const char *name, RtnlLink *change, GError **error, const char *format, ...)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  g_autoptr (RtnlLink) link = NULL;
  g_autofree char *problem = NULL;
  va_list arguments;
  int code;

  if (socket == NULL)
    return FALSE;
  code = rtnl_link_get_kernel (socket, 0, name, &link);
  if (code == 0)
    code = rtnl_link_change (socket, link, change, 0);
  if (code == 0)
    return TRUE;
  va_start (arguments, format);
  problem = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s: %s", problem, reason (code));
  return FALSE;
}

gboolean
link_set_mac (const char *name, const guint8 mac[MAC_BYTES], GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();
  struct nl_addr *address = nl_addr_build (AF_LLC, mac, MAC_BYTES);

  rtnl_link_set_addr (change, address);
  nl_addr_put (address);
  return change_link (name, change, error, "Cannot set interface MAC on '%s'", name);
}

gboolean
link_set_mtu (const char *name, guint mtu, GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();

  rtnl_link_set_mtu (change, mtu);
  return change_link (name, change, error, "Cannot set interface MTU on '%s' to %u", name, mtu);
}

gboolean
link_set_group (const char *name, guint group, GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();

  rtnl_link_set_group (change, group);
  return change_link (name, change, error, "Cannot set interface group on '%s' to %u", name, group);
}

gboolean
link_set_up (const char *name, gboolean up, GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();

  if (up)
    rtnl_link_set_flags (change, IFF_UP);
  else
    rtnl_link_unset_flags (change, IFF_UP);
  return change_link (name, change, error, "Cannot set interface '%s' %s", name, up ? "up" : "down");
}

gboolean
link_set_alias (const char *name, const char *alias, GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();

  rtnl_link_set_ifalias (change, alias);
  return change_link (name, change, error, "Cannot name interface '%s'", name);
}

gboolean
link_get_function (const char *name, guint function, guint8 mac[MAC_BYTES], guint16 *ret_vlan)
{
  g_autoptr (NlSocket) socket = open_socket (NULL);
  g_autoptr (RtnlLink) link = NULL;
  struct rtnl_link_vf *vf = NULL;
  struct nl_addr *address = NULL;
  nl_vf_vlans_t *vlans = NULL;
  uint32_t count = 0;
  gboolean is_known;

  /* libnl looks for it in a list that is not there where a card has no functions. */
  if (socket == NULL || rtnl_link_get_kernel (socket, 0, name, &link) < 0
      || rtnl_link_get_num_vf (link, &count) < 0 || function >= count)
    return FALSE;
  vf = rtnl_link_vf_get (link, function);
  if (vf == NULL)
    return FALSE;
  is_known = rtnl_link_vf_get_addr (vf, &address) == 0 && nl_addr_get_len (address) == MAC_BYTES;
  if (is_known)
    memcpy (mac, nl_addr_get_binary_addr (address), MAC_BYTES);
  *ret_vlan = 0;
  if (rtnl_link_vf_get_vlans (vf, &vlans) == 0) {
    *ret_vlan = vlans->size > 0 ? (guint16)vlans->vlans[0].vf_vlan : 0;
    rtnl_link_vf_vlan_put (vlans);
  }
  rtnl_link_vf_put (vf);
  return is_known;
}

gboolean
link_set_function (const char *name, guint function, const guint8 mac[MAC_BYTES], guint16 vlan,
                   GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();
  struct rtnl_link_vf *vf = rtnl_link_vf_alloc ();
  struct nl_addr *address = nl_addr_build (AF_LLC, mac, MAC_BYTES);
  nl_vf_vlans_t *vlans = NULL;

  rtnl_link_vf_set_index (vf, function);
  rtnl_link_vf_set_addr (vf, address);
  nl_addr_put (address);
  if (rtnl_link_vf_vlan_alloc (&vlans, 1) == 0) {
    vlans->vlans[0].vf_vlan = vlan;
    rtnl_link_vf_set_vlans (vf, vlans);
    rtnl_link_vf_vlan_put (vlans);
  }
  rtnl_link_vf_add (change, vf);
  rtnl_link_vf_put (vf); /* the change has it now */
  return change_link (name, change, error,
                      "Cannot set the MAC address and the VLAN of virtual function %u of '%s'", function,
                      name);
}

gboolean
link_set_bridge (const char *name, const char *bridge, GError **error)
{
  g_autoptr (RtnlLink) change = rtnl_link_alloc ();
  guint index = bridge != NULL ? if_nametoindex (bridge) : 0;

  if (bridge != NULL && index == 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to add bridge %s port %s: No such device", bridge,
                    name);
    return FALSE;
  }
  rtnl_link_set_master (change, (int)index);
  return change_link (name, change, error, "Unable to %s bridge %s port %s", bridge != NULL ? "add" : "leave",
                      bridge != NULL ? bridge : "the", name);
}

/* A request of family PF_BRIDGE to change the link. (transfer full), or NULL */
static NlMessage *
bridge_message (const char *name)
{
  struct ifinfomsg header = { .ifi_family = PF_BRIDGE, .ifi_index = (int)if_nametoindex (name) };
  NlMessage *message = nlmsg_alloc_simple (RTM_SETLINK, NLM_F_REQUEST);

  nlmsg_append (message, &header, sizeof header, NLMSG_ALIGNTO);
  return message;
}

/* 0 or libnl's code. Takes @message. */
static int
send_message (NlMessage *message, GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);

  if (socket == NULL) {
    nlmsg_free (message);
    return -NLE_FAILURE;
  }
  return nl_send_sync (socket, message);
}

/* Switch what a port of @bridge does, each of @attributes (IFLA_BRPORT_*, ended by 0), on or off. */
static gboolean
set_port (const char *name, const char *bridge, const char *what, const int *attributes, gboolean on,
          GError **error)
{
  NlMessage *message = bridge_message (name);
  struct nlattr *info = nla_nest_start (message, IFLA_PROTINFO | NLA_F_NESTED);
  g_autoptr (GError) problem = NULL;
  int code;

  for (; *attributes != 0; attributes++)
    nla_put_u8 (message, *attributes, on ? 1 : 0);
  nla_nest_end (message, info);
  code = send_message (message, &problem);
  if (code == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to set bridge %s port %s %s to %d: %s", bridge, name,
                  what, on ? 1 : 0, reason (code));
  return FALSE;
}

gboolean
link_set_isolated (const char *name, const char *bridge, gboolean isolated, GError **error)
{
  static const int attributes[] = { IFLA_BRPORT_ISOLATED, 0 };

  return set_port (name, bridge, "isolated", attributes, isolated, error);
}

gboolean
link_set_learning (const char *name, const char *bridge, gboolean learns, GError **error)
{
  static const int attributes[] = { IFLA_BRPORT_LEARNING, IFLA_BRPORT_UNICAST_FLOOD, 0 };

  return set_port (name, bridge, "learning", attributes, learns, error);
}

gboolean
link_add_forwarding (const char *name, const guint8 mac[MAC_BYTES], GError **error)
{
  struct ndmsg header = { .ndm_family = PF_BRIDGE,
                          .ndm_ifindex = (int)if_nametoindex (name),
                          .ndm_state = NUD_NOARP | NUD_REACHABLE,
                          .ndm_flags = NTF_MASTER };
  NlMessage *message = nlmsg_alloc_simple (RTM_NEWNEIGH, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_REPLACE);
  g_autoptr (GError) problem = NULL;
  int code;

  nlmsg_append (message, &header, sizeof header, NLMSG_ALIGNTO);
  nla_put (message, NDA_LLADDR, MAC_BYTES, mac);
  code = send_message (message, &problem);
  if (code == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "error adding fdb entry for %s: %s", name, reason (code));
  return FALSE;
}

gboolean
link_set_vlans (const char *name, const guint16 *tags, guint count, guint16 untagged, GError **error)
{
  NlMessage *message = bridge_message (name);
  struct nlattr *spec = nla_nest_start (message, IFLA_AF_SPEC);
  g_autoptr (GError) problem = NULL;
  int code;

  for (guint i = 0; i < count; i++) {
    struct bridge_vlan_info info = { .vid = tags[i] };

    if (tags[i] == untagged)
      info.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
    nla_put (message, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
  }
  nla_nest_end (message, spec);
  code = send_message (message, &problem);
  if (code == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "error adding vlan filter to interface %s: %s", name,
                  reason (code));
  return FALSE;
}

gboolean
link_add_macvtap (const char *name, const char *parent, const char *mode, const guint8 mac[MAC_BYTES],
                  guint group, GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  g_autoptr (RtnlLink) link = rtnl_link_macvtap_alloc ();
  guint below = if_nametoindex (parent);
  struct nl_addr *address;
  int code;

  if (socket == NULL)
    return FALSE;
  if (below == 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to get index for interface %s: No such device",
                    parent);
    return FALSE;
  }
  address = nl_addr_build (AF_LLC, mac, MAC_BYTES);
  rtnl_link_set_name (link, name);
  rtnl_link_set_link (link, (int)below);
  rtnl_link_set_group (link, group);
  rtnl_link_set_addr (link, address);
  nl_addr_put (address);
  rtnl_link_macvtap_set_mode (
      link, (uint32_t)rtnl_link_macvtap_str2mode (strcmp (mode, "passthrough") == 0 ? "passthru" : mode));
  code = rtnl_link_add (socket, link, NLM_F_CREATE | NLM_F_EXCL);
  if (code == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "error creating macvtap interface %s@%s (mode '%s'): %s", name,
                  parent, mode, reason (code));
  return FALSE;
}

gboolean
link_delete (const char *name, GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  g_autoptr (RtnlLink) link = rtnl_link_alloc ();
  int code;

  if (socket == NULL)
    return FALSE;
  rtnl_link_set_name (link, name);
  code = rtnl_link_delete (socket, link);
  if (code == 0 || code == -NLE_NODEV || code == -NLE_OBJ_NOTFOUND)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Cannot remove interface '%s': %s", name, reason (code));
  return FALSE;
}

GPtrArray *
link_list_group (guint group)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (NlSocket) socket = open_socket (NULL);
  g_autoptr (NlCache) cache = NULL;

  if (socket == NULL || rtnl_link_alloc_cache (socket, AF_UNSPEC, &cache) < 0)
    return names;
  for (struct nl_object *object = nl_cache_get_first (cache); object != NULL;
       object = nl_cache_get_next (object)) {
    RtnlLink *link = (RtnlLink *)object;

    if (rtnl_link_get_group (link) == group)
      g_ptr_array_add (names, g_strdup (rtnl_link_get_name (link)));
  }
  return names;
}

/* NULL with @error set when it is no address. */
static struct nl_addr *
parse_address (const char *text, GError **error)
{
  struct nl_addr *address = NULL;

  if (nl_addr_parse (text, AF_UNSPEC, &address) == 0)
    return address;
  virt_error_set (error, VIR_ERR_INVALID_ARG, "'%s' is no IP address", text);
  return NULL;
}

gboolean
link_add_address (const char *name, const char *text, guint prefix, const char *peer, GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  struct nl_addr *local = parse_address (text, error), *remote = NULL;
  struct rtnl_addr *address = rtnl_addr_alloc ();
  int code = -NLE_INVAL;

  if (socket != NULL && local != NULL) {
    nl_addr_set_prefixlen (local, (int)prefix);
    rtnl_addr_set_ifindex (address, (int)if_nametoindex (name));
    rtnl_addr_set_local (address, local);
    if (peer != NULL && (remote = parse_address (peer, NULL)) != NULL) {
      nl_addr_set_prefixlen (remote, (int)prefix);
      rtnl_addr_set_peer (address, remote);
    }
    rtnl_addr_set_prefixlen (address, (int)prefix);
    code = rtnl_addr_add (socket, address, 0);
    if (code != 0)
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to add IP address %s/%u to %s: %s", text, prefix,
                      name, reason (code));
  }
  rtnl_addr_put (address);
  nl_addr_put (local);
  nl_addr_put (remote);
  return code == 0;
}

gboolean
link_add_route (const char *name, const char *text, guint prefix, const char *gateway, guint metric,
                GError **error)
{
  g_autoptr (NlSocket) socket = open_socket (error);
  struct nl_addr *destination = parse_address (text, error), *via = NULL;
  struct rtnl_route *route = rtnl_route_alloc ();
  int code = -NLE_INVAL;

  if (socket != NULL && destination != NULL && (via = parse_address (gateway, error)) != NULL) {
    struct rtnl_nexthop *hop = rtnl_route_nh_alloc ();

    nl_addr_set_prefixlen (destination, (int)prefix);
    rtnl_route_set_dst (route, destination);
    if (metric > 0)
      rtnl_route_set_priority (route, metric);
    rtnl_route_nh_set_ifindex (hop, (int)if_nametoindex (name));
    rtnl_route_nh_set_gateway (hop, via);
    rtnl_route_add_nexthop (route, hop);
    code = rtnl_route_add (socket, route, 0);
    if (code != 0)
      virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to add route %s/%u via %s to %s: %s", text, prefix,
                      gateway, name, reason (code));
  }
  rtnl_route_put (route);
  nl_addr_put (destination);
  nl_addr_put (via);
  return code == 0;
}
