/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/secret-source.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/probe.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/helper/helper-set.h"
#include "daemon/object/store.h"
#include "domain/domain-def.h"

/*
 * Devices of a running QEMU: plugged in, taken out, changed. Conversations of a job's thread; each either
 * does all it says or leaves QEMU as it was. What becomes of the definitions is the caller's.
 */
typedef struct Hotplug {
  Qmp *qmp;
  const Settings *settings;
  Store *store;
  CapsCache *caps;
  HelperSet *helpers; /* the machine's; touched in the main loop only */
  SecretSource secrets;
} Hotplug;

/* Plug in @device, a device of @def, the live definition with the device in it, completed and with its alias;
 * nobody else has @def yet. What is chosen on the way (the image's number, a socket, a terminal) is set in
 * @device. */
gboolean attach_device (Job *job, const Hotplug *plug, DomainDef *def, Device *device, GError **error);
/* The live definition that is on disk has the device: the note of its attachment goes. */
void attach_published (const Hotplug *plug, const DomainDef *def, const Device *device);
/* A device that QEMU has, of an attachment that was cut short: the rest of what attach_device says. */
gboolean attach_finish (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, GError **error);

/* Ask for the device to be taken out; the guest takes its time, and QEMU tells by DEVICE_DELETED. */
gboolean detach_request (Job *job, const Hotplug *plug, const Device *device, GError **error);
/* The device is gone: take away what was behind it. @def is the live definition with @device still in it.
 * @partly: some of it may not be there, and nothing is said of that. */
gboolean detach_remove_backend (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device,
                                gboolean partly, GError **error);
/* Does QEMU get a device of that alias for it? Not for what is built in, or only configured. */
gboolean detach_has_peripheral (Job *job, const Hotplug *plug, const DomainDef *def, const Device *device);

/* What can change of a device while the guest uses it. @updated, a device of @def and otherwise like @device
 * of the definition before: put in its medium, set its link, tell its password. @force: also where the guest
 * has locked the tray. */
gboolean update_device (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
                        gboolean force, GError **error);
