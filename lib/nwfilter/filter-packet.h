/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/scalars.h"

/*
 * What a frame tells of a machine's IPv4 address. Frames are a guest's, or anybody's: nothing in them is
 * trusted, but that they have @length bytes. Pure; any thread.
 */
typedef enum {
  FILTER_PACKET_NOTHING,
  FILTER_PACKET_USED,     /* the machine sends from the address */
  FILTER_PACKET_LEASED,   /* a DHCP server gives it the address, for so many seconds */
  FILTER_PACKET_RELEASED, /* the machine gives it back */
} FilterPacketKind;

#define FILTER_LEASE_FOREVER 0xffffffff

typedef struct {
  FilterPacketKind kind;
  guint8 address[4];
  guint8 server[4]; /* of a lease */
  guint32 seconds;  /* of a lease */
} FilterPacket;

/* @to_machine: it goes to the machine of @mac, else it comes from it. */
FilterPacket
filter_packet_read (const guint8 *bytes, gsize length, const guint8 mac[MAC_BYTES], gboolean to_machine);
