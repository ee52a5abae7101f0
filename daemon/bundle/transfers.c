/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * An import is of a machine that is not there yet: so its progress is nobody's but its client's, and is found
 * by what that calls it.
 */
#include "daemon/bundle/transfers.h"

#include "base/virt-error.h"
#include "daemon/core/main-loop.h"

#include <string.h>

static GHashTable *transfers; /* char * → Progress; NULL: none */

static void
unref (gpointer progress)
{
  progress_unref (progress);
}

gboolean
transfers_add (const char *name, Progress *progress, GError **error)
{
  MAIN_LOOP_ONLY ();

  if (name[0] == '\0' || strlen (name) > TRANSFER_NAME_MAX || transfers_find (name) != NULL) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "a transfer cannot be called '%.*s': expected 1 to %d bytes that no other is called",
                    TRANSFER_NAME_MAX, name, TRANSFER_NAME_MAX);
    return FALSE;
  }
  if (transfers == NULL)
    transfers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, unref);
  g_hash_table_insert (transfers, g_strdup (name), progress_ref (progress));
  return TRUE;
}

void
transfers_remove (const char *name)
{
  MAIN_LOOP_ONLY ();

  if (transfers == NULL)
    return;
  g_hash_table_remove (transfers, name);
  if (g_hash_table_size (transfers) == 0)
    g_clear_pointer (&transfers, g_hash_table_unref);
}

Progress *
transfers_find (const char *name)
{
  MAIN_LOOP_ONLY ();

  return transfers != NULL ? g_hash_table_lookup (transfers, name) : NULL;
}
