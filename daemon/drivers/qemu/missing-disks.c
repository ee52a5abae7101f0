/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The first look at a machine's disks when it starts: only the start's copy of the definition changes, so
 * that the image is asked for again at the next one. A file on a file system that does not answer is not
 * taken for missing: opening it says so, and the start fails.
 */
#include "daemon/drivers/qemu/missing-disks.h"

#include "daemon/host/named-file.h"
#include "domain/devices/disk.h"

#include <errno.h>
#include <libvirt/libvirt.h>

void
missing_disk_free (gpointer data)
{
  MissingDisk *missing = data;

  g_free (missing->path);
  g_free (missing->alias);
  g_free (missing);
}

static gboolean
may_be_missing (const DeviceDisk *disk, gboolean restored)
{
  return disk->startup_policy == STARTUP_OPTIONAL || (restored && disk->startup_policy == STARTUP_REQUISITE);
}

static gboolean
is_missing (const DeviceDisk *disk)
{
  struct stat status;
  const char *path = disk_path (disk);

  return path != NULL && named_file_stat (path, &status) != 0 && errno != ETIMEDOUT;
}

static void
empty_drive (DeviceDisk *disk)
{
  g_clear_pointer (&disk->file, g_free);
  g_clear_pointer (&disk->dev, g_free);
  g_clear_pointer (&disk->format, g_free);
  g_clear_pointer (&disk->backing, disk_backing_free);
  disk->startup_policy = STARTUP_NONE;
}

GPtrArray *
missing_disks_leave_out (DomainDef *def, gboolean restored)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (missing_disk_free);

  for (guint i = def->devices->len; i > 0; i--) {
    Device *device = g_ptr_array_index (def->devices, i - 1);
    DeviceDisk *disk = device->kind == &disk_kind ? (DeviceDisk *)device : NULL;
    gboolean is_drive =
        disk != NULL && (disk->device_type == DISK_DEVICE_CDROM || disk->device_type == DISK_DEVICE_FLOPPY);
    MissingDisk *missing;

    if (disk == NULL || !may_be_missing (disk, restored) || !is_missing (disk))
      continue;
    missing = g_new0 (MissingDisk, 1);
    *missing = (MissingDisk){ g_strdup (disk_path (disk)), g_strdup (device->alias),
                              is_drive ? VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START
                                       : VIR_DOMAIN_EVENT_DISK_DROP_MISSING_ON_START };
    g_ptr_array_add (list, missing);
    if (is_drive)
      empty_drive (disk);
    else
      g_ptr_array_remove_index (def->devices, i - 1);
  }
  return list;
}
