/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/host/cgroup.h"
#include "daemon/ops/ops.h"

/*
 * What the operations about a machine's share of its host have in common.
 */

/* @live with the definition of the running machine, or @config with that which is stored (or of a machine
 * that is shut off), as @flags ask; @known: the flags the call may have. */
void call_live_or_config (Call *call, guint flags, guint known, DefinitionThen live, DefinitionThen config);
/* The running machine's control group. NULL, and the call failed in libvirt's words, when it has no such
 * controller. (transfer full) */
Cgroup *call_machine_cgroup (Call *call, CgroupController controller);
