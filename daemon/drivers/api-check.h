/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/start-check.h"

/* What a start looks at before it makes anything, for hypervisors of api-machine.h. */

/* Where its program is. (transfer full) */
char *api_program_find (const DomainDef *def, GError **error);
/* The files that the hypervisor opens itself, as @account. With @findings all that it cannot open are added
 * there; without, the first is @error. FALSE: there are some. */
gboolean api_files_check (const Driver *driver, const Account *account, const DomainDef *def,
                          GPtrArray *findings, GError **error);

/* A Driver's `check`. */
void api_machine_check (const Driver *driver, Job *job, const StartRequest *request, GPtrArray *findings);
