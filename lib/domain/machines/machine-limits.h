/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/report.h"

/* A completed definition of a bare machine (MachineKind.is_bare): what it asks for and the machine cannot
 * have. */
void validate_machine (Validation *validation);
