/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The client's half of the protocol, as little of it as measuring needs: frames out, replies in, read whole
 * and their status looked at.
 */
#include "client.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX    33554436u
#define HEADER_BYTES 28u
#define READ_BYTES   65536u

void
die (const char *what)
{
  perror (what);
  exit (EXIT_FAILURE);
}

double
now (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

void
buffer_append (Buffer *buffer, const void *bytes, size_t length)
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

void
buffer_word (Buffer *buffer, uint32_t word)
{
  word = htonl (word);
  buffer_append (buffer, &word, sizeof word);
}

void
buffer_text (Buffer *buffer, const char *text)
{
  static const uint8_t zeros[4] = { 0 };
  size_t length = strlen (text);

  buffer_word (buffer, (uint32_t)length);
  buffer_append (buffer, text, length);
  buffer_append (buffer, zeros, (4 - length % 4) % 4);
}

void
buffer_free (Buffer *buffer)
{
  free (buffer->bytes);
  *buffer = (Buffer){ 0 };
}

uint32_t
word_at (const uint8_t *bytes)
{
  uint32_t word;

  memcpy (&word, bytes, sizeof word);
  return ntohl (word);
}

void
client_frame (Buffer *out, uint32_t procedure, uint32_t serial, const Buffer *payload)
{
  buffer_word (out, (uint32_t)(HEADER_BYTES + (payload != NULL ? payload->length : 0)));
  buffer_word (out, 0x20008086);
  buffer_word (out, 1);
  buffer_word (out, procedure);
  buffer_word (out, 0);
  buffer_word (out, serial);
  buffer_word (out, 0);
  if (payload != NULL)
    buffer_append (out, payload->bytes, payload->length);
}

void
client_send (Client *client, const Buffer *out)
{
  for (size_t sent = 0; sent < out->length;) {
    ssize_t count = write (client->fd, out->bytes + sent, out->length - sent);

    if (count <= 0)
      die ("write");
    sent += (size_t)count;
  }
}

/* The frame at the beginning of what was read, or 0 when it is not whole. */
static size_t
whole_frame (const Client *client)
{
  size_t available = client->in.length - client->taken;
  const uint8_t *start = client->in.bytes + client->taken;
  uint32_t length;

  if (available < HEADER_BYTES)
    return 0;
  length = word_at (start);
  if (length < HEADER_BYTES || length > FRAME_MAX) {
    fprintf (stderr, "a frame of %u bytes\n", length);
    exit (EXIT_FAILURE);
  }
  if (available < length)
    return 0;
  if (word_at (start + 24) != 0) {
    fprintf (stderr, "procedure %u failed\n", word_at (start + 12));
    exit (EXIT_FAILURE);
  }
  return length;
}

const uint8_t *
client_receive (Client *client, size_t *ret_length)
{
  static uint8_t piece[READ_BYTES];
  const uint8_t *start;
  size_t length;

  while ((length = whole_frame (client)) == 0) {
    ssize_t count;

    if (client->taken > 0) {
      client->in.length -= client->taken;
      memmove (client->in.bytes, client->in.bytes + client->taken, client->in.length);
      client->taken = 0;
    }
    count = read (client->fd, piece, sizeof piece);
    if (count <= 0)
      die ("read");
    buffer_append (&client->in, piece, (size_t)count);
  }
  start = client->in.bytes + client->taken;
  client->taken += length;
  if (ret_length != NULL)
    *ret_length = length - HEADER_BYTES;
  return start + HEADER_BYTES;
}

const uint8_t *
client_call (Client *client, uint32_t procedure, const Buffer *payload, size_t *ret_length)
{
  Buffer out = { 0 };

  client_frame (&out, procedure, 1, payload);
  client_send (client, &out);
  buffer_free (&out);
  return client_receive (client, ret_length);
}

Client *
client_open (const char *socket_path, const char *uri)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  Client *client = calloc (1, sizeof (Client));
  Buffer payload = { 0 };

  if (client == NULL)
    die ("calloc");
  client->fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  strncpy (address.sun_path, socket_path, sizeof address.sun_path - 1);
  if (connect (client->fd, (struct sockaddr *)&address, sizeof address) < 0)
    die (socket_path);
  client_call (client, AUTH_LIST, NULL, NULL);
  buffer_word (&payload, 1);
  buffer_text (&payload, uri);
  buffer_word (&payload, 0);
  client_call (client, CONNECT_OPEN, &payload, NULL);
  buffer_free (&payload);
  return client;
}

void
client_close (Client *client)
{
  client_call (client, CONNECT_CLOSE, NULL, NULL);
  close (client->fd);
  buffer_free (&client->in);
  free (client);
}

void
client_lookup (Client *client, const char *name, Buffer *ret_domain)
{
  Buffer payload = { 0 };
  const uint8_t *domain;
  size_t length;

  buffer_text (&payload, name);
  domain = client_call (client, DOMAIN_LOOKUP_BY_NAME, &payload, &length);
  buffer_append (ret_domain, domain, length);
  buffer_free (&payload);
}
