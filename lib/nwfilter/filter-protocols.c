/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The tables of the rules' language. The attributes of each protocol stand in the order in which libvirt
 * writes them; those that several protocols share are macros, so that each list is complete where it stands.
 */
#include "nwfilter/filter-protocols.h"

#define MAX_8        0xff
#define MAX_16       0xffff
#define MAX_32       0xffffffff
#define MIN_ETHER    0x600 /* below it, it is a length */
#define MAX_VLAN     0xfff
#define MAX_DSCP     0x3f
#define IPV4_BITS    32
#define IPV6_BITS    128
#define ETHER_NONE   (-1)
#define ANY_PROTOCOL (-1)

static const FilterWord ether_words[] = {
  { 0x0800, "ipv4" }, { 0x0806, "arp" },  { 0x8035, "rarp" },
  { 0x86dd, "ipv6" }, { 0x8100, "vlan" }, { 0, NULL },
};
static const FilterWord opcode_words[] = {
  { 1, "Request" },       { 2, "Reply" },       { 3, "Request_Reverse" }, { 4, "Reply_Reverse" },
  { 5, "DRARP_Request" }, { 6, "DRARP_Reply" }, { 7, "DRARP_Error" },     { 8, "InARP_Request" },
  { 9, "ARP_NAK" },       { 0, NULL },
};
static const FilterWord protocol_words[] = {
  { 1, "icmp" }, { 2, "igmp" },    { 6, "tcp" },    { 17, "udp" },      { 50, "esp" },
  { 51, "ah" },  { 58, "icmpv6" }, { 132, "sctp" }, { 136, "udplite" }, { 0, NULL },
};
const FilterWord filter_state_words[] = {
  { FILTER_STATE_NEW, "NEW" },         { FILTER_STATE_ESTABLISHED, "ESTABLISHED" },
  { FILTER_STATE_RELATED, "RELATED" }, { FILTER_STATE_INVALID, "INVALID" },
  { FILTER_STATE_NONE, "NONE" },       { 0, NULL },
};
/* In the order in which libvirt writes them. */
const FilterWord filter_tcp_words[] = {
  { 0x01, "FIN" }, { 0x02, "SYN" }, { 0x04, "RST" }, { 0x08, "PSH" },
  { 0x10, "ACK" }, { 0x20, "URG" }, { 0, NULL },
};

#define NUMBER_ROW(name, id, maximum)              \
  {                                                \
    name, id, FILTER_TYPE_NUMBER, 0, maximum, NULL \
  }
#define PLAIN_ROW(name, id, type) \
  {                               \
    name, id, type, 0, 0, NULL    \
  }
#define WORD_ROW(name, id, minimum, maximum, words)       \
  {                                                       \
    name, id, FILTER_TYPE_NUMBER, minimum, maximum, words \
  }
