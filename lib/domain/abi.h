/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * A document for a machine that was saved says of its processor what a definition says; what the guest got is
 * more, and is in the saved machine's. Where the one asks for nothing that the other does not give, @def gets
 * what @saved has; elsewhere it stays as it is, and domain_abi_check finds the difference.
 */
void domain_abi_keep_processor (DomainDef *def, const DomainDef *saved);
/* @def, which has a <cpu>, gets the model and the features of @processor; its topology, caches and nodes
 * stay. */
void domain_abi_take_processor (DomainDef *def, const DomainCpu *processor);

/*
 * Whether a guest that runs on one definition could go on on another: both completed, what the guest can see
 * is the same. Where the host keeps disks and sockets may differ. VIR_ERR_CONFIG_UNSUPPORTED names the first
 * difference.
 */
gboolean domain_abi_check (const DomainDef *from, const DomainDef *to, GError **error);
