/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The network: the loopback, and the first card with an address by DHCP (RFC 2131), which passt answers as
 * dnsmasq does. Answers come to an address that is not set yet, so they are read below IP, as every client of
 * DHCP does. What comes is untrusted: each option is bounded, and the packet must be the answer to ours. The
 * lease is not renewed: passt's does not end, and what a network's dnsmasq gives to a card stays its.
 */
#include "init.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TRIES        5
#define TRY_PATIENCE 1000 /* ms */
#define OPTIONS_MAX  312
#define COOKIE       0x63825363
#define SERVERS_MAX  3 /* of names: what resolv.conf takes */
#define CLIENT_PORT  68
#define SERVER_PORT  67

enum { DISCOVER = 1, OFFER, REQUEST, ACK = 5 };
enum { MASK = 1, ROUTER = 3, NAMES = 6, ADDRESS = 50, TYPE = 53, SERVER = 54, WANTED = 55, END = 255 };

typedef struct __attribute__ ((packed)) {
  struct iphdr ip;
  struct udphdr udp;
  uint8_t op, hardware, hardware_length, hops;
  uint32_t id;
  uint16_t seconds, flags;
  uint32_t client, yours, next, relay;
  uint8_t address[16], server_name[64], file[128];
  uint32_t cookie;
  uint8_t options[OPTIONS_MAX];
} Packet;

typedef struct {
  uint32_t address, mask, router, server;
  uint32_t names[SERVERS_MAX];
  int name_count;
  uint8_t type;
} Lease;

typedef struct {
  char name[IFNAMSIZ];
  int index, socket;
  uint8_t mac[6];
  uint32_t id;
} Card;

static uint16_t
ip_sum (const void *bytes, size_t length)
{
  const uint16_t *words = bytes;
  uint32_t sum = 0;

  for (size_t i = 0; i < length / 2; i++)
    sum += words[i];
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}

static uint8_t *
put_address (uint8_t *at, uint8_t option, uint32_t address)
{
  if (address == 0)
    return at;
  *at++ = option;
  *at++ = sizeof address;
  memcpy (at, &address, sizeof address);
  return at + sizeof address;
}

static void
send_packet (const Card *card, uint8_t type, const Lease *lease)
{
  static const uint8_t wanted[] = { WANTED, 3, MASK, ROUTER, NAMES, END };
  struct sockaddr_ll to = {
    .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_IP), .sll_ifindex = card->index, .sll_halen = 6
  };
  Packet packet = { .op = 1, .hardware = 1, .hardware_length = 6, .id = card->id, .cookie = htonl (COOKIE) };
  uint8_t *at = packet.options;

  memset (to.sll_addr, 0xff, 6);
  memcpy (packet.address, card->mac, 6);
  *at++ = TYPE;
  *at++ = 1;
  *at++ = type;
  at = put_address (at, ADDRESS, lease->address);
  at = put_address (at, SERVER, lease->server);
  memcpy (at, wanted, sizeof wanted);
  packet.ip = (struct iphdr){ .version = 4,
                              .ihl = 5,
                              .ttl = 64,
                              .protocol = IPPROTO_UDP,
                              .daddr = INADDR_BROADCAST,
                              .tot_len = htons (sizeof packet) };
  packet.ip.check = ip_sum (&packet.ip, sizeof packet.ip);
  packet.udp.source = htons (CLIENT_PORT);
  packet.udp.dest = htons (SERVER_PORT);
  packet.udp.len = htons (sizeof packet - sizeof packet.ip);
  if (sendto (card->socket, &packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to) < 0)
    say ("DHCP: %s", strerror (errno));
}

static uint32_t
read_address (const uint8_t *value, size_t length)
{
  uint32_t address = 0;

  if (length >= sizeof address)
    memcpy (&address, value, sizeof address);
  return address;
}

static void
read_option (Lease *lease, uint8_t option, const uint8_t *value, size_t length)
{
  if (option == TYPE && length == 1)
    lease->type = *value;
  else if (option == MASK)
    lease->mask = read_address (value, length);
  else if (option == ROUTER)
    lease->router = read_address (value, length);
  else if (option == SERVER)
    lease->server = read_address (value, length);
  else if (option == NAMES)
    for (; length >= 4 && lease->name_count < SERVERS_MAX; value += 4, length -= 4)
      lease->names[lease->name_count++] = read_address (value, length);
}

/* Whether it is an answer to us. */
static bool
read_packet (const Card *card, const Packet *packet, size_t size, Lease *lease)
{
  size_t head = offsetof (Packet, options);
  const uint8_t *at = packet->options;
  const uint8_t *end = (const uint8_t *)packet + size;

  if (size < head || packet->ip.ihl != 5 || packet->ip.protocol != IPPROTO_UDP
      || packet->udp.dest != htons (CLIENT_PORT) || packet->op != 2 || packet->id != card->id
      || packet->cookie != htonl (COOKIE) || memcmp (packet->address, card->mac, 6) != 0)
    return false;
  *lease = (Lease){ .address = packet->yours };
  while (at < end && *at != END) {
    if (*at == 0) {
      at++;
      continue;
    }
    if (end - at < 2 || end - at - 2 < at[1])
      return false;
    read_option (lease, at[0], at + 2, at[1]);
    at += 2 + at[1];
  }
  return lease->address != 0;
}

