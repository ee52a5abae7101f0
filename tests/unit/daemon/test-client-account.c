/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Places and bytes of users: nobody takes what is kept for others. */
#include "daemon/call/client-account.h"

#include "cmocka-glib.h"

#include <unistd.h>

#define CLIENTS_MAX   100
#define ANONYMOUS_MAX 3

enum { ROOT = 0, ANNA = 60001, BERT = 60002 };

/* As many connections as there are places for; how many that were. */
static guint
fill (ClientAccounts *accounts, uid_t uid, gboolean read_only, GPtrArray *entered)
{
  guint before = entered->len;
  ClientAccount *account;

  while ((account = client_accounts_enter (accounts, uid, read_only)) != NULL)
    g_ptr_array_add (entered, account);
  return entered->len - before;
}

static void
leave (gpointer account)
{
  client_account_leave (account);
}

static void
places_are_kept (void **state)
{
  ClientAccounts *accounts = client_accounts_new (CLIENTS_MAX, ANONYMOUS_MAX);
  g_autoptr (GPtrArray) entered = g_ptr_array_new_with_free_func (leave);

  (void)state;
  /* A user has a quarter. */
  assert_int_equal (fill (accounts, ANNA, TRUE, entered), 25);
  assert_int_equal (fill (accounts, ANNA, FALSE, entered), 0);
  assert_int_equal (fill (accounts, BERT, TRUE, entered), 25);
  /* Of the rest, as many users as it takes: read-only ones leave 10 and 2 places, read-write ones 2. */
  assert_int_equal (fill (accounts, 60003, TRUE, entered), 25);
  assert_int_equal (fill (accounts, 60004, TRUE, entered), 13);
  assert_int_equal (fill (accounts, 60005, TRUE, entered), 0);
  assert_int_equal (fill (accounts, 60005, FALSE, entered), 10);
  assert_int_equal (fill (accounts, 60006, FALSE, entered), 0);
  assert_int_equal (fill (accounts, ROOT, TRUE, entered), 2);
  assert_int_equal (fill (accounts, ROOT, FALSE, entered), 0);
  /* A place that is given back is there again. */
  g_ptr_array_remove_index (entered, 0);
  assert_int_equal (fill (accounts, ROOT, FALSE, entered), 1);
  g_ptr_array_set_size (entered, 0);
  assert_int_equal (fill (accounts, ROOT, FALSE, entered), CLIENTS_MAX);
  client_accounts_free (accounts); /* before the last connection, as at the daemon's end */
}

static void
bytes_are_shared_by_a_users_connections (void **state)
{
  ClientAccounts *accounts = client_accounts_new (CLIENTS_MAX, ANONYMOUS_MAX);
  ClientAccount *first = client_accounts_enter (accounts, ANNA, TRUE),
                *second = client_accounts_enter (accounts, ANNA, TRUE);
  ClientAccount *other = client_accounts_enter (accounts, BERT, TRUE);
  gsize of_first = 0, of_second = 0, of_other = 0;

  (void)state;
  assert_true (client_account_charge (first, &of_first, CLIENT_USER_BYTES_MAX - 10));
  assert_true (client_account_charge (second, &of_second, 10));
  assert_true (client_account_charge (other, &of_other, CLIENT_USER_BYTES_MAX));
  assert_false (client_account_charge (second, &of_second, 11));
  /* Who has too much and gives some back is not ended for it. */
  assert_true (client_account_charge (second, &of_second, 0));
  assert_true (client_account_charge (first, &of_first, 0));
  assert_true (client_account_charge (second, &of_second, CLIENT_USER_BYTES_MAX));
  client_account_leave (first);
  client_account_leave (second);
  client_account_leave (other);
  client_accounts_free (accounts);
}

static void
logins_are_awaited_of_few (G_GNUC_UNUSED void **state)
{
  ClientAccounts *accounts = client_accounts_new (CLIENTS_MAX, ANONYMOUS_MAX);
  ClientAccount *anna = client_accounts_enter (accounts, ANNA, TRUE);
  ClientAccount *root = client_accounts_enter (accounts, ROOT, TRUE);

  for (guint i = 0; i < ANONYMOUS_MAX; i++)
    assert_true (client_account_await_login (anna));
  assert_false (client_account_await_login (anna));
  client_account_login (anna);
  client_account_login (anna);
  assert_true (client_account_await_login (anna));
  for (guint i = 0; i < 2 * ANONYMOUS_MAX; i++)
    assert_true (client_account_await_login (root));
  client_account_leave (anna);
  client_account_leave (root);
  client_accounts_free (accounts);
}

int
main (void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test (places_are_kept),
    cmocka_unit_test (logins_are_awaited_of_few),
    cmocka_unit_test (bytes_are_shared_by_a_users_connections),
  };

  return cmocka_run_group_tests (tests, NULL, NULL);
}
