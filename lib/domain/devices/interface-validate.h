/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/interface.h"

#include "domain/report.h"

/* The DeviceKind's validate. */
void interface_validate (Validation *validation, const Device *device);
