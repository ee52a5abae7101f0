/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/account.h"
#include "daemon/host/files.h"

/*
 * The unix sockets that a document's character devices listen on. The daemon makes them, where its own rights
 * reach and QEMU's need not, and QEMU gets them as descriptors; those in the machine's own directory QEMU
 * makes itself.
 */

/* Listen for @device of @def, if it is one, or for all of them where @device is NULL, and offer the
 * descriptors to
 * @files. A socket that is there is replaced, as QEMU does. @run_directory: QEMU's own. Blocking; a job's
 * thread. */
gboolean listening_open (const DomainDef *def, const Device *device, const char *run_directory,
                         const Account *account, Files *files, GError **error);
/* Could @device's be made? Nothing is. Blocking; a job's thread. */
gboolean listening_check (const Device *device, const char *run_directory, GError **error);
/* Remove the sockets of a device that is gone; blocking. */
void listening_close (const Device *device, const char *run_directory);
/* The same for a machine that is over, in a thread of its own: nobody waits for it. */
void listening_close_later (DomainDef *def, const char *run_directory);
