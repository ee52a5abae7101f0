/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The document of a domain's checkpoint. Pure; immutable once made, shared by reference, any thread. */

typedef enum { CHECKPOINT_KIND_NONE, CHECKPOINT_NO, CHECKPOINT_BITMAP } CheckpointDiskKind;

typedef struct {
  char *name;     /* the disk's target, or its path */
  int checkpoint; /* CheckpointDiskKind */
  char *bitmap;   /* its name */
  Number size;    /* bytes that changed since, where a client asked */
} CheckpointDisk;

typedef struct {
  char *name, *description, *parent;
  Number created;   /* seconds since 1970 */
  GPtrArray *disks; /* CheckpointDisk; NULL: none are said, so all */
  char *domain;     /* the element: the definition of its time */
  gint ref_count;
} CheckpointDef;

extern const DocumentKind checkpoint_document;

/* Only before it is shared. Takes @disks (CheckpointDisk, without a function that frees them); NULL: none. */
void checkpoint_def_set_disks (CheckpointDef *def, GPtrArray *disks);
CheckpointDisk *checkpoint_disk_new (const char *name, int checkpoint);
/* The one of that target; NULL: none. */
CheckpointDisk *checkpoint_def_find_disk (const CheckpointDef *def, const char *name);
