/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who may do what in which thread: each mistake is a critical message, and nothing else is. */
#include "daemon/core/main-loop.h"

#include "base/xml-document.h"
#include "daemon/core/job.h"

#include "cmocka-glib.h"
#include "main-loop.h"

static int mistakes; /* atomic: critical messages so far */

static void
count_mistake (G_GNUC_UNUSED const char *domain, G_GNUC_UNUSED GLogLevelFlags level,
               G_GNUC_UNUSED const char *text, G_GNUC_UNUSED gpointer data)
{
  g_atomic_int_inc (&mistakes);
}

static void
read_a_document (void)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = xml_document_parse ("<a/>", -1, diagnostics);

  assert_non_null (document);
}

static void
change_an_object (void)
{
  MAIN_LOOP_ONLY ();
}

typedef struct {
  void (*act) (void);
  gboolean over;
} Act;

static gpointer
act_in_job (G_GNUC_UNUSED Job *job, gpointer data, G_GNUC_UNUSED GError **error)
{
  ((Act *)data)->act ();
  return JOB_OK;
}

static void
act_is_over (G_GNUC_UNUSED gpointer result, G_GNUC_UNUSED const GError *error, gpointer data)
{
  ((Act *)data)->over = TRUE;
}

static int
mistakes_in_main_loop (void (*act) (void))
{
  int before = g_atomic_int_get (&mistakes);

  act ();
  return g_atomic_int_get (&mistakes) - before;
}

static int
mistakes_in_job (void (*act) (void))
{
  int before = g_atomic_int_get (&mistakes);
  Act data = { act, FALSE };

  job_start ("act", act_in_job, &data, NULL, 0, act_is_over, &data);
  assert_true (run_main_loop_until (&data.over));
  return g_atomic_int_get (&mistakes) - before;
}

static void
each_has_its_thread (G_GNUC_UNUSED void **state)
{
  guint handler = g_log_set_handler (NULL, G_LOG_LEVEL_CRITICAL, count_mistake, NULL);

  /* A program without a main loop of its own has no rules. */
  assert_false (main_loop_is_here ());
  assert_int_equal (mistakes_in_main_loop (read_a_document), 0);
  assert_int_equal (mistakes_in_job (change_an_object), 0);

  main_loop_claim ();
  assert_true (main_loop_is_here ());
  assert_int_equal (mistakes_in_main_loop (change_an_object), 0);
  assert_int_equal (mistakes_in_job (change_an_object), 1);
  assert_int_equal (mistakes_in_main_loop (read_a_document), 1);
  assert_int_equal (mistakes_in_job (read_a_document), 0);
  g_log_remove_handler (NULL, handler);
}

int
main (void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test (each_has_its_thread) };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
