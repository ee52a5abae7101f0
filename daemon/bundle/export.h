/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/qmp.h"
#include "daemon/object/store.h"
#include "domain/domain-def.h"

/*
 * A machine into a stream of a client's, as one archive. A machine that runs stands still from before its
 * first byte is read until the last one is written, and then runs on, whatever became of the archive.
 */
typedef enum {
  EXPORT_MEMORY = 1 << 0,  /* what it has in memory: a managed save, or what runs */
  EXPORT_FLATTEN = 1 << 1, /* disks without those below them */
  EXPORT_OVA = 1 << 2,     /* an OVA, of the disks alone */
} ExportFlags;
#define EXPORT_KNOWN_FLAGS (EXPORT_MEMORY | EXPORT_FLATTEN | EXPORT_OVA)

typedef struct {
  const Settings *settings;
  guint flags;
  int archive;        /* where it goes; -1 once the job has it */
  int signer;         /* a socket: it is given the manifest, and answers with a signature; or -1 */
  DomainDef *def;     /* the definition of the next start */
  Store *store;       /* where the user's document of it is; NULL: it has none */
  DomainDef *live;    /* of the machine that runs; NULL: none does */
  Qmp *qmp;           /* of that one */
  gboolean running;   /* its CPUs run, and are stopped by the job */
  char *managed_save; /* there is one, and it is wanted; or NULL */
  Progress *progress;
  guint patience; /* seconds for each answer of QEMU's, and of who signs */
  gpointer user_data;
  GPtrArray *notes; /* char *: what stays behind; set by the job */
} ExportRequest;

void export_request_free (gpointer request);
gpointer export_job (Job *job, gpointer request, GError **error); /* JOB_OK */
