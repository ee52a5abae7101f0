/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Ethernet, ARP, IPv4, UDP and DHCP, as far as an address is told in them. Each step says how many bytes it
 * needs before it looks at one.
 */
#include "nwfilter/filter-packet.h"

#include <string.h>

#define ETHER_HEADER    14
#define ETHER_IPV4      0x0800
#define ETHER_ARP       0x0806
#define ARP_BYTES       28
#define ARP_SENDER_MAC  8
#define ARP_SENDER_IP   14
#define IPV4_HEADER     20
#define IPV4_FRAGMENT   0x1fff
#define PROTOCOL_UDP    17
#define UDP_HEADER      8
#define PORT_SERVER     67
#define PORT_CLIENT     68
#define DHCP_OPTIONS    240 /* of the message, behind the cookie */
#define DHCP_COOKIE     0x63825363
#define BOOTP_REQUEST   1
#define BOOTP_REPLY     2
#define OPTION_PAD      0
#define OPTION_LEASE    51
#define OPTION_TYPE     53
#define OPTION_SERVER   54
#define OPTION_END      255
#define MESSAGE_DECLINE 4
#define MESSAGE_ACK     5
#define MESSAGE_RELEASE 7
#define ADDRESS_BYTES   4

static guint
read_16 (const guint8 *bytes)
{
  return (guint)bytes[0] << 8 | bytes[1];
}

static guint32
read_32 (const guint8 *bytes)
{
  return (guint32)read_16 (bytes) << 16 | read_16 (bytes + 2);
}

/* One that a machine can have: not 0.0.0.0, of no group, no broadcast and not the host's own loopback. */
static gboolean
is_address (const guint8 address[ADDRESS_BYTES])
{
  return address[0] != 0 && address[0] != 127 && address[0] < 224;
}

static FilterPacket
packet_of (FilterPacketKind kind, const guint8 address[ADDRESS_BYTES])
{
  FilterPacket packet = { .kind = kind };

  if (!is_address (address))
    return (FilterPacket){ .kind = FILTER_PACKET_NOTHING };
  memcpy (packet.address, address, ADDRESS_BYTES);
  return packet;
}

typedef struct {
  guint message;
  guint32 seconds;
  const guint8 *server; /* NULL: not said */
} DhcpOptions;

static DhcpOptions
read_options (const guint8 *bytes, gsize length)
{
  DhcpOptions options = { 0, 0, NULL };

  while (length >= 2 && bytes[0] != OPTION_END) {
    gsize size = bytes[0] == OPTION_PAD ? 1 : 2 + (gsize)bytes[1];

    if (size > length)
      break;
    if (bytes[0] == OPTION_TYPE && bytes[1] >= 1)
      options.message = bytes[2];
    else if (bytes[0] == OPTION_LEASE && bytes[1] >= ADDRESS_BYTES)
      options.seconds = read_32 (bytes + 2);
    else if (bytes[0] == OPTION_SERVER && bytes[1] >= ADDRESS_BYTES)
      options.server = bytes + 2;
    bytes += size;
    length -= size;
  }
  return options;
}

static FilterPacket
read_dhcp (const guint8 *bytes, gsize length, const guint8 mac[MAC_BYTES], gboolean to_machine)
{
  FilterPacket packet = { .kind = FILTER_PACKET_NOTHING };
  DhcpOptions options;

  if (length < DHCP_OPTIONS || read_32 (bytes + DHCP_OPTIONS - ADDRESS_BYTES) != DHCP_COOKIE
      || memcmp (bytes + 28, mac, MAC_BYTES) != 0)
    return packet;
  options = read_options (bytes + DHCP_OPTIONS, length - DHCP_OPTIONS);
  if (to_machine && bytes[0] == BOOTP_REPLY && options.message == MESSAGE_ACK && options.seconds > 0) {
    packet = packet_of (FILTER_PACKET_LEASED, bytes + 16); /* yiaddr */
    packet.seconds = options.seconds;
    if (options.server != NULL)
      memcpy (packet.server, options.server, ADDRESS_BYTES);
  } else if (!to_machine && bytes[0] == BOOTP_REQUEST
             && (options.message == MESSAGE_RELEASE || options.message == MESSAGE_DECLINE)) {
    packet = packet_of (FILTER_PACKET_RELEASED, bytes + 12); /* ciaddr */
  }
  return packet;
}

static FilterPacket
read_ipv4 (const guint8 *bytes, gsize length, const guint8 mac[MAC_BYTES], gboolean to_machine)
{
  FilterPacket packet = { .kind = FILTER_PACKET_NOTHING };
  gsize header;
  guint from, to;

  if (length < IPV4_HEADER || bytes[0] >> 4 != 4)
    return packet;
  header = (gsize)(bytes[0] & 0xf) * 4;
  if (header < IPV4_HEADER || length < header)
    return packet;
  if (!to_machine)
    packet = packet_of (FILTER_PACKET_USED, bytes + 12);
  if (bytes[9] != PROTOCOL_UDP || (read_16 (bytes + 6) & IPV4_FRAGMENT) != 0 || length < header + UDP_HEADER)
    return packet;
  from = read_16 (bytes + header);
  to = read_16 (bytes + header + 2);
  if (from == (to_machine ? PORT_SERVER : PORT_CLIENT) && to == (to_machine ? PORT_CLIENT : PORT_SERVER)) {
    FilterPacket lease =
        read_dhcp (bytes + header + UDP_HEADER, length - header - UDP_HEADER, mac, to_machine);

    if (lease.kind != FILTER_PACKET_NOTHING)
      return lease;
  }
  return packet;
}

static FilterPacket
read_arp (const guint8 *bytes, gsize length, const guint8 mac[MAC_BYTES], gboolean to_machine)
{
  if (to_machine || length < ARP_BYTES || memcmp (bytes + ARP_SENDER_MAC, mac, MAC_BYTES) != 0)
    return (FilterPacket){ .kind = FILTER_PACKET_NOTHING };
  return packet_of (FILTER_PACKET_USED, bytes + ARP_SENDER_IP);
}

FilterPacket
filter_packet_read (const guint8 *bytes, gsize length, const guint8 mac[MAC_BYTES], gboolean to_machine)
{
  const FilterPacket nothing = { .kind = FILTER_PACKET_NOTHING };

  if (length < ETHER_HEADER || (!to_machine && memcmp (bytes + MAC_BYTES, mac, MAC_BYTES) != 0))
    return nothing;
  switch (read_16 (bytes + ETHER_HEADER - 2)) {
    case ETHER_IPV4:
      return read_ipv4 (bytes + ETHER_HEADER, length - ETHER_HEADER, mac, to_machine);
    case ETHER_ARP:
      return read_arp (bytes + ETHER_HEADER, length - ETHER_HEADER, mac, to_machine);
    default:
      return nothing;
  }
}
