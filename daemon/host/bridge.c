/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Bridges. What libnl has no setters for (spanning tree, delay) goes into the message that makes the bridge,
 * so that it is whole or not there: a daemon that is killed leaves no bridge without its MAC address, by
 * which a later one knows it for its own.
 */
#include "daemon/host/bridge.h"

#include "daemon/host/link.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

#define MILLISECONDS_PER_TICK 10 /* a bridge's times are hundredths of a second */

typedef struct nl_sock NlSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlSocket, nl_socket_free)

static struct nl_msg *
add_message (const BridgePlan *plan)
{
  struct nl_msg *message = nlmsg_alloc_simple (RTM_NEWLINK, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
  struct ifinfomsg header = { .ifi_family = AF_UNSPEC };
  struct nlattr *info, *data;

  nlmsg_append (message, &header, sizeof header, NLMSG_ALIGNTO);
  nla_put_string (message, IFLA_IFNAME, plan->name);
  nla_put (message, IFLA_ADDRESS, MAC_BYTES, plan->mac);
  info = nla_nest_start (message, IFLA_LINKINFO);
  nla_put_string (message, IFLA_INFO_KIND, "bridge");
  data = nla_nest_start (message, IFLA_INFO_DATA);
  nla_put_u32 (message, IFLA_BR_FORWARD_DELAY, plan->delay / MILLISECONDS_PER_TICK);
  nla_put_u32 (message, IFLA_BR_STP_STATE, plan->spanning_tree ? 1 : 0);
  if (plan->filters_vlans)
    nla_put_u8 (message, IFLA_BR_VLAN_FILTERING, 1);
  nla_nest_end (message, data);
  nla_nest_end (message, info);
  return message;
}

/* The kernel's own reason: libnl's words for the same numbers are about libnl. */
static const char *
reason (int code)
{
  switch (-code) {
    case NLE_EXIST:
      return g_strerror (EEXIST);
    case NLE_PERM:
      return g_strerror (EPERM);
    case NLE_OPNOTSUPP:
      return g_strerror (EOPNOTSUPP);
    case NLE_INVAL:
      return g_strerror (EINVAL);
    default:
      return nl_geterror (code);
  }
}

gboolean
bridge_add (const BridgePlan *plan, GError **error)
{
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  int code = nl_connect (socket, NETLINK_ROUTE);

  if (code == 0)
    code = nl_send_sync (socket, add_message (plan));
  if (code == 0)
    return TRUE;
  if (plan->filters_vlans && code == -NLE_OPNOTSUPP)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Unable to set bridge %s vlan_filtering: %s", plan->name,
                    reason (code));
  else
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "error creating bridge interface %s: %s", plan->name,
                    reason (code));
  return FALSE;
}

gboolean
bridge_is (const char *name, const guint8 mac[MAC_BYTES])
{
  LinkInfo info;

  return link_query (name, "find bridge", &info, NULL) && memcmp (info.mac, mac, MAC_BYTES) == 0;
}

gboolean
bridge_remove (const char *name, const guint8 mac[MAC_BYTES], GError **error)
{
  return !bridge_is (name, mac) || link_delete (name, error);
}

gboolean
bridge_add_address (const char *name, const IpAddress *address, guint prefix, GError **error)
{
  struct ifaddrmsg header = { .ifa_family = address->family == IP_V6 ? AF_INET6 : AF_INET,
                              .ifa_prefixlen = (guint8)prefix,
                              .ifa_index = if_nametoindex (name) };
  int length = (int)ip_address_bits (address) / 8;
  struct nl_msg *message = nlmsg_alloc_simple (RTM_NEWADDR, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  char text[IP_TEXT_MAX];
  IpAddress last;
  int code = nl_connect (socket, NETLINK_ROUTE);

  nlmsg_append (message, &header, sizeof header, NLMSG_ALIGNTO);
  nla_put (message, IFA_LOCAL, length, address->bytes);
  nla_put (message, IFA_ADDRESS, length, address->bytes);
  ip_network_last (address, prefix, &last);
  if (address->family == IP_V6)
    nla_put_u32 (message, IFA_FLAGS, IFA_F_NODAD);
  else if (prefix < 31)
    nla_put (message, IFA_BROADCAST, length, last.bytes);
  if (code == 0)
    code = nl_send_sync (socket, message);
  else
    nlmsg_free (message);
  if (code == 0)
    return TRUE;
  ip_address_format (address, text);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to add IP address %s/%u to %s: %s", text, prefix, name,
                  reason (code));
  return FALSE;
}
