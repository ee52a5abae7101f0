/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"
#include "snapshot/snapshot-document.h"

/* Which disks of a domain are part of a snapshot, and how. Before it is shared; pure. In libvirt's words. */

/* Its disks become those of @domain, in that order, each by its target and with its kind said. @where: what a
 * disk that says nothing becomes; @uniform: no other is taken where it is internal. */
gboolean snapshot_align_disks (SnapshotDef *def, const DomainDef *domain, SnapshotWhere where,
                               gboolean uniform, GError **error);
/* New images that have no name get one: the disk's, with the snapshot's instead of its suffix. */
gboolean snapshot_name_images (SnapshotDef *def, const DomainDef *domain, GError **error);
/* What is possible at all: kinds and formats that go together. @active: the machine runs; @disks_only: and
 * its memory is no part of it. */
gboolean snapshot_check_disks (const SnapshotDef *def, const DomainDef *domain, gboolean active,
                               gboolean disks_only, GError **error);
/* The disk of that target; NULL: it is no part of it. */
SnapshotDisk *snapshot_find_disk (const GPtrArray *disks, const char *target);
/* The images that disks of @domain get by an external snapshot take the place of theirs. @below: what they
 * had becomes the image below; otherwise it is found in the new image's header when it is opened. */
void snapshot_switch_disks (DomainDef *domain, const GPtrArray *disks, gboolean below);
/* Disks of @domain, the live definition in which external ones have their new images already, have those of
 * @before below them, with their nodes' numbers. */
void snapshot_put_below (DomainDef *domain, const DomainDef *before, const GPtrArray *disks);
