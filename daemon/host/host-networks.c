/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The host's addresses and routes. They are read message by message and not into libnl's caches, which would
 * take a router's whole table into memory.
 */
#include "daemon/host/host-networks.h"

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <string.h>

typedef struct nl_sock NlSocket;
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NlSocket, nl_socket_free)

/* The bytes of @attribute where it is an address of that family. */
static gboolean
take_address (struct nlattr *attribute, gboolean is_v6, guint8 ret[16])
{
  int length = is_v6 ? 16 : 4;

  if (attribute == NULL || nla_len (attribute) != length)
    return FALSE;
  memcpy (ret, nla_data (attribute), (gsize)length);
  return TRUE;
}

static gboolean
is_link_local (const HostNetwork *network)
{
  return network->is_v6 && network->address[0] == 0xfe && (network->address[1] & 0xc0) == 0x80;
}

static void
keep (GArray *networks, HostNetwork *network, guint index)
{
  if (networks->len < HOST_NETWORKS_MAX && !is_link_local (network)
      && if_indextoname (index, network->link) != NULL)
    g_array_append_val (networks, *network);
}

static int
on_address (struct nl_msg *message, void *data)
{
  struct nlmsghdr *header = nlmsg_hdr (message);
  const struct ifaddrmsg *body = nlmsg_data (header);
  struct nlattr *attributes[IFA_MAX + 1];
  HostNetwork network = { .is_v6 = body->ifa_family == AF_INET6, .prefix = body->ifa_prefixlen };

  if (header->nlmsg_type != RTM_NEWADDR || body->ifa_scope == RT_SCOPE_HOST
      || nlmsg_parse (header, sizeof *body, attributes, IFA_MAX, NULL) < 0)
    return NL_OK;
  if (take_address (attributes[IFA_LOCAL], network.is_v6, network.address)
      || take_address (attributes[IFA_ADDRESS], network.is_v6, network.address))
    keep (data, &network, body->ifa_index);
  return NL_OK;
}

static int
on_route (struct nl_msg *message, void *data)
{
  struct nlmsghdr *header = nlmsg_hdr (message);
  const struct rtmsg *body = nlmsg_data (header);
  struct nlattr *attributes[RTA_MAX + 1];
  HostNetwork network = { .is_v6 = body->rtm_family == AF_INET6,
                          .is_route = TRUE,
                          .is_from_ra = body->rtm_protocol == RTPROT_RA,
                          .prefix = body->rtm_dst_len };

  if (header->nlmsg_type != RTM_NEWROUTE || body->rtm_type != RTN_UNICAST || body->rtm_table != RT_TABLE_MAIN
      || (body->rtm_flags & RTM_F_CLONED) != 0
      || nlmsg_parse (header, sizeof *body, attributes, RTA_MAX, NULL) < 0 || attributes[RTA_OIF] == NULL)
    return NL_OK;
  take_address (attributes[RTA_DST], network.is_v6, network.address);
  network.has_gateway = take_address (attributes[RTA_GATEWAY], network.is_v6, network.gateway);
  keep (data, &network, nla_get_u32 (attributes[RTA_OIF]));
  return NL_OK;
}

static int
dump (NlSocket *socket, int type, nl_recvmsg_msg_cb_t take, GArray *networks)
{
  struct rtgenmsg request = { .rtgen_family = AF_UNSPEC };
  int code;

  nl_socket_modify_cb (socket, NL_CB_VALID, NL_CB_CUSTOM, take, networks);
  code = nl_send_simple (socket, type, NLM_F_REQUEST | NLM_F_DUMP, &request, sizeof request);
  return code < 0 ? code : nl_recvmsgs_default (socket);
}

GArray *
host_networks_list (GError **error)
{
  g_autoptr (NlSocket) socket = nl_socket_alloc ();
  g_autoptr (GArray) networks = g_array_new (FALSE, FALSE, sizeof (HostNetwork));
  int code = nl_connect (socket, NETLINK_ROUTE);

  if (code == 0)
    code = dump (socket, RTM_GETADDR, on_address, networks);
  if (code >= 0)
    code = dump (socket, RTM_GETROUTE, on_route, networks);
  if (code >= 0)
    return g_steal_pointer (&networks);
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot ask the kernel for the host's networks: %s",
                  nl_geterror (code));
  return NULL;
}
