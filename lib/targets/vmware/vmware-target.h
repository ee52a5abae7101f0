/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* The .vmx of VMware's hypervisors. */
extern const Target vmware_target;
