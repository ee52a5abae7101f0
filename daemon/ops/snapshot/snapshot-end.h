/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"

/* The machine of the call's domain is ended for a snapshot's sake; @then is called once, when it is over or
 * (with
 * @error) is not in time. */
void snapshot_end_machine (Call *call, Machine *machine, void (*then) (gpointer data, const GError *error),
                           gpointer data);
