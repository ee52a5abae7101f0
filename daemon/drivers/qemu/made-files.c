/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Files that are made for one QEMU and end with it, since nobody else can name them. A secret's value is put
 * into sealed memory that QEMU reads by /proc/self/fd: it is in no command line, no environment, no log and
 * no file system. A transient disk's changes go into a qcow2 file that has no name by the time QEMU gets it,
 * so that not even a killed daemon leaves it behind.
 */
#include "daemon/drivers/qemu/made-files.h"

#include "daemon/core/blocking.h"
#include "daemon/host/image.h"
#include "domain/devices/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int
cannot_make (const RecipeFile *file, GError **error)
{
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", file->path, g_strerror (errno));
  return -1;
}

/* QEMU opens it anew, as its own account: it can be read, and nothing else. */
static int
seal (int fd)
{
  return fchmod (fd, 0444) == 0
                 && fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0
             ? fd
             : -1;
}

static int
make_memory (const RecipeFile *file, gconstpointer bytes, gsize length, GError **error)
{
  int fd = memfd_create ("secret", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0)
    return cannot_make (file, error);
  for (gsize done = 0; done < length;) {
    ssize_t written = write (fd, (const char *)bytes + done, length - done);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      cannot_make (file, error);
      close (fd);
      return -1;
    }
    done += (gsize)written;
  }
  if (seal (fd) >= 0)
    return fd;
  cannot_make (file, error);
  close (fd);
  return -1;
}

static int
make_secret (const RecipeFile *file, const SecretSource *secrets, Job *job, GError **error)
{
  g_autoptr (SecretValue) value = NULL;

  if (file->secret_text != NULL)
    return make_memory (file, file->secret_text, strlen (file->secret_text), error);
  if (secrets == NULL || secrets->fetch == NULL)
    virt_error_set (error, VIR_ERR_NO_SECRET, "no secret with matching %s '%s'",
                    file->secret_uuid != NULL ? "uuid" : "usage",
                    file->secret_uuid != NULL ? file->secret_uuid : file->secret_usage);
  else
    value =
        secrets->fetch (secrets->data, job, file->secret_uuid, file->secret_type, file->secret_usage, error);
  return value != NULL ? make_memory (file, secret_value_bytes (value), secret_value_length (value), error)
                       : -1;
}

/* Where no file system of the place can make one without a name, it loses its name at once. */
static int
open_nameless (const char *directory)
{
  g_autofree char *name = g_build_filename (directory, ".transient-XXXXXX", NULL);
  int fd = open (directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0)
    return fd;
  fd = g_mkstemp_full (name, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    unlink (name);
  return fd;
}

/*
 * An empty qcow2 image of version 3, as large as what the guest sees of the one below, which is named to QEMU
 * and not here. In clusters of 64 KiB: the header, the table of reference counts and its only block, and the
 * first level of the map of the guest's clusters, all of which are still to be made.
 */
#define CLUSTER      65536
#define HEADER_BYTES 104
#define L1_OFFSET    (3 * CLUSTER)
#define GUEST_BYTES  (G_GUINT64_CONSTANT (512) << 20) /* of one entry of the first level */
#define COUNTED      (CLUSTER / 2)                    /* clusters of which a block counts references */
#define L1_BYTES_MAX (32 << 20)                       /* QEMU's */

static void
put (guint8 *bytes, guint offset, guint size, guint64 value)
{
  for (guint i = 0; i < size; i++)
    bytes[offset + i] = (guint8)(value >> (8 * (size - 1 - i)));
}

static gboolean
format_overlay (int fd, guint64 size, const char *name, GError **error)
{
  guint64 entries = (size + GUEST_BYTES - 1) / GUEST_BYTES;
  guint64 clusters = 3 + (entries * 8 + CLUSTER - 1) / CLUSTER;
  g_autofree guint8 *bytes = g_malloc0 (L1_OFFSET);

  if (entries * 8 > L1_BYTES_MAX || clusters > COUNTED) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "the disk of '%s' is too large to be transient",
                    name);
    return FALSE;
  }
  memcpy (bytes, "QFI\xfb", 4);
  put (bytes, 4, 4, 3);              /* version */
  put (bytes, 20, 4, 16);            /* bits of a cluster's size */
  put (bytes, 24, 8, size);          /* bytes */
  put (bytes, 36, 4, entries);       /* of the first level, ... */
  put (bytes, 40, 8, L1_OFFSET);     /* ... which is there */
  put (bytes, 48, 8, CLUSTER);       /* reference counts, ... */
  put (bytes, 56, 4, 1);             /* ... in so many clusters */
  put (bytes, 96, 4, 4);             /* bits of a count's width: 2^4 */
  put (bytes, 100, 4, HEADER_BYTES); /* of this */
  put (bytes, CLUSTER, 8, 2 * CLUSTER);
  for (guint i = 0; i < clusters; i++)
    put (bytes, 2 * CLUSTER + 2 * i, 2, 1);
  if (pwrite (fd, bytes, L1_OFFSET, 0) == L1_OFFSET && ftruncate (fd, (off_t)(clusters * CLUSTER)) == 0)
    return TRUE;
  virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot make '%s': %s", name, g_strerror (errno));
  return FALSE;
}

typedef struct {
  char *path, *format;
  ImageSizes sizes;
} SizeRequest;

static void
size_request_free (gpointer data)
{
  SizeRequest *request = data;

  g_free (request->path);
  g_free (request->format);
  g_free (request);
}

static gpointer
read_size (gpointer input, GError **error)
{
  SizeRequest *request = input;

  return image_sizes_read (request->path, request->format, &request->sizes, error)
             ? g_memdup2 (&request->sizes, sizeof request->sizes)
             : NULL;
}

static int
make_overlay (const RecipeFile *file, const Settings *settings, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)file->device;
  const DiskSlice *slice = disk_source_slice (&disk->source);
  SizeRequest *request = g_new0 (SizeRequest, 1);
  g_autofree ImageSizes *sizes = NULL;
  int fd;

  *request = (SizeRequest){ .path = g_strdup (disk_path (disk)), .format = g_strdup (disk->format) };
  sizes = blocking_run (read_size, request, size_request_free, g_free, error);
  if (sizes == NULL)
    return -1;
  fd = open_nameless (settings->state_directory);
  if (fd < 0)
    return cannot_make (file, error);
  if (format_overlay (fd, slice != NULL ? slice->size.value : sizes->capacity, file->path, error))
    return fd;
  close (fd);
  return -1;
}

gboolean
made_files_offer (Files *files, const Recipe *recipe, const SecretSource *secrets, const Settings *settings,
                  Job *job, GError **error)
{
  for (guint i = 0; i < recipe_file_count (recipe); i++) {
    const RecipeFile *file = recipe_get_file (recipe, i);
    int fd;

    if (!file->made)
      continue;
    fd = file->is_secret ? make_secret (file, secrets, job, error) : make_overlay (file, settings, error);
    if (fd < 0)
      return FALSE;
    files_offer (files, file->path, fd);
  }
  return TRUE;
}
