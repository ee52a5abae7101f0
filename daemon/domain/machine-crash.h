/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"

/* <on_crash>coredump-…: the memory of the machine, whose guest has crashed, goes into a file of the settings'
 * directory; then its policy is obeyed. A machine that cannot be dumped stays as it is. Main loop only. */
void machine_dump_crashed (Machine *machine);

/* MACHINE_RESTART: reset a machine that has shut down, and let it run. One that does not come up again is
 * ended. In the main loop. */
void machine_restart (Machine *machine);
