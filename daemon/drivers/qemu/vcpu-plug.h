/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"

/*
 * vCPUs as devices of a running QEMU, named "vcpuN". Conversations of a job's thread.
 */

/* At a start, before the guest's first instruction: all that the definition has as devices, in their order.
 * In @def each gets its place in that order. */
gboolean vcpus_plug_all (DomainDef *def, Qmp *qmp, Job *job, GError **error);
gboolean vcpu_plug (guint number, Qmp *qmp, Job *job, GError **error);
/* Ask for it to be taken out; the guest takes its time, and QEMU tells by DEVICE_DELETED. */
gboolean vcpu_unplug_request (guint number, Qmp *qmp, Job *job, GError **error);
