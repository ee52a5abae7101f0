/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restarts counted, by a clock that is made up: when the next one is, and when there is none any more. */

#include "cmocka-glib.h"
#include "daemon/domain/restart-history.h"

#include <string.h>

#define S G_GINT64_CONSTANT (1000000)

static Policy *
policy_of (const char *restart)
{
  g_autofree char *text =
      g_strdup_printf ("<metadata><policy xmlns='" POLICY_NAMESPACE "'>%s</policy></metadata>", restart);
  g_autoptr (GError) error = NULL;
  Policy *policy = NULL;

  assert_true (policy_read (text, &policy, &error));
  return policy;
}

static void
test_wanted (G_GNUC_UNUSED void **state)
{
  static const struct {
    const char *restart;
    gboolean failure, shutdown;
  } cases[] = {
    { "", FALSE, FALSE },
    { "<restart when='no'/>", FALSE, FALSE },
    { "<restart when='on-failure'/>", TRUE, FALSE },
    { "<restart when='always'/>", TRUE, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (Policy) policy = policy_of (cases[i].restart);

    assert_int_equal (restart_is_wanted (policy, ENDED_FAILURE), cases[i].failure);
    assert_int_equal (restart_is_wanted (policy, ENDED_SHUTDOWN), cases[i].shutdown);
    assert_false (restart_is_wanted (policy, ENDED_WANTED));
  }
  assert_false (restart_is_wanted (NULL, ENDED_FAILURE));
}

/* A machine that ends in the instant in which it was started. */
static void
test_waits_double (G_GNUC_UNUSED void **state)
{
  static const guint waits[] = { 2, 4, 8, 10, 10 };
  g_autoptr (Policy) policy =
      policy_of ("<restart when='always' delay='2' maximumDelay='10' limit='5' interval='1000'/>");
  g_autoptr (RestartHistory) history = restart_history_new ();
  gint64 now = 77 * S;

  for (guint i = 0; i < G_N_ELEMENTS (waits); i++) {
    restart_history_plan (history, policy, now);
    assert_false (history->given_up);
    assert_int_equal (history->due, now + waits[i] * S);
    now = history->due;
    restart_history_made (history, now);
    assert_int_equal (history->due, 0);
    assert_int_equal (history->counted, i + 1);
  }
  restart_history_plan (history, policy, now);
  assert_true (history->given_up);
  assert_int_equal (history->due, 0);
}

static void
test_interval_moves (G_GNUC_UNUSED void **state)
{
  g_autoptr (Policy) policy = policy_of ("<restart when='always' delay='1' limit='2' interval='100'/>");
  g_autoptr (RestartHistory) history = restart_history_new ();

  restart_history_made (history, 1000 * S);
  restart_history_made (history, 1060 * S);
  restart_history_plan (history, policy, 1099 * S);
  assert_true (history->given_up);
  restart_history_plan (history, policy, 1100 * S); /* the first counts no more */
  assert_false (history->given_up);
  assert_int_equal (history->due, 1102 * S);
  restart_history_plan (history, policy, 1200 * S);
  assert_int_equal (history->due, 1201 * S);
  assert_int_equal (history->restarts->len, 0);
}

static void
test_limit_of_none (G_GNUC_UNUSED void **state)
{
  g_autoptr (Policy) policy = policy_of ("<restart when='always' limit='0'/>");
  g_autoptr (RestartHistory) history = restart_history_new ();

  restart_history_plan (history, policy, 5 * S);
  assert_true (history->given_up);
}

static void
test_kept (G_GNUC_UNUSED void **state)
{
  g_autoptr (Policy) policy = policy_of ("<restart when='always' delay='3'/>");
  g_autoptr (RestartHistory) history = restart_history_new (), read = NULL;
  g_autofree char *json = NULL, *again = NULL;
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < RESTART_HISTORY_MAX + 3; i++)
    restart_history_made (history, (i + 1) * S);
  assert_int_equal (history->restarts->len, RESTART_HISTORY_MAX);
  restart_history_plan (history, policy, 10000 * S);
  json = restart_history_to_json (history);
  read = restart_history_from_json (json, strlen (json), &error);
  assert_non_null (read);
  again = restart_history_to_json (read);
  assert_string_equal (again, json);
}

static void
test_damaged (G_GNUC_UNUSED void **state)
{
  static const char *const texts[] = { "", "[]", "{", "{}", "{\"restarts\": 7}" };
  static const char odd[] = "{\"restarts\": [1, null, -5, \"x\", 2.5, [3]], \"due\": -7, \"limit\": -1}";
  g_autoptr (RestartHistory) history = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;

    assert_null (restart_history_from_json (texts[i], strlen (texts[i]), &error));
    assert_non_null (error);
  }
  history = restart_history_from_json (odd, strlen (odd), NULL);
  assert_non_null (history);
  assert_int_equal (history->restarts->len, 1);
  assert_int_equal (history->due, 0);
  assert_int_equal (history->limit, 0);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (test_wanted),         cmocka_unit_test (test_waits_double),
    cmocka_unit_test (test_interval_moves), cmocka_unit_test (test_limit_of_none),
    cmocka_unit_test (test_kept),           cmocka_unit_test (test_damaged),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
