/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The lock of a domain, as calls take it and give it back. */
#include "daemon/call/call.h"
#include "daemon/call/operation.h"

#include "cmocka-glib.h"
#include "temporary.h"

#define UUID "87291af1-1366-410c-bb6e-fbc6f66ff7ae"

typedef struct {
  char *root;
  Settings *settings;
  Manager *manager;
} Fixture;

static int
set_up (void **state)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->root = temporary_directory ();
  fixture->settings = settings_load (FALSE, fixture->root, NULL, NULL);
  fixture->manager = manager_new (fixture->settings, NULL);
  assert_non_null (fixture->manager);
  *state = fixture;
  return 0;
}

static int
tear_down (void **state)
{
  Fixture *fixture = *state;

  manager_free (fixture->manager);
  settings_free (fixture->settings);
  temporary_remove (fixture->root);
  g_free (fixture);
  return 0;
}

static void
count_answer (Call *call, GVariant *answer G_GNUC_UNUSED, const GError *error G_GNUC_UNUSED)
{
  ++*(guint *)call->wire_data;
}

static Call *
new_call (Fixture *fixture, guint *answers)
{
  Call *call = g_new0 (Call, 1);

  call->operation = operation_by_procedure (0, 9);
  call->manager = fixture->manager;
  call->domain_uuid = g_strdup (UUID);
  call->respond = count_answer;
  call->wire_data = answers;
  return call;
}

static void
begin (Domain *domain G_GNUC_UNUSED, Call *call)
{
  call->user_data = call; /* it has begun */
}

static void
calls_have_the_lock_one_after_the_other (void **state)
{
  Fixture *fixture = *state;
  Domain *domain = manager_add (fixture->manager, "queued", UUID);
  guint answers = 0;
  Call *first = new_call (fixture, &answers), *second = new_call (fixture, &answers);

  domain_lock (domain, "first", first, begin);
  domain_lock (domain, "second", second, begin);
  assert_ptr_equal (first->user_data, first);
  assert_null (second->user_data);
  call_answer_nothing (first);
  assert_ptr_equal (second->user_data, second);
  assert_true (lock_is_held (domain->lock));
  assert_string_equal (lock_name (domain->lock), "second");
  call_answer_nothing (second);
  assert_false (lock_is_held (domain->lock));
  assert_int_equal (answers, 2);
}

/* A transient domain ends while a call about it still waits for its job; another of its UUID is begun. */
static void
late_answer_releases_no_later_domains_lock (void **state)
{
  Fixture *fixture = *state;
  Domain *domain = manager_add (fixture->manager, "gone", UUID);
  guint answers = 0;
  Call *late = new_call (fixture, &answers), *start = new_call (fixture, &answers);

  domain_lock (domain, "suspend", late, begin);
  manager_remove (fixture->manager, domain);
  domain = manager_add (fixture->manager, "new", UUID);
  domain_lock (domain, "start", start, begin);
  call_answer_nothing (late);
  assert_int_equal (answers, 1);
  assert_true (lock_is_held (domain->lock));
  assert_string_equal (lock_name (domain->lock), "start");
  call_answer_nothing (start);
  assert_false (lock_is_held (domain->lock));
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown (calls_have_the_lock_one_after_the_other, set_up, tear_down),
    cmocka_unit_test_setup_teardown (late_answer_releases_no_later_domains_lock, set_up, tear_down),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
