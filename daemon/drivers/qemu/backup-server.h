/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshot/backup-document.h"

#include <sys/types.h>

/* A socket that listens where the document's <server> says, for QEMU's NBD server to be passed; -1 with
 * @error. A unix socket is @owner's alone, who asked for the backup. What stands at its path must not be
 * there. A job's thread; blocking. */
int backup_server_listen (const BackupServer *server, uid_t owner, GError **error);
