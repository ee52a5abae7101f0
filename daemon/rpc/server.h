/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * The RPC wire: libvirt's protocol on unix sockets, for unmodified libvirt clients. Main loop only.
 */
typedef struct RpcServer RpcServer;
typedef struct RpcClient RpcClient;

/* Listens on the run directory's libvirt-sock and libvirt-sock-ro, on the sockets a service manager passed
 * (@activated, terminated by -1; may be NULL), and where libvirt's clients look when the settings say so. */
RpcServer *rpc_server_new (Manager *manager, const int *activated, GError **error);
/* Tells the clients, then closes. */
void rpc_server_free (RpcServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RpcServer, rpc_server_free)

gboolean rpc_server_uses_polkit (const RpcServer *server);
/* A client has ended. */
void rpc_server_forget (RpcServer *server, RpcClient *client);
guint rpc_server_count (const RpcServer *server);