#define RANGE_ROWS(name, id, maximum) \
  NUMBER_ROW (name, id, maximum), NUMBER_ROW (name "-hi", id##_HI, maximum)
#define COMMENT_END                                        \
  PLAIN_ROW ("comment", FILTER_COMMENT, FILTER_TYPE_TEXT), \
  {                                                        \
    NULL, FILTER_ATTRIBUTES, 0, 0, 0, NULL                 \
  }

#define MAC_ROWS                                                      \
  PLAIN_ROW ("srcmacaddr", FILTER_SRC_MAC, FILTER_TYPE_MAC),          \
      PLAIN_ROW ("srcmacmask", FILTER_SRC_MAC_MASK, FILTER_TYPE_MAC), \
      PLAIN_ROW ("dstmacaddr", FILTER_DST_MAC, FILTER_TYPE_MAC),      \
      PLAIN_ROW ("dstmacmask", FILTER_DST_MAC_MASK, FILTER_TYPE_MAC)

#define ARP_ROWS                                                                 \
  MAC_ROWS, NUMBER_ROW ("hwtype", FILTER_ARP_HARDWARE, MAX_16),                  \
      NUMBER_ROW ("protocoltype", FILTER_ARP_PROTOCOL, MAX_16),                  \
      WORD_ROW ("opcode", FILTER_ARP_OPCODE, 0, MAX_16, opcode_words),           \
      PLAIN_ROW ("arpsrcmacaddr", FILTER_ARP_SRC_MAC, FILTER_TYPE_MAC),          \
      PLAIN_ROW ("arpdstmacaddr", FILTER_ARP_DST_MAC, FILTER_TYPE_MAC),          \
      PLAIN_ROW ("arpsrcipaddr", FILTER_ARP_SRC_IP, FILTER_TYPE_IPV4),           \
      PLAIN_ROW ("arpsrcipmask", FILTER_ARP_SRC_IP_MASK, FILTER_TYPE_IPV4_MASK), \
      PLAIN_ROW ("arpdstipaddr", FILTER_ARP_DST_IP, FILTER_TYPE_IPV4),           \
      PLAIN_ROW ("arpdstipmask", FILTER_ARP_DST_IP_MASK, FILTER_TYPE_IPV4_MASK), \
      PLAIN_ROW ("gratuitous", FILTER_ARP_GRATUITOUS, FILTER_TYPE_BOOLEAN), COMMENT_END

#define ADDRESS_ROWS(address, mask)                                                                   \
  PLAIN_ROW ("srcipaddr", FILTER_SRC_IP, address), PLAIN_ROW ("srcipmask", FILTER_SRC_IP_MASK, mask), \
      PLAIN_ROW ("dstipaddr", FILTER_DST_IP, address), PLAIN_ROW ("dstipmask", FILTER_DST_IP_MASK, mask)

#define PORT_ROWS                                             \
  NUMBER_ROW ("srcportstart", FILTER_SRC_PORT, MAX_16),       \
      NUMBER_ROW ("srcportend", FILTER_SRC_PORT_END, MAX_16), \
      NUMBER_ROW ("dstportstart", FILTER_DST_PORT, MAX_16),   \
      NUMBER_ROW ("dstportend", FILTER_DST_PORT_END, MAX_16)

/* Of all that flows. */
#define FLOW_ROWS(address, mask)                                                                    \
  PLAIN_ROW ("srcmacaddr", FILTER_SRC_MAC, FILTER_TYPE_MAC), ADDRESS_ROWS (address, mask),          \
      PLAIN_ROW ("srcipfrom", FILTER_SRC_IP_FROM, address),                                         \
      PLAIN_ROW ("srcipto", FILTER_SRC_IP_TO, address),                                             \
      PLAIN_ROW ("dstipfrom", FILTER_DST_IP_FROM, address),                                         \
      PLAIN_ROW ("dstipto", FILTER_DST_IP_TO, address), NUMBER_ROW ("dscp", FILTER_DSCP, MAX_DSCP), \
      { "connlimit-above", FILTER_CONNLIMIT, FILTER_TYPE_DECIMAL, 0, MAX_16, NULL },                \
      PLAIN_ROW ("state", FILTER_STATE, FILTER_TYPE_STATE),                                         \
      PLAIN_ROW ("ipset", FILTER_IPSET, FILTER_TYPE_IPSET),                                         \
      PLAIN_ROW ("ipsetflags", FILTER_IPSET_FLAGS, FILTER_TYPE_IPSET_FLAGS)

#define IPV4_ROWS FLOW_ROWS (FILTER_TYPE_IPV4, FILTER_TYPE_IPV4_MASK)
#define IPV6_ROWS FLOW_ROWS (FILTER_TYPE_IPV6, FILTER_TYPE_IPV6_MASK)
#define ICMP_ROWS NUMBER_ROW ("type", FILTER_ICMP_TYPE, MAX_8), NUMBER_ROW ("code", FILTER_ICMP_CODE, MAX_8)
#define FLAG_ROWS PLAIN_ROW ("flags", FILTER_TCP_FLAGS, FILTER_TYPE_TCP_FLAGS)

static const FilterAttribute mac_rows[] = {
  MAC_ROWS,
  WORD_ROW ("protocolid", FILTER_ETHER_TYPE, MIN_ETHER, MAX_16, ether_words),
  COMMENT_END,
};
static const FilterAttribute vlan_rows[] = {
  MAC_ROWS,
  NUMBER_ROW ("vlanid", FILTER_VLAN_ID, MAX_VLAN),
  WORD_ROW ("encap-protocol", FILTER_ETHER_TYPE, MIN_ETHER, MAX_16, ether_words),
  COMMENT_END,
};
static const FilterAttribute stp_rows[] = {
  PLAIN_ROW ("srcmacaddr", FILTER_SRC_MAC, FILTER_TYPE_MAC),
  PLAIN_ROW ("srcmacmask", FILTER_SRC_MAC_MASK, FILTER_TYPE_MAC),
  NUMBER_ROW ("type", FILTER_STP_TYPE, MAX_8),
  NUMBER_ROW ("flags", FILTER_STP_FLAGS, MAX_8),
  RANGE_ROWS ("root-priority", FILTER_STP_ROOT_PRIORITY, MAX_16),
  PLAIN_ROW ("root-address", FILTER_STP_ROOT_ADDRESS, FILTER_TYPE_MAC),
  PLAIN_ROW ("root-address-mask", FILTER_STP_ROOT_ADDRESS_MASK, FILTER_TYPE_MAC),
  RANGE_ROWS ("root-cost", FILTER_STP_ROOT_COST, MAX_32),
  RANGE_ROWS ("sender-priority", FILTER_STP_SENDER_PRIORITY, MAX_16),
  PLAIN_ROW ("sender-address", FILTER_STP_SENDER_ADDRESS, FILTER_TYPE_MAC),
  PLAIN_ROW ("sender-address-mask", FILTER_STP_SENDER_ADDRESS_MASK, FILTER_TYPE_MAC),
  RANGE_ROWS ("port", FILTER_STP_PORT, MAX_16),
  RANGE_ROWS ("age", FILTER_STP_AGE, MAX_16),
  RANGE_ROWS ("max-age", FILTER_STP_MAX_AGE, MAX_16),
  RANGE_ROWS ("hello-time", FILTER_STP_HELLO_TIME, MAX_16),
  RANGE_ROWS ("forward-delay", FILTER_STP_FORWARD_DELAY, MAX_16),
  COMMENT_END,
};
static const FilterAttribute arp_rows[] = { ARP_ROWS };
static const FilterAttribute ip_rows[] = {
  MAC_ROWS,
  ADDRESS_ROWS (FILTER_TYPE_IPV4, FILTER_TYPE_IPV4_MASK),
  WORD_ROW ("protocol", FILTER_IP_PROTOCOL, 0, MAX_8, protocol_words),
  PORT_ROWS,
  NUMBER_ROW ("dscp", FILTER_DSCP, MAX_DSCP),
  COMMENT_END,
};
static const FilterAttribute ipv6_rows[] = {
  MAC_ROWS,
  ADDRESS_ROWS (FILTER_TYPE_IPV6, FILTER_TYPE_IPV6_MASK),
  WORD_ROW ("protocol", FILTER_IP_PROTOCOL, 0, MAX_8, protocol_words),
  PORT_ROWS,
  NUMBER_ROW ("type", FILTER_ICMP_TYPE, MAX_8),
  NUMBER_ROW ("typeend", FILTER_ICMP_TYPE_END, MAX_8),
  NUMBER_ROW ("code", FILTER_ICMP_CODE, MAX_8),
  NUMBER_ROW ("codeend", FILTER_ICMP_CODE_END, MAX_8),
  COMMENT_END,
};
static const FilterAttribute tcp_rows[] = { IPV4_ROWS, PORT_ROWS, FLAG_ROWS, COMMENT_END };
static const FilterAttribute port_rows[] = { IPV4_ROWS, PORT_ROWS, COMMENT_END };
static const FilterAttribute icmp_rows[] = { IPV4_ROWS, ICMP_ROWS, COMMENT_END };
static const FilterAttribute plain_rows[] = { IPV4_ROWS, COMMENT_END };
static const FilterAttribute tcp6_rows[] = { IPV6_ROWS, PORT_ROWS, FLAG_ROWS, COMMENT_END };
static const FilterAttribute port6_rows[] = { IPV6_ROWS, PORT_ROWS, COMMENT_END };
static const FilterAttribute icmp6_rows[] = { IPV6_ROWS, ICMP_ROWS, COMMENT_END };
static const FilterAttribute plain6_rows[] = { IPV6_ROWS, COMMENT_END };

const FilterProtocol filter_protocols[] = {
  { "mac", FILTER_LAYER_LINK, ETHER_NONE, mac_rows },
  { "vlan", FILTER_LAYER_LINK, 0x8100, vlan_rows },
  { "stp", FILTER_LAYER_LINK, ETHER_NONE, stp_rows },
  { "arp", FILTER_LAYER_LINK, 0x0806, arp_rows },
  { "rarp", FILTER_LAYER_LINK, 0x8035, arp_rows },
  { "ip", FILTER_LAYER_LINK, 0x0800, ip_rows },
  { "ipv6", FILTER_LAYER_LINK, 0x86dd, ipv6_rows },
  { "tcp", FILTER_LAYER_IPV4, 6, tcp_rows },
  { "udp", FILTER_LAYER_IPV4, 17, port_rows },
  { "udplite", FILTER_LAYER_IPV4, 136, plain_rows },
  { "sctp", FILTER_LAYER_IPV4, 132, port_rows },
  { "icmp", FILTER_LAYER_IPV4, 1, icmp_rows },
  { "igmp", FILTER_LAYER_IPV4, 2, plain_rows },
  { "esp", FILTER_LAYER_IPV4, 50, plain_rows },
  { "ah", FILTER_LAYER_IPV4, 51, plain_rows },
  { "all", FILTER_LAYER_IPV4, ANY_PROTOCOL, plain_rows },
  { "tcp-ipv6", FILTER_LAYER_IPV6, 6, tcp6_rows },
  { "udp-ipv6", FILTER_LAYER_IPV6, 17, port6_rows },
  { "udplite-ipv6", FILTER_LAYER_IPV6, 136, plain6_rows },
  { "sctp-ipv6", FILTER_LAYER_IPV6, 132, port6_rows },
  { "icmpv6", FILTER_LAYER_IPV6, 58, icmp6_rows },
  { "esp-ipv6", FILTER_LAYER_IPV6, 50, plain6_rows },
  { "ah-ipv6", FILTER_LAYER_IPV6, 51, plain6_rows },
  { "all-ipv6", FILTER_LAYER_IPV6, ANY_PROTOCOL, plain6_rows },
  { NULL, FILTER_LAYER_LINK, 0, NULL },
};

const FilterProtocol *
filter_protocol_of (const char *name)
{
  for (const FilterProtocol *protocol = filter_protocols; protocol->name != NULL; protocol++)
    if (g_str_equal (protocol->name, name))
      return protocol;
  return NULL;
}

const FilterAttribute *
filter_protocol_attribute (const FilterProtocol *protocol, const char *name)
{
  for (const FilterAttribute *attribute = protocol->attributes; attribute->name != NULL; attribute++)
    if (g_str_equal (attribute->name, name))
      return attribute;
  return NULL;
}
