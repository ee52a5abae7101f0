/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The document of a domain's checkpoint. Pure; immutable once made, shared by reference, any thread. */

typedef struct {
  char *name;     /* the disk's target, or its path */
  int checkpoint; /* 0 not said, 1 no, 2 a bitmap */
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
