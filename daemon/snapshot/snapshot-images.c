/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Images changed by qemu-img. It is told what is above what, as the daemon has read and checked it, and goes
 * by no name that a header says; what it may write is open for writing, and nothing else is.
 */
#include "daemon/snapshot/snapshot-images.h"

#include "daemon/storage/image-source.h"
#include "daemon/storage/tool.h"
#include "snapshot/snapshot-align.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *
open_for_writing (ToolFiles *files, const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat status;

  if (fd >= 0 && fstat (fd, &status) == 0 && (S_ISREG (status.st_mode) || S_ISBLK (status.st_mode)))
    return tool_files_add (files, fd, path);
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open '%s': %s", path, g_strerror (errno));
  else
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "'%s' is neither a file nor a block device", path);
  if (fd >= 0)
    close (fd);
  return NULL;
}

/* The image alone: a snapshot inside of it concerns none below it. */
static char *
alone (const char *opened)
{
  return g_strdup_printf ("json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"},"
                          "\"backing\":null}",
                          opened);
}

/* Has the image a snapshot of that name? What qemu-img says of one is enough: it fails where there is none.
 */
static gboolean
change_image (SnapshotImageVerb verb, const char *path, const char *tag, GError **error)
{
  static const char *const options[] = { "-c", "-a", "-d" };
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *opened = open_for_writing (files, path, error);
  g_autofree char *image = opened != NULL ? alone (opened) : NULL;
  const char *const arguments[] = { "qemu-img", "snapshot", "-q", options[verb], tag, image, NULL };
  g_autoptr (GError) problem = NULL;

  if (image == NULL)
    return FALSE;
  if (tool_run (arguments, files, NULL, &problem))
    return TRUE;
  /* "qemu-img: Could not delete snapshot 'one': snapshot not found": it was deleted before. */
  if (verb == SNAPSHOT_IMAGE_DELETE && strstr (problem->message, "snapshot not found") != NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

gboolean
snapshot_images (SnapshotImageVerb verb, const SnapshotDef *def, const DomainDef *domain, const char *tag,
                 GError **error)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

    if (disk->where == SNAPSHOT_WHERE_INTERNAL && device != NULL && disk_path (device) != NULL
        && !change_image (verb, disk_path (device), tag, error))
      return FALSE;
  }
  return TRUE;
}

/* An empty file, made now or there before, or a device. */
static int
open_new (const char *path, gboolean *ret_made, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
  struct stat status;

  *ret_made = fd >= 0;
  if (fd < 0 && errno == EEXIST)
    fd = open (path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot create '%s': %s", path, g_strerror (errno));
  if (fd < 0 || *ret_made)
    return fd;
  if (fstat (fd, &status) == 0
      && (S_ISBLK (status.st_mode) || (S_ISREG (status.st_mode) && status.st_size == 0)))
    return fd;
  close (fd);
  virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "the new image '%s' is there already", path);
  return -1;
}

gboolean
snapshot_image_make (const char *path, const char *format, const char *below, const char *below_format,
                     GError **error)
{
  g_autoptr (ImageInfo) info = image_info_read (below, below_format, error);
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *size = NULL, *target = NULL;
  gboolean made = FALSE;
  int fd = info != NULL ? open_new (path, &made, error) : -1;

  if (fd < 0)
    return FALSE;
  size = g_strdup_printf ("%" G_GUINT64_FORMAT, info->virtual_size);
  target = tool_files_add (files, fd, path);
  const char *const arguments[] = { "qemu-img", "create", "-q",         "-u",   "-f", format, "-b",
                                    below,      "-F",     below_format, target, size, NULL };
  if (tool_run (arguments, files, NULL, error) && fsync (fd) == 0)
    return TRUE;
  if (error != NULL && *error == NULL)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot write '%s': %s", path, g_strerror (errno));
  if (made)
    unlink (path);
  return FALSE;
}

gboolean
snapshot_image_commit (const char *path, GError **error)
{
  g_autoptr (ImageInfo) info = image_info_read (path, "qcow2", error);
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *top = NULL, *base = NULL, *rest = NULL, *image = NULL;

  if (info == NULL)
    return FALSE;
  if (info->backing == NULL) {
    virt_error_set (error, VIR_ERR_OPERATION_INVALID, "nothing is below the image '%s'", path);
    return FALSE;
  }
  top = open_for_writing (files, path, error);
  base = top != NULL ? open_for_writing (files, info->backing->path, error) : NULL;
  rest = base != NULL ? image_source (info->backing, base, files, error) : NULL;
  if (rest == NULL)
    return FALSE;
  image = g_strdup_printf ("json:{\"driver\":\"%s\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"},"
                           "\"backing\":%s}",
                           info->format, top, rest + strlen ("json:"));
  const char *const arguments[] = { "qemu-img", "commit", "-q", "-d", image, NULL };
  return tool_run (arguments, files, NULL, error);
}

gboolean
snapshot_image_rebase (const char *path, const char *below, const char *below_format, GError **error)
{
  g_autoptr (ToolFiles) files = tool_files_new ();
  g_autofree char *opened = open_for_writing (files, path, error);
  g_autofree char *image = opened != NULL ? alone (opened) : NULL;
  const char *const arguments[] = { "qemu-img", "rebase", "-q",         "-u",  "-b",
                                    below,      "-F",     below_format, image, NULL };

  return image != NULL && tool_run (arguments, files, NULL, error);
}
