/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/manager.h"

/*
 * The D-Bus wire: org.libvirt and org.domaind1 on the system or session bus. Connects by itself, again and
 * again, and never waits; a bus that is not there is logged once and costs nothing. Main loop only.
 */
typedef struct DbusServer DbusServer;

/* Make it after manager_load. @ready, which may be NULL, is called once: when the names are first owned, or
 * when the first try to connect has failed (so that readiness never hangs on a missing bus). */
DbusServer *dbus_server_new (Manager *manager, void (*ready) (gpointer data), gpointer data);
void dbus_server_free (DbusServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (DbusServer, dbus_server_free)
