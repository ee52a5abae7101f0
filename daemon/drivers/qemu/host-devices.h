/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/host/account.h"
#include "daemon/host/files.h"
#include "domain/domain-def.h"

/*
 * Which machine has which device of the host. A device is taken before QEMU is told of it and given back when
 * the machine, or the device in it, is gone; two machines never have the same. What the host's driver had
 * before is written down below the run directory first, so that it gets it back whenever the daemon ends.
 */

/* Have @device, of the machine @def, for @account: refused by name when another machine has it, or the host
 * cannot give it away. Devices that are none of the host's are passed over. Job's thread. */
gboolean host_device_take (const Settings *settings, const DomainDef *def, const Device *device,
                           const Account *account, GError **error);
/* Could it be had, as things are now? Nothing is taken. Job's thread. */
gboolean
host_device_check (const Settings *settings, const DomainDef *def, const Device *device, GError **error);
/* It is gone from the machine. Job's thread. */
void host_device_give_back (const Settings *settings, const DomainDef *def, const Device *device);
/* All of @def's, or none. Job's thread. */
gboolean
host_devices_take (const Settings *settings, const DomainDef *def, const Account *account, GError **error);

/* What QEMU is passed for them of @def's besides files: descriptors of the kernel's SCSI targets. @host: as
 * in host-pci.h. */
gboolean host_devices_offer (const DomainDef *def, const char *host, Files *files, GError **error);

/* Main loop: the machine has ended; what it had goes back in a thread of its own. */
void host_devices_give_back_later (const Settings *settings, const char *uuid);
/* Main loop: a machine was found again, with what it has. */
void host_devices_hold (const DomainDef *def);
/* Main loop, once the running machines are known: a daemon before was killed, and what a machine had that
 * runs no more goes back. @running gives the name of the machine of that UUID, NULL when it does not run. */
typedef const char *(*RunningName) (const char *uuid, gpointer data);
void host_devices_recover (const Settings *settings, RunningName running, gpointer data);
