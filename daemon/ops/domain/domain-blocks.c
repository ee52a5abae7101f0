/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a running machine's disks can be told: a new size, and a place in the image whose writing is to be
 * reported.
 */
#include "daemon/domain/machine.h"
#include "daemon/host/named-file.h"
#include "daemon/ops/domain/domain-change.h"
#include "daemon/ops/ops.h"

#include "domain/devices/disk.h"
#include "targets/qemu/recipe.h"
#include "targets/qemu/throttle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef VIR_DOMAIN_BLOCK_RESIZE_CAPACITY
#define RESIZE_CAPACITY (1 << 1) /* of a later libvirt than the headers' */
#else
#define RESIZE_CAPACITY VIR_DOMAIN_BLOCK_RESIZE_CAPACITY
#endif
#define SECTOR 512 /* bytes */

typedef struct {
  Qmp *qmp;
  CapsCache *caps;
  DomainDef *def;         /* the running machine's */
  const DeviceDisk *disk; /* of it */
  guint64 size;           /* bytes; 0 with @device: all of it */
  char *device;           /* the host's block device whose size it is to have; NULL: @size as it is */
  guint patience;         /* seconds */
} Resize;

static void
resize_free (gpointer data)
{
  Resize *resize = data;

  qmp_unref (resize->qmp);
  domain_def_unref (resize->def);
  g_free (resize->device);
  g_free (resize);
}

static gboolean
ask_device (Resize *resize, GError **error)
{
  int fd = named_file_open (resize->device, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
  guint64 size = 0;
  gboolean good = fd >= 0 && ioctl (fd, BLKGETSIZE64, &size) == 0;
  int problem = errno;

  if (fd >= 0)
    close (fd);
  if (!good) {
    virt_error_set (error, VIR_ERR_SYSTEM_ERROR, "cannot read the size of block device '%s': %s",
                    resize->device, g_strerror (problem));
  } else if (resize->size != 0 && resize->size != size) {
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "the size asked for, %" G_GUINT64_FORMAT
                    ", is not the block device's, %" G_GUINT64_FORMAT,
                    resize->size, size);
    good = FALSE;
  }
  resize->size = size;
  return good;
}

static gpointer
resize_job (Job *job, gpointer data, GError **error)
{
  Resize *resize = data;
  g_autoptr (JsonNode) answer = NULL;
  g_autoptr (QemuCaps) caps = NULL;
  g_autofree char *node = NULL;

  if (resize->device != NULL && !ask_device (resize, error))
    return NULL;
  caps = caps_cache_get (resize->caps, resize->def->emulator, error);
  if (caps == NULL)
    return NULL;
  node = qemu_disk_node (caps, resize->disk);
  answer = qmp_call (resize->qmp, job, "block_resize",
                     props ("node-name", "s", node, "size", "t", (guint64)resize->size, NULL), error);
  return answer != NULL ? JOB_OK : NULL;
}

static void
answer_done (gpointer result, const GError *error, gpointer data)
{
  Call *call = data;
  Domain *domain = manager_find_uuid (call->manager, call->domain_uuid, NULL);

  if (domain != NULL)
    domain->job = NULL;
  if (result != NULL)
    call_answer_nothing (call);
  else
    call_fail (call, g_error_copy (error));
}

/* FALSE, and the call failed, when the disk's size cannot be changed in that way. */
static gboolean
check_resize (Call *call, const DeviceDisk *disk, const char *name, guint flags)
{
  const char *format = disk != NULL && disk->format != NULL ? disk->format : "raw";

  if (disk == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "disk '%s' was not found in the domain config", name);
  else if (!disk_has_source (disk) || disk->readonly || !disk->source_index.set)
    call_fail_with (call, VIR_ERR_OPERATION_UNSUPPORTED, "can't resize empty or readonly disk '%s'",
                    disk->target);
  else if ((flags & RESIZE_CAPACITY) && (disk->type != DISK_TYPE_BLOCK || !g_str_equal (format, "raw")))
    call_fail_with (call, VIR_ERR_INVALID_ARG,
                    "block resize to full capacity supported only with 'raw' local block devices, '%s' is "
                    "none",
                    disk->target);
  else
    return TRUE;
  return FALSE;
}

