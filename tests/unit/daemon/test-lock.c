/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The lock of an object: one alone or several together, in the order in which they came, whatever those do
 * who get it.
 */
#include "daemon/object/lock.h"

#include "cmocka-glib.h"
#include "main-loop.h"

#include <string.h>

static GString *heard;
static Lock *lock;
static gboolean late_failed;

typedef struct {
  const char *name;
  gboolean shared, ends; /* gives the lock back at once */
  gboolean refused;      /* by its own check */
  guint seconds;
} Taker;

static gboolean
check (gpointer data, GError **error)
{
  const Taker *taker = data;

  if (taker->refused)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "refused");
  return !taker->refused;
}

static void
begin (gpointer data)
{
  const Taker *taker = data;

  g_string_append_printf (heard, "%s ", taker->name);
  if (taker->ends)
    lock_release (lock, taker);
}

static void
fail_taker (gpointer data, GError *error)
{
  g_string_append_printf (heard, "%s:%s ", ((const Taker *)data)->name, error->message);
  late_failed = ((const Taker *)data)->seconds > 0;
  g_error_free (error);
}

static void
take (const Taker *taker)
{
  LockRequest request = { taker->name, taker, taker->shared, taker->seconds,
                          check,       begin, fail_taker,    (gpointer)taker };

  lock_acquire (lock, &request);
}

static int
set_up (G_GNUC_UNUSED void **state)
{
  heard = g_string_new (NULL);
  lock = lock_new ("pool 'p'", 3);
  return 0;
}

static int
tear_down (G_GNUC_UNUSED void **state)
{
  g_string_free (heard, TRUE);
  lock_unref (lock);
  return 0;
}

static void
one_at_a_time_in_order (G_GNUC_UNUSED void **state)
{
  static const Taker a = { .name = "a" }, b = { .name = "b", .ends = TRUE }, c = { .name = "c" };

  take (&a);
  take (&b);
  take (&c);
  assert_string_equal (heard->str, "a ");
  assert_string_equal (lock_name (lock), "a");
  lock_release (lock, &c); /* not its own */
  assert_string_equal (heard->str, "a ");
  lock_release (lock, &a);
  assert_string_equal (heard->str, "a b c ");
  lock_release (lock, &c);
  assert_false (lock_is_held (lock));
}

static void
several_share_it (G_GNUC_UNUSED void **state)
{
  static const Taker one = { .name = "1", .shared = TRUE }, two = { .name = "2", .shared = TRUE };
  static const Taker alone = { .name = "alone" }, refused = { .name = "no", .refused = TRUE };

  take (&one);
  take (&two);
  take (&refused);
  take (&alone);
  assert_int_equal (lock_shared (lock), 2);
  lock_release_shared (lock);
  assert_string_equal (heard->str, "1 2 no:internal error: refused ");
  lock_release_shared (lock);
  assert_string_equal (heard->str, "1 2 no:internal error: refused alone ");
  assert_false (lock_try_shared (lock));
  lock_release (lock, &alone);
}

static void
a_holder_outlives_the_call (G_GNUC_UNUSED void **state)
{
  static const Taker call = { .name = "call" }, next = { .name = "next", .ends = TRUE };
  static const char job[] = "job";

  take (&call);
  take (&next);
  lock_pass (lock, &call, job, "migrate");
  lock_release (lock, &call); /* the call is answered */
  assert_string_equal (heard->str, "call ");
  assert_string_equal (lock_name (lock), "migrate");
  lock_release (lock, job);
  assert_string_equal (heard->str, "call next ");
}

static void
waiting_is_bounded (G_GNUC_UNUSED void **state)
{
  static const Taker holder = { .name = "h" }, waits = { .name = "w" }, late = { .name = "l", .seconds = 1 };
  g_autoptr (GError) gone = NULL;

  virt_error_set (&gone, VIR_ERR_NO_STORAGE_POOL, "gone");
  take (&holder);
  take (&late);
  take (&waits);
  take (&waits);
  take (&waits);
  assert_non_null (strstr (heard->str, "max_queued limit (3 calls wait for pool 'p')"));
  g_string_truncate (heard, 0);
  assert_true (run_main_loop_until (&late_failed));
  assert_non_null (
      strstr (heard->str, "l:Timed out during operation: cannot acquire state change lock (held by h for"));
  g_string_truncate (heard, 0);
  lock_close (lock, gone);
  take (&waits);
  assert_string_equal (
      heard->str,
      "w:Storage pool not found: gone w:Storage pool not found: gone w:Storage pool not found: gone ");
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (one_at_a_time_in_order, set_up, tear_down),
    cmocka_unit_test_setup_teardown (several_share_it, set_up, tear_down),
    cmocka_unit_test_setup_teardown (a_holder_outlives_the_call, set_up, tear_down),
    cmocka_unit_test_setup_teardown (waiting_is_bounded, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
