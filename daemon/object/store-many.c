/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Many definitions at once. Each goes the way of one (daemon/object/store.c) and is old or new by itself; but
 * all take each step together, so that the disk is waited for once a step, and not once a file:
 *
 *   1  both texts of all are written aside, and their revisions
 *   2  the completed texts are there as UUID.next.xml
 *   3  the documents are NAME.xml
 *
 * A crash between two of them leaves what a crash between the steps of one leaves.
 */
#include "daemon/core/shared-sync.h"
#include "daemon/object/store-private.h"

/* What fails all of them alike fails each that has not failed by itself. */
static void
fail_all (StoreText *texts, guint count, const GError *error)
{
  for (guint i = 0; i < count; i++)
    if (texts[i].error == NULL)
      texts[i].error = g_error_copy (error);
}

static void
take_step (StoreText *texts, StoreEdit **edits, guint count,
           gboolean (*step) (StoreEdit *edit, GError **error))
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < count; i++)
    if (texts[i].error == NULL)
      step (edits[i], &texts[i].error);
  if (!shared_sync_flush (&error))
    fail_all (texts, count, error);
}

static void
prepare (Store *store, StoreText *texts, StoreEdit **edits, guint count, const Author *author)
{
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < count; i++) {
    StoreText *text = &texts[i];

    if (store_forget_marks (store, text->name, &text->error))
      edits[i] =
          store_prepare (store, text->uuid, text->name, text->source, text->completed, author, &text->error);
  }
  if (!shared_sync_flush (&error))
    fail_all (texts, count, error);
}

void
store_save_many (Store *store, StoreText *texts, guint count, const Author *author)
{
  g_autofree StoreEdit **edits = g_new0 (StoreEdit *, count);

  shared_sync_begin ();
  prepare (store, texts, edits, count, author);
  take_step (texts, edits, count, store_commit_completed);
  take_step (texts, edits, count, store_commit_source);
  for (guint i = 0; i < count; i++) {
    if (texts[i].error == NULL)
      store_finish_commit (edits[i]);
    store_edit_free (edits[i]);
  }
  shared_sync_end ();
}
