/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/object/child.h"

/*
 * Children on disk: STATE/FOLDER/UUID/NAME.xml, with their secrets, mode 0600, and beside them "current" with
 * the name of the current one. Everything is written aside, fsynced and renamed, and is on the disk when a
 * function returns TRUE. What must happen together is its kind's to write down first. Any thread; callers
 * serialize by owner.
 */
#define CHILD_NAME_MAX 240                /* bytes of a name as a file's name, without what follows it */
#define CHILD_TEXT_MAX (16 * 1024 * 1024) /* bytes of one document */

/* Where those of the owner of that UUID are. (transfer full) */
char *child_store_directory (const ObjectKind *kind, const Settings *settings, const char *uuid);
/* Can it be a file's name? VIR_ERR_INVALID_ARG where it is too long. */
gboolean child_store_check_name (const ObjectKind *kind, const char *name, GError **error);

gboolean child_store_save (const ObjectKind *kind, const char *directory, gconstpointer def, GError **error);
gboolean child_store_remove (const char *directory, const char *name, GError **error);
/* NULL: there is none. */
gboolean child_store_set_current (const char *directory, const char *name, GError **error);

/* What is on disk of one owner. */
typedef struct {
  const ObjectKind *kind;
  char *uuid;
  GPtrArray *defs;     /* of the kind's document, owned */
  char *current;       /* or NULL */
  gboolean unfinished; /* see ChildKind.is_unfinished */
} ChildFamily;
void child_family_free (gpointer family);
/* A definition of that name as it is on disk; NULL with @error. (transfer full) */
gpointer child_store_load (const ObjectKind *kind, const char *directory, const char *name, GError **error);
/* At a start: of every owner. What cannot be read is said in the log, and stays. (ChildFamily, transfer full)
 */
GPtrArray *child_store_read_all (const ObjectKind *kind, const Settings *settings);
/* The same of one owner. (transfer full) */
ChildFamily *child_store_read (const ObjectKind *kind, const Settings *settings, const char *uuid);

/* For the while in which their owner's definition is removed its directory has another name; then it is put
 * back or removed. None there is no error. */
gboolean
child_store_set_apart (const ObjectKind *kind, const Settings *settings, const char *uuid, GError **error);
void child_store_put_back (const ObjectKind *kind, const Settings *settings, const char *uuid);
void child_store_remove_apart (const ObjectKind *kind, const Settings *settings, const char *uuid);
/* At a start, before anything is read: what a crash left apart is put back where @is_defined, and removed
 * where not. */
void child_store_recover (const ObjectKind *kind, const Settings *settings,
                          gboolean (*is_defined) (const char *uuid, gpointer data), gpointer data);
