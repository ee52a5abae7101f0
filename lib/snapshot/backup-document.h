/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "document/document-kind.h"

/* The document of a backup job. Pure; immutable once made, shared by reference, any thread. */

/* A file or device that is written to: the target of a push, the scratch space of a pull. */
typedef struct {
  char *file, *device;
  GPtrArray *seclabels; /* the elements; NULL: none */
  char *encryption;     /* the element; NULL: none */
} BackupStore;

typedef struct {
  char *name; /* the disk's target */
  int backup; /* Tristate: no leaves it out */
  int type;   /* of the store: 0 not said, file, block */
  int mode;   /* 0 not said, full, incremental */
  char *incremental;
  char *export_name, *export_bitmap; /* of the NBD export */
  char *driver_type;
  BackupStore *target, *scratch; /* NULL: chosen */
} BackupDisk;

typedef struct {
  int tls;       /* Tristate */
  int transport; /* 0 not said, tcp, unix, fd */
  char *name, *socket, *fdgroup;
  Number port;
} BackupServer;

typedef struct {
  int mode;             /* 0 not said, push, pull */
  char *incremental;    /* the checkpoint since which; NULL: all */
  BackupServer *server; /* of a pull */
  GPtrArray *disks;     /* BackupDisk; NULL: none are said, so all */
  gint ref_count;
} BackupDef;

extern const DocumentKind backup_document;
