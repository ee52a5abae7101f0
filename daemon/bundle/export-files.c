/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Gathering a machine's files. What a document names by a path is taken if it is a file or a block device of
 * this host; what is elsewhere (a disk on the network, a shared directory) stays there and is told of. Images
 * are opened once and used from then on: what has their name later is of no interest.
 */
#include "daemon/bundle/export-files.h"

#include "daemon/bundle/image-tool.h"
#include "daemon/bundle/stretches.h"
#include "daemon/core/file.h"
#include "daemon/host/image.h"
#include "daemon/host/named-file.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "domain/devices/disk.h"
#include "domain/devices/tpm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TPM_FILES_MAX 64
#define BASE_NAME_MAX 200 /* bytes of an image's own name in that it has in the archive */

static void
file_free (gpointer data)
{
  ExportFile *file = data;

  if (file->fd >= 0)
    close (file->fd);
  g_free (file->text);
  g_free (file->path);
  g_clear_pointer (&file->stretches, g_array_unref);
  g_free (file);
}

ExportFiles *
export_files_new (const DomainDef *def, const char *creator)
{
  ExportFiles *files = g_new0 (ExportFiles, 1);

  files->head = bundle_head_new (def->name, def->uuid, creator);
  files->files = g_ptr_array_new_with_free_func (file_free);
  files->notes = g_ptr_array_new_with_free_func (g_free);
  return files;
}

void
export_files_free (ExportFiles *files)
{
  if (files == NULL)
    return;
  bundle_head_free (files->head);
  g_ptr_array_unref (files->files);
  g_ptr_array_unref (files->notes);
  g_free (files);
}

static void note (ExportFiles *files, const char *format, ...) G_GNUC_PRINTF (2, 3);

static void
note (ExportFiles *files, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_ptr_array_add (files->notes, g_strdup_vprintf (format, arguments));
  va_end (arguments);
}

BundleFile *
export_files_add_text (ExportFiles *files, BundleRole role, const char *name, char *text, gsize length)
{
  ExportFile *file = g_new0 (ExportFile, 1);

  *file = (ExportFile){ .fd = -1, .text = text, .length = length, .path = g_strdup (name) };
  g_ptr_array_add (files->files, file);
  return bundle_head_add (files->head, role, name);
}

BundleFile *
export_files_add_file (ExportFiles *files, BundleRole role, const char *name, int fd, const char *path)
{
  ExportFile *file = g_new0 (ExportFile, 1);

  *file = (ExportFile){ .fd = fd, .path = g_strdup (path) };
  g_ptr_array_add (files->files, file);
  return bundle_head_add (files->head, role, name);
}

/* Images. */

/* "images/3-web.qcow2": what an archive does not call so becomes '_'. (transfer full) */
static char *
archive_name (const ExportFiles *files, const char *path)
{
  g_autofree char *base = g_path_get_basename (path);

  if (strlen (base) > BASE_NAME_MAX)
    base[BASE_NAME_MAX] = '\0';
  for (char *at = base; *at != '\0'; at++)
    if (!g_ascii_isalnum (*at) && strchr (".-_", *at) == NULL)
      *at = '_';
  return g_strdup_printf ("images/%u-%s", files->files->len, base);
}

/* A file or a block device; -1 with @error. */
static int
open_image (const char *path, GError **error)
{
  int fd = named_file_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 && (S_ISREG (status.st_mode) || S_ISBLK (status.st_mode)))
    return fd;
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", path, g_strerror (errno));
  else
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "'%s' is neither a file nor a block device", path);
  if (fd >= 0)
    close (fd);
  return -1;
}

static gboolean
has_room (const ExportFiles *files, GError **error)
{
  if (files->files->len < BUNDLE_FILES_MAX)
    return TRUE;
  virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "the machine has more than %d files",
                  BUNDLE_FILES_MAX);
  return FALSE;
}

static gboolean
add_image (ExportFiles *files, const char *path, const char *format, GError **error)
{
  g_autofree char *name = archive_name (files, path);
  int fd = has_room (files, error) ? open_image (path, error) : -1;
  BundleFile *file;

  if (fd < 0)
    return FALSE;
  file = export_files_add_file (files, BUNDLE_IMAGE, name, fd, path);
  file->path = g_strdup (path);
  file->format = g_strdup (format);
  return TRUE;
}

/* An image and those below it, into the list of those that will be added, each once. */
static gboolean
add_chain (const ImageInfo *chain, GPtrArray *pending, GError **error)
{
  for (const ImageInfo *image = chain; image != NULL; image = image->backing) {
    gboolean known = FALSE;

    if (image->path == NULL || image->path[0] != '/') {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                      "'%s' has an image below it that is no file of this host: it can only be exported "
                      "flattened",
                      chain->path);
      return FALSE;
    }
    for (guint i = 0; i < pending->len && !known; i++)
      known = g_str_equal (((const ImageInfo *)g_ptr_array_index (pending, i))->path, image->path);
    if (!known)
      g_ptr_array_add (pending, (gpointer)image);
  }
  return TRUE;
}

