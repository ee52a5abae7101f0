/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"

/* Machines that Firecracker runs. */
extern const Driver firecracker_driver;
