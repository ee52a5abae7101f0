/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hub. Handlers run inside the call that reports the event, in the order they subscribed; one that
 * unsubscribes itself or another meanwhile is only marked, and swept when the round is over, so that a
 * client which goes away while it is told something cannot spoil the list.
 */
#include "daemon/object/events.h"

#include "daemon/core/main-loop.h"

typedef struct {
  guint number;
  EventHandler handler; /* NULL: unsubscribed during a round */
  gpointer data;
} Subscription;

struct Events {
  GArray *subscriptions; /* Subscription */
  guint last_number;
  guint rounds; /* running now, one inside another */
};

Events *
events_new (void)
{
  Events *events = g_new0 (Events, 1);

  events->subscriptions = g_array_new (FALSE, FALSE, sizeof (Subscription));
  return events;
}

void
events_free (Events *events)
{
  if (events == NULL)
    return;
  g_array_unref (events->subscriptions);
  g_free (events);
}

guint
events_subscribe (Events *events, EventHandler handler, gpointer data)
{
  Subscription subscription = { ++events->last_number, handler, data };

  g_array_append_val (events->subscriptions, subscription);
  return subscription.number;
}

static void
sweep (Events *events)
{
  for (guint i = events->subscriptions->len; i > 0; i--)
    if (g_array_index (events->subscriptions, Subscription, i - 1).handler == NULL)
      g_array_remove_index (events->subscriptions, i - 1);
}

void
events_unsubscribe (Events *events, guint number)
{
  for (guint i = 0; i < events->subscriptions->len; i++) {
    Subscription *subscription = &g_array_index (events->subscriptions, Subscription, i);

    if (subscription->number == number)
      subscription->handler = NULL;
  }
  if (events->rounds == 0)
    sweep (events);
}

void
events_send (Events *events, const Event *event)
{
  MAIN_LOOP_ONLY ();

  guint count = events->subscriptions->len; /* who subscribes now is told of the next one */

  events->rounds++;
  for (guint i = 0; i < count; i++) {
    Subscription subscription = g_array_index (events->subscriptions, Subscription, i);

    if (subscription.handler != NULL)
      subscription.handler (event, subscription.data);
  }
  if (--events->rounds == 0)
    sweep (events);
}
