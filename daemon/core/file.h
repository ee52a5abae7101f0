/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/virt-error.h"

/*
 * One file written in two halves: prepared (written aside and fsynced: everything that can fail for lack of
 * space has happened) and then committed (renamed over the old one, directory fsynced) or thrown away.
 * A prepared file that is freed without a commit is removed.
 */
typedef struct PreparedFile PreparedFile;

/* @durable: fsynced now and its directory at the commit; otherwise the file only outlives the daemon, not the
 * host. */
PreparedFile *prepared_file_new (const char *path, const char *text, gssize length, int mode,
                                 gboolean durable, GError **error);
/* FALSE: the old file is there as it was, or none if there was none. */
gboolean prepared_file_commit (PreparedFile *file, GError **error);
void prepared_file_free (PreparedFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PreparedFile, prepared_file_free)

/* Begins the name of everything written aside: what a crash left of it is removed at the next start. */
#define STORE_ASIDE_PREFIX ".aside-"
/* Remove what writers that were cut short have left in @directory (NULL: nothing), at a start. */
void store_remove_temporary (const char *directory);

/* Write @text to @path in one go. On the disk when it returns TRUE; FALSE: what was there still is. */
gboolean store_write_file (const char *path, const char *text, gssize length, int mode, GError **error);
/* The first @offset bytes of @path, which is made where it is not there, and @text behind them. On the disk
 * when it returns TRUE; FALSE: the first bytes still are, and what is behind them may not be whole. */
gboolean
store_append_file (const char *path, gsize offset, const char *text, gssize length, int mode, GError **error);

gboolean store_sync_directory (const char *directory, GError **error);
/* The whole file, at most @limit bytes. */
char *store_read_file (const char *path, gsize limit, gsize *ret_length, GError **error);
gboolean store_make_directory (const char *path, int mode, GError **error);
/* Another name for @from, in its directory or another one of its file system. Both are fsynced; FALSE: it has
 * its old name. */
gboolean store_rename_file (const char *from, const char *to, GError **error);
/* Remove @path; TRUE when it was not there. The directory is fsynced; FALSE: the file is there still. */
gboolean store_remove_file (const char *path, GError **error);
/* VIR_ERR_SYSTEM_ERROR "cannot WHAT 'PATH': REASON", from errno. */
void store_system_error (GError **error, int number, const char *what, const char *path);

/* A name as a file name and back: '/', '%', control characters and a leading '.' become %XX. */
char *store_encode_name (const char *name);
char *store_decode_name (const char *encoded); /* NULL when it is no encoded name */
