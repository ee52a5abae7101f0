/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/client-account.h"
#include "daemon/call/operation.h"
#include "daemon/rpc/connection.h"

/*
 * One client of the RPC wire: what it is (credentials, authenticated, opened), what it has in flight, and
 * what it listens to. Main loop only. It lives until its connection has ended and its last call is answered.
 */
typedef struct RpcServer RpcServer;
typedef struct RpcClient RpcClient;
typedef struct RpcEvents RpcEvents;
typedef struct RpcMonitorEvents RpcMonitorEvents;
typedef struct RpcStreams RpcStreams;

/* Bytes waiting for a client that lets its events lie, beyond which it is closed: more than the answers it
 * may have asked for. */
#define RPC_BACKLOG_MAX (2 * RPC_FRAME_MAX)

struct RpcClient {
  Client client;     /* must be first: operations see only this */
  RpcServer *server; /* NULL once the server is gone */
  Manager *manager;
  RpcConnection *connection; /* NULL once it has ended */
  ClientAccount *account;    /* its user's; NULL once the connection has ended */
  gsize charged;             /* bytes of it to the account */
  guint login_timer;         /* until it has logged in */
  gboolean authenticated, opened;
  gboolean close_callback; /* wants to be told when we close */
  gboolean awaited;        /* its login, in the account */
  guint calls;             /* in flight: of settings->max_client_requests it is not read from */
  gboolean held;           /* not read from, for having too many */
  guint references;
  RpcEvents *events;
  RpcMonitorEvents *monitor_events;
  RpcStreams *streams;
  /* keepalive.c */
  guint keepalive_timer;
  guint unanswered_pings;
  gboolean heard; /* since the timer's last turn */
};

/* Takes @fd. @read_only: it came by the read-only socket. NULL when its credentials cannot be told, or its
 * user has no place left: the connection is closed. */
RpcClient *rpc_client_new (RpcServer *server, Manager *manager, int fd, gboolean read_only);
RpcClient *rpc_client_ref (RpcClient *client);
void rpc_client_unref (RpcClient *client);
/* Close: after what is queued has been sent. @reason: virConnectCloseReason, told to those who asked for it.
 */
void rpc_client_close (RpcClient *client, int reason);
/* The server ends: the peer is told, as far as its socket takes it without waiting, and closed. */
void rpc_client_abandon (RpcClient *client);

/* Answers. Each is for the call or stream @request began; nothing happens once the connection has ended.
 * @payload is appended as it is and may be NULL. */
void rpc_client_reply (RpcClient *client, const RpcHeader *request, const GByteArray *payload, const int *fds,
                       guint fd_count);
void rpc_client_reply_error (RpcClient *client, const RpcHeader *request, const GError *error);
void rpc_client_reply_error_in (RpcClient *client, const RpcHeader *request, int domain, virErrorNumber code,
                                const char *format, ...) G_GNUC_PRINTF (5, 6);
/* A MESSAGE: an event, a ping. */
void
rpc_client_send_message (RpcClient *client, guint32 program, gint32 procedure, const GByteArray *payload);

/* errors.c: the payload of an error reply. @domain: virErrorDomain, or -1: the one clients of libvirt see
 * with @code. */
GByteArray *rpc_error_payload (int domain, virErrorNumber code, const char *message);

enum { RPC_CONNECTION_CLOSED = 362 }; /* procedure of the message that says why */

/* login.c: the procedures before and around an open connection. FALSE when @header is none of them. */
gboolean rpc_login_needs_polkit (const RpcClient *client);
/* From the connection's beginning a client has the settings' login_timeout to log in and open, which
 * rpc_login_done ends; a question to polkit does not count. */
void rpc_login_begin (RpcClient *client);
void rpc_login_done (RpcClient *client);
gboolean rpc_login_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length);

/* events.c: registrations. */
RpcEvents *rpc_events_new (RpcClient *client);
void rpc_events_free (RpcEvents *events);
gboolean rpc_events_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length);

/* monitor-events.c: registrations for QEMU's own events. */
RpcMonitorEvents *rpc_monitor_events_new (RpcClient *client);
void rpc_monitor_events_free (RpcMonitorEvents *events);
gboolean
rpc_monitor_events_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length);

/* streams.c: data beside calls. @fd is taken; it is read, written or both, as the call's operation says.
 * @terminal: what it is of when only one client may have it (terminal.h), or NULL. */
RpcStreams *rpc_streams_new (RpcClient *client);
void rpc_streams_free (RpcStreams *streams);
void rpc_streams_open (RpcClient *client, const RpcHeader *request, int fd, const char *terminal);
void rpc_streams_drained (RpcClient *client); /* output is empty again */
void rpc_streams_handle (RpcClient *client, const RpcHeader *header, const guint8 *payload, gsize length);

/* keepalive.c */
void rpc_keepalive_handle (RpcClient *client, const RpcHeader *header);
void rpc_keepalive_start (RpcClient *client);
void rpc_keepalive_heard (RpcClient *client); /* any frame shows that the peer lives */
void rpc_keepalive_stop (RpcClient *client);
