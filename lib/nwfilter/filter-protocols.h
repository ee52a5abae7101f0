/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * The protocols of a filter's rules and what a rule may say of each: the vocabulary that reading, writing and
 * translation share. Pure; constant.
 */
typedef enum {
  FILTER_SRC_MAC,
  FILTER_SRC_MAC_MASK,
  FILTER_DST_MAC,
  FILTER_DST_MAC_MASK,
  FILTER_ETHER_TYPE, /* of what a frame, or a VLAN's, carries */
  FILTER_VLAN_ID,
  FILTER_STP_TYPE,
  FILTER_STP_FLAGS,
  FILTER_STP_ROOT_PRIORITY, /* each followed by its upper end */
  FILTER_STP_ROOT_PRIORITY_HI,
  FILTER_STP_ROOT_ADDRESS,
  FILTER_STP_ROOT_ADDRESS_MASK,
  FILTER_STP_ROOT_COST,
  FILTER_STP_ROOT_COST_HI,
  FILTER_STP_SENDER_PRIORITY,
  FILTER_STP_SENDER_PRIORITY_HI,
  FILTER_STP_SENDER_ADDRESS,
  FILTER_STP_SENDER_ADDRESS_MASK,
  FILTER_STP_PORT,
  FILTER_STP_PORT_HI,
  FILTER_STP_AGE,
  FILTER_STP_AGE_HI,
  FILTER_STP_MAX_AGE,
  FILTER_STP_MAX_AGE_HI,
  FILTER_STP_HELLO_TIME,
  FILTER_STP_HELLO_TIME_HI,
  FILTER_STP_FORWARD_DELAY,
  FILTER_STP_FORWARD_DELAY_HI,
  FILTER_ARP_HARDWARE,
  FILTER_ARP_PROTOCOL,
  FILTER_ARP_OPCODE,
  FILTER_ARP_SRC_MAC,
  FILTER_ARP_DST_MAC,
  FILTER_ARP_SRC_IP,
  FILTER_ARP_SRC_IP_MASK,
  FILTER_ARP_DST_IP,
  FILTER_ARP_DST_IP_MASK,
  FILTER_ARP_GRATUITOUS,
  FILTER_SRC_IP,
  FILTER_SRC_IP_MASK,
  FILTER_DST_IP,
  FILTER_DST_IP_MASK,
  FILTER_SRC_IP_FROM,
  FILTER_SRC_IP_TO,
  FILTER_DST_IP_FROM,
  FILTER_DST_IP_TO,
  FILTER_IP_PROTOCOL,
  FILTER_SRC_PORT,
  FILTER_SRC_PORT_END,
  FILTER_DST_PORT,
  FILTER_DST_PORT_END,
  FILTER_ICMP_TYPE,
  FILTER_ICMP_TYPE_END,
  FILTER_ICMP_CODE,
  FILTER_ICMP_CODE_END,
  FILTER_DSCP,
  FILTER_CONNLIMIT,
  FILTER_STATE,
  FILTER_IPSET,
  FILTER_IPSET_FLAGS,
  FILTER_TCP_FLAGS,
  FILTER_COMMENT,
  FILTER_ATTRIBUTES
} FilterAttributeId;

typedef enum {
  FILTER_TYPE_NUMBER,  /* decimal, or hexadecimal behind 0x */
  FILTER_TYPE_DECIMAL, /* decimal alone */
  FILTER_TYPE_MAC,
  FILTER_TYPE_IPV4,
  FILTER_TYPE_IPV6,
  FILTER_TYPE_IPV4_MASK, /* kept as the length of the prefix */
  FILTER_TYPE_IPV6_MASK,
  FILTER_TYPE_BOOLEAN,
  FILTER_TYPE_STATE,     /* FilterState bits */
  FILTER_TYPE_TCP_FLAGS, /* the mask's bits above FILTER_TCP_MASK_SHIFT, the value's below */
  FILTER_TYPE_IPSET,
  FILTER_TYPE_IPSET_FLAGS,
  FILTER_TYPE_TEXT,
} FilterType;

typedef enum {
  FILTER_STATE_NEW = 1 << 0,
  FILTER_STATE_ESTABLISHED = 1 << 1,
  FILTER_STATE_RELATED = 1 << 2,
  FILTER_STATE_INVALID = 1 << 3,
  FILTER_STATE_NONE = 1 << 4,
} FilterState;

#define FILTER_TCP_MASK_SHIFT 8

/* A number's other name: read in any case, written as it stands here. */
typedef struct {
  guint number;
  const char *name; /* NULL ends the list */
} FilterWord;

typedef struct {
  const char *name;
  FilterAttributeId id;
  FilterType type;
  guint64 minimum, maximum; /* of numbers */
  const FilterWord *words;  /* of numbers; NULL: none */
} FilterAttribute;

typedef enum {
  FILTER_LAYER_LINK, /* seen in frames, as ebtables does */
  FILTER_LAYER_IPV4, /* in what flows, as iptables does */
  FILTER_LAYER_IPV6,
} FilterLayer;

typedef struct {
  const char *name; /* of the element */
  FilterLayer layer;
  int number;                        /* of the link layer: its EtherType; else the IP protocol; -1: any */
  const FilterAttribute *attributes; /* in the order in which libvirt writes; ends with a NULL name */
} FilterProtocol;

/* NULL: no protocol of that name. */
const FilterProtocol *filter_protocol_of (const char *name);
/* NULL: a rule of @protocol says no such thing. */
const FilterAttribute *filter_protocol_attribute (const FilterProtocol *protocol, const char *name);
/* All; ends with a NULL name. */
extern const FilterProtocol filter_protocols[];
extern const FilterWord filter_state_words[];
extern const FilterWord filter_tcp_words[];
