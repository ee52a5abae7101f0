/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * What a definition was before: every document that was accepted, byte for byte, with when, by whom and
 * through which call. The newest ones, as many as the setting says, are in one file beside the completed
 * definition. Any thread.
 */
typedef struct Store Store;

/* Who defines something. NULL stands for the daemon itself, which has found the document in its directory. */
typedef struct {
  gint64 uid;   /* -1: not known */
  char *client; /* "unix:17 (virsh)" */
  char *call;   /* "DOMAIN_DEFINE_XML_FLAGS" */
} Author;

Author *author_new (gint64 uid, const char *client, const char *call);
void author_free (Author *author);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Author, author_free)

typedef struct {
  guint number; /* from 1; of two that follow each other the documents differ */
  gint64 time;  /* microseconds since 1970 */
  gint64 uid;   /* -1: not known */
  char *client; /* "": the document was found in its directory */
  char *call;
  char *sum;    /* SHA-256 of the document, in hexadecimal digits */
  gsize offset; /* of the document in the file ... */
  gsize length; /* ... and its bytes */
} Revision;

#define HISTORY_SUFFIX         ".history"
#define HISTORY_TEXT_MAX_BYTES (16 * 1024 * 1024) /* of the documents of one object: the oldest go first */
/* Twice what is kept, with the lines between the documents of as many as the setting may say. */
#define HISTORY_FILE_MAX_BYTES (2 * HISTORY_TEXT_MAX_BYTES + 64 * 1024 * 1024)

/* Revision, the oldest first, of what is kept of the object; empty where nothing is. */
GPtrArray *store_list_revisions (Store *store, const char *uuid, const char *name, GError **error);
/* The document of one of them; VIR_ERR_INVALID_ARG says which there are, VIR_ERR_OPERATION_FAILED that it is
 * damaged on the disk. (transfer full) */
char *store_load_revision (Store *store, const char *uuid, const char *name, guint number, GError **error);
