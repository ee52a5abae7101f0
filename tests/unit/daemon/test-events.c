/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The hub: everybody who is subscribed when something happens is told of it, once, whatever handlers do.
 */
#include "daemon/domain/domain.h"
#include "daemon/object/events.h"

#include "cmocka-glib.h"

typedef struct {
  Events *hub;
  GString *heard;
  const char *name;
  guint own, other; /* subscriptions: unsubscribed when heard, if not 0 */
} Listener;

static void
hear (const Event *event, gpointer data)
{
  Listener *listener = data;
  g_autofree char *payload = g_variant_print (event->payload, FALSE);

  g_string_append_printf (listener->heard, "%s:%s/%d#%d%s ", listener->name, event->name, event->id,
                          event->number, payload);
  if (listener->own != 0)
    events_unsubscribe (listener->hub, listener->own);
  if (listener->other != 0)
    events_unsubscribe (listener->hub, listener->other);
}

static void
say (Events *hub, int number)
{
  Domain domain = { .name = (char *)"web", .uuid = (char *)"87291af1-1366-410c-bb6e-fbc6f66ff7ae", .id = 3 };

  events_domain (hub, &domain, number, g_variant_new ("(ii)", 2, 0));
  g_variant_unref (domain.value);
}

static void
test_everybody_hears (G_GNUC_UNUSED void **state)
{
  Events *hub = events_new ();
  g_autoptr (GString) heard = g_string_new (NULL);
  Listener one = { hub, heard, "1", 0, 0 }, two = { hub, heard, "2", 0, 0 };
  guint first;

  say (hub, 0);
  first = events_subscribe (hub, hear, &one);
  events_subscribe (hub, hear, &two);
  say (hub, 7);
  events_unsubscribe (hub, first);
  say (hub, 8);
  assert_string_equal (heard->str, "1:web/3#7(2, 0) 2:web/3#7(2, 0) 2:web/3#8(2, 0) ");
  events_free (hub);
}

static void
test_handlers_may_unsubscribe (G_GNUC_UNUSED void **state)
{
  Events *hub = events_new ();
  g_autoptr (GString) heard = g_string_new (NULL);
  Listener one = { hub, heard, "1", 0, 0 }, two = { hub, heard, "2", 0, 0 },
           three = { hub, heard, "3", 0, 0 };

  one.own = events_subscribe (hub, hear, &one);
  one.other = events_subscribe (hub, hear, &two);
  events_subscribe (hub, hear, &three);
  say (hub, 1);
  say (hub, 2);
  assert_string_equal (heard->str, "1:web/3#1(2, 0) 3:web/3#1(2, 0) 3:web/3#2(2, 0) ");
  events_free (hub);
}

static void
subscribe_another (const Event *event, gpointer data)
{
  Listener *listener = data;

  if (event->number == 1)
    events_subscribe (listener->hub, hear, listener);
  else
    hear (event, listener);
}

static void
test_who_subscribes_meanwhile_hears_the_next (G_GNUC_UNUSED void **state)
{
  Events *hub = events_new ();
  g_autoptr (GString) heard = g_string_new (NULL);
  Listener one = { hub, heard, "1", 0, 0 };

  events_subscribe (hub, subscribe_another, &one);
  say (hub, 1);
  assert_string_equal (heard->str, "");
  say (hub, 2);
  assert_string_equal (heard->str, "1:web/3#2(2, 0) 1:web/3#2(2, 0) ");
  events_free (hub);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_everybody_hears),
    cmocka_unit_test (test_handlers_may_unsubscribe),
    cmocka_unit_test (test_who_subscribes_meanwhile_hears_the_next),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
