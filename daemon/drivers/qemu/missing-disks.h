/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"

/*
 * Disks whose image need not be there (startupPolicy). As in libvirt, a drive without its image is empty,
 * another disk is left out, and clients are told of each.
 */
typedef struct {
  char *path, *alias;
  int reason; /* virConnectDomainEventDiskChangeReason */
} MissingDisk;

void missing_disk_free (gpointer data);

/* Take out of @def, whose aliases are given, what is not there and need not be, from the last disk to the
 * first.
 * @restored: a saved machine's, where the policy 'requisite' asks for no image. (transfer full) MissingDisk,
 * in this order. Blocking; a job's thread. */
GPtrArray *missing_disks_leave_out (DomainDef *def, gboolean restored);
