/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"
#include "targets/qemu/caps.h"

/* The processor of a machine that is being started. Job's thread; FALSE has @error set. */

/* Before: <cpu> of @def becomes what this host and QEMU make of it, and the host is looked at where the
 * document asks for that. */
gboolean live_choose_cpu (DomainDef *def, const QemuCaps *caps, GError **error);

/* After, before the CPUs run: it says what the guest got; see cpu_update_live. @argv: its command line, where
 * another QEMU with the same words about its processor may have been asked already and may be believed for
 * this one; NULL: ask this one, and believe it for itself alone. */
gboolean
live_ask_cpu (DomainDef *def, QemuCaps *caps, const char *const *argv, Qmp *qmp, Job *job, GError **error);
