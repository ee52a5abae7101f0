/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Any document as a pool's and as a volume's: what is accepted is written in a form that is accepted again
 * and written the same, and no name of it leaves its directory. */
#include "storage/storage-volume.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
read_pool (const char *text, gssize length)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL), again = diagnostics_new (NULL);
  g_autoptr (StoragePoolDef) pool = storage_pool_def_parse (text, length, DOCUMENT_LAX, diagnostics);
  g_autoptr (StoragePoolDef) same = NULL;
  g_autofree char *written = NULL, *written_again = NULL;

  if (pool == NULL)
    return;
  g_assert_null (storage_name_mistake (pool->name));
  g_assert_true (g_path_is_absolute (pool->path));
  written = storage_pool_def_to_xml (pool);
  same = storage_pool_def_parse (written, -1, DOCUMENT_LAX, again);
  g_assert_nonnull (same);
  written_again = storage_pool_def_to_xml (same);
  g_assert_cmpstr (written, ==, written_again);
}

static void
read_volume (const char *text, gssize length)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (StorageVolumeDef) volume =
      storage_volume_def_parse (text, length, DOCUMENT_LAX, FALSE, diagnostics);
  g_autoptr (StorageVolumeDef) copy = volume != NULL ? storage_volume_def_copy (volume) : NULL;
  g_autofree char *written = NULL, *copied = NULL;

  if (volume == NULL)
    return;
  g_assert_null (storage_name_mistake (volume->name));
  written = storage_volume_def_to_xml (volume);
  copied = storage_volume_def_to_xml (copy);
  g_assert_cmpstr (written, ==, copied);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  read_pool ((const char *)data, (gssize)size);
  read_volume ((const char *)data, (gssize)size);
  return 0;
}
