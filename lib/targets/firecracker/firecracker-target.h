/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "targets/target.h"

#include <json-glib/json-glib.h>

/*
 * Firecracker among the targets: the file that its --config-file reads, for its API of version 1.17. The
 * names in it are those of its API, by which the driver asks for the same things of a running machine.
 */
#define FIRECRACKER_PROGRAM     "firecracker"
#define FIRECRACKER_CONFIG_NAME "firecracker.json"
#define FIRECRACKER_API_SOCKET  "firecracker.sock" /* in the machine's run directory, like the next */
#define FIRECRACKER_VSOCK       "vsock.sock"
#define FIRECRACKER_MAX_VCPUS   32
#define FIRECRACKER_MAX_CMDLINE 2047 /* bytes */

extern const Target firecracker_target;

/* The devices in @object, its members by the names of the config. */
void firecracker_add_devices (JsonObject *object, const TargetRequest *request, TargetConfig *config,
                              TargetLosses *losses);
/* Does the kernel's command line leave it to us which disk has the root file system? */
gboolean firecracker_chooses_root (const DomainDef *def);
