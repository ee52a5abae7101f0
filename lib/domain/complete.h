/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/report.h"

/*
 * Completion: what the document left open is chosen as libvirt chooses it, for the guest is to see the
 * same hardware.
 *
 *   domain_complete    defaults, device defaults, implied devices, controllers, addresses: one pass in
 *                      libvirt's order; called once on a freshly read definition
 *   domain_validate    what only a whole, completed definition shows: clashes, impossible combinations
 */
/* Add a device the document did not have; owned by the definition. */
Device *completion_add (Completion *completion, const DeviceKind *kind);

void domain_complete (Completion *completion);
void domain_validate (Validation *validation);
/* The part of domain_validate that compares what devices say and not what they are: of a definition that was
 * not understood in full, it is asked with all devices still there. */
void domain_validate_shared (Validation *validation);

/* The passes of domain_complete that have files of their own. */
void
complete_implied_devices (Completion *completion);  /* domain/pc/implied.c: console, input, memballoon... */
void complete_controllers (Completion *completion); /* domain/pc/controllers.c: those the devices need */
/* The same: those of the host's SCSI devices, which have their places by then. They come before all others
 * that are added, and before controllers without an index get one. */
void complete_hostdev_controllers (Completion *completion);
void complete_addresses (Completion *completion); /* domain/pc/address-assign.c and one file a bus */
