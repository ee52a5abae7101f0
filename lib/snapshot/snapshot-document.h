/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"
#include "domain/devices/disk.h"

/* The document of a domain's snapshot. Pure; immutable once made, shared by reference, any thread. */

typedef enum { /* in the order of the words */
               SNAPSHOT_WHERE_NONE,
               SNAPSHOT_WHERE_NO,
               SNAPSHOT_WHERE_INTERNAL,
               SNAPSHOT_WHERE_EXTERNAL,
               SNAPSHOT_WHERE_MANUAL
} SnapshotWhere;

typedef enum { /* in the order of the words: virDomainState + 1, and one more */
               SNAPSHOT_STATE_NONE,
               SNAPSHOT_STATE_SHUTOFF = VIR_DOMAIN_SHUTOFF + 1,
               SNAPSHOT_STATE_DISKS = VIR_DOMAIN_PMSUSPENDED + 2 /* only the disks of a running machine */
} SnapshotState;

typedef struct {
  char *name; /* the disk's target, or its path */
  int where;  /* SnapshotWhere */
  /* The image in which the disk goes on after an external one. */
  int type; /* DiskType; none: a file, or nothing is said */
  char *driver_type;
  Number metadata_cache; /* bytes */
  char *file, *fdgroup, *dev;
  Number index; /* ignored */
  DiskSource source;
  gboolean deleting; /* its image is being merged into the one below */
} SnapshotDisk;

typedef struct {
  char *name, *description, *parent;
  int state;      /* SnapshotState, or another virDomainState + 1: of the domain at that time */
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
extern const EnumTable snapshot_wheres, snapshot_states;

/* For who makes a definition. (transfer full) */
SnapshotDisk *snapshot_disk_new (const char *name, int where);
SnapshotDisk *snapshot_disk_copy (const SnapshotDisk *disk);
/* A list (of SnapshotDisk, without a free function: they are the definition's) takes the place of another,
 * and says that its element is there. Takes @disks; NULL: none. */
void snapshot_def_set_disks (GPtrArray **list, gboolean *has, GPtrArray *disks);
/* The file or block device of an external one; NULL: another source, or none. */
const char *snapshot_disk_path (const SnapshotDisk *disk);
/* Is any disk, or the memory, kept outside of the disks' own images? */
gboolean snapshot_is_external (const SnapshotDef *def);
