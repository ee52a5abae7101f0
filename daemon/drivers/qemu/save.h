/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/progress.h"
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/qmp.h"
#include "domain/domain-def.h"

/*
 * A running machine into a file. When the job succeeds the file stands there, whole and on the disk, and
 * QEMU's CPUs are stopped: whoever commits this ends the process. When it fails there is no file, and the
 * CPUs run again if they did.
 */
typedef struct {
  Qmp *qmp;
  char *path;
  char *id;            /* of this save, in the image and in the machine's status: see save-image.h */
  DomainDef *def;      /* what the image will say of the machine */
  gboolean managed;    /* the directory of @path is made where it is not there */
  gboolean running;    /* its CPUs run, and are stopped by the job */
  gboolean run_again;  /* what the image says of its restoring */
  gboolean drop_cache; /* leave nothing of the file in the host's cache */
  Progress *progress;
  guint patience; /* seconds for each answer of QEMU's */
} SaveRequest;

/* @qmp, @def and @progress are referenced; a random id is chosen. The rest is set by the caller. */
SaveRequest *
save_request_new (Qmp *qmp, const char *path, DomainDef *def, Progress *progress, guint patience);
void save_request_free (gpointer request);

/* Where the managed save of a domain is, whether there is one or not. (transfer full) */
char *managed_save_path (const Settings *settings, const char *uuid);
/* Any thread. It need not be there. */
gboolean managed_save_remove (const char *path, GError **error);
/* Any thread. For the while in which its definition is removed the image has another name; then it is put
 * back, or forgotten. One that is not there is no error. */
gboolean managed_save_set_apart (const char *path, GError **error);
void managed_save_put_back (const char *path);
void managed_save_remove_apart (const char *path);
/* At the start: what a crash left aside is put back where @is_defined, and forgotten where not. */
void managed_save_recover (const Settings *settings, gboolean (*is_defined) (const char *uuid, gpointer data),
                           gpointer data);
/* UUIDs of those that have one. (transfer full) */
GPtrArray *managed_save_list (const Settings *settings);

gpointer save_job (Job *job, gpointer request, GError **error); /* JOB_OK */
