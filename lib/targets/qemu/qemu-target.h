/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

extern const Target qemu_target;
