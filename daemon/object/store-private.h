/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/object.h"
#include "daemon/object/store-history.h"
#include "daemon/object/store-index.h"
#include "daemon/object/store.h"

/* What the store's own files share. */
struct Store {
  const ObjectKind *kind;
  char *documents;    /* the users' documents, NAME.xml */
  char *autostart[2]; /* by StoreAutostart: links to those that start with the daemon; NULL: the kind has none
                       */
  char *completed;    /* UUID.xml and the index */
  char *machines;     /* the running machines' UUID/ */
  guint history_revisions; /* kept of each definition */
  StoreIndex *index;
};

/* The name and UUID a document says it has. Its UUID may be missing (*@ret_uuid NULL); of a kind without
 * names, the name is the UUID, or missing. FALSE when it is no well-formed document of the kind with what it
 * needs. */
gboolean store_identify (const ObjectKind *kind, const char *text, const char *path, char **ret_name,
                         char **ret_uuid, GError **error);

#define STORE_NEXT_SUFFIX    ".next.xml" /* a completed text whose document is not written yet */
#define STORE_LEAVING_SUFFIX ".leaving"  /* the name that a definition is about to lose */

#define STORE_APPLIED_SUFFIX ".applied" /* where it was applied from */

/* "DIRECTORY/NAME" and @suffix. (transfer full) */
char *store_path_in (const char *directory, const char *name, const char *suffix);
char *store_autostart_path (Store *store, const char *name, StoreAutostart which);
/* The first line of a completed text made from @source. (transfer full) */
char *store_completed_header (const char *source);
/* The checksum of the document that the completed @text was made from; NULL: it does not say. (transfer full)
 */
char *store_completed_sum (const char *text);
/* The document @source is about to be that of the definition: on the disk when this returns, and of no
 * account until it is. Nothing to do where the last one is the same. */
gboolean store_add_revision (Store *store, const char *uuid, const char *name, const char *source,
                             const Author *author, GError **error);
/* The steps of store_commit, each of which may be taken for many before the next one. */
gboolean store_commit_completed (StoreEdit *edit, GError **error);
gboolean store_commit_source (StoreEdit *edit, GError **error);
void store_finish_commit (StoreEdit *edit);
gboolean store_forget_marks (Store *store, const char *name, GError **error);
/* daemon/object/store-applied.c: as it is kept. (transfer full) */
char *store_applied_text (const char *source, const char *file);
gboolean store_remove_links (Store *store, const char *name, GError **error);
/* Mark @new_name for autostart as @old_name is. */
gboolean store_copy_links (Store *store, const char *old_name, const char *new_name, GError **error);
