/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The document of a backup job. Pure; immutable once made, shared by reference, any thread. */

typedef enum { BACKUP_MODE_NONE, BACKUP_PUSH, BACKUP_PULL } BackupMode;
typedef enum { BACKUP_STORE_NONE, BACKUP_STORE_FILE, BACKUP_STORE_BLOCK } BackupStoreType;
typedef enum { BACKUP_DISK_MODE_NONE, BACKUP_FULL, BACKUP_INCREMENTAL } BackupDiskMode;
typedef enum {
  BACKUP_TRANSPORT_NONE,
  BACKUP_TRANSPORT_TCP,
  BACKUP_TRANSPORT_UNIX,
  BACKUP_TRANSPORT_FD
} BackupTransport;

/* A file or device that is written to: the target of a push, the scratch space of a pull. */
typedef struct {
  char *file, *device;
  GPtrArray *seclabels; /* the elements; NULL: none */
  char *encryption;     /* the element; NULL: none */
} BackupStore;

typedef struct {
  char *name; /* the disk's target */
  int backup; /* Tristate: no leaves it out */
  int type;   /* BackupStoreType */
  int mode;   /* BackupDiskMode */
  char *incremental;
  char *export_name, *export_bitmap; /* of the NBD export */
  Number index;                      /* live only: of the store's block node */
  char *driver_type;
  BackupStore *target, *scratch; /* NULL: chosen */
} BackupDisk;

typedef struct {
  int tls;       /* Tristate */
  int transport; /* BackupTransport */
  char *name, *socket, *fdgroup;
  Number port;
} BackupServer;

typedef struct {
  int mode;             /* BackupMode */
  char *incremental;    /* the checkpoint since which; NULL: all */
  BackupServer *server; /* of a pull */
  GPtrArray *disks;     /* BackupDisk; NULL: none are said, so all */
  gint ref_count;
} BackupDef;

extern const DocumentKind backup_document;

/* Only before it is shared. */
BackupDisk *backup_def_add_disk (BackupDef *def, const char *name);
BackupStore *backup_store_new (void);
/* The one of that target; NULL: none. */
BackupDisk *backup_def_find_disk (const BackupDef *def, const char *name);
/* What is written to: the target of a push, the scratch space of a pull. */
BackupStore **backup_disk_store (const BackupDef *def, BackupDisk *disk);
/* Its file or device; NULL: none is said. (borrowed) */
const char *backup_store_path (const BackupDisk *disk, const BackupStore *store);
