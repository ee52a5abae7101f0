/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A small file for each function, named after it, in the run directory: what it tells is void when the host
 * starts anew, and so is that directory. Read back it is untrusted; what is no record is passed over.
 */
#include "daemon/drivers/qemu/host-record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RECORDS     "host-devices" /* below the run directory */
#define GROUP       "function"
#define RECORD_MAX  4096 /* bytes */
#define RECORDS_MAX 4096 /* as many functions as are taken at once */

void
host_record_free (HostRecord *record)
{
  if (record == NULL)
    return;
  g_free (record->uuid);
  g_free (record->link);
  g_free (record->mac);
  g_free (record);
}

static char *
record_path (const Settings *settings, const char *name)
{
  return g_build_filename (settings->run_directory, RECORDS, name, NULL);
}

gboolean
host_record_write (const Settings *settings, const char *name, const HostRecord *record, GError **error)
{
  g_autofree char *path = record_path (settings, name), *directory = g_path_get_dirname (path), *text = NULL;
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GError) problem = NULL;

  g_key_file_set_string (keys, GROUP, "machine", record->uuid);
  g_key_file_set_boolean (keys, GROUP, "bound", record->bound);
  if (record->link != NULL) {
    g_key_file_set_string (keys, GROUP, "link", record->link);
    g_key_file_set_uint64 (keys, GROUP, "function", record->function);
    g_key_file_set_uint64 (keys, GROUP, "vlan", record->vlan);
  }
  if (record->mac != NULL)
    g_key_file_set_string (keys, GROUP, "mac", record->mac);
  text = g_key_file_to_data (keys, NULL, NULL);
  if (g_mkdir_with_parents (directory, 0700) == 0
      && g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &problem))
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write down that PCI device %s is taken: %s", name,
                  problem != NULL ? problem->message : g_strerror (errno));
  return FALSE;
}

HostRecord *
host_record_read (const Settings *settings, const char *name)
{
  g_autofree char *path = record_path (settings, name), *text = NULL;
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (HostRecord) record = g_new0 (HostRecord, 1);
  gsize length;

  if (!g_file_get_contents (path, &text, &length, NULL) || length > RECORD_MAX
      || !g_key_file_load_from_data (keys, text, length, G_KEY_FILE_NONE, NULL))
    return NULL;
  record->uuid = g_key_file_get_string (keys, GROUP, "machine", NULL);
  record->bound = g_key_file_get_boolean (keys, GROUP, "bound", NULL);
  record->link = g_key_file_get_string (keys, GROUP, "link", NULL);
  record->function = (guint)g_key_file_get_uint64 (keys, GROUP, "function", NULL);
  record->vlan = (guint)g_key_file_get_uint64 (keys, GROUP, "vlan", NULL);
  record->mac = g_key_file_get_string (keys, GROUP, "mac", NULL);
  return record->uuid != NULL ? g_steal_pointer (&record) : NULL;
}

void
host_record_remove (const Settings *settings, const char *name)
{
  g_autofree char *path = record_path (settings, name);

  unlink (path);
}

GPtrArray *
host_record_list (const Settings *settings)
{
  g_autofree char *path = g_build_filename (settings->run_directory, RECORDS, NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const char *name;

  while (directory != NULL && names->len < RECORDS_MAX && (name = g_dir_read_name (directory)) != NULL)
    g_ptr_array_add (names, g_strdup (name));
  return names;
}
