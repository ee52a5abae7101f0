/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * New volumes: the file, its contents by qemu-img or by hand, its owner, in that order, and away with it
 * when one fails.
 */
#include "daemon/storage/make.h"

#include "daemon/host/image.h"
#include "daemon/storage/allocate.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/image-source.h"
#include "daemon/storage/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_FILE_MODE      0600
#define DEFAULT_DIRECTORY_MODE 0711
#define ARGUMENTS_MAX          24

/* A command line being made. */
typedef struct {
  const char *words[ARGUMENTS_MAX + 1];
  guint count;
} Arguments;

static void
add (Arguments *arguments, const char *word)
{
  g_assert (arguments->count < ARGUMENTS_MAX);
  arguments->words[arguments->count++] = word;
}

static gboolean
system_error (GError **error, const char *what, const char *path)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "%s '%s': %s", what, path, g_strerror (errno));
  return FALSE;
}

static const char *
format_name (int format)
{
  return enum_table_name (&storage_formats, format);
}

/* "-o compat=1.1,...": NULL when there is none. (transfer full) */
static char *
qcow2_options (const StorageMake *make)
{
  const StorageVolumeDef *volume = make->volume;
  GString *options = g_string_new (NULL);

  if (volume->compat != NULL)
    g_string_append_printf (options, "compat=%s,", volume->compat);
  else if (volume->lazy_refcounts || volume->extended_l2)
    g_string_append (options, "compat=1.1,");
  if (volume->cluster_size.set)
    g_string_append_printf (options, "cluster_size=%" G_GUINT64_FORMAT ",", volume->cluster_size.value);
  if (volume->lazy_refcounts)
    g_string_append (options, "lazy_refcounts=on,");
  if (volume->extended_l2)
    g_string_append (options, "extended_l2=on,");
  if (make->flags & VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA)
    g_string_append (options, volume->allocation.set && volume->allocation.value >= volume->capacity.value
                                  ? "preallocation=falloc,"
                                  : "preallocation=metadata,");
  if (options->len == 0)
    return g_string_free (options, TRUE);
  g_string_truncate (options, options->len - 1);
  return g_string_free (options, FALSE);
}

/* The format of the file below, which is there. When the document does not say it, only raw goes without
 * saying, as anything else could have been written by a guest. */
static const char *
backing_format (const StorageBacking *backing, GError **error)
{
  g_autoptr (ImageHeader) header = NULL;
  int fd = open (backing->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0) {
    system_error (error, "inaccessible backing store volume", backing->path);
    return NULL;
  }
  if (backing->format != STORAGE_FORMAT_NONE) {
    close (fd);
    return format_name (backing->format);
  }
  header = image_header_read (fd, backing->path, error);
  close (fd);
  if (header == NULL)
    return NULL;
  if (g_str_equal (header->format, "raw"))
    return "raw";
  virt_error_set (error, VIR_ERR_OPERATION_INVALID,
                  "the format of the backing store '%s' is not stated, and it looks like '%s': state it with "
                  "<format type='%s'/>",
                  backing->path, header->format, header->format);
  return NULL;
}

/* The chain below is as it is said to be. The size a guest sees of it is that of an image above it which has
 * none of its own: @capacity, if it is 0. */
static gboolean
check_below (const StorageBacking *backing, const char *format, guint64 *capacity, GError **error)
{
  g_autoptr (ImageInfo) chain = image_info_read (backing->path, format, error);

  if (chain == NULL)
    return FALSE;
  if (*capacity == 0)
    *capacity = chain->virtual_size;
  return TRUE;
}

static gboolean
make_qcow2 (const StorageMake *make, int fd, const char *path, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *top = tool_files_add (files, dup (fd), path);
  const StorageBacking *backing = make->volume->backing;
  g_autofree char *options = qcow2_options (make);
  g_autofree char *size = NULL;
  guint64 capacity = make->volume->capacity.value;
  Arguments arguments = { { "qemu-img", "create", "-q", "-f", "qcow2" }, 5 };

  if (options != NULL) {
    add (&arguments, "-o");
    add (&arguments, options);
  }
  if (backing != NULL) {
    const char *format = backing_format (backing, error);

    if (format == NULL || !check_below (backing, format, &capacity, error))
      return FALSE;
    add (&arguments, "-u"); /* what is below is named in the image, and not opened for it */
    add (&arguments, "-F");
    add (&arguments, format);
    add (&arguments, "-b");
    add (&arguments, backing->path);
  }
  add (&arguments, top);
  size = g_strdup_printf ("%" G_GUINT64_FORMAT, capacity);
  add (&arguments, size);
  return tool_run (arguments.words, files, NULL, error);
}

