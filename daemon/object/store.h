/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/core/settings.h"
#include "daemon/object/store-history.h"

/*
 * What is on disk of one kind of object: the users' documents, the completed definitions, autostart links,
 * and of domains the running machines' state files. Everything is written aside, fsynced, renamed, and its
 * directory fsynced before the call returns. Any thread; callers serialize by object.
 */
typedef struct ObjectKind ObjectKind; /* daemon/object/object.h */

/* Makes the directories. */
Store *store_new (const ObjectKind *kind, const Settings *settings, GError **error);
/* What a crash left half done is finished or undone: before anything else is done with the store. It reads
 * documents, so it is a job's. */
void store_recover (Store *store);
void store_free (Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, store_free)

typedef struct {
  char *name, *uuid;
  gboolean autostart, autostart_once;
} StoreEntry;
void store_entry_free (StoreEntry *entry);
/* Everything defined, without reading more of each file than it takes to know its name and UUID (an index
 * kept beside them makes that one read; the files win when they disagree). Broken files are given to @broken,
 * and skipped. */
GPtrArray *store_list (Store *store, void (*broken) (const char *path, const GError *error, gpointer data),
                       gpointer data);

/*
 * Both texts of a definition. Both are written aside first; renaming the user's document over the old one is
 * the instant at which the new definition holds, so that a crash or a full disk leaves either the old or the
 * new one whole. The completed text remembers which document it was made from, and the history whose it is.
 * @author NULL: the document was found in its directory.
 */
gboolean store_save (Store *store, const char *uuid, const char *name, const char *source,
                     const char *completed, const Author *author, GError **error);
/* The same in two halves: after the first everything that can fail for the want of space has happened, and
 * nothing has changed. An edit that is freed without a commit leaves nothing that counts. */
typedef struct StoreEdit StoreEdit;
StoreEdit *store_prepare (Store *store, const char *uuid, const char *name, const char *source,
                          const char *completed, const Author *author, GError **error);
gboolean store_commit (StoreEdit *edit, GError **error);
void store_edit_free (StoreEdit *edit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoreEdit, store_edit_free)
/* Many definitions, whose syncs are shared. Of each that fails @error is set (transfer full), and it is as it
 * was, unless the disk itself failed. daemon/object/store-many.c */
typedef struct {
  const char *uuid, *name, *source, *completed;
  GError *error;
} StoreText;
void store_save_many (Store *store, StoreText *texts, guint count, const Author *author);
char *store_load_source (Store *store, const char *name, GError **error);
/* @ret_stale (may be NULL): the user's document is not the one this was made from; it was changed by hand.
 * NULL with the kind's error for what is missing when there is no completed text: the document was put there
 * by hand. */
char *
store_load_completed (Store *store, const char *uuid, const char *name, gboolean *ret_stale, GError **error);
/* The same definition under another name. */
gboolean store_rename (Store *store, const char *uuid, const char *old_name, const char *new_name,
                       const char *source, const char *completed, const Author *author, GError **error);
gboolean store_remove (Store *store, const char *uuid, const char *name, GError **error);
typedef enum {
  STORE_AUTOSTART,
  STORE_AUTOSTART_ONCE
} StoreAutostart; /* with every start of the host; with the next */
gboolean store_set_autostart (Store *store, const char *name, StoreAutostart which, gboolean autostart,
                              GError **error);

/* Running state: machines/UUID/status.json and the live definition live.xml. */
gboolean
store_save_status (Store *store, const char *uuid, const char *json, const char *live_xml, GError **error);
gboolean
store_load_status (Store *store, const char *uuid, char **ret_json, char **ret_live_xml, GError **error);
void store_remove_status (Store *store, const char *uuid);
/* Notes of what is done to a running machine, each written down before it is begun and removed when it is
 * done: what is found at a start says what is to be finished or undone. @kind is a static word, @name any
 * text; both together name the file. All of them go with the machine. */
gboolean store_save_record (Store *store, const char *uuid, const char *kind, const char *name,
                            const char *text, GError **error);
void store_remove_record (Store *store, const char *uuid, const char *kind, const char *name);
char *store_load_record (Store *store, const char *uuid, const char *kind, const char *name, GError **error);
GPtrArray *store_list_records (Store *store, const char *uuid, const char *kind); /* names; transfer full */
/* A device on its way into or out of a running machine, written down before the first step: the live
 * definition with the device in it. What is found at a start says what is to be finished or undone. */
gboolean
store_save_hotplug (Store *store, const char *uuid, const char *alias, const char *live_xml, GError **error);
void store_remove_hotplug (Store *store, const char *uuid, const char *alias);
char *store_load_hotplug (Store *store, const char *uuid, const char *alias, GError **error);
/* Aliases. (transfer full) */
GPtrArray *store_list_hotplug (Store *store, const char *uuid);
/* UUIDs with a status. (transfer full) */
GPtrArray *store_list_status (Store *store);
/* Of run directories in which a start was cut short, or an end. (transfer full) */
GPtrArray *store_list_without_status (Store *store);
char *store_run_directory (Store *store, const char *uuid); /* made on demand by start */

/* Where the user's document of that name is. (transfer full) */
char *store_source_path (Store *store, const char *name);
