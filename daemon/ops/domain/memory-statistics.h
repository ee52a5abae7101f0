/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/machine.h"
#include "domain/devices/memballoon.h"

/*
 * What a guest tells of its memory by its balloon, as often as the balloon's period says.
 */
/* The balloon that can be asked and told, or NULL. */
const DeviceMemballoon *find_balloon (const DomainDef *def);
/* For "qom-get" and "qom-set": a property of it, such as "guest-stats". */
JsonObject *balloon_property (const DeviceMemballoon *balloon, const char *property);

/* From an answer to "qom-get" of "guest-stats" (untrusted, may be NULL): each value the guest has told, in
 * libvirt's order. @tag: virDomainMemoryStatTags; @name: in statistics of all domains; KiB where it is a
 * size. */
void memory_statistics_each (JsonNode *answer,
                             void (*each) (int tag, const char *name, guint64 value, gpointer data),
                             gpointer data);
