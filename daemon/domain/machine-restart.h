/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"

/* MACHINE_RESTART: reset a machine that has shut down, and let it run. One that does not come up again is
 * ended. In the main loop. */
void machine_restart (Machine *machine);
