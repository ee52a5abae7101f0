/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * Machines that end with the client that started them (VIR_DOMAIN_START_AUTODESTROY): with its connection on
 * libvirt's socket, with its unique name on the bus, or with the daemon, which ends both. Main loop only.
 */
void auto_destroy_bind (Machine *machine, Client *client);
/* Told by the client's wire, once. */
void auto_destroy_client_ended (Manager *manager, const char *id);
/* The daemon ends. */
void auto_destroy_all (Manager *manager);
