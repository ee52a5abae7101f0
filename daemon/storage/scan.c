/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Volumes as they are found: every file, directory and block device of the pool's directory, links
 * followed, with what the header of its image says. Entries are looked at through O_PATH first, so that
 * nothing is opened that has more to an open than reading: no FIFO, no terminal, no watchdog.
 */
#include "daemon/storage/scan.h"

#include "daemon/host/image.h"
#include "daemon/storage/formats.h"
#include "daemon/storage/tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define BLOCK_BYTES 512 /* the unit of st_blocks */

void
storage_scan_free (StorageScan *scan)
{
  if (scan == NULL)
    return;
  g_clear_pointer (&scan->volumes, g_ptr_array_unref);
  g_free (scan);
}

int
storage_open_directory (const char *path, GError **error)
{
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);

  if (fd < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open directory '%s': %s", path, g_strerror (errno));
  return fd;
}

static StoragePermissions
permissions_of (const struct stat *status)
{
  return (StoragePermissions){ .mode = NUMBER (status->st_mode & 07777),
                               .owner = { TRUE, status->st_uid },
                               .group = { TRUE, status->st_gid } };
}

static char *
time_text (const struct timespec *time)
{
  if (time->tv_nsec == 0)
    return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64)time->tv_sec);
  return g_strdup_printf ("%" G_GINT64_FORMAT ".%09ld", (gint64)time->tv_sec, time->tv_nsec);
}

/* What the file below is: only its format is taken from the image above, the rest from the file, if it is
 * there. */
static StorageBacking *
describe_backing (const ImageHeader *header)
{
  StorageBacking *backing = storage_backing_new ();
  struct stat status;

  backing->path = g_strdup (header->backing);
  backing->format =
      enum_table_value (&storage_formats, header->backing_format != NULL ? header->backing_format : "raw");
  if (header->backing[0] != '/' || stat (header->backing, &status) < 0)
    return backing;
  backing->permissions = permissions_of (&status);
  backing->atime = time_text (&status.st_atim);
  backing->mtime = time_text (&status.st_mtim);
  backing->ctime = time_text (&status.st_ctim);
  backing->btime = g_strdup ("0");
  return backing;
}

/* A file or block device, and all that is said of one that is made raw. */
static void
describe_bytes (StorageVolumeDef *volume, int fd, const struct stat *status)
{
  guint64 bytes = (guint64)status->st_size;

  if (volume->type == STORAGE_VOLUME_BLOCK)
    volume->allocation = NUMBER (ioctl (fd, BLKGETSIZE64, &bytes) == 0 ? bytes : 0);
  else
    volume->allocation = NUMBER ((guint64)status->st_blocks * BLOCK_BYTES);
  volume->physical = volume->capacity = NUMBER (bytes);
  volume->format = STORAGE_FORMAT_RAW;
}

static gboolean
describe_image (StorageVolumeDef *volume, int fd, const struct stat *status, GError **error)
{
  g_autoptr (ImageHeader) header = NULL;

  describe_bytes (volume, fd, status);
  if (storage_format_is_raw (fd, volume->path))
    return TRUE; /* whatever a guest has written into it */
  header = image_header_read (fd, volume->path, error);
  if (header == NULL)
    return FALSE;
  volume->capacity = NUMBER (header->virtual_size);
  volume->format = enum_table_value (&storage_formats, header->format);
  if (volume->format == STORAGE_FORMAT_NONE)
    volume->format = STORAGE_FORMAT_RAW;
  if (header->backing != NULL)
    volume->backing = describe_backing (header);
  if (g_strcmp0 (header->compat, "1.1") == 0)
    volume->compat = g_strdup (header->compat);
  if (header->cluster_size > 0)
    volume->cluster_size = NUMBER (header->cluster_size);
  volume->lazy_refcounts = header->lazy_refcounts;
  volume->extended_l2 = header->extended_l2;
  volume->has_features = volume->compat != NULL;
  return TRUE;
}

static StorageVolumeType
type_of (const struct stat *status)
{
  return S_ISREG (status->st_mode)   ? STORAGE_VOLUME_FILE
         : S_ISBLK (status->st_mode) ? STORAGE_VOLUME_BLOCK
         : S_ISDIR (status->st_mode) ? STORAGE_VOLUME_DIR
                                     : STORAGE_VOLUME_NONE;
}

