/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What calls cost, asked by a client that does nothing but call, so that the same program measures any daemon
 * that speaks libvirt's RPC protocol.
 *
 *   bench-rpc SOCKET URI connect N            open and close N connections
 *   bench-rpc SOCKET URI call N IN-FLIGHT     N trivial calls, so many at a time on one connection
 *   bench-rpc SOCKET URI clients N CLIENTS    N trivial calls of so many connections, one at a time on each
 *   bench-rpc SOCKET URI list N               N times the list of all domains
 *   bench-rpc SOCKET URI state N              N times the list of all domains, and the state of each
 *   bench-rpc SOCKET URI dumpxml N            N times the list of all domains, and the document of each
 *   bench-rpc SOCKET URI stats N              N times all statistics of all domains
 *
 * prints microseconds a unit (connection, call, domain or, of list and stats, the whole).
 */
#include "client.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 1024u
#define DOMAINS_MAX 16384u

static const char *socket_path, *uri;

static double
bench_connect (Client *client, unsigned count, unsigned unused)
{
  double start = now ();

  (void)client;
  (void)unused;
  for (unsigned i = 0; i < count; i++)
    client_close (client_open (socket_path, uri));
  return (now () - start) / count;
}

static double
bench_call (Client *client, unsigned count, unsigned in_flight)
{
  Buffer out = { 0 };
  double start = now ();

  for (unsigned sent = 0, received = 0; received < count;) {
    unsigned goal;

    out.length = 0;
    while (sent < count && sent - received < in_flight)
      client_frame (&out, CONNECT_GET_LIB_VERSION, sent++, NULL);
    client_send (client, &out);
    /* Half of them back before more are sent, so that both sides have something to do. */
    for (goal = sent == count ? count : received + (in_flight + 1) / 2; received < goal; received++)
      client_receive (client, NULL);
  }
  buffer_free (&out);
  return (now () - start) / count;
}

static double
bench_clients (Client *client, unsigned count, unsigned client_count)
{
  static Client *clients[CLIENTS_MAX];
  static struct pollfd polled[CLIENTS_MAX];
  unsigned sent = 0, received = 0;
  Buffer out = { 0 };
  double start;

  (void)client;
  client_count = client_count < CLIENTS_MAX ? client_count : CLIENTS_MAX;
  for (unsigned i = 0; i < client_count; i++) {
    clients[i] = client_open (socket_path, uri);
    polled[i] = (struct pollfd){ clients[i]->fd, POLLIN, 0 };
  }
  client_frame (&out, CONNECT_GET_LIB_VERSION, 1, NULL);
  start = now ();
  for (unsigned i = 0; i < client_count; i++, sent++)
    client_send (clients[i], &out);
  while (received < sent) {
    if (poll (polled, client_count, -1) < 0)
      die ("poll");
    for (unsigned i = 0; i < client_count; i++) {
      if (polled[i].revents == 0)
        continue;
      client_receive (clients[i], NULL);
      received++;
      if (sent < count) {
        client_send (clients[i], &out);
        sent++;
      }
    }
  }
  start = (now () - start) / received;
  buffer_free (&out);
  for (unsigned i = 0; i < client_count; i++)
    client_close (clients[i]);
  return start;
}

/* All domains, as they stand in the list's reply: name, UUID, id. @ends: where each one ends. */
static unsigned
list_domains (Client *client, Buffer *ret_domains, size_t *ends)
{
  Buffer payload = { 0 };
  size_t length, position = 4;
  const uint8_t *reply;
  unsigned count;

  buffer_word (&payload, 1);
  buffer_word (&payload, 0);
  reply = client_call (client, CONNECT_LIST_ALL_DOMAINS, &payload, &length);
  buffer_free (&payload);
  count = word_at (reply);
  if (count > DOMAINS_MAX)
    die ("more domains than there is room for");
  ret_domains->length = 0;
  buffer_append (ret_domains, reply + 4, length - 4);
  for (unsigned i = 0; i < count; i++) {
    uint32_t name = word_at (reply + position);

    position += 4 + (name + 3) / 4 * 4 + 16 + 4;
    ends[i] = position - 4;
  }
  return count;
}

static size_t ends[DOMAINS_MAX];

static double
bench_list (Client *client, unsigned rounds, unsigned unused)
{
  Buffer domains = { 0 };
  double start = now ();

  (void)unused;
  for (unsigned round = 0; round < rounds; round++)
    list_domains (client, &domains, ends);
  buffer_free (&domains);
  return (now () - start) / rounds;
}

static double
for_each_domain (Client *client, uint32_t procedure, unsigned rounds)
{
  Buffer domains = { 0 }, payload = { 0 };
  unsigned units = 0;
  double start = now ();

  for (unsigned round = 0; round < rounds; round++) {
    unsigned count = list_domains (client, &domains, ends);

    for (unsigned i = 0; i < count; i++, units++) {
      size_t begin = i > 0 ? ends[i - 1] : 0;

      payload.length = 0;
      buffer_append (&payload, domains.bytes + begin, ends[i] - begin);
      buffer_word (&payload, 0);
      client_call (client, procedure, &payload, NULL);
    }
  }
  buffer_free (&domains);
  buffer_free (&payload);
  return (now () - start) / (units > 0 ? units : 1);
}

static double
bench_state (Client *client, unsigned rounds, unsigned unused)
{
  (void)unused;
  return for_each_domain (client, DOMAIN_GET_STATE, rounds);
}

static double
bench_dumpxml (Client *client, unsigned rounds, unsigned unused)
{
  (void)unused;
  return for_each_domain (client, DOMAIN_GET_XML_DESC, rounds);
}

static double
bench_stats (Client *client, unsigned rounds, unsigned unused)
{
  Buffer payload = { 0 };
  double start = now ();

  (void)unused;
  buffer_word (&payload, 0);
  buffer_word (&payload, 0);
  buffer_word (&payload, 0);
  for (unsigned i = 0; i < rounds; i++)
    client_call (client, CONNECT_GET_ALL_DOMAIN_STATS, &payload, NULL);
  buffer_free (&payload);
  return (now () - start) / rounds;
}

static const struct {
  const char *name;
  double (*measure) (Client *client, unsigned count, unsigned at_once);
} benches[] = {
  { "connect", bench_connect }, { "call", bench_call },   { "clients", bench_clients },
  { "list", bench_list },       { "state", bench_state }, { "dumpxml", bench_dumpxml },
  { "stats", bench_stats },
};

int
main (int argc, char **argv)
{
  for (unsigned i = 0; argc >= 5 && i < sizeof benches / sizeof *benches; i++) {
    Client *client;

    if (strcmp (argv[3], benches[i].name) != 0)
      continue;
    socket_path = argv[1];
    uri = argv[2];
    client = client_open (socket_path, uri);
    printf ("%.2f\n",
            benches[i].measure (client, (unsigned)atoi (argv[4]), argc > 5 ? (unsigned)atoi (argv[5]) : 1));
    client_close (client);
    return EXIT_SUCCESS;
  }
  fprintf (stderr, "usage: bench-rpc SOCKET URI connect|call|clients|list|state|dumpxml|stats N [AT-ONCE]\n");
  return 2;
}
