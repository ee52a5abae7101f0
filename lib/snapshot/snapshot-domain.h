/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"
#include "snapshot/snapshot-document.h"

/* The domain's definitions inside of a snapshot: what it was, and (while it ran) what it would have been
 * after its next start. They are kept as texts with their secrets. Pure. */

/* @inactive NULL: there is none. Before @def is shared. */
void snapshot_set_domain (SnapshotDef *def, const DomainDef *domain, const DomainDef *inactive);
/* NULL with @error: it has none, or it cannot be read. (transfer full) */
DomainDef *snapshot_read_domain (const SnapshotDef *def, const Platform *platform, GError **error);
/* What it would have been; where nothing else was, NULL without an error. */
DomainDef *snapshot_read_inactive (const SnapshotDef *def, const Platform *platform, GError **error);
/* A definition as these texts are: in the form of base/xml-writer, whatever is in it. (transfer full) */
char *snapshot_domain_text (const DomainDef *domain, guint flags);
/* May any of the definitions have secrets? FALSE is certain, and then it is the same for everybody. */
gboolean snapshot_has_secrets (const SnapshotDef *def);
/* For those who may not see secrets. (transfer full) */
SnapshotDef *snapshot_without_secrets (const SnapshotDef *def, const Platform *platform, GError **error);
/* Does it hold a definition, and not the UUID of a domain alone? */
gboolean snapshot_has_domain (const SnapshotDef *def);
