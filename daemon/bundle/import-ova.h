/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/bundle-head.h"
#include "daemon/bundle/archive-reader.h"
#include "daemon/core/settings.h"
#include "domain/platform.h"

/* An OVA of whoever's, read in place of a bundle: its document becomes one of ours, and each VMDK a qcow2.
 * Job's thread. */
#define OVA_SUFFIX ".ovf"

typedef struct ImportOva ImportOva;

/* @reader: its first file, which ends so, is next. */
ImportOva *import_ova_new (ArchiveReader *reader, const char *name, guint64 size, GError **error);
void import_ova_free (ImportOva *ova);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImportOva, import_ova_free)

/* The document of the machine. (borrowed) */
const char *import_ova_document (ImportOva *ova, const Platform *platform);
/* What a bundle would say of it: the images only, in the order of the disks. (transfer full) */
BundleHead *import_ova_head (const ImportOva *ova, const char *name, const char *uuid);
/* The rest of the archive: each image is made at the part of its file of the head (NULL: the documents). */
gboolean import_ova_read (ImportOva *ova, const char *const *parts, const Settings *settings, GError **error);
