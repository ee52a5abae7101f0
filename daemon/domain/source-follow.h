/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/domain/domain.h"
#include "domain/devices/disk.h"

/*
 * A disk of a running machine is about to have another image, or has one: the stored definition, in which the
 * disk still has the old one, is made to name it, so that the next start finds what the guest has written.
 * The user's text changes in that disk only. Main loop only; the caller holds the domain's lock.
 */
/* Told once; @error: the definition is as it was. @domain is NULL when it has gone meanwhile. */
typedef void (*SourceFollowed) (Domain *domain, const GError *error, gpointer data);

/* @before: the disk as the running machine has it; a disk of the stored definition that has another source is
 * somebody else's change, and stays. @after: as it will be; both are copied. A domain without a stored
 * definition has nothing to change. */
void source_follow (Domain *domain, const DeviceDisk *before, const DeviceDisk *after, SourceFollowed then,
                    gpointer data);
