/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "domain/domain-def.h"
#include "snapshot/checkpoint-document.h"

/*
 * What a client's document of a checkpoint leaves open, and what it may not say. Pure; before it is shared.
 * FALSE with an error in libvirt's words.
 */

/* A client's document, read strictly; NULL with @error. */
CheckpointDef *checkpoint_read (const char *text, GError **error);

/* A new one: its name, its time (@now: seconds since 1970), each of the domain's disks with what becomes of
 * it, and the domain as it is. */
gboolean checkpoint_complete (CheckpointDef *def, const DomainDef *domain, gint64 now, GError **error);
/* One that a client gives back: everything must be said. The definition inside, where it has one, is of the
 * same domain, and says which disks there were; otherwise @domain becomes it. */
gboolean checkpoint_complete_redefined (CheckpointDef *def, const DomainDef *domain, const Platform *platform,
                                        GError **error);
/* Can the formats of the disks hold bitmaps? */
gboolean checkpoint_check_formats (const CheckpointDef *def, const DomainDef *domain, GError **error);
/* May the definition have secrets? FALSE is certain. */
gboolean checkpoint_has_secrets (const CheckpointDef *def);
/* The same without the definition, or with it for those who may see no secrets. NULL with @error. (transfer
 * full) */
CheckpointDef *checkpoint_without_domain (const CheckpointDef *def);
CheckpointDef *
checkpoint_without_secrets (const CheckpointDef *def, const Platform *platform, GError **error);