/* @entry was opened with O_PATH. */
static StorageVolumeDef *
describe (int entry, const struct stat *status, const char *path, const char *name, GError **error)
{
  g_autoptr (StorageVolumeDef) volume = storage_volume_def_new ();
  g_autofree char *again = g_strdup_printf ("/proc/self/fd/%d", entry);
  gboolean described;
  int fd;

  volume->type = type_of (status);
  volume->name = g_strdup (name);
  volume->path = g_build_filename (path, name, NULL);
  volume->key = g_strdup (volume->path);
  volume->permissions = permissions_of (status);
  volume->atime = time_text (&status->st_atim);
  volume->mtime = time_text (&status->st_mtim);
  volume->ctime = time_text (&status->st_ctim);
  volume->btime = g_strdup ("0");
  if (volume->type == STORAGE_VOLUME_DIR) {
    volume->format = STORAGE_FORMAT_DIR;
    volume->capacity = volume->allocation = NUMBER (0);
    return g_steal_pointer (&volume);
  }
  fd = open (again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open volume '%s': %s", volume->path,
                    g_strerror (errno));
    return NULL;
  }
  described = describe_image (volume, fd, status, error);
  close (fd);
  return described ? g_steal_pointer (&volume) : NULL;
}

StorageVolumeDef *
storage_scan_volume (int directory, const char *path, const char *name, GError **error)
{
  int entry = openat (directory, name, O_PATH | O_CLOEXEC);
  StorageVolumeDef *volume = NULL;
  struct stat status;

  if (entry < 0 && (errno == ENOENT || errno == ELOOP))
    return NULL;
  if (entry < 0 || fstat (entry, &status) < 0)
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot stat file '%s/%s': %s", path, name,
                    g_strerror (errno));
  else if (type_of (&status) != STORAGE_VOLUME_NONE)
    volume = describe (entry, &status, path, name, error);
  if (entry >= 0)
    close (entry);
  return volume;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  const StorageVolumeDef *one = *(StorageVolumeDef *const *)a, *other = *(StorageVolumeDef *const *)b;

  return g_strcmp0 (one->name, other->name);
}

/* What XML cannot say, documents would show as another's name. */
static gboolean
is_showable (const char *name)
{
  for (const char *c = name; *c != '\0'; c++)
    if ((guchar)*c < ' ' && *c != '\t' && *c != '\r')
      return FALSE;
  return storage_name_mistake (name) == NULL && g_utf8_validate (name, -1, NULL);
}

/* A volume that cannot be read is left out, not a reason to show none. */
static gboolean
scan_entries (Job *job, DIR *entries, const char *path, GPtrArray *volumes, GError **error)
{
  const struct dirent *entry;

  while (errno = 0, (entry = readdir (entries)) != NULL) {
    g_autoptr (GError) problem = NULL;
    StorageVolumeDef *volume;

    if (!storage_job_check (job, path, error))
      return FALSE;
    if (!is_showable (entry->d_name))
      continue;
    if (volumes->len >= STORAGE_VOLUMES_MAX) {
      g_warning ("'%s' has more than %d entries: the others are not shown", path, STORAGE_VOLUMES_MAX);
      return TRUE;
    }
    volume = storage_scan_volume (dirfd (entries), path, entry->d_name, &problem);
    if (volume != NULL)
      g_ptr_array_add (volumes, volume);
    else if (problem != NULL)
      g_message ("storage pool '%s': %s", path, problem->message);
  }
  if (errno == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read directory '%s': %s", path, g_strerror (errno));
  return FALSE;
}

StorageScan *
storage_scan_sizes (const char *path, GError **error)
{
  int directory = storage_open_directory (path, error);
  StorageScan *scan = NULL;
  struct statvfs sizes;
  struct stat status;

  if (directory < 0)
    return NULL;
  if (fstat (directory, &status) < 0 || fstatvfs (directory, &sizes) < 0) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot statvfs path '%s': %s", path, g_strerror (errno));
  } else {
    scan = g_new0 (StorageScan, 1);
    scan->capacity = (guint64)sizes.f_frsize * sizes.f_blocks;
    scan->available = (guint64)sizes.f_frsize * sizes.f_bavail;
    scan->allocation = scan->capacity - MIN (scan->available, scan->capacity);
    scan->permissions = permissions_of (&status);
  }
  close (directory);
  return scan;
}

StorageScan *
storage_scan (Job *job, const char *path, GError **error)
{
  g_autoptr (StorageScan) scan = storage_scan_sizes (path, error);
  DIR *entries;
  int directory;
  gboolean read;

  if (scan == NULL || (directory = storage_open_directory (path, error)) < 0)
    return NULL;
  entries = fdopendir (directory);
  if (entries == NULL) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot open directory '%s': %s", path, g_strerror (errno));
    close (directory);
    return NULL;
  }
  scan->volumes = g_ptr_array_new_with_free_func ((GDestroyNotify)storage_volume_def_unref);
  read = scan_entries (job, entries, path, scan->volumes, error);
  closedir (entries);
  if (!read)
    return NULL;
  g_ptr_array_sort (scan->volumes, compare_names);
  return g_steal_pointer (&scan);
}
