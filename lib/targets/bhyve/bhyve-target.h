/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* bhyve, FreeBSD's hypervisor: its command lines out and in. It cannot be run here. */
extern const Target bhyve_target;
