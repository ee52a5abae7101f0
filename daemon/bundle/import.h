/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bundle/import-plan.h"
#include "daemon/core/progress.h"
#include "daemon/domain/import-journal.h"
#include "daemon/domain/manager.h"

/*
 * A machine out of a stream of a client's. The job reads the archive to its end and writes its files beside
 * the places they are for; whoever commits the journal makes them the machine's.
 */
typedef enum {
  IMPORT_CHECK = 1 << 0,        /* only say what would be */
  IMPORT_NEW_IDENTITY = 1 << 1, /* another UUID and other MAC addresses */
  IMPORT_FORCE = 1 << 2,        /* also where the machine would not start here */
} ImportFlags;
#define IMPORT_KNOWN_FLAGS (IMPORT_CHECK | IMPORT_NEW_IDENTITY | IMPORT_FORCE)

/* What an import found. */
typedef struct {
  const char *kind; /* "change", "problem" (it would not start), "refused" (it cannot be restored) */
  char *text;
} ImportFinding;

typedef struct {
  Manager *manager; /* its settings, store, platform and capabilities outlive every job */
  guint flags;
  int archive;     /* where it comes from; -1 once the job has it */
  int verifier;    /* a socket: it is given manifest and signature, and answers; or -1 */
  char *directory; /* of images; NULL: the daemon's own */
  char *name;      /* the machine's new one, or NULL */
  GStrv maps;
  Author *author; /* of the definition; NULL once the journal has it */
  Progress *progress;
  guint patience; /* seconds that who verifies has */
  /* Found by the job. */
  GPtrArray *findings; /* ImportFinding */
  BundleHead *head;
  ImportPlan *plan;
  char *completed;        /* the document of the plan's definition */
  ImportJournal *journal; /* to be committed */
  GPtrArray *snapshots;   /* SnapshotDef, owned: on disk in the journal */
  char *snapshot;         /* the name of the current one, or NULL */
  gboolean has_memory;
} ImportRequest;

void import_request_free (gpointer request);
gpointer import_job (Job *job, gpointer request, GError **error); /* JOB_OK */
