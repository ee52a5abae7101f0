/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "model/domain.h"

/*
 * Whether a guest that runs on one definition could go on on another: both completed, what the guest can see
 * is the same. Where the host keeps disks and sockets may differ. VIR_ERR_CONFIG_UNSUPPORTED names the first
 * difference.
 */
gboolean domain_abi_check (const DomainDef *from, const DomainDef *to, GError **error);
