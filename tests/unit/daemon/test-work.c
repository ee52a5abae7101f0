/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Work of users: few at a time, bounded together, in turns. */
#include "daemon/core/work.h"

#include "cmocka-glib.h"
#include "main-loop.h"

#define USER_MAX (WORK_ALL_DEFAULT / WORK_USER_SHARE)

static GMutex lock;
static GCond changed;
static gboolean open_gate; /* until then nothing ends */
static guint most, now;
static GString *order;

static gpointer
work (Job *job G_GNUC_UNUSED, gpointer input, GError **error G_GNUC_UNUSED)
{
  g_mutex_lock (&lock);
  now++;
  most = MAX (most, now);
  g_string_append (order, input);
  while (!open_gate)
    g_cond_wait (&changed, &lock);
  now--;
  g_mutex_unlock (&lock);
  return JOB_OK;
}

static void
begin (const char *user, gboolean owner, gsize bytes)
{
  work_start (user, owner, bytes, "work", work, (gpointer)user, NULL, NULL, NULL);
}

static void
let_all_end (void)
{
  g_mutex_lock (&lock);
  open_gate = TRUE;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
  while (work_running () > 0 || work_waiting () > 0)
    g_main_context_iteration (NULL, TRUE);
  open_gate = FALSE;
}

static int
start_over (void **state G_GNUC_UNUSED)
{
  most = now = 0;
  order = g_string_new (NULL);
  return 0;
}

static int
clear (void **state G_GNUC_UNUSED)
{
  g_string_free (order, TRUE);
  return 0;
}

static void
a_user_has_few_at_a_time (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < 100; i++)
    begin ("a", FALSE, 10);
  assert_int_equal (work_running (), USER_MAX);
  assert_int_equal (work_waiting (), 100 - USER_MAX);
  begin ("b", FALSE, 10); /* is not behind them */
  assert_int_equal (work_running (), USER_MAX + 1);
  let_all_end ();
  assert_true (most <= USER_MAX + 1);
  assert_int_equal (order->len, 101);
}

static void
large_documents_are_read_one_by_one (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < 4; i++)
    begin ("a", FALSE, WORK_USER_BYTES_MAX);
  begin ("b", FALSE, WORK_ALL_BYTES_MAX * 2); /* larger than may be: alone, or with what leaves room */
  assert_int_equal (work_running (), 1);
  begin ("root", TRUE, WORK_USER_BYTES_MAX);
  assert_int_equal (work_running (), 2);
  let_all_end ();
  assert_int_equal (order->len, 5 + 4);
}

static void
all_users_have_some_together_and_owners_always (void **state G_GNUC_UNUSED)
{
  static const char *const users[] = { "a", "b", "c", "d", "e", "f" };

  for (guint i = 0; i < G_N_ELEMENTS (users); i++)
    for (guint j = 0; j < USER_MAX; j++)
      begin (users[i], FALSE, 1);
  assert_int_equal (work_running (), WORK_ALL_DEFAULT);
  begin ("o", TRUE, 1);
  assert_int_equal (work_running (), WORK_ALL_DEFAULT + 1);
  let_all_end ();
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (a_user_has_few_at_a_time, start_over, clear),
    cmocka_unit_test_setup_teardown (large_documents_are_read_one_by_one, start_over, clear),
    cmocka_unit_test_setup_teardown (all_users_have_some_together_and_owners_always, start_over, clear),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
