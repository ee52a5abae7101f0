/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "snapshot/snapshot-document.h"

#include "domain/domain-def.h"

/*
 * What is done to the disks' images of a machine that does not run: by qemu-img, which is confined and gets
 * the images open. In a job's thread. Everything can be done again with the same result.
 */
typedef enum { SNAPSHOT_IMAGE_CREATE, SNAPSHOT_IMAGE_APPLY, SNAPSHOT_IMAGE_DELETE } SnapshotImageVerb;

/* An internal snapshot called @tag in each disk of @domain that @def keeps inside. */
gboolean snapshot_images (SnapshotImageVerb verb, const SnapshotDef *def, const DomainDef *domain,
                          const char *tag, GError **error);
/* A new image at @path, which must not be there, or be empty, or be a device, on top of @below. */
gboolean snapshot_image_make (const char *path, const char *format, const char *below,
                              const char *below_format, GError **error);
/* What is in the image at @path goes into the one below it, which its header names. */
gboolean snapshot_image_commit (const char *path, GError **error);
/* The header of the image at @path says that @below is below it; the data stay as they are. */
gboolean
snapshot_image_rebase (const char *path, const char *below, const char *below_format, GError **error);
