/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a domain's tree of snapshots costs, asked like bench-rpc's reads.
 *
 *   bench-snapshots SOCKET URI DOMAIN names N       N times the names of all
 *   bench-snapshots SOCKET URI DOMAIN list N        N times all of them
 *   bench-snapshots SOCKET URI DOMAIN leaves N      N times those that none follows
 *   bench-snapshots SOCKET URI DOMAIN tree N        N times all of them and the parent of each, as `virsh
 *                                                   snapshot-list --tree` asks
 *   bench-snapshots SOCKET URI DOMAIN documents N   N times all of them and the document of each, as `virsh
 *                                                   snapshot-list` asks
 *
 * prints microseconds of one round.
 */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOTS_MAX    16384u
#define LIST_LEAVES      4u
#define LIST_TOPOLOGICAL 1024u

/* Those of a reply: name, and the domain's name, UUID and id. @ends: where each one ends. */
static unsigned
list_snapshots (Client *client, const Buffer *domain, unsigned flags, Buffer *ret_snapshots, size_t *ends)
{
  Buffer payload = { 0 };
  size_t length, position = 4;
  const uint8_t *reply;
  unsigned count;

  buffer_append (&payload, domain->bytes, domain->length);
  buffer_word (&payload, 1);
  buffer_word (&payload, flags);
  reply = client_call (client, DOMAIN_LIST_ALL_SNAPSHOTS, &payload, &length);
  buffer_free (&payload);
  count = word_at (reply);
  if (count > SNAPSHOTS_MAX)
    die ("more snapshots than there is room for");
  ret_snapshots->length = 0;
  buffer_append (ret_snapshots, reply + 4, length - 4);
  for (unsigned i = 0; i < count; i++) {
    position += 4 + (word_at (reply + position) + 3) / 4 * 4;
    position += domain->length;
    ends[i] = position - 4;
  }
  return count;
}

static void
ask_names (Client *client, const Buffer *domain)
{
  Buffer payload = { 0 };

  buffer_append (&payload, domain->bytes, domain->length);
  buffer_word (&payload, SNAPSHOTS_MAX);
  buffer_word (&payload, 0);
  client_call (client, DOMAIN_SNAPSHOT_LIST_NAMES, &payload, NULL);
  buffer_free (&payload);
}

static void
ask_list (Client *client, const Buffer *domain, unsigned flags, uint32_t procedure)
{
  static size_t ends[SNAPSHOTS_MAX];
  Buffer snapshots = { 0 }, payload = { 0 };
  unsigned count = list_snapshots (client, domain, flags, &snapshots, ends);

  for (unsigned i = 0; i < count && procedure != 0; i++) {
    size_t begin = i > 0 ? ends[i - 1] : 0;

    /* The first is the root of all others: to ask for its parent is an error. */
    if (i == 0 && procedure == DOMAIN_SNAPSHOT_GET_PARENT)
      continue;
    payload.length = 0;
    buffer_append (&payload, snapshots.bytes + begin, ends[i] - begin);
    buffer_word (&payload, 0);
    client_call (client, procedure, &payload, NULL);
  }
  buffer_free (&snapshots);
  buffer_free (&payload);
}

static int
ask (Client *client, const Buffer *domain, const char *what)
{
  if (strcmp (what, "names") == 0)
    ask_names (client, domain);
  else if (strcmp (what, "list") == 0)
    ask_list (client, domain, 0, 0);
  else if (strcmp (what, "leaves") == 0)
    ask_list (client, domain, LIST_LEAVES, 0);
  else if (strcmp (what, "tree") == 0)
    ask_list (client, domain, LIST_TOPOLOGICAL, DOMAIN_SNAPSHOT_GET_PARENT);
  else if (strcmp (what, "documents") == 0)
    ask_list (client, domain, 0, DOMAIN_SNAPSHOT_GET_XML_DESC);
  else
    return 0;
  return 1;
}

int
main (int argc, char **argv)
{
  unsigned rounds = argc == 6 ? (unsigned)atoi (argv[5]) : 0;
  Buffer domain = { 0 };
  Client *client;
  double start;

  if (rounds == 0) {
    fprintf (stderr, "usage: bench-snapshots SOCKET URI DOMAIN names|list|leaves|tree|documents N\n");
    return EXIT_FAILURE;
  }
  client = client_open (argv[1], argv[2]);
  client_lookup (client, argv[3], &domain);
  start = now ();
  for (unsigned round = 0; round < rounds; round++)
    if (!ask (client, &domain, argv[4]))
      die (argv[4]);
  printf ("%.2f\n", (now () - start) / rounds);
  buffer_free (&domain);
  client_close (client);
  return EXIT_SUCCESS;
}
