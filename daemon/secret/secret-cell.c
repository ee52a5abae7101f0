/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The place of a value, and its moves between disk and memory. A value that is kept is read from its file
 * each time it is wanted, so that it is in memory no longer than that.
 */
#include "daemon/secret/secret-cell.h"

#include "base/virt-error.h"

struct SecretCell {
  gint ref_count;
  const Settings *settings;
  char *uuid;
  GMutex lock;
  gboolean kept;
  SecretValue *memory; /* of one that is not kept; NULL: none */
};

SecretCell *
secret_cell_new (const Settings *settings, const char *uuid, gboolean kept)
{
  SecretCell *cell = g_new0 (SecretCell, 1);

  cell->ref_count = 1;
  cell->settings = settings;
  cell->uuid = g_strdup (uuid);
  cell->kept = kept;
  g_mutex_init (&cell->lock);
  return cell;
}

SecretCell *
secret_cell_ref (SecretCell *cell)
{
  g_atomic_int_inc (&cell->ref_count);
  return cell;
}

void
secret_cell_unref (SecretCell *cell)
{
  if (cell == NULL || !g_atomic_int_dec_and_test (&cell->ref_count))
    return;
  secret_value_unref (cell->memory);
  g_mutex_clear (&cell->lock);
  g_free (cell->uuid);
  g_free (cell);
}

SecretValue *
secret_cell_read (SecretCell *cell, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cell->lock);
  g_autoptr (GError) problem = NULL;
  SecretValue *value;

  if (cell->kept)
    value = secret_file_read (cell->settings, cell->uuid, &problem);
  else
    value = cell->memory != NULL ? secret_value_ref (cell->memory) : NULL;
  if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  else if (value == NULL)
    virt_error_set (error, VIR_ERR_NO_SECRET, "secret '%s' does not have a value", cell->uuid);
  return value;
}

static void
remember (SecretCell *cell, SecretValue *value)
{
  secret_value_unref (cell->memory);
  cell->memory = value != NULL ? secret_value_ref (value) : NULL;
}

gboolean
secret_cell_write (SecretCell *cell, SecretValue *value, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cell->lock);

  if (cell->kept)
    return secret_file_write (cell->settings, cell->uuid, value, error);
  remember (cell, value);
  return TRUE;
}

gboolean
secret_cell_keep (SecretCell *cell, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cell->lock);

  if (cell->kept)
    return TRUE;
  /* What lies there is of a secret that is gone, if it could not be removed then. */
  if (cell->memory != NULL ? !secret_file_write (cell->settings, cell->uuid, cell->memory, error)
                           : !secret_file_remove (cell->settings, cell->uuid, error))
    return FALSE;
  cell->kept = TRUE;
  remember (cell, NULL);
  return TRUE;
}

gboolean
secret_cell_unkeep (SecretCell *cell, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cell->lock);
  g_autoptr (GError) problem = NULL;
  g_autoptr (SecretValue) value = NULL;

  if (!cell->kept)
    return TRUE;
  value = secret_file_read (cell->settings, cell->uuid, &problem);
  if (problem != NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  remember (cell, value);
  cell->kept = FALSE;
  return TRUE;
}

gboolean
secret_cell_erase (SecretCell *cell, GError **error)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&cell->lock);

  return secret_file_remove (cell->settings, cell->uuid, error);
}
