/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The least that a daemon with one thread can take for a trivial call: wait, read, write, with no work
 * between. It listens at SOCKET and answers every frame with one of the same kind, so that bench-rpc's
 * connect, call and clients can ask it; what they say of it is what no daemon on this host can be better
 * than.
 *
 *   bench-floor SOCKET
 */
#include "client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 1024u
#define READ_BYTES  65536u
#define HEADER      28u
#define ANSWER      (HEADER + 8u)

/* Whole frames only: bench-rpc writes no others. FALSE: the client has gone. */
static int
answer (int fd)
{
  static uint8_t in[READ_BYTES], out[READ_BYTES / HEADER * ANSWER];
  ssize_t count = read (fd, in, sizeof in);
  size_t length = 0;

  if (count <= 0)
    return 0;
  for (size_t at = 0; at + HEADER <= (size_t)count && word_at (in + at) >= HEADER; at += word_at (in + at)) {
    uint32_t words[2] = { htonl (ANSWER), htonl (1) };

    memcpy (out + length, in + at, HEADER);
    memcpy (out + length, &words[0], 4);
    memcpy (out + length + 16, &words[1], 4); /* a reply */
    memset (out + length + HEADER, 0, ANSWER - HEADER);
    length += ANSWER;
  }
  return write (fd, out, length) == (ssize_t)length;
}

int
main (int argc, char **argv)
{
  static struct pollfd polled[CLIENTS_MAX];
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  nfds_t used = 1;

  if (argc != 2) {
    fprintf (stderr, "usage: bench-floor SOCKET\n");
    return 2;
  }
  polled[0] = (struct pollfd){ socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), POLLIN, 0 };
  strncpy (address.sun_path, argv[1], sizeof address.sun_path - 1);
  if (bind (polled[0].fd, (struct sockaddr *)&address, sizeof address) < 0 || listen (polled[0].fd, 64) < 0)
    die (argv[1]);
  while (poll (polled, used, -1) >= 0) {
    for (nfds_t i = used - 1; i > 0; i--) {
      if (polled[i].revents == 0 || answer (polled[i].fd))
        continue;
      close (polled[i].fd);
      polled[i] = polled[--used];
    }
    if ((polled[0].revents & POLLIN) != 0 && used < CLIENTS_MAX)
      polled[used++] = (struct pollfd){ accept4 (polled[0].fd, NULL, NULL, SOCK_CLOEXEC), POLLIN, 0 };
  }
  die ("poll");
}