static void
resize_begin (Domain *domain, Call *call)
{
  const char *name = call_string (call, 1);
  guint flags = call_uint (call, 3);
  guint64 size = call_ulong (call, 2);
  const DeviceDisk *disk;
  Resize *resize;

  if (!call_check_monitor (call))
    return;
  disk = domain_def_find_disk (domain->machine->def, name);
  if (!check_resize (call, disk, name, flags))
    return;
  if (!(flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES))
    size *= 1024;
  if (g_strcmp0 (disk->format, "qcow2") == 0 || g_strcmp0 (disk->format, "qed") == 0)
    size = (size + SECTOR - 1) / SECTOR * SECTOR;
  resize = g_new0 (Resize, 1);
  resize->qmp = qmp_ref (domain->machine->qmp);
  resize->caps = call->manager->caps;
  resize->def = domain_def_ref (domain->machine->def);
  resize->disk = disk;
  resize->size = size;
  resize->device = (flags & RESIZE_CAPACITY) ? g_strdup (disk_path (disk)) : NULL;
  resize->patience = call->manager->settings->call_timeout;
  domain->job =
      job_start ("block-resize", resize_job, resize, resize_free, resize->patience, answer_done, call);
}

void
op_domain_block_resize (Call *call)
{
  guint flags = call_uint (call, 3);
  guint64 largest = flags & VIR_DOMAIN_BLOCK_RESIZE_BYTES ? G_MAXINT64 : G_MAXUINT64 / 1024;
  GError *error = NULL;

  if (!call_check_flags (call, flags, VIR_DOMAIN_BLOCK_RESIZE_BYTES | RESIZE_CAPACITY))
    return;
  if (call_ulong (call, 2) > largest)
    call_fail_with (call, VIR_ERR_OVERFLOW, "size must be less than %" G_GUINT64_FORMAT, largest);
  else if (!domain_check_active (call->domain, &error))
    call_fail (call, error);
  else
    domain_lock (call->domain, "block-resize", call, resize_begin);
}

/* "vda", or "vda[5]": the image of that index in its chain. One allocation. */
typedef struct {
  guint64 threshold; /* bytes; 0: none */
  guint index;       /* 0: the one on top */
  char target[];
} Threshold;

/* NULL: not such a name. */
static Threshold *
threshold_new (const char *name, guint64 threshold)
{
  const char *bracket = strchr (name, '[');
  gsize length = bracket != NULL ? (gsize)(bracket - name) : strlen (name);
  Threshold *values = g_malloc0 (sizeof (Threshold) + length + 1);
  guint64 index = 0;
  char *end = NULL;

  memcpy (values->target, name, length);
  values->threshold = threshold;
  if (bracket != NULL && g_ascii_isdigit (bracket[1]))
    index = g_ascii_strtoull (bracket + 1, &end, 10);
  values->index = (guint)MIN (index, G_MAXUINT);
  if (bracket == NULL || (end != NULL && g_str_equal (end, "]") && index > 0))
    return values;
  g_free (values);
  return NULL;
}

static DeviceDisk *
disk_of_target (DomainDef *def, const char *target)
{
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    if (g_strcmp0 (disk->target, target) == 0)
      return disk;
  }
  return NULL;
}

static gboolean
apply_threshold (DomainDef *def, G_GNUC_UNUSED const Machine *machine, gconstpointer data, GError **error)
{
  const Threshold *values = data;
  DeviceDisk *disk = disk_of_target (def, values->target);

  if (disk == NULL || (values->index != 0 && !disk_has_image (disk, values->index))) {
    g_autofree char *index = values->index != 0 ? g_strdup_printf ("[%u]", values->index) : NULL;

    virt_error_set (error, VIR_ERR_INVALID_ARG, "failed to find disk '%s%s'", values->target,
                    index != NULL ? index : "");
    return FALSE;
  }
  if (!disk->source_index.set) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED,
                    "threshold currently can't be set for block device '%s': it has no image",
                    values->target);
    return FALSE;
  }
  if (values->index == 0 || values->index == disk->source_index.value)
    disk->threshold_by_index = values->index != 0;
  return TRUE;
}

static const char *
threshold_command (const Machine *machine, gconstpointer data, JsonObject **ret_arguments)
{
  const Threshold *values = data;
  const DeviceDisk *disk = disk_of_target (machine->def, values->target);
  guint index = values->index != 0 ? values->index : (guint)disk->source_index.value;
  g_autofree char *node = g_strdup_printf ("libvirt-%u-storage", index);

  *ret_arguments = props ("node-name", "s", node, "write-threshold", "t", values->threshold, NULL);
  return "block-set-write-threshold";
}

void
op_domain_set_block_threshold (Call *call)
{
  ChangeRequest change = {
    .name = "block-threshold",
    .affect = VIR_DOMAIN_AFFECT_LIVE,
    .apply = apply_threshold,
    .command = threshold_command,
  };

  if (!call_check_flags (call, call_uint (call, 3), 0))
    return;
  change.values = threshold_new (call_string (call, 1), call_ulong (call, 2));
  if (change.values == NULL)
    call_fail_with (call, VIR_ERR_INVALID_ARG, "failed to find disk '%s'", call_string (call, 1));
  else
    domain_change (call, &change);
}
