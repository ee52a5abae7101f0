/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/network/network-input.h"

/*
 * Machines' names for the host itself: files that libvirt's modules of the name service read, in the
 * directory that the setting lease-directory names. "BRIDGE.status" has the leases, by which the module
 * "libvirt" knows a machine by the name it gave itself; "BRIDGE.macs" has the MAC addresses of each machine,
 * by which "libvirt_guest" knows it by ours. What cannot be written is said in the log. Jobs' threads.
 */

/* The network runs: @status gets the file whose changes are of interest, where any is. */
void network_names_begin (const NetworkInput *input, NetworkStatus *status);
void network_names_write (const NetworkInput *input);
/* @bridge NULL: it had none. */
void network_names_remove (const Settings *settings, const char *bridge);
