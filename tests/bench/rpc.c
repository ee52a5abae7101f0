/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client of libvirt's RPC protocol that does nothing but call: no library between it and the socket, so
 * that the same program measures any daemon that speaks it. Replies are read whole and their status looked
 * at.
 *
 *   bench-rpc SOCKET URI connect N            open and close N connections
 *   bench-rpc SOCKET URI call N IN-FLIGHT     N trivial calls, so many at a time
 *   bench-rpc SOCKET URI list N               N times the list of all domains, and the state of each
 *   bench-rpc SOCKET URI dumpxml N            N times the document of every domain
 *   bench-rpc SOCKET URI stats N              N times all statistics of all domains
 *
 * prints microseconds a unit (connection, call, domain or whole list), and how many units there were.
 */

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX    33554436u
#define HEADER_BYTES 28u
#define DOMAINS_MAX  16384u

enum {
  OPEN = 1,
  CLOSE = 2,
  GET_LIB_VERSION = 157,
  AUTH_LIST = 66,
  LIST_ALL = 273,
  GET_STATE = 212,
  GET_XML = 14,
  ALL_STATS = 344
};

typedef struct {
  uint8_t *bytes;
  size_t length, room;
} Buffer;

static const char *socket_path, *uri;
static Buffer in;

static void
die (const char *what)
{
  perror (what);
  exit (EXIT_FAILURE);
}

static void
append (Buffer *buffer, const void *bytes, size_t length)
{
  if (buffer->length + length > buffer->room) {
    buffer->room = (buffer->length + length) * 2;
    buffer->bytes = realloc (buffer->bytes, buffer->room);
    if (buffer->bytes == NULL)
      die ("realloc");
  }
  memcpy (buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

static void
append_word (Buffer *buffer, uint32_t word)
{
  word = htonl (word);
  append (buffer, &word, sizeof word);
}

static void
append_text (Buffer *buffer, const char *text)
{
  static const uint8_t zeros[4] = { 0 };
  size_t length = strlen (text);

  append_word (buffer, (uint32_t)length);
  append (buffer, text, length);
  append (buffer, zeros, (4 - length % 4) % 4);
}

static void
send_all (int fd, const Buffer *buffer)
{
  for (size_t sent = 0; sent < buffer->length;) {
    ssize_t count = write (fd, buffer->bytes + sent, buffer->length - sent);

    if (count <= 0)
      die ("write");
    sent += (size_t)count;
  }
}

static void
frame (Buffer *out, uint32_t procedure, uint32_t serial, const Buffer *payload)
{
  append_word (out, (uint32_t)(HEADER_BYTES + (payload != NULL ? payload->length : 0)));
  append_word (out, 0x20008086);
  append_word (out, 1);
  append_word (out, procedure);
  append_word (out, 0);
  append_word (out, serial);
  append_word (out, 0);
  if (payload != NULL)
    append (out, payload->bytes, payload->length);
}

static uint32_t
word_at (const uint8_t *bytes)
{
  uint32_t word;

  memcpy (&word, bytes, sizeof word);
  return ntohl (word);
}

/* One reply, from what was read already or from the socket; its payload, which lives until the next. */
static const uint8_t *
receive (int fd, size_t *taken, size_t *ret_length)
{
  for (;;) {
    size_t available = in.length - *taken;

    if (available >= HEADER_BYTES) {
      const uint8_t *start = in.bytes + *taken;
      uint32_t length = word_at (start);

      if (length < HEADER_BYTES || length > FRAME_MAX) {
        fprintf (stderr, "a frame of %u bytes\n", length);
        exit (EXIT_FAILURE);
      }
      if (available >= length) {
        if (word_at (start + 24) != 0) {
          fprintf (stderr, "procedure %u failed\n", word_at (start + 12));
          exit (EXIT_FAILURE);
        }
        *taken += length;
        *ret_length = length - HEADER_BYTES;
        return start + HEADER_BYTES;
      }
    }
    if (*taken > 0) {
      memmove (in.bytes, in.bytes + *taken, available);
      in.length = available;
      *taken = 0;
    }
    uint8_t piece[65536];
    ssize_t count = read (fd, piece, sizeof piece);
    if (count <= 0)
      die ("read");
    append (&in, piece, (size_t)count);
  }
}

static const uint8_t *
call (int fd, uint32_t procedure, const Buffer *payload, size_t *ret_length)
{
  Buffer out = { 0 };
  size_t taken = 0, length;

  in.length = 0;
  frame (&out, procedure, 1, payload);
  send_all (fd, &out);
  free (out.bytes);
  return receive (fd, &taken, ret_length != NULL ? ret_length : &length);
}

static int
open_connection (void)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);
  Buffer payload = { 0 };

  strncpy (address.sun_path, socket_path, sizeof address.sun_path - 1);
  if (connect (fd, (struct sockaddr *)&address, sizeof address) < 0)
    die (socket_path);
  call (fd, AUTH_LIST, NULL, NULL);
  append_word (&payload, 1);
  append_text (&payload, uri);
  append_word (&payload, 0);
  call (fd, OPEN, &payload, NULL);
  free (payload.bytes);
  return fd;
}

