/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who may have how much. The read-only socket is open to everybody, so whatever its clients can use up is
 * divided by user: one who opens thousands of connections, or sends the first half of many large frames,
 * meets a limit of their own, and the same who does so over D-Bus. The last places are kept: some for the
 * read-write socket, whose users the administrator has chosen, and of these some for root and the daemon's
 * own user. Accounts are shared by a user's connections and go with the last.
 */
#include "daemon/call/client-account.h"

#include <unistd.h>

#define USER_SHARE       4  /* a user may have one of so many of all places */
#define READ_WRITE_SHARE 10 /* one of so many is kept for the read-write socket, */
#define OWNER_SHARE      50 /* and one of so many for root and the daemon's own user */

struct ClientAccounts {
  guint clients_max, anonymous_max, clients;
  GHashTable *by_user; /* uid → ClientAccount */
};

struct ClientAccount {
  ClientAccounts *accounts; /* NULL once these are gone */
  uid_t uid;
  guint clients, anonymous;
  guint64 bytes;
};

static void
account_orphan (gpointer data)
{
  ClientAccount *account = data;

  account->accounts = NULL;
}

ClientAccounts *
client_accounts_new (guint clients_max, guint anonymous_max)
{
  ClientAccounts *accounts = g_new0 (ClientAccounts, 1);

  accounts->clients_max = clients_max;
  accounts->anonymous_max = anonymous_max;
  accounts->by_user = g_hash_table_new_full (NULL, NULL, NULL, account_orphan);
  return accounts;
}

void
client_accounts_free (ClientAccounts *accounts)
{
  if (accounts == NULL)
    return;
  g_hash_table_unref (accounts->by_user);
  g_free (accounts);
}

static gboolean
is_owner (uid_t uid)
{
  return uid == 0 || uid == geteuid ();
}

/* How many there may be before one more of that kind is refused. */
static guint
places_for (const ClientAccounts *accounts, uid_t uid, gboolean read_only)
{
  guint kept = 0;

  if (!is_owner (uid))
    kept += accounts->clients_max / OWNER_SHARE;
  if (!is_owner (uid) && read_only)
    kept += accounts->clients_max / READ_WRITE_SHARE;
  return accounts->clients_max - kept;
}

ClientAccount *
client_accounts_enter (ClientAccounts *accounts, uid_t uid, gboolean read_only)
{
  ClientAccount *account = g_hash_table_lookup (accounts->by_user, GUINT_TO_POINTER (uid));

  if (accounts->clients >= places_for (accounts, uid, read_only)
      || (!is_owner (uid) && account != NULL && account->clients >= accounts->clients_max / USER_SHARE))
    return NULL;
  if (account == NULL) {
    account = g_new0 (ClientAccount, 1);
    account->accounts = accounts;
    account->uid = uid;
    g_hash_table_insert (accounts->by_user, GUINT_TO_POINTER (uid), account);
  }
  account->clients++;
  accounts->clients++;
  return account;
}

gboolean
client_account_await_login (ClientAccount *account)
{
  account->anonymous++;
  return is_owner (account->uid) || account->accounts == NULL
         || account->anonymous <= account->accounts->anonymous_max;
}

void
client_account_login (ClientAccount *account)
{
  account->anonymous--;
}

void
client_account_leave (ClientAccount *account)
{
  if (account->accounts != NULL)
    account->accounts->clients--;
  if (--account->clients > 0)
    return;
  if (account->accounts != NULL)
    g_hash_table_remove (account->accounts->by_user, GUINT_TO_POINTER (account->uid));
  g_free (account);
}

gboolean
client_account_charge (ClientAccount *account, gsize *charged, gsize bytes)
{
  gboolean grows = bytes > *charged;

  account->bytes += bytes;
  account->bytes -= *charged;
  *charged = bytes;
  return !grows
         || account->bytes <= (is_owner (account->uid) ? CLIENT_OWNER_BYTES_MAX : CLIENT_USER_BYTES_MAX);
}
