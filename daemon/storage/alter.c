/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Volumes that are there: made larger or smaller, wiped, removed. */
#include "daemon/storage/allocate.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/image-source.h"
#include "daemon/storage/make.h"
#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int
check_opened (int fd, const char *path, GError **error)
{
  struct stat status;

  if (fstat (fd, &status) == 0 && (S_ISREG (status.st_mode) || S_ISBLK (status.st_mode)))
    return fd;
  virt_error_set (error, VIR_ERR_OPERATION_INVALID, "volume '%s' is neither a file nor a block device", path);
  close (fd);
  return -1;
}

int
storage_open_volume (const char *pool_path, const char *name, int mode, GError **error)
{
  g_autofree char *path = g_build_filename (pool_path, name, NULL);
  int directory = storage_open_directory (pool_path, error);
  int fd;

  if (directory < 0)
    return -1;
  fd = openat (directory, name,
               mode | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (mode == O_RDONLY ? 0 : O_NOFOLLOW));
  if (fd < 0 && errno == ELOOP && mode != O_RDONLY)
    virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                    "volume '%s' is a symbolic link: what it leads to is not changed through it", path);
  else if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to open storage volume with path '%s': %s", path,
                    g_strerror (errno));
  close (directory);
  return fd >= 0 ? check_opened (fd, path, error) : -1;
}

static gboolean
resize_raw (Job *job, int fd, const char *path, guint64 capacity, guint flags, GError **error)
{
  if ((flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE) && !storage_allocate (job, fd, path, capacity, error))
    return FALSE;
  if (ftruncate (fd, (off_t)capacity) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "Failed to truncate file '%s': %s", path, g_strerror (errno));
  return FALSE;
}

/* qemu-img gets the file that was opened, and below it the chain as it was read: what a guest wrote into its
 * own image leads it nowhere else. */
static gboolean
resize_qcow2 (int fd, const char *path, guint64 capacity, guint flags, GError **error)
{
  g_autoptr (ImageInfo) chain = image_info_read (path, "qcow2", error);
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *top = tool_files_add (files, dup (fd), path);
  g_autofree char *source = chain != NULL ? image_source (chain, top, files, error) : NULL;
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, capacity);
  const char *const arguments[] = { "qemu-img",
                                    "resize",
                                    "-q",
                                    flags & VIR_STORAGE_VOL_RESIZE_ALLOCATE ? "--preallocation=falloc"
                                                                            : "--preallocation=off",
                                    flags & VIR_STORAGE_VOL_RESIZE_SHRINK ? "--shrink" : "-q",
                                    source,
                                    size,
                                    NULL };

  return source != NULL && tool_run (arguments, files, source, error);
}

gboolean
storage_resize (Job *job, const char *pool_path, const StorageVolumeDef *volume, guint64 capacity,
                guint flags, GError **error)
{
  gboolean resized;
  int fd;

  if (volume->format != STORAGE_FORMAT_RAW && volume->format != STORAGE_FORMAT_QCOW2) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "volumes of format '%s' cannot be resized; 'raw' and 'qcow2' can",
                    enum_table_name (&storage_formats, volume->format));
    return FALSE;
  }
  fd = storage_open_volume (pool_path, volume->name, O_RDWR, error);
  if (fd < 0)
    return FALSE;
  resized = volume->format == STORAGE_FORMAT_RAW ? resize_raw (job, fd, volume->path, capacity, flags, error)
                                                 : resize_qcow2 (fd, volume->path, capacity, flags, error);
  close (fd);
  return resized;
}

gboolean
storage_wipe (Job *job, const char *pool_path, const StorageVolumeDef *volume, GError **error)
{
  int fd = storage_open_volume (pool_path, volume->name, O_RDWR, error);
  gboolean wiped;

  if (fd < 0)
    return FALSE;
  wiped = storage_overwrite (job, fd, volume->path, error);
  close (fd);
  return wiped;
}

gboolean
storage_delete (const char *pool_path, const StorageVolumeDef *volume, GError **error)
{
  int directory = storage_open_directory (pool_path, error);
  gboolean removed;

  if (directory < 0)
    return FALSE;
  removed = unlinkat (directory, volume->name, 0) == 0
            || (errno == EISDIR && unlinkat (directory, volume->name, AT_REMOVEDIR) == 0) || errno == ENOENT;
  if (!removed)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot unlink file '%s': %s", volume->path,
                    g_strerror (errno));
  else
    fsync (directory);
  if (removed)
    storage_format_forget (volume->path);
  close (directory);
  return removed;
}
