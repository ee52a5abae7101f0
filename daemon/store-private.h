/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/store-index.h"
#include "daemon/store.h"

/* What the store's own files share. */
struct Store {
  char *documents;    /* the users' documents, NAME.xml */
  char *autostart[2]; /* by StoreAutostart: links to those that start with the daemon */
  char *completed;    /* UUID.xml and the index */
  char *machines;     /* the running machines' UUID/ */
  StoreIndex *index;
};

/* The name and UUID a document says it has; its UUID may be missing (*@ret_uuid NULL). FALSE when it is no
 * well-formed domain document with a name. */
gboolean
store_identify (const char *text, const char *path, char **ret_name, char **ret_uuid, GError **error);
