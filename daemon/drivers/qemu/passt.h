/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/account.h"
#include "domain/devices/interface.h"

/*
 * passt, the helper behind interfaces of type user with that backend. A job's thread.
 */

/* Its command line; its socket is descriptor PASST_FD. (transfer full), NULL-terminated */
#define PASST_FD 3
char **passt_arguments (const char *program, const DeviceInterface *interface);

/* Start it as @account; @ret_fd is QEMU's end of its socket. It ends when that end is closed, whoever has it,
 * and needs no daemon meanwhile. Its number and start time are written into @run_directory, the machine's,
 * which exists. VIR_ERR_SYSTEM_ERROR when it is not installed, VIR_ERR_INTERNAL_ERROR with its last words
 * when it ends at once. */
gboolean passt_start (const DeviceInterface *interface, const Account *account, const char *run_directory,
                      int *ret_fd, GError **error);
/* The card of that alias is gone: end its passt, if it has one. Any thread; waits for nothing. */
void passt_stop (const char *run_directory, const char *alias);
