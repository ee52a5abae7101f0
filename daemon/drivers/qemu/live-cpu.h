/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"
#include "targets/qemu/caps.h"

/* The processor of a machine that is being started. Job's thread; FALSE has @error set. */

/* Before: <cpu> of @def becomes what this host and QEMU make of it, and the host is looked at where the
 * document asks for that. */
gboolean live_choose_cpu (DomainDef *def, const QemuCaps *caps, GError **error);

/* After, before the CPUs run: it says what the guest got; see cpu_update_live. */
gboolean live_ask_cpu (DomainDef *def, const QemuCaps *caps, Qmp *qmp, Job *job, GError **error);
