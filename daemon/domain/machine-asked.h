/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"

/* Its end was asked for, by @call; or, where that is NULL, by a part of the daemon: @what says which. Written
 * down at once, as the daemon may be killed before the machine is. Main loop only. */
void machine_note_asked (Machine *machine, const Call *call, const char *what);