static guint
chain_length (const ImageInfo *image)
{
  guint length = 0;

  for (; image != NULL; image = image->backing)
    length++;
  return length;
}

/* Longer chains first: what is below another stands behind it, whoever shares it. */
static int
compare_images (gconstpointer a, gconstpointer b)
{
  const ImageInfo *one = *(const ImageInfo *const *)a, *other = *(const ImageInfo *const *)b;
  guint one_length = chain_length (one), other_length = chain_length (other);

  return (one_length < other_length) - (one_length > other_length);
}

static gboolean
add_images (ExportFiles *files, GPtrArray *images, GError **error)
{
  g_ptr_array_sort (images, compare_images);
  for (guint i = 0; i < images->len; i++) {
    const ImageInfo *image = g_ptr_array_index (images, i);

    if (!add_image (files, image->path, image->format, error))
      return FALSE;
  }
  for (guint i = 0; i < images->len; i++) {
    const ImageInfo *image = g_ptr_array_index (images, i);
    int index = bundle_head_find_path (files->head, image->path);

    if (image->backing != NULL)
      ((BundleFile *)g_ptr_array_index (files->head->files, index))->backing =
          bundle_head_find_path (files->head, image->backing->path);
  }
  return TRUE;
}

/* An image of its own, with the path of the one it is made of. */
static gboolean
add_flattened (ExportFiles *files, const ImageInfo *chain, const Settings *settings, GError **error)
{
  g_autofree char *name = archive_name (files, chain->path);
  int fd = has_room (files, error) ? image_tool_temporary (settings->state_directory, error) : -1;
  BundleFile *file;

  if (fd < 0)
    return FALSE;
  if (!image_tool_flatten (chain, fd, chain->format, NULL, error)) {
    close (fd);
    return FALSE;
  }
  file = export_files_add_file (files, BUNDLE_IMAGE, name, fd, chain->path);
  file->path = g_strdup (chain->path);
  file->format = g_strdup (chain->format);
  return TRUE;
}

static gboolean
add_disk (ExportFiles *files, const DeviceDisk *disk, gboolean flatten, const Settings *settings,
          GPtrArray *infos, GPtrArray *images, GError **error)
{
  const char *path = disk_path (disk);
  ImageInfo *info;

  if (path == NULL) {
    if (disk_has_source (disk))
      note (files, "disk '%s' is no file of this host: it stays where it is", disk->target);
    return TRUE;
  }
  if (disk->source.data_store != NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "disk '%s' has its data in a file of their own, which an export cannot take",
                    disk->target);
    return FALSE;
  }
  if (disk_encryption (disk) != NULL)
    note (files, "disk '%s' is encrypted: its secret stays here", disk->target);
  if (bundle_head_find_path (files->head, path) >= 0)
    return TRUE;
  info = image_info_read_chain (path, disk->format, disk->backing, error);
  if (info == NULL)
    return FALSE;
  g_ptr_array_add (infos, info);
  if (flatten && info->backing != NULL)
    return add_flattened (files, info, settings, error);
  return add_chain (info, images, error);
}

static void
info_free (gpointer data)
{
  image_info_free (data);
}

gboolean
export_files_add_images (ExportFiles *files, const DomainDef *def, gboolean flatten, const Settings *settings,
                         GError **error)
{
  const char *const boot[] = { def->os.kernel, def->os.initrd, def->os.dtb };
  g_autoptr (GPtrArray) infos = g_ptr_array_new_with_free_func (info_free);
  g_autoptr (GPtrArray) images = g_ptr_array_new ();

  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, disk) {
    if (!add_disk (files, disk, flatten, settings, infos, images, error))
      return FALSE;
  }
  if (!add_images (files, images, error))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (boot); i++)
    if (boot[i] != NULL && bundle_head_find_path (files->head, boot[i]) < 0
        && !add_image (files, boot[i], NULL, error))
      return FALSE;
  return TRUE;
}

/* The machine's own state. */

