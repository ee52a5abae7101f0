/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*
 * A client of libvirt's RPC protocol with no library between it and the socket. Whatever goes wrong ends the
 * program with a word on stderr: a measurement that failed is none.
 */

/* Procedures of the remote program. */
enum {
  CONNECT_OPEN = 1,
  CONNECT_CLOSE = 2,
  DOMAIN_DEFINE_XML = 11,
  DOMAIN_DESTROY = 12,
  DOMAIN_GET_XML_DESC = 14,
  DOMAIN_LOOKUP_BY_NAME = 23,
  DOMAIN_RESUME = 28,
  DOMAIN_SUSPEND = 34,
  DOMAIN_UNDEFINE = 35,
  AUTH_LIST = 66,
  CONNECT_GET_LIB_VERSION = 157,
  DOMAIN_SNAPSHOT_GET_XML_DESC = 186,
  DOMAIN_SNAPSHOT_LIST_NAMES = 188,
  DOMAIN_CREATE_WITH_FLAGS = 196,
  DOMAIN_GET_STATE = 212,
  DOMAIN_SNAPSHOT_GET_PARENT = 244,
  CONNECT_LIST_ALL_DOMAINS = 273,
  DOMAIN_LIST_ALL_SNAPSHOTS = 274,
  CONNECT_DOMAIN_EVENT_REGISTER_ANY = 316,
  CONNECT_GET_ALL_DOMAIN_STATS = 344,
};

/* Bytes that grow. */
typedef struct {
  uint8_t *bytes;
  size_t length, room;
} Buffer;

typedef struct {
  int fd;
  Buffer in; /* read, but not yet taken up to @taken */
  size_t taken;
} Client;

/* A payload: empty it with length = 0, add to it. */
void buffer_append (Buffer *buffer, const void *bytes, size_t length);
void buffer_word (Buffer *buffer, uint32_t word);
void buffer_text (Buffer *buffer, const char *text);
void buffer_free (Buffer *buffer);
uint32_t word_at (const uint8_t *bytes);

void die (const char *what) __attribute__ ((noreturn));
double now (void); /* microseconds */

/* Connected, logged in and open. */
Client *client_open (const char *socket_path, const char *uri);
void client_close (Client *client);

/* Frames of calls, appended; NULL: no payload. */
void client_frame (Buffer *out, uint32_t procedure, uint32_t serial, const Buffer *payload);
void client_send (Client *client, const Buffer *out);
/* The next reply or message; its payload, which lives until the next. */
const uint8_t *client_receive (Client *client, size_t *ret_length);
/* One call and its reply. */
const uint8_t *client_call (Client *client, uint32_t procedure, const Buffer *payload, size_t *ret_length);
/* A domain, as it stands in arguments, is appended. */
void client_lookup (Client *client, const char *name, Buffer *ret_domain);
