/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* xl.cfg, the config of Xen's `xl create`: PV, PVH and HVM guests. */
extern const Target xen_target;