static int
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (int)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

static bool
await (const Card *card, uint8_t type, Lease *lease)
{
  int end = now () + TRY_PATIENCE;

  for (int left = TRY_PATIENCE; left > 0; left = end - now ()) {
    struct pollfd wait = { .fd = card->socket, .events = POLLIN };
    Packet packet;
    Lease read;
    ssize_t size;

    if (poll (&wait, 1, left) <= 0)
      continue;
    size = recv (card->socket, &packet, sizeof packet, 0);
    if (size > 0 && read_packet (card, &packet, (size_t)size, &read) && read.type == type) {
      *lease = read;
      return true;
    }
  }
  return false;
}

static bool
ask (const Card *card, Lease *lease)
{
  for (int try = 0; try < TRIES; try++) {
    *lease = (Lease){ 0 };
    send_packet (card, DISCOVER, lease);
    if (!await (card, OFFER, lease))
      continue;
    send_packet (card, REQUEST, lease);
    if (await (card, ACK, lease))
      return true;
  }
  return false;
}

/* Using it. */

static void
set_flags (int control, const char *name)
{
  struct ifreq request = { 0 };

  snprintf (request.ifr_name, sizeof request.ifr_name, "%s", name);
  if (ioctl (control, SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags |= IFF_UP;
    ioctl (control, SIOCSIFFLAGS, &request);
  }
}

static struct sockaddr
address_of (uint32_t address)
{
  struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = address };
  struct sockaddr any;

  memcpy (&any, &in, sizeof any);
  return any;
}

static void
add_route (int control, char *name, uint32_t to, uint32_t mask, uint32_t router)
{
  struct rtentry route = { .rt_dst = address_of (to),
                           .rt_genmask = address_of (mask),
                           .rt_gateway = address_of (router),
                           .rt_flags = RTF_UP | (router != 0 ? RTF_GATEWAY : RTF_HOST),
                           .rt_dev = name };

  if (ioctl (control, SIOCADDRT, &route) < 0 && errno != EEXIST)
    say ("a route: %s", strerror (errno));
}

static void
use (int control, Card *card, const Lease *lease)
{
  struct ifreq request = { 0 };
  FILE *names;

  snprintf (request.ifr_name, sizeof request.ifr_name, "%s", card->name);
  request.ifr_addr = address_of (lease->address);
  if (ioctl (control, SIOCSIFADDR, &request) < 0)
    say ("the address: %s", strerror (errno));
  request.ifr_netmask = address_of (lease->mask);
  if (lease->mask != 0 && ioctl (control, SIOCSIFNETMASK, &request) < 0)
    say ("the network's mask: %s", strerror (errno));
  if (lease->router != 0) {
    /* A router outside the network, as clouds have it, is beside us all the same. */
    if ((lease->router & lease->mask) != (lease->address & lease->mask))
      add_route (control, card->name, lease->router, INADDR_BROADCAST, 0);
    add_route (control, card->name, 0, 0, lease->router);
  }
  names = lease->name_count > 0 ? fopen ("/etc/resolv.conf", "we") : NULL;
  for (int i = 0; names != NULL && i < lease->name_count; i++) {
    char text[INET_ADDRSTRLEN];

    fprintf (names, "nameserver %s\n", inet_ntop (AF_INET, &lease->names[i], text, sizeof text));
  }
  if (names != NULL)
    fclose (names);
}

static bool
find_card (int control, Card *card)
{
  DIR *all = opendir ("/sys/class/net");
  bool found = false;

  for (struct dirent *entry; all != NULL && !found && (entry = readdir (all)) != NULL;) {
    struct ifreq request = { 0 };

    if (entry->d_name[0] == '.' || strcmp (entry->d_name, "lo") == 0)
      continue;
    snprintf (card->name, sizeof card->name, "%.15s", entry->d_name);
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", card->name);
    found = ioctl (control, SIOCGIFHWADDR, &request) == 0 && request.ifr_hwaddr.sa_family == 1;
    memcpy (card->mac, request.ifr_hwaddr.sa_data, 6);
    card->index = (int)if_nametoindex (card->name);
  }
  if (all != NULL)
    closedir (all);
  return found;
}

void
network_start (void)
{
  int control = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_ll here = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_IP) };
  Card card = { 0 };
  Lease lease = { 0 };

  set_flags (control, "lo");
  if (find_card (control, &card)) {
    set_flags (control, card.name);
    here.sll_ifindex = card.index;
    card.socket = socket (AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons (ETH_P_IP));
    if (getrandom (&card.id, sizeof card.id, GRND_NONBLOCK) < 0)
      card.id = (uint32_t)now ();
    if (card.socket < 0 || bind (card.socket, (struct sockaddr *)&here, sizeof here) < 0)
      say ("DHCP: %s", strerror (errno));
    else if (ask (&card, &lease))
      use (control, &card, &lease);
    else
      say ("nobody gave %s an address", card.name);
    close (card.socket);
  }
  close (control);
}
