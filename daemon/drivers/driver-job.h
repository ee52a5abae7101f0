/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/attach.h"

/*
 * What is asked of a running machine whose driver is not QEMU's, as jobs. Main loop only. All of them take
 * @machine.
 */
typedef gboolean (*DriverOrder) (const DriverMachine *machine, Job *job, GError **error);

/* One of its functions; @what is its name, static. NULL with @error: the driver has none. */
Job *driver_job_order (DriverMachine *machine, const char *what, DriverOrder order, guint seconds,
                       JobDone done, gpointer data, GError **error);
/* Ask one that was found again what it is doing; gives an AdoptedMachine (drivers/qemu/adopt.h). @starting:
 * its start was cut short. @state, @reason: as they were known. @plug is copied; what it names, and
 * @platform, outlive the job. */
Job *driver_job_adopt (DriverMachine *machine, const Hotplug *plug, const Platform *platform,
                       gboolean starting, int state, int reason, guint seconds, JobDone done, gpointer data);
