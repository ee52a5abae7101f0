/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What happened, sent to every wire: one hub, main loop only. An event is its libvirt family and number
 * (virDomainEventID), the object it is about as it was at that moment, and its payload as GVariant in the
 * shape that follows the object in libvirt's message ("ii" for a lifecycle event).
 */
typedef struct Events Events;

typedef enum {
  EVENT_NONE, /* of kinds of object that have none */
  EVENT_DOMAIN,
  EVENT_NETWORK,
  EVENT_STORAGE_POOL,
  EVENT_NODE_DEVICE,
  EVENT_SECRET,
  EVENT_MONITOR
} EventFamily;

typedef struct {
  EventFamily family;
  int number;
  const char *name, *uuid; /* of the object */
  int id;                  /* of a domain, at that time; -1 */
  GVariant *handle;        /* the object as it stands in answers */
  GVariant *payload;
} Event;

/* The payload of EVENT_MONITOR, one of a domain's QEMU as it said it: name, seconds, microseconds, arguments
 * as JSON. Its number is 0. */
#define MONITOR_EVENT_SHAPE "sxums"

#define EVENT_LIFECYCLE 0 /* the number of every family's lifecycle event, whose payload begins "ii" */

/* For EVENT_DOMAIN, with payload "()": a property has another value, and libvirt has no event for it
 * (autostart). */
#define EVENT_DOMAIN_CHANGED (-1)

typedef void (*EventHandler) (const Event *event, gpointer data);

Events *events_new (void);
void events_free (Events *events);
guint events_subscribe (Events *events, EventHandler handler, gpointer data);
void events_unsubscribe (Events *events, guint subscription);
/* To everybody who has subscribed by now. The event is borrowed. */
void events_send (Events *events, const Event *event);
