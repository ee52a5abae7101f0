/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/secret-source.h"
#include "daemon/helper/helper.h"
#include "domain/devices/tpm.h"
#include "domain/domain-def.h"

/* A machine's emulated TPM: its state, kept in state_directory/tpm/UUID, and swtpm beside the machine. */

/* Are the programs there that it needs? */
gboolean tpm_check (const DeviceTpm *tpm, GError **error);
/* In the start's job: makes the state where there is none, and starts swtpm, which is added to @helpers
 * (Helper).
 * @directory: the machine's run directory; @qemu_directory: where QEMU's sockets are; @secrets: what a state
 * is encrypted with. Nothing without a TPM
 * of that kind. */
gboolean tpm_start (const DomainDef *def, const Settings *settings, const Account *account,
                    const char *directory, const char *qemu_directory, const SecretSource *secrets,
                    GPtrArray *helpers, Job *job, GError **error);
/* The definition has gone: so does the TPM's state, unless it is to outlive it, which @def says, or @keep. */
void tpm_forget (const DomainDef *def, const Settings *settings, gboolean keep);
/* Where it is when it goes with the definition; NULL: there is none, or it outlives it. (transfer full) */
char *tpm_own_state (const DomainDef *def, const Settings *settings);
/* Is there any? */
gboolean tpm_has_state (const Settings *settings, const char *uuid);