static gboolean
make_raw (Job *job, const StorageMake *make, int fd, const char *path, GError **error)
{
  const StorageVolumeDef *volume = make->volume;
  guint64 allocation = volume->allocation.set ? volume->allocation.value : volume->capacity.value;
  guint64 capacity = MAX (volume->capacity.value, allocation); /* what has its place is there */

  if (ftruncate (fd, (off_t)capacity) < 0)
    return system_error (error, "cannot extend file", path);
  return storage_allocate (job, fd, path, allocation, error);
}

/* A lightweight copy, or not at all: that is what was asked for. */
static gboolean
clone_extents (const StorageMake *make, int fd, GError **error)
{
  int from = open (make->from_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  gboolean cloned = from >= 0 && ioctl (fd, FICLONE, from) == 0;

  if (!cloned)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "cannot clone the extents of '%s': %s", make->from_path,
                    g_strerror (errno));
  if (from >= 0)
    close (from);
  return cloned;
}

/* From @chain: what was read of the volume that is copied, and of all below it. */
static gboolean
convert (const StorageMake *make, const ImageInfo *chain, int fd, const char *path, GError **error)
{
  const StorageVolumeDef *volume = make->volume;
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *source = image_source (chain, NULL, files, error);
  g_autofree char *target = source != NULL ? tool_files_add (files, dup (fd), path) : NULL;
  g_autofree char *options = volume->format == STORAGE_FORMAT_QCOW2 ? qcow2_options (make) : NULL;
  Arguments arguments = { { "qemu-img", "convert", "-q", "-O", format_name (volume->format) }, 5 };

  if (source == NULL)
    return FALSE;
  if (volume->format == STORAGE_FORMAT_RAW) { /* it has its size and its blocks already */
    add (&arguments, "-n");
    add (&arguments, "--target-is-zero");
  }
  if (options != NULL) {
    add (&arguments, "-o");
    add (&arguments, options);
  }
  add (&arguments, source);
  add (&arguments, target);
  return tool_run (arguments.words, files, source, error);
}

/* A copy stands alone, with all that is below what it is copied from; its document, which clients make of the
 * other's, may still name the file below that one, and no other. libvirt's rule and words. */
static gboolean
check_backing (const StorageVolumeDef *volume, const ImageInfo *chain, GError **error)
{
  if (volume->backing == NULL
      || (chain->backing != NULL && g_strcmp0 (volume->backing->path, chain->backing->path) == 0))
    return TRUE;
  virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "a different backing store cannot be specified.");
  return FALSE;
}

static gboolean
grow (int fd, const char *path, guint64 capacity, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *top = tool_files_add (files, dup (fd), path);
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, capacity);
  const char *const arguments[] = { "qemu-img", "resize", "-q", "-f", "qcow2", top, size, NULL };

  return tool_run (arguments, files, NULL, error);
}

static gboolean
make_copy (Job *job, const StorageMake *make, int fd, const char *path, GError **error)
{
  g_autoptr (ImageInfo) chain = image_info_read (make->from_path, format_name (make->from_format), error);

  if (chain == NULL || !check_backing (make->volume, chain, error))
    return FALSE;
  if (make->flags & VIR_STORAGE_VOL_CREATE_REFLINK) {
    if (make->volume->format != make->from_format) {
      virt_error_set (error, VIR_ERR_INVALID_ARG,
                      "a lightweight copy cannot change the format from '%s' to '%s'",
                      format_name (make->from_format), format_name (make->volume->format));
      return FALSE;
    }
    return clone_extents (make, fd, error);
  }
  if (make->volume->format == STORAGE_FORMAT_RAW)
    return make_raw (job, make, fd, path, error) && convert (make, chain, fd, path, error);
  return convert (make, chain, fd, path, error)
         && (make->volume->capacity.value <= make->from_capacity
             || grow (fd, path, make->volume->capacity.value, error));
}

