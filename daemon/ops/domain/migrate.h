/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/ops/domain/migrate-source.h"

/* The whole migration of @source, from peer to peer: answers its call. */
void migrate_peer (MigrateSource *source);
/* A machine was sent to a peer, and whether it was taken is not known: the peer is asked until it says so.
 * The domain's lock is the migration's. */
void migrate_resolve (Domain *domain);
