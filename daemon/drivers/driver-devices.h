/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/drivers/driver.h"
#include "daemon/drivers/qemu/adopt.h"

/*
 * Devices of a running machine whose driver is not QEMU's, as drivers/qemu/attach.h has them for QEMU's:
 * conversations of a job's thread, each of which does all it says or leaves the machine as it was. Where the
 * driver has no such function, that is said by the hypervisor's name.
 */

/* Could @device be attached, or detached? */
gboolean driver_can_plug (const Driver *driver, const Device *device, GError **error);

/* Plug in @device, a device of @def, the live definition with the device in it, with its alias; nobody else
 * has @def yet. @text: its XML as the client gave it. */
gboolean driver_attach (const DriverMachine *machine, const Hotplug *plug, Job *job, DomainDef *def,
                        Device *device, const char *text, GError **error);
/* Ask for the device to be taken out, and wait until the guest has let go of it. */
gboolean driver_detach (const DriverMachine *machine, Job *job, const Device *device, GError **error);
/* It is gone: take away what was behind it. @def: the live definition with @device still in it. */
void driver_release (const DriverMachine *machine, const Hotplug *plug, Job *job, const DomainDef *def,
                     const Device *device);

/* What became of the devices that were on their way when the last daemon ended: see adopt_devices. */
gboolean driver_adopt_devices (const DriverMachine *machine, const Hotplug *plug, const Platform *platform,
                               Job *job, AdoptedMachine *adopted, GError **error);
