/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/call/call.h"

/*
 * Interfaces of the host as a kind of object: they are the kernel's, so nothing of them is remembered; what
 * is asked is asked anew, in a job. A handle has the name and the MAC address, of which a path on D-Bus has
 * the second alone. Main loop only.
 */
extern const ObjectKind host_interface_kind;

/* One change of the host's configuration at a time: @begin runs with the lock, which is given back when @call
 * is answered. @name is static. */
void interface_changes_lock (Call *call, const char *name, void (*begin) (Call *call));
