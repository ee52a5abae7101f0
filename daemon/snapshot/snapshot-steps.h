/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"
#include "daemon/snapshot/snapshot-intent.h"
#include "domain/domain-def.h"

/*
 * The steps of making a snapshot, going back to one and deleting one, as far as they are on disk; what a
 * running QEMU does is drivers/qemu/snapshot-live.h's. Each can be done again with the same result. In a
 * job's thread, by who has the domain's lock, or at a start before anybody has.
 */
typedef struct {
  const Settings *settings;
  Store *store;
  const Platform *platform;
  char *uuid, *domain; /* the domain's UUID and name */
  char *directory;     /* of its snapshots */
  Author *author;      /* who asked for it, for the history of definitions */
} SnapshotPlace;

SnapshotPlace *snapshot_place_new (const Settings *settings, Store *store, const Platform *platform,
                                   const char *uuid, const char *domain);
void snapshot_place_free (SnapshotPlace *place);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (SnapshotPlace, snapshot_place_free)

/* New images of @def that are files, and its memory's, into @intent: what is there already is refused, unless
 * @reuse, where it must be there. Nothing is made. */
gboolean snapshot_plan_files (SnapshotIntent *intent, const SnapshotDef *def, gboolean reuse, GError **error);
/* New images on top of those that @domain has. */
gboolean snapshot_make_images (const SnapshotDef *def, const DomainDef *domain, GError **error);

/* Everything stands there: the document, the current one, and the stored definition, which was @before and
 * becomes @after (both NULL: it stays). */
gboolean snapshot_finish (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
                          const DomainDef *before, DomainDef *after, GError **error);
/* Nothing of it is left. @domain: whose images have snapshots inside, where they are not QEMU's. */
void snapshot_undo (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
                    const DomainDef *domain);

/* Disks, firmware's variables and TPM become what they were. @domain: the definition of then. External ones
 * get new images, which are those of @def's <revertDisks>. */
gboolean snapshot_go_back (const SnapshotPlace *place, const SnapshotDef *def, const DomainDef *domain,
                           GError **error);

/* The stored definition's disks become those of @after: in the user's text, those elements and no others. */
gboolean snapshot_store_disks (const SnapshotPlace *place, const DomainDef *before, const DomainDef *after,
                               GError **error);
/* The whole definition becomes @after. */
gboolean snapshot_store_domain (const SnapshotPlace *place, const DomainDef *after, GError **error);
