/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/difference.h"
#include "domain/domain-def.h"

/* Say of each difference of two completed definitions when it could take effect: in a running machine, with
 * its next start, or with another machine for the guest. What an update of a device takes and what the guest
 * can see is asked of the same tables. Pure; any thread. */
void domain_differences_judge (GPtrArray *differences, const DomainDef *before, const DomainDef *after);
