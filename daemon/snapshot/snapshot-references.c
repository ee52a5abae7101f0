/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Who refers to a file. Definitions and snapshots are texts on disk, and one that holds the path is taken to
 * need it: better a file too many than one too few. Images are asked by their headers: those in the file's
 * own directory, where a snapshot puts them, and those on which the machine's disks stand.
 */
#include "daemon/snapshot/snapshot-references.h"

#include "daemon/core/file.h"
#include "daemon/host/image.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-steps.h"
#include "snapshot/snapshot-domain.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX  (16 * 1024 * 1024)
#define FILES_MAX 16384 /* of one directory; where there are more, nothing is removed */

static gboolean
is_same_file (const char *path, const struct stat *file)
{
  struct stat status;

  return stat (path, &status) == 0 && status.st_dev == file->st_dev && status.st_ino == file->st_ino;
}

/* As it stands in a document. */
static gboolean
names (const char *text, const char *path)
{
  g_autofree char *escaped = g_markup_escape_text (path, -1);

  return text != NULL && (strstr (text, escaped) != NULL || strstr (text, path) != NULL);
}

static gboolean
file_names (const char *file, const char *path)
{
  g_autofree char *text = store_read_file (file, TEXT_MAX, NULL, NULL);

  return names (text, path);
}

/* Definitions: those people wrote, those that were completed, and those of machines that run. */
static char *
find_definition (const SnapshotPlace *place, const char *path)
{
  const Settings *settings = place->settings;
  g_autofree char *documents = g_build_filename (settings->config_directory, "domains", NULL);
  g_autofree char *completed = g_build_filename (settings->state_directory, "domains", NULL);
  g_autofree char *machines = g_build_filename (settings->run_directory, "machines", NULL);
  const char *const places[] = { documents, completed, machines };

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    g_autoptr (GDir) directory = g_dir_open (places[i], 0, NULL);
    const char *name;

    while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
      g_autofree char *file =
          g_build_filename (places[i], name, places[i] == machines ? "live.xml" : NULL, NULL);

      if ((places[i] == machines || g_str_has_suffix (name, ".xml")) && file_names (file, path))
        return g_strdup_printf ("the definition '%s'", file);
    }
  }
  return NULL;
}

/* What a snapshot needs is what its domain had then, and its memory. */
static char *
find_snapshot (const SnapshotPlace *place, const char *path)
{
  g_autoptr (GPtrArray) families = child_store_read_all (&snapshot_kind, place->settings);

  for (guint i = 0; i < families->len; i++) {
    const ChildFamily *family = g_ptr_array_index (families, i);

    for (guint d = 0; d < family->defs->len; d++) {
      const SnapshotDef *def = g_ptr_array_index (family->defs, d);

      if (names (def->domain, path) || names (def->inactive_domain, path)
          || g_strcmp0 (def->memory_file, path) == 0)
        return g_strdup_printf ("snapshot '%s' of domain %s", def->name, family->uuid);
    }
  }
  return NULL;
}

static gboolean
header_names (const char *image, const struct stat *file)
{
  int fd = open (image, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autoptr (ImageHeader) header = NULL;
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 && S_ISREG (status.st_mode))
    header = image_header_read (fd, image, NULL);
  if (fd >= 0)
    close (fd);
  return header != NULL && header->backing != NULL && is_same_file (header->backing, file);
}

GPtrArray *
snapshot_images_on (const char *path, GError **error)
{
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GDir) directory = g_dir_open (folder, 0, NULL);
  struct stat file;
  const char *name;
  guint count = 0;

  if (stat (path, &file) != 0)
    return g_steal_pointer (&images);
  if (directory == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "what is in '%s' cannot be listed", folder);
    return NULL;
  }
  while ((name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *image = g_build_filename (folder, name, NULL);

    if (++count > FILES_MAX) {
      virt_error_set (error, VIR_ERR_OPERATION_FAILED, "'%s' has more than %d files", folder, FILES_MAX);
      return NULL;
    }
    if (header_names (image, &file))
      g_ptr_array_add (images, g_steal_pointer (&image));
  }
  return g_steal_pointer (&images);
}

static char *
find_header (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) images = snapshot_images_on (path, &error);

  if (images == NULL)
    return g_strdup_printf ("another image, perhaps: %s, and one that", error->message);
  return images->len > 0 ? g_strdup_printf ("the image '%s'", (const char *)g_ptr_array_index (images, 0))
                         : NULL;
}

/* Did a disk of the snapshot's domain have that image? What was below its image is no snapshot by that. */
static gboolean
had_image (const SnapshotPlace *place, const SnapshotDef *def, const char *path)
{
  g_autoptr (DomainDef) domain =
      names (def->domain, path) ? snapshot_read_domain (def, place->platform, NULL) : NULL;

  if (domain == NULL)
    return names (def->domain, path);
  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk_path (disk), path) == 0)
      return TRUE;
  }
  return FALSE;
}

char *
snapshot_find_frozen (const SnapshotPlace *place, const char *path, const char *except)
{
  g_autoptr (GPtrArray) families = child_store_read_all (&snapshot_kind, place->settings);

  for (guint i = 0; i < families->len; i++) {
    const ChildFamily *family = g_ptr_array_index (families, i);

    for (guint d = 0; g_str_equal (family->uuid, place->uuid) && d < family->defs->len; d++) {
      const SnapshotDef *def = g_ptr_array_index (family->defs, d);

      if (g_strcmp0 (def->name, except) != 0 && snapshot_is_external (def) && had_image (place, def, path))
        return g_strdup (def->name);
    }
  }
  return NULL;
}

char *
snapshot_find_reference (const SnapshotPlace *place, const char *path)
{
  struct stat file;
  char *found;

  if (stat (path, &file) != 0)
    return NULL;
  found = find_definition (place, path);
  if (found == NULL)
    found = find_snapshot (place, path);
  return found != NULL ? found : find_header (path);
}

void
snapshot_remove_unused (const SnapshotPlace *place, const GPtrArray *paths)
{
  for (guint i = 0; i < paths->len; i++) {
    const char *path = g_ptr_array_index (paths, i);
    g_autofree char *reference = snapshot_find_reference (place, path);

    if (reference != NULL)
      g_message ("domain '%s': '%s' stays: %s refers to it", place->domain, path, reference);
    else if (unlink (path) != 0 && errno != ENOENT)
      g_warning ("domain '%s': cannot remove '%s': %s", place->domain, path, g_strerror (errno));
  }
}
