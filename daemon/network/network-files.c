/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The running networks' files. A live definition is written before the first step of a start and removed
 * after the last one of a stop, so what is found here is to be taken up or cleared away.
 */
#include "daemon/network/network-files.h"

#include "daemon/core/file.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define LIVE_FILE      "live.xml"
#define PORT_PREFIX    "port-"
#define SUFFIX         ".xml"
#define FILE_MODE      0600
#define DIRECTORY_MODE 0711
#define NETWORKS_MAX   16384 /* of one host: what a list on the wire holds */
#define PORTS_MAX      16384 /* of one network */

static gboolean
write_file (const char *directory, const char *name, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (directory, name, NULL);
  g_autoptr (PreparedFile) file = prepared_file_new (path, text, -1, FILE_MODE, FALSE, error);

  return file != NULL && prepared_file_commit (file, error);
}

gboolean
network_files_save_live (const char *directory, const NetworkDef *def, GError **error)
{
  g_autofree char *xml = network_def_to_xml (def, TRUE);

  return store_make_directory (directory, DIRECTORY_MODE, error)
         && write_file (directory, LIVE_FILE, xml, error);
}

static char *
port_file (const char *uuid)
{
  return g_strconcat (PORT_PREFIX, uuid, SUFFIX, NULL);
}

gboolean
network_files_save_port (const char *directory, const NetworkPortDef *port, GError **error)
{
  g_autofree char *xml = network_port_def_to_xml (port), *file = port_file (port->uuid);

  return write_file (directory, file, xml, error);
}

void
network_files_remove_port (const char *directory, const char *uuid)
{
  g_autofree char *file = port_file (uuid), *path = g_build_filename (directory, file, NULL);

  if (unlink (path) < 0 && errno != ENOENT)
    g_warning ("cannot remove '%s': %s", path, g_strerror (errno));
}

void
network_files_remove (const char *directory)
{
  g_autofree char *live = g_build_filename (directory, LIVE_FILE, NULL);
  g_autoptr (GDir) files = NULL;
  const char *name;

  unlink (live); /* first: from here on no start looks for this network */
  files = g_dir_open (directory, 0, NULL);
  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);

    unlink (path);
  }
  if (rmdir (directory) < 0 && errno != ENOENT)
    g_debug ("%s: %s", directory, g_strerror (errno));
}

void
network_found_free (NetworkFound *found)
{
  network_def_unref (found->def);
  g_ptr_array_unref (found->ports);
  g_free (found);
}

static gpointer
load_file (const DocumentKind *kind, const char *path, guint flags)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (path);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = store_read_file (path, XML_MAX_BYTES, NULL, &error);
  gpointer def = text != NULL ? document_read (kind, text, -1, DOCUMENT_LAX | flags, diagnostics) : NULL;

  if (text != NULL)
    diagnostics_check (diagnostics, &error);
  if (error != NULL)
    g_warning ("%s is skipped: %s", path, error->message);
  return def;
}

static void
load_ports (const char *directory, GPtrArray *ports)
{
  g_autoptr (GDir) files = g_dir_open (directory, 0, NULL);
  const char *name;

  while (files != NULL && (name = g_dir_read_name (files)) != NULL) {
    g_autofree char *path = g_build_filename (directory, name, NULL);
    NetworkPortDef *port;

    if (!g_str_has_prefix (name, PORT_PREFIX) || !g_str_has_suffix (name, SUFFIX) || ports->len >= PORTS_MAX)
      continue;
    port = load_file (&network_port_document, path, 0);
    if (port != NULL)
      g_ptr_array_add (ports, port);
  }
}

static NetworkFound *
load_network (const char *directory, const char *uuid)
{
  g_autofree char *path = g_build_filename (directory, LIVE_FILE, NULL);
  g_autoptr (NetworkDef) def =
      access (path, F_OK) == 0 ? load_file (&network_document, path, NETWORK_READ_LIVE) : NULL;
  NetworkFound *found;

  if (def == NULL)
    return NULL;
  if (!g_str_equal (def->uuid, uuid)) {
    g_warning ("%s is skipped: it is of network %s", path, def->uuid);
    return NULL;
  }
  found = g_new0 (NetworkFound, 1);
  found->def = g_steal_pointer (&def);
  found->ports = g_ptr_array_new_with_free_func ((GDestroyNotify)network_port_def_unref);
  load_ports (directory, found->ports);
  return found;
}

GPtrArray *
network_files_load (const char *parent)
{
  GPtrArray *all = g_ptr_array_new_with_free_func ((GDestroyNotify)network_found_free);
  g_autoptr (GDir) entries = g_dir_open (parent, 0, NULL);
  const char *entry;
  guint8 uuid[UUID_BYTES];

  while (entries != NULL && (entry = g_dir_read_name (entries)) != NULL && all->len < NETWORKS_MAX) {
    g_autofree char *directory = g_build_filename (parent, entry, NULL);
    NetworkFound *found =
        strlen (entry) == UUID_TEXT - 1 && uuid_parse (entry, uuid) ? load_network (directory, entry) : NULL;

    if (found != NULL)
      g_ptr_array_add (all, found);
  }
  return all;
}