/* All of a small regular file; NULL with @error, or without one when it is not there. */
static char *
read_small (const char *path, gsize *ret_length, GError **error)
{
  g_autoptr (GError) problem = NULL;
  struct stat status;
  char *text;

  if (named_file_stat (path, &status) < 0 && errno == ENOENT)
    return NULL;
  text = store_read_file (path, BUNDLE_SMALL_MAX, ret_length, &problem);
  if (text == NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return text;
}

static gboolean
add_variables (ExportFiles *files, const DomainDef *def, GError **error)
{
  g_autoptr (GError) problem = NULL;
  gsize length;
  char *text;
  BundleFile *file;

  if (def->os.nvram_source != NULL) {
    note (files, "the firmware's variables are no file of this host: they stay where they are");
    return TRUE;
  }
  if (def->os.nvram == NULL)
    return TRUE;
  text = read_small (def->os.nvram, &length, &problem);
  if (text == NULL && problem == NULL)
    return TRUE;
  if (text == NULL) {
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  file = export_files_add_text (files, BUNDLE_NVRAM, "nvram", text, length);
  file->path = g_strdup (def->os.nvram);
  return TRUE;
}

static gboolean
add_tpm_directory (ExportFiles *files, const char *directory, const char *name, GError **error)
{
  DIR *entries = opendir (directory);
  struct dirent *entry;
  gboolean added = TRUE;

  for (guint count = 0; added && entries != NULL && count < TPM_FILES_MAX && (entry = readdir (entries));) {
    g_autofree char *path = g_build_filename (directory, entry->d_name, NULL);
    g_autofree char *archived = g_strdup_printf ("tpm/%s/%s", name, entry->d_name);
    struct stat status;
    char *text;
    gsize length;

    if (entry->d_name[0] == '.' || lstat (path, &status) < 0 || !S_ISREG (status.st_mode))
      continue;
    count++;
    text = read_small (path, &length, error);
    added = text != NULL;
    if (added)
      export_files_add_text (files, BUNDLE_TPM, archived, text, length);
  }
  if (entries != NULL)
    closedir (entries);
  return added;
}

gboolean
export_files_add_state (ExportFiles *files, const DomainDef *def, const Settings *settings, GError **error)
{
  static const char *const versions[] = { "tpm2", "tpm1.2" };

  if (!add_variables (files, def, error))
    return FALSE;
  DOMAIN_FOREACH_DEVICE (def, tpm_kind, const DeviceTpm, tpm) {
    if (tpm->source != TPM_SOURCE_NONE) {
      virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                      "the TPM's state is at '%s', a place of its own, from which an export cannot take it",
                      tpm->source_path);
      return FALSE;
    }
    if (tpm->type != TPM_EMULATOR)
      note (files, "the TPM is this host's own: it stays here");
    if (tpm->secret != NULL)
      note (files, "the TPM's state is encrypted: the secret %s stays here", tpm->secret);
  }
  for (guint i = 0; i < G_N_ELEMENTS (versions); i++) {
    g_autofree char *directory =
        g_build_filename (settings->state_directory, "tpm", def->uuid, versions[i], NULL);

    if (!add_tpm_directory (files, directory, versions[i], error))
      return FALSE;
  }
  return TRUE;
}

/* Documents, called by numbers here, for their names are their user's; and the name of the current one. */
gboolean
export_files_add_snapshots (ExportFiles *files, const DomainDef *def, gboolean flatten,
                            const Settings *settings, GError **error)
{
  g_autofree char *path = child_store_directory (&snapshot_kind, settings, def->uuid);
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  const char *name;

  if (directory != NULL && flatten) {
    note (files, "flattened disks have no snapshots: what is noted of them stays here");
    return TRUE;
  }
  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_autofree char *file = g_build_filename (path, name, NULL);
    g_autofree char *archived = g_str_equal (name, BUNDLE_CURRENT_NAME)
                                    ? g_strdup ("snapshot/" BUNDLE_CURRENT_NAME)
                                    : g_strdup_printf ("snapshot/%u.xml", files->files->len);
    gsize length;
    char *text;

    if (!g_str_has_suffix (name, ".xml") && !g_str_equal (name, BUNDLE_CURRENT_NAME))
      continue;
    text = has_room (files, error) ? read_small (file, &length, error) : NULL;
    if (text == NULL)
      return FALSE;
    export_files_add_text (files, BUNDLE_SNAPSHOT, archived, text, length);
  }
  return TRUE;
}

/* Sizes. */

static gboolean
measure (ExportFile *file, BundleFile *said, GError **error)
{
  struct stat status;
  guint64 size;

  if (file->fd < 0) {
    said->size = said->stored = file->length;
    return TRUE;
  }
  if (fstat (file->fd, &status) < 0
      || (S_ISBLK (status.st_mode) && ioctl (file->fd, BLKGETSIZE64, &size) < 0)) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot ask how large '%s' is: %s", file->path,
                    g_strerror (errno));
    return FALSE;
  }
  said->size = S_ISBLK (status.st_mode) ? size : (guint64)status.st_size;
  file->stretches = stretches_read (file->fd, said->size, file->path, error);
  if (file->stretches == NULL)
    return FALSE;
  said->stored = stretches_total (file->stretches);
  return TRUE;
}

gboolean
export_files_measure (ExportFiles *files, GError **error)
{
  for (guint i = 0; i < files->files->len; i++)
    if (!measure (g_ptr_array_index (files->files, i), g_ptr_array_index (files->head->files, i), error))
      return FALSE;
  return TRUE;
}
