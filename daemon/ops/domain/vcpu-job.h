/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine-devices.h"

#define VCPU_UNPLUG_SECONDS 5 /* a guest has to let go of a processor, as in libvirt */

/* Plug in the vCPUs of @numbers (guint; taken), or take them out, one after the other: what has been done
 * stays done when a later one fails. The live definition follows each. Main loop. */
Job *vcpu_job_start (Machine *machine, GArray *numbers, gboolean plug, JobDone done, gpointer data);
