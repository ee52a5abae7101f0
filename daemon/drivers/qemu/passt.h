/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/helper/helper.h"
#include "daemon/host/account.h"
#include "domain/devices/interface.h"

/*
 * passt, the helper behind interfaces of type user with that backend. A job's thread.
 */

/* Its command line; its socket is descriptor PASST_FD. (transfer full), NULL-terminated */
#define PASST_FD 3
char **passt_arguments (const char *program, const DeviceInterface *interface);

/* Is it installed? */
gboolean passt_check (GError **error);

/* Start it as @account; @ret_fd is QEMU's end of its socket. It ends when that end is closed, whoever has it,
 * and needs no daemon meanwhile. @run_directory: the machine's, which exists. NULL: VIR_ERR_SYSTEM_ERROR when
 * it is not installed, VIR_ERR_INTERNAL_ERROR with its last words when it ends at once. (transfer full) */
Helper *passt_start (const DeviceInterface *interface, const Account *account, const char *run_directory,
                     Job *job, int *ret_fd, GError **error);
/* What the helper of that card is called. (transfer full) */
char *passt_helper_name (const Device *interface);
