/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/bundle-head.h"
#include "daemon/core/settings.h"
#include "domain/domain-def.h"

/* What an export takes with a machine: each file of the head, opened or read. Job's thread. */
typedef struct {
  int fd; /* -1: it is @text */
  char *text;
  gsize length;
  GArray *stretches; /* Stretch: of the file */
  char *path;        /* for messages */
} ExportFile;

typedef struct {
  BundleHead *head;
  GPtrArray *files; /* ExportFile, as the head's */
  GPtrArray *notes; /* char *: what stays behind, for people */
} ExportFiles;

ExportFiles *export_files_new (const DomainDef *def, const char *creator);
void export_files_free (ExportFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ExportFiles, export_files_free)

/* A text; takes @text. */
BundleFile *
export_files_add_text (ExportFiles *files, BundleRole role, const char *name, char *text, gsize length);
/* An open file; takes @fd. Its size and holes are asked for when everything stands still. */
BundleFile *
export_files_add_file (ExportFiles *files, BundleRole role, const char *name, int fd, const char *path);
/* The images of the machine's disks, each with those below it, or (@flatten) as one of its own, which is made
 * in the state's directory; its kernel and what belongs to it. */
gboolean export_files_add_images (ExportFiles *files, const DomainDef *def, gboolean flatten,
                                  const Settings *settings, GError **error);
/* The firmware's variables and the TPM's state, where there are any. */
gboolean
export_files_add_state (ExportFiles *files, const DomainDef *def, const Settings *settings, GError **error);
/* What is noted of the machine's snapshots; what they hold is in its images. */
gboolean export_files_add_snapshots (ExportFiles *files, const DomainDef *def, gboolean flatten,
                                     const Settings *settings, GError **error);
/* The sizes of all of them, in the head. */
gboolean export_files_measure (ExportFiles *files, GError **error);
