/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The running machines' state files. They are renamed into place like everything else, so that a killed
 * daemon finds either the old or the new one, but nobody waits for their directory to be on disk: they are
 * there to outlive the daemon, and no machine they speak of outlives the host.
 */
#include "daemon/object/store-private.h"

#include "base/scalars.h"
#include "base/xml-document.h"
#include "daemon/core/file.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define STATUS_FILE      "status.json"
#define LIVE_FILE        "live.xml"
#define STATUS_MAX_BYTES (1024 * 1024)
#define HOTPLUG          "hotplug" /* and the alias of the device */

char *
store_run_directory (Store *store, const char *uuid)
{
  return g_build_filename (store->machines, uuid, NULL);
}

static char *
status_path (Store *store, const char *uuid, const char *file)
{
  return g_build_filename (store->machines, uuid, file, NULL);
}

static gboolean
write_renamed (const char *path, const char *text, GError **error)
{
  g_autoptr (PreparedFile) file = prepared_file_new (path, text, -1, 0600, FALSE, error);

  return file != NULL && prepared_file_commit (file, error);
}

gboolean
store_save_status (Store *store, const char *uuid, const char *json, const char *live_xml, GError **error)
{
  g_autofree char *directory = store_run_directory (store, uuid);
  g_autofree char *status = status_path (store, uuid, STATUS_FILE);
  g_autofree char *live = status_path (store, uuid, LIVE_FILE);

  /* The status is written last: a machine with a status has its definition. */
  return store_make_directory (directory, 0711, error)
         && (live_xml == NULL || write_renamed (live, live_xml, error))
         && write_renamed (status, json, error);
}

gboolean
store_load_status (Store *store, const char *uuid, char **ret_json, char **ret_live_xml, GError **error)
{
  g_autofree char *status = status_path (store, uuid, STATUS_FILE);
  g_autofree char *live = status_path (store, uuid, LIVE_FILE);
  g_autofree char *json = store_read_file (status, STATUS_MAX_BYTES, NULL, error);
  g_autofree char *live_xml = json != NULL ? store_read_file (live, XML_MAX_BYTES, NULL, error) : NULL;

  if (live_xml == NULL)
    return FALSE;
  *ret_json = g_steal_pointer (&json);
  *ret_live_xml = g_steal_pointer (&live_xml);
  return TRUE;
}

static char *
record_path (Store *store, const char *uuid, const char *kind, const char *name)
{
  g_autofree char *encoded = store_encode_name (name);
  g_autofree char *file = g_strconcat (kind, "-", encoded, NULL);

  return status_path (store, uuid, file);
}

gboolean
store_save_record (Store *store, const char *uuid, const char *kind, const char *name, const char *text,
                   GError **error)
{
  g_autofree char *path = record_path (store, uuid, kind, name);

  return write_renamed (path, text, error);
}

void
store_remove_record (Store *store, const char *uuid, const char *kind, const char *name)
{
  g_autofree char *path = record_path (store, uuid, kind, name);

  if (unlink (path) < 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s", path, g_strerror (errno));
}

char *
store_load_record (Store *store, const char *uuid, const char *kind, const char *name, GError **error)
{
  g_autofree char *path = record_path (store, uuid, kind, name);

  return store_read_file (path, XML_MAX_BYTES, NULL, error);
}

GPtrArray *
store_list_records (Store *store, const char *uuid, const char *kind)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *path = store_run_directory (store, uuid), *prefix = g_strconcat (kind, "-", NULL);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *file;

  while (directory != NULL && (file = g_dir_read_name (directory)) != NULL)
    if (g_str_has_prefix (file, prefix)) {
      char *name = store_decode_name (file + strlen (prefix));

      if (name != NULL)
        g_ptr_array_add (names, name);
    }
  return names;
}

gboolean
store_save_hotplug (Store *store, const char *uuid, const char *alias, const char *live_xml, GError **error)
{
  return store_save_record (store, uuid, HOTPLUG, alias, live_xml, error);
}

void
store_remove_hotplug (Store *store, const char *uuid, const char *alias)
{
  store_remove_record (store, uuid, HOTPLUG, alias);
}

char *
store_load_hotplug (Store *store, const char *uuid, const char *alias, GError **error)
{
  return store_load_record (store, uuid, HOTPLUG, alias, error);
}

GPtrArray *
store_list_hotplug (Store *store, const char *uuid)
{
  return store_list_records (store, uuid, HOTPLUG);
}

/* Everything a machine leaves in its run directory: its own files, sockets, nothing deeper. */
void
store_remove_status (Store *store, const char *uuid)
{
  g_autofree char *directory = store_run_directory (store, uuid);
  g_autofree char *status = status_path (store, uuid, STATUS_FILE);
  g_autoptr (GDir) files = NULL;
  const char *name;

  unlink (status); /* first: from here on no start looks for this machine */
  files = g_dir_open (directory, 0, NULL);
  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    unlink (path);
  }
  if (rmdir (directory) < 0 && errno != ENOENT)
    g_debug ("%s: %s", directory, g_strerror (errno));
}

/* UUIDs of the run directories that have a status, or have none. */
static GPtrArray *
list_runs (Store *store, gboolean with_status)
{
  GPtrArray *uuids = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) directory = g_dir_open (store->machines, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *status = status_path (store, name, STATUS_FILE);
    guint8 uuid[UUID_BYTES];

    if (strlen (name) == UUID_TEXT - 1 && uuid_parse (name, uuid)
        && (access (status, F_OK) == 0) == with_status)
      g_ptr_array_add (uuids, g_strdup (name));
  }
  return uuids;
}

GPtrArray *
store_list_status (Store *store)
{
  return list_runs (store, TRUE);
}

GPtrArray *
store_list_without_status (Store *store)
{
  return list_runs (store, FALSE);
}
