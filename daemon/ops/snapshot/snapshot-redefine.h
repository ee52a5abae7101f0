/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/* The call, of VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE, has the domain's lock. */
void snapshot_redefine (Domain *domain, Call *call);
