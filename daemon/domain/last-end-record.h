/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/last-end.h"

/* Main loop only. */

/* The machine has ended: written down before this returns, completed a little later. Takes @end. */
void last_end_record (const Settings *settings, const char *uuid, const char *name, LastEnd *end);
/* It never came to be. */
void last_end_record_failed_start (const Settings *settings, const char *uuid, const char *name,
                                   const GError *error);
/* It ended while no daemon ran; @status is what the last one knew. */
void last_end_record_unseen (const Settings *settings, const MachineStatus *status);
