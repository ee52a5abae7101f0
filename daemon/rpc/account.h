/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/*
 * What the connections of one user take of the daemon: places, and bytes that wait to be handled or sent.
 * Each user has a limit of both, so that nobody takes what others need; root and the daemon's own user have
 * places and bytes that nobody else can take. Main loop only.
 */
typedef struct RpcAccounts RpcAccounts;
typedef struct RpcAccount RpcAccount;

#define RPC_USER_BYTES_MAX  (128 * 1024 * 1024)            /* of all connections of a user */
#define RPC_OWNER_BYTES_MAX (G_GUINT64_CONSTANT (1) << 30) /* the same for root and the daemon's own user */

/* @clients_max: places for all users together. */
RpcAccounts *rpc_accounts_new (guint clients_max);
void rpc_accounts_free (RpcAccounts *accounts);

/* A place for a connection of @uid's, by the read-only socket or the other; NULL when there is none for that
 * user. Given back with rpc_account_leave. */
RpcAccount *rpc_accounts_enter (RpcAccounts *accounts, uid_t uid, gboolean read_only);
void rpc_account_leave (RpcAccount *account);

/* A connection that has kept *@charged bytes keeps @bytes from now on. FALSE when that is more than the user
 * may have: the connection must end. */
gboolean rpc_account_charge (RpcAccount *account, gsize *charged, gsize bytes);
