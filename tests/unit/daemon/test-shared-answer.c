/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Answers that many share: how often they are made, and who gets which. */
#include "daemon/call/shared-answer.h"

#include "cmocka-glib.h"
#include "main-loop.h"

#define CALLS 50

static GMutex lock;
static GCond changed;
static guint made, may_end; /* under the lock: answers begun, and the number of the last that may end */
static guint freed;         /* data of the calls */
static GString *answers;    /* as the calls get them */
static guint answered;
static gboolean all_answered;

/* The second one fails. */
static GVariant *
make (G_GNUC_UNUSED const Call *call, G_GNUC_UNUSED gpointer data, GError **error)
{
  guint number;

  g_mutex_lock (&lock);
  number = ++made;
  while (may_end < number)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  if (number != 2)
    return g_variant_new ("(u)", number);
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "the second");
  return NULL;
}

static void
respond (Call *call, GVariant *answer, const GError *error)
{
  guint number = 0;

  if (answer != NULL)
    g_variant_get (answer, "(u)", &number);
  g_string_append_printf (answers, "%u:%u%s ", GPOINTER_TO_UINT (call->wire_data), number,
                          error != NULL ? " failed" : "");
  all_answered = ++answered == CALLS;
}

static void
count_freed (G_GNUC_UNUSED gpointer data)
{
  freed++;
}

static void
ask (guint who, const char *key)
{
  Call *call = g_new0 (Call, 1);

  call->respond = respond;
  call->wire_data = GUINT_TO_POINTER (who);
  call_make_shared (call, key, "shared", make, call, count_freed);
}

static void
let_end (guint number)
{
  g_mutex_lock (&lock);
  may_end = number;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

/* The first call's answer is its own; the other 49 share the next, an error for all of them. */
static void
many_ask_the_same (void **state G_GNUC_UNUSED)
{
  for (guint i = 0; i < CALLS; i++)
    ask (i, "the same");
  let_end (2);
  assert_true (run_main_loop_until (&all_answered));
  assert_int_equal (made, 2);
  assert_int_equal (freed, CALLS);
  assert_true (g_str_has_prefix (answers->str, "0:1 1:0 failed 2:0 failed "));
  assert_true (g_str_has_suffix (answers->str, " 49:0 failed "));
}

/* One that is still being made holds up no other question. */
static void
another_question (void **state G_GNUC_UNUSED)
{
  static const char *const keys[] = { "one", "other" };

  let_end (0);
  made = 2;
  for (guint i = 0; i < CALLS; i++)
    ask (i, keys[i % 2]);
  let_end (6);
  assert_true (run_main_loop_until (&all_answered));
  assert_int_equal (made, 6);
  assert_int_equal (freed, CALLS);
}

static int
start_over (void **state G_GNUC_UNUSED)
{
  made = may_end = freed = answered = 0;
  all_answered = FALSE;
  answers = g_string_new (NULL);
  return 0;
}

static int
clear (void **state G_GNUC_UNUSED)
{
  g_string_free (answers, TRUE);
  return 0;
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (many_ask_the_same, start_over, clear),
    cmocka_unit_test_setup_teardown (another_question, start_over, clear),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