static void
close_connection (int fd)
{
  call (fd, CLOSE, NULL, NULL);
  close (fd);
}

static double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static void
bench_calls (int fd, unsigned count, unsigned in_flight)
{
  Buffer out = { 0 };
  size_t taken = 0, length;

  in.length = 0;
  for (unsigned sent = 0, received = 0; received < count;) {
    out.length = 0;
    while (sent < count && sent - received < in_flight)
      frame (&out, GET_LIB_VERSION, sent++, NULL);
    send_all (fd, &out);
    /* Half of them back before more are sent, so that both sides have something to do. */
    unsigned goal = sent == count ? count : received + (in_flight + 1) / 2;
    while (received < goal) {
      receive (fd, &taken, &length);
      received++;
    }
  }
  free (out.bytes);
}

/* All domains, as they stand in the list's reply: name, UUID, id. */
static unsigned
list_domains (int fd, Buffer *ret_domains, size_t *ends)
{
  Buffer payload = { 0 };
  size_t length, position = 4;
  const uint8_t *reply;
  unsigned count;

  append_word (&payload, 1);
  append_word (&payload, 0);
  reply = call (fd, LIST_ALL, &payload, &length);
  free (payload.bytes);
  count = word_at (reply);
  ret_domains->length = 0;
  append (ret_domains, reply + 4, length - 4);
  for (unsigned i = 0; i < count && i < DOMAINS_MAX; i++) {
    uint32_t name = word_at (reply + position);

    position += 4 + (name + 3) / 4 * 4 + 16 + 4;
    ends[i] = position - 4;
  }
  return count;
}

static void
for_each_domain (int fd, uint32_t procedure, unsigned rounds, unsigned *units)
{
  static size_t ends[DOMAINS_MAX];
  Buffer domains = { 0 }, payload = { 0 };

  for (unsigned round = 0; round < rounds; round++) {
    unsigned count = list_domains (fd, &domains, ends);

    for (unsigned i = 0; i < count; i++) {
      size_t start = i > 0 ? ends[i - 1] : 0;

      payload.length = 0;
      append (&payload, domains.bytes + start, ends[i] - start);
      append_word (&payload, 0);
      call (fd, procedure, &payload, NULL);
      ++*units;
    }
  }
  free (domains.bytes);
  free (payload.bytes);
}

static void
bench_stats (int fd, unsigned rounds)
{
  Buffer payload = { 0 };

  append_word (&payload, 0);
  append_word (&payload, 0);
  append_word (&payload, 0);
  for (unsigned i = 0; i < rounds; i++)
    call (fd, ALL_STATS, &payload, NULL);
  free (payload.bytes);
}

int
main (int argc, char **argv)
{
  unsigned rounds, units = 0;
  double start;
  int fd;

  if (argc < 5) {
    fprintf (stderr, "usage: bench-rpc SOCKET URI connect|call|list|dumpxml|stats N [IN-FLIGHT]\n");
    return 2;
  }
  socket_path = argv[1];
  uri = argv[2];
  rounds = (unsigned)atoi (argv[4]);

  if (strcmp (argv[3], "connect") == 0) {
    start = now ();
    for (; units < rounds; units++)
      close_connection (open_connection ());
    printf ("%.2f %u\n", (now () - start) / units, units);
    return 0;
  }
  fd = open_connection ();
  start = now ();
  if (strcmp (argv[3], "call") == 0) {
    bench_calls (fd, rounds, argc > 5 ? (unsigned)atoi (argv[5]) : 1);
    units = rounds;
  } else if (strcmp (argv[3], "list") == 0) {
    for_each_domain (fd, GET_STATE, rounds, &units);
  } else if (strcmp (argv[3], "dumpxml") == 0) {
    for_each_domain (fd, GET_XML, rounds, &units);
  } else {
    bench_stats (fd, rounds);
    units = rounds;
  }
  printf ("%.2f %u\n", (now () - start) / (units > 0 ? units : 1), units);
  close_connection (fd);
  return 0;
}
