/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * The host's shutdown is an ordinary end for its machines: each is asked to shut down, or saved, as the
 * machine's policy or the setting on-host-shutdown says; each has its seconds, and is then ended. That
 * the host is shutting down is told by logind, whose shutdown is delayed meanwhile, and by systemd when the
 * daemon is asked to end; a daemon that is ended for any other reason leaves its machines alone. Main loop
 * only; nothing here waits.
 */
typedef struct HostShutdown HostShutdown;

HostShutdown *host_shutdown_new (Manager *manager);
/* The daemon was asked to end: @done is called once it may, which is at once unless the host is shutting
 * down. Asked again, it may at once. */
void host_shutdown_request (HostShutdown *shutdown, void (*done) (gpointer data), gpointer data);
/* The daemon ends: nothing is done or waited for any more. What machines still hold is freed with the
 * manager, and this after it. */
void host_shutdown_stop (HostShutdown *shutdown);
void host_shutdown_free (HostShutdown *shutdown);
