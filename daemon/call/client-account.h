/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * What the clients of one user take of the daemon, on both wires together: places, and bytes that wait to be
 * handled or sent. A client of the RPC wire has a place as long as it is connected, one of D-Bus as long as
 * it has calls in flight. Each user has a limit of both, so that nobody takes what others need; root and the
 * daemon's own user have places and bytes that nobody else can take. Main loop only.
 */
typedef struct ClientAccounts ClientAccounts;
typedef struct ClientAccount ClientAccount;

#define CLIENT_USER_BYTES_MAX (128 * 1024 * 1024) /* of all connections of a user */
#define CLIENT_OWNER_BYTES_MAX \
  (G_GUINT64_CONSTANT (1) << 30) /* the same for root and the daemon's own user */

/* @clients_max: places for all users together; @anonymous_max: for a user's that have not logged in. */
ClientAccounts *client_accounts_new (guint clients_max, guint anonymous_max);
void client_accounts_free (ClientAccounts *accounts);

/* A place for a client of @uid's, by the read-only socket or not; NULL when there is none for that user.
 * Given back with client_account_leave. */
ClientAccount *client_accounts_enter (ClientAccounts *accounts, uid_t uid, gboolean read_only);
/* One that has a place is to log in: FALSE when too many of its user's are. It ends by client_account_login,
 * at the login or the client's end. */
gboolean client_account_await_login (ClientAccount *account);
void client_account_login (ClientAccount *account);
void client_account_leave (ClientAccount *account);

/* A connection that has kept *@charged bytes keeps @bytes from now on. FALSE when that is more than the user
 * may have: the connection must end. */
gboolean client_account_charge (ClientAccount *account, gsize *charged, gsize bytes);
