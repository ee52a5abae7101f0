/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Any bytes as a small file that the daemon reads: the first byte says which. The status of a machine, the
 * index of documents, the list of raw volumes, the settings.
 */
#include "daemon/core/settings.h"
#include "daemon/drivers/qemu/machine-status.h"
#include "daemon/object/store-index.h"
#include "daemon/storage/formats.h"

#include <glib/gstdio.h>
#include <unistd.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static char *directory, *index_path, *formats_path, *settings_path;

static void
ignore (const char *domain G_GNUC_UNUSED, GLogLevelFlags level G_GNUC_UNUSED,
        const char *message G_GNUC_UNUSED, gpointer data G_GNUC_UNUSED)
{
}

int
LLVMFuzzerInitialize (int *argc G_GNUC_UNUSED, char ***argv G_GNUC_UNUSED)
{
  g_autofree char *storage = NULL;

  directory = g_dir_make_tmp ("fuzz-files-XXXXXX", NULL);
  g_assert_nonnull (directory);
  storage = g_build_filename (directory, "storage", NULL);
  g_assert_cmpint (g_mkdir (storage, 0700), ==, 0);
  index_path = g_build_filename (directory, "index", NULL);
  formats_path = g_build_filename (storage, "raw-volumes", NULL);
  settings_path = g_build_filename (directory, "domaind.conf", NULL);
  g_log_set_default_handler (ignore, NULL);
  return 0;
}

static void
write_file (const char *path, const guint8 *data, gsize size)
{
  g_assert_true (g_file_set_contents_full (path, (const char *)data, (gssize)size, G_FILE_SET_CONTENTS_NONE,
                                           0600, NULL));
}

/* What was read is written as what reads the same. */
static void
read_status (const char *json)
{
  g_autoptr (MachineStatus) status = machine_status_from_json (json, NULL), again = NULL;
  g_autofree char *text = NULL, *text_again = NULL;

  if (status == NULL)
    return;
  text = machine_status_to_json (status);
  again = machine_status_from_json (text, NULL);
  g_assert_nonnull (again);
  text_again = machine_status_to_json (again);
  g_assert_cmpstr (text, ==, text_again);
}

static void
read_index (void)
{
  g_autoptr (GHashTable) present = g_hash_table_new (g_str_hash, g_str_equal);
  StoreIndex *index = store_index_open (index_path);
  struct stat status = { .st_ino = 1, .st_size = 1 };
  g_free (store_index_find (index, "a", &status));

  store_index_note (index, "a", "11111111-1111-4111-8111-111111111111", &status);
  store_index_compact (index, present);
  store_index_free (index);
}

static void
read_formats (void)
{
  storage_formats_open (directory);
  storage_format_is_raw (STDIN_FILENO, "/a");
  storage_format_forget ("/a");
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = NULL;

  if (size == 0)
    return 0;
  text = g_strndup ((const char *)data + 1, size - 1);
  switch (data[0] & 3) {
    case 0:
      read_status (text);
      break;
    case 1:
      write_file (index_path, data + 1, size - 1);
      read_index ();
      break;
    case 2:
      write_file (formats_path, data + 1, size - 1);
      read_formats ();
      break;
    default:
      write_file (settings_path, data + 1, size - 1);
      settings_free (settings_load (TRUE, directory, settings_path, NULL));
  }
  return 0;
}
