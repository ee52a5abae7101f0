/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/devices/hostdev.h"

#include "domain/report.h"

/* The DeviceKind's validate. */
void hostdev_validate (Validation *validation, const Device *device);
