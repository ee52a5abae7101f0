/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The document of a domain's snapshot. Pure; immutable once made, shared by reference, any thread. */

typedef enum { /* in the order of the words */
               SNAPSHOT_WHERE_NONE,
               SNAPSHOT_WHERE_NO,
               SNAPSHOT_WHERE_INTERNAL,
               SNAPSHOT_WHERE_EXTERNAL,
               SNAPSHOT_WHERE_MANUAL
} SnapshotWhere;

typedef struct {
  char *name; /* the disk's target, or its path */
  int where;  /* SnapshotWhere */
  int type;   /* of the new source: 0 not said, file, block, network */
  char *driver_type;
  Number cache_size; /* of the image's metadata */
  char *cache_unit;  /* NULL: bytes */
  gboolean has_cache, deleting;
  char *source; /* the element, as a disk has it */
} SnapshotDisk;

typedef struct {
  char *name, *description, *parent;
  int state;      /* of the domain at that time */
  Number created; /* seconds since 1970 */
  int memory;     /* SnapshotWhere */
  char *memory_file;
  GPtrArray *disks, *revert_disks; /* SnapshotDisk; NULL: none */
  gboolean has_disks, has_revert_disks;
  char *domain, *inactive_domain; /* the elements; a new one may have the UUID alone */
  char *cookie;
  Number active; /* 0, 1 */
  gint ref_count;
} SnapshotDef;

extern const DocumentKind snapshot_document;
