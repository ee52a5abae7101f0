/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

/* Hyper-V: a script of PowerShell that makes the machine on Windows. */
extern const Target hyperv_target;
