/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/secret-value.h"
#include "daemon/core/settings.h"

/*
 * Values of secrets on disk: secrets/values/UUID below the state directory, mode 0600 in a directory of mode
 * 0700, where there is nothing else. Encrypted with the host's key by systemd-creds where that is there and
 * the daemon is root; plain otherwise. In a job: a program is waited for.
 */
char *secret_file_path (const Settings *settings, const char *uuid); /* (transfer full) */
gboolean
secret_file_write (const Settings *settings, const char *uuid, const SecretValue *value, GError **error);
/* NULL without @error: there is none. */
SecretValue *secret_file_read (const Settings *settings, const char *uuid, GError **error);
gboolean secret_file_remove (const Settings *settings, const char *uuid, GError **error);
/* Those that are there. (transfer full) */
GPtrArray *secret_file_list (const Settings *settings); /* UUIDs */
