/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/secret/secret-file.h"

/*
 * Where the value of one secret is: on disk for one that is kept, in memory for one that is ephemeral. Shared
 * by reference; its functions read and write files, and are for jobs alone: they may wait for each other.
 */
typedef struct SecretCell SecretCell;

/* @settings lives as long as the daemon. Main loop too, like the next three. */
SecretCell *secret_cell_new (const Settings *settings, const char *uuid, gboolean kept);
SecretCell *secret_cell_ref (SecretCell *cell);
void secret_cell_unref (SecretCell *cell);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SecretCell, secret_cell_unref)

/* VIR_ERR_NO_SECRET, in libvirt's words, when it has no value. */
SecretValue *secret_cell_read (SecretCell *cell, GError **error);
gboolean secret_cell_write (SecretCell *cell, SecretValue *value, GError **error);
/* From now on it is kept: what is in memory is written. */
gboolean secret_cell_keep (SecretCell *cell, GError **error);
/* From now on it is not: what is on disk is read, and its file stays until it is erased. */
gboolean secret_cell_unkeep (SecretCell *cell, GError **error);
/* Nothing of it is on disk any more. */
gboolean secret_cell_erase (SecretCell *cell, GError **error);
