/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The image is written under another name and gets its own when it is whole and on the disk, and only where
 * nothing else has come there meanwhile. What a daemon that was killed has left under the other name is
 * removed by the next try, which uses the same one.
 */
#include "daemon/storage/disk-image.h"

#include "daemon/core/file.h"
#include "daemon/host/image.h"
#include "daemon/host/named-file.h"
#include "daemon/storage/image-source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE    0600
#define WORK_SECONDS 3600 /* of one step: the checksum of a part, a copy */
#define PART_BYTES   ((gsize)1 << 20)
#define PARTS_MAX    ((guint64)16 << 20) /* of a base: 16 TiB */
#define WORDS_MAX    16

/* A base that grows while it is read is not read for ever. */
static gboolean
sum_parts (Job *job, int fd, const char *path, GChecksum *checksum, GError **error)
{
  g_autofree guchar *part = g_malloc (PART_BYTES);
  gssize got = 1;

  for (guint64 parts = 0; parts < PARTS_MAX && storage_job_check (job, path, error); parts++) {
    if ((got = read (fd, part, PART_BYTES)) <= 0)
      break;
    g_checksum_update (checksum, part, got);
  }
  if (got < 0)
    store_system_error (error, errno, "read", path);
  else if (got > 0 && (error == NULL || *error == NULL))
    virt_error_set (error, VIR_ERR_OPERATION_FAILED, "the base '%s' does not end", path);
  return got == 0;
}

static gboolean
check_sum (Job *job, const WantedImage *image, GError **error)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gboolean read;
  int fd;

  if (image->base_sha256 == NULL)
    return TRUE;
  fd = named_file_open (image->base, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  if (fd < 0) {
    store_system_error (error, errno, "open", image->base);
    return FALSE;
  }
  job_extend_deadline (job, WORK_SECONDS);
  read = sum_parts (job, fd, image->base, checksum, error);
  close (fd);
  if (read && !g_str_equal (g_checksum_get_string (checksum), image->base_sha256)) {
    virt_error_set (
        error, VIR_ERR_OPERATION_FAILED,
        "the base '%s' has the sha256 checksum %s, not %s: it is damaged or another one; fetch it "
        "again, or correct sha256",
        image->base, g_checksum_get_string (checksum), image->base_sha256);
    return FALSE;
  }
  return read;
}

/* The base and all that is below it. NULL with @error when it cannot be a base of the image. */
static ImageInfo *
look_at_base (const WantedImage *image, GError **error)
{
  g_autoptr (ImageInfo) base = image_info_read (image->base, image->base_format, error);

  if (base == NULL)
    return NULL;
  if (image->size == 0 || image->size >= base->virtual_size)
    return g_steal_pointer (&base);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                  "its size of %" G_GUINT64_FORMAT " bytes is less than the %" G_GUINT64_FORMAT
                  " of its base '%s': make <size> larger, or leave it out",
                  image->size, base->virtual_size, image->base);
  return NULL;
}

static gboolean
is_raw (const WantedImage *image)
{
  return g_str_equal (image->format, "raw");
}

static gboolean
create (const WantedImage *image, const ImageInfo *base, int fd, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *target = tool_files_add (files, fcntl (fd, F_DUPFD_CLOEXEC, 0), image->path);
  guint64 bytes = image->size != 0 || base == NULL ? image->size : base->virtual_size;
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, bytes);
  const char *words[WORDS_MAX] = { "qemu-img", "create", "-q", "-f", image->format };
  guint count = 5;

  if (base != NULL) { /* it was read here: it is named, and not opened again */
    const char *const below[] = { "-u", "-b", image->base, "-F", base->format };

    memcpy (words + count, below, sizeof below);
    count += G_N_ELEMENTS (below);
  }
  words[count++] = target;
  words[count++] = size;
  return tool_run (words, files, NULL, error);
}

static gboolean
copy (const WantedImage *image, const ImageInfo *base, int fd, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *source = image_source (base, NULL, files, error);
  g_autofree char *target =
      source != NULL ? tool_files_add (files, fcntl (fd, F_DUPFD_CLOEXEC, 0), image->path) : NULL;
  const char *const words[] = { "qemu-img", "convert", "-q", "-O", image->format, source, target, NULL };

  return target != NULL && tool_run (words, files, source, error);
}

static gboolean
grow (const WantedImage *image, const ImageInfo *base, int fd, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *target = tool_files_add (files, fcntl (fd, F_DUPFD_CLOEXEC, 0), image->path);
  g_autofree char *size = g_strdup_printf ("%" G_GUINT64_FORMAT, image->size);
  const char *const words[] = { "qemu-img", "resize", "-q", "-f", image->format, target, size, NULL };

  return image->size <= base->virtual_size || tool_run (words, files, NULL, error);
}

static gboolean
fill (Job *job, const WantedImage *image, int fd, GError **error)
{
  g_autoptr (ImageInfo) base = NULL;

  if (image->base == NULL)
    return create (image, NULL, fd, error);
  if (!check_sum (job, image, error) || (base = look_at_base (image, error)) == NULL)
    return FALSE;
  job_extend_deadline (job, WORK_SECONDS);
  if (!image->base_copied && !is_raw (image))
    return create (image, base, fd, error);
  return copy (image, base, fd, error) && grow (image, base, fd, error);
}

/* The name is taken only where nothing has it. Not every file system can rename so. */
static gboolean
give_name (const WantedImage *image, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (image->path);
  gboolean named = renameat2 (AT_FDCWD, image->aside, AT_FDCWD, image->path, RENAME_NOREPLACE) == 0;

  if (!named && errno == EINVAL)
    named = link (image->aside, image->path) == 0 && unlink (image->aside) == 0;
  if (named)
    return store_sync_directory (directory, error);
  if (errno == EEXIST)
    virt_error_set (error, VIR_ERR_OPERATION_FAILED,
                    "something came there meanwhile, or it is a link to a file that is not there: it is left "
                    "alone");
  else
    store_system_error (error, errno, "make", image->path);
  return FALSE;
}

gboolean
disk_image_make (Job *job, const WantedImage *image, GError **error)
{
  gboolean made;
  int fd;

  named_file_unlink (image->aside);
  fd = named_file_open (image->aside, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
  if (fd < 0) {
    store_system_error (error, errno, "make", image->path);
    return FALSE;
  }
  made = fill (job, image, fd, error);
  if (made && fsync (fd) < 0) {
    store_system_error (error, errno, "write", image->path);
    made = FALSE;
  }
  close (fd);
  made = made && give_name (image, error);
  if (!made)
    unlink (image->aside);
  return made;
}

gboolean
disk_image_check (const WantedImage *image, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (image->path);
  g_autoptr (ImageInfo) base = NULL;
  struct stat status;

  if (named_file_stat (directory, &status) < 0) {
    store_system_error (error, errno, "use the directory", directory);
    return FALSE;
  }
  return image->base == NULL || (base = look_at_base (image, error)) != NULL;
}
