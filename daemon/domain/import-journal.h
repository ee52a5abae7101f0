/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "daemon/object/store.h"
#include "domain/domain-def.h"

/*
 * What an import has made on this host, written down before it is made: parts of files beside the places they
 * are for, and a directory in the state with the documents and small files. Until it is committed all of it
 * goes away again with the journal; from then on it is finished, by this daemon or the next.
 */
typedef struct ImportJournal ImportJournal;

/* @uuid: the machine's, as it will be. @author, for its history, is taken. */
ImportJournal *
import_journal_new (const Settings *settings, const char *uuid, const char *name, Author *author);
/* The directory of small files, made on demand; the TPM's state is in its folder "tpm". (borrowed) */
const char *import_journal_directory (const ImportJournal *journal);
/* A file that will be at @target: where its part is to be written. (borrowed) */
const char *import_journal_add (ImportJournal *journal, const char *target);
/* Writes down what was added; nothing is made before this. */
gboolean import_journal_begin (ImportJournal *journal, GError **error);
/* All parts are on the disk: they get their names, and the machine is defined. FALSE: nothing is left. */
gboolean import_journal_commit (ImportJournal *journal, Store *store, const char *source,
                                const char *completed, GError **error);
/* What was not committed is removed. */
void import_journal_free (ImportJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ImportJournal, import_journal_free)

/* At the daemon's start, before definitions are read: what was cut short is finished or removed. */
void import_journal_recover (const Settings *settings, Store *store);