static gboolean
give (const StorageVolumeDef *volume, int fd, mode_t mode, const char *path, GError **error)
{
  const StoragePermissions *wanted = &volume->permissions;
  uid_t owner = wanted->owner.set ? (uid_t)wanted->owner.value : (uid_t)-1;
  gid_t group = wanted->group.set ? (gid_t)wanted->group.value : (gid_t)-1;

  if ((owner != (uid_t)-1 || group != (gid_t)-1) && fchown (fd, owner, group) < 0)
    return system_error (error, "cannot change the owner of", path);
  if (fchmod (fd, wanted->mode.set ? (mode_t)wanted->mode.value : mode) < 0)
    return system_error (error, "cannot set the mode of", path);
  return TRUE;
}

static gboolean
make_directory (int directory, const StorageVolumeDef *volume, const char *path, GError **error)
{
  gboolean given;
  int fd;

  if (mkdirat (directory, volume->name, DEFAULT_DIRECTORY_MODE) < 0)
    return system_error (error, "cannot create path", path);
  fd = openat (directory, volume->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  given = fd >= 0 && give (volume, fd, DEFAULT_DIRECTORY_MODE, path, error);
  if (fd >= 0)
    close (fd);
  if (!given)
    unlinkat (directory, volume->name, AT_REMOVEDIR);
  return given;
}

/* As qemu-img would, and may not: the file has to be its own for that. Most file systems do not know it. */
static void
forbid_copy_on_write (int fd)
{
  int flags = 0;

  if (ioctl (fd, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NOCOW_FL;
    ioctl (fd, FS_IOC_SETFLAGS, &flags);
  }
}

static gboolean
make_file (Job *job, int directory, const StorageMake *make, const char *path, GError **error)
{
  const StorageVolumeDef *volume = make->volume;
  gboolean made;
  int fd =
      openat (directory, volume->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, DEFAULT_FILE_MODE);

  if (fd < 0) {
    if (errno == EEXIST)
      virt_error_set (error, VIR_ERR_OPERATION_INVALID, "volume target path '%s' already exists", path);
    else
      system_error (error, "Failed to create file", path);
    return FALSE;
  }
  if (volume->nocow)
    forbid_copy_on_write (fd);
  made = (make->from_path != NULL                  ? make_copy (job, make, fd, path, error)
          : volume->format == STORAGE_FORMAT_QCOW2 ? make_qcow2 (make, fd, path, error)
                                                   : make_raw (job, make, fd, path, error))
         && give (volume, fd, DEFAULT_FILE_MODE, path, error);
  if (made && fsync (fd) < 0)
    made = system_error (error, "cannot sync file", path);
  if (made && volume->format == STORAGE_FORMAT_RAW)
    made = storage_format_note_raw (fd, path, error);
  close (fd);
  if (!made)
    unlinkat (directory, volume->name, 0);
  return made;
}

StorageVolumeDef *
storage_make (Job *job, const StorageMake *make, GError **error)
{
  g_autofree char *path = g_build_filename (make->pool_path, make->volume->name, NULL);
  int directory = storage_open_directory (make->pool_path, error);
  StorageVolumeDef *volume = NULL;
  gboolean made;

  if (directory < 0)
    return NULL;
  made = make->volume->format == STORAGE_FORMAT_DIR ? make_directory (directory, make->volume, path, error)
                                                    : make_file (job, directory, make, path, error);
  if (made) {
    g_autoptr (GError) problem = NULL;

    if (fsync (directory) < 0)
      system_error (&problem, "cannot sync the directory of", path);
    else
      volume = storage_scan_volume (directory, make->pool_path, make->volume->name, &problem);
    if (volume == NULL && problem == NULL)
      virt_error_set (&problem, VIR_ERR_OPERATION_FAILED, "volume '%s' went away while it was made", path);
    if (problem != NULL) { /* what is answered with an error leaves nothing */
      unlinkat (directory, make->volume->name, make->volume->format == STORAGE_FORMAT_DIR ? AT_REMOVEDIR : 0);
      g_propagate_error (error, g_steal_pointer (&problem));
    }
  }
  close (directory);
  return volume;
}
