/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/*
 * What happened, told to every wire: one hub, main loop only. An event is its libvirt family and number
 * (virDomainEventID), the domain it is about as it was at that moment, and its payload as GVariant in the
 * shape of facts "libvirt-events" behind the domain ("ii" for a lifecycle event).
 */
typedef struct Domain Domain;
typedef struct Events Events;

typedef enum {
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
  int id;                  /* the domain's id at that time, -1 */
  GVariant *payload;
} Event;

/* The payload of EVENT_MONITOR, one of a domain's QEMU as it said it: name, seconds, microseconds, arguments
 * as JSON. Its number is 0. */
#define MONITOR_EVENT_SHAPE "sxums"

/* For EVENT_DOMAIN, with payload "()": a property has another value, and libvirt has no event for it
 * (autostart). */
#define EVENT_DOMAIN_CHANGED (-1)

typedef void (*EventHandler) (const Event *event, gpointer data);

Events *events_new (void);
void events_free (Events *events);
guint events_subscribe (Events *events, EventHandler handler, gpointer data);
void events_unsubscribe (Events *events, guint subscription);
/* Sinks @payload. */
void events_domain (Events *events, Domain *domain, int number, GVariant *payload);
/* @number: virStoragePoolEventID. Sinks @payload. */
void events_storage_pool (Events *events, const char *name, const char *uuid, int number, GVariant *payload);
void events_monitor (Events *events, Domain *domain, GVariant *payload);
