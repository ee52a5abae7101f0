/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/job.h"
#include "daemon/core/settings.h"
#include "daemon/host/account.h"
#include "daemon/host/files.h"
#include "domain/devices/interface.h"
#include "domain/domain-def.h"

/*
 * The host's ends of a machine's network cards: made before QEMU gets their descriptors, changed while it
 * runs, and taken away when the card or the machine is gone. Jobs' threads, but for what says otherwise.
 */
typedef struct {
  Job *job;
  const DomainDef *def; /* whose interfaces they are */
  const Settings *settings;
  const char *run_directory; /* of the machine */
  const Account *account;    /* of the machine's helpers */
  GPtrArray
      *helpers; /* Helper: those that are started are added; on an error they are the caller's to stop */
} InterfacePlace;

/* Make the end of @interface, an interface of the definition that becomes the live one, with its alias: what
 * is chosen (the name on the host) is set in it. Its descriptors are offered to @files. On an error nothing
 * is left. */
gboolean
interface_open (const InterfacePlace *place, DeviceInterface *interface, Files *files, GError **error);
/* Of all interfaces of @def. */
gboolean interfaces_open (const InterfacePlace *place, DomainDef *def, Files *files, GError **error);

/* For a hypervisor that opens its taps by name and with its account's rights: those of @def, which
 * interfaces_open has just made with descriptors in @files, stay when these are closed. They go with the
 * interface or the machine, and what a daemon that was killed left is found as other links are. */
gboolean
interfaces_keep_taps (const InterfacePlace *place, DomainDef *def, const Files *files, GError **error);

/* Take away what does not go with its last descriptor. What is gone already is no error; what fails is
 * logged. */
void interface_close (const Settings *settings, const DomainDef *def, const DeviceInterface *interface);
/* Main loop: of all interfaces of a machine that has ended, in a thread of their own. */
void interfaces_close_later (const Settings *settings, DomainDef *def);

/* Link @name, the host's end of @interface of the machine of that UUID, becomes a port of the card's bridge,
 * with all that the card says of one. */
gboolean
interface_join_bridge (const char *name, const DeviceInterface *interface, const char *uuid, GError **error);
/* A running machine's: @updated's bridge, bandwidth, isolation and filter in place of @interface's. On an
 * error they are as they were. */
gboolean interface_change (const Settings *settings, const DomainDef *def, const DeviceInterface *interface,
                           const DeviceInterface *updated, GError **error);

/* A daemon before may have been killed at any point: macvtaps that are no running machine's go. @used:
 * (gpointer) names. */
void interfaces_remove_strays (const Settings *settings, GHashTable *used);
