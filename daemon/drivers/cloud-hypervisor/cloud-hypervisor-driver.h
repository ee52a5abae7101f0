/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"

/* Machines that Cloud Hypervisor runs. */
extern const Driver cloud_hypervisor_driver;
