/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A disk while its machine runs: what its image says of itself, the numbers of its block nodes, and its
 * limits. Another medium in a drive is in running-medium.c.
 */
#include "daemon/drivers/qemu/attach-private.h"
#include "daemon/drivers/qemu/machine-pr-helper.h"
#include "daemon/drivers/qemu/running-kinds.h"
#include "daemon/drivers/qemu/running-medium.h"
#include "daemon/drivers/qemu/runtime-values.h"

#include "daemon/core/blocking.h"
#include "daemon/host/account.h"
#include "daemon/host/image.h"
#include "domain/devices/disk-chain.h"
#include "targets/qemu/throttle.h"

#include <string.h>

typedef struct {
  char *path, *format;
  DiskBacking *backing;
} ImageRequest;

static void
image_request_free (gpointer data)
{
  ImageRequest *request = data;

  g_free (request->path);
  g_free (request->format);
  disk_backing_free (request->backing);
  g_free (request);
}

static gpointer
read_image (gpointer input, GError **error)
{
  const ImageRequest *request = input;

  return image_info_read_chain (request->path, request->format, request->backing, error);
}

/* Takes @problem, and says whose it is. */
static gboolean
fail (const Device *device, GError *problem, GError **error)
{
  g_autofree char *what = device_describe (device), *said = problem->message;

  problem->message = g_strdup_printf ("%s (%s)", said, what);
  g_propagate_error (error, problem);
  return FALSE;
}

/* What its image says of itself. */
gboolean
running_disk_choose (Device *device, LiveValues *values, GError **error)
{
  DeviceDisk *disk = (DeviceDisk *)device;
  const char *path = disk_path (disk);
  ImageRequest *request;
  GError *problem = NULL;
  ImageInfo *info;

  if (path == NULL)
    return TRUE;
  request = g_new0 (ImageRequest, 1);
  *request = (ImageRequest){ g_strdup (path), g_strdup (disk->format != NULL ? disk->format : "raw"),
                             disk_backing_copy (disk->backing) };
  info = blocking_run (read_image, request, image_request_free, (GDestroyNotify)image_info_free, &problem);
  if (info == NULL)
    return fail (device, problem, error);
  g_hash_table_replace (values->images, g_strdup (path), info);
  return TRUE;
}

static DiskBacking *
found_backing (const ImageInfo *info)
{
  DiskBacking *backing = disk_backing_new ();

  if (info == NULL)
    return backing; /* nothing is below */
  backing->type = info->is_device ? DISK_TYPE_BLOCK : DISK_TYPE_FILE;
  backing->format = g_strdup (info->format);
  *(info->is_device ? &backing->dev : &backing->file) = g_strdup (info->path);
  return backing;
}

/* Numbers for one image, and for the file its data is in. */
static void
number_image (Number *index, DiskSource *source, guint *node)
{
  *index = NUMBER ((*node)++);
  if (source->data_store != NULL)
    source->data_store->index = NUMBER ((*node)++);
}

/* The images below: said by the document, and after the last that it names those that were found. @info: of
 * the image above. */
static void
number_below (DiskBacking **place, const ImageInfo *info, guint *node)
{
  for (;; place = &(*place)->backing) {
    info = info != NULL ? info->backing : NULL;
    if (*place == NULL)
      *place = found_backing (info);
    if (disk_backing_is_end (*place))
      return;
    number_image (&(*place)->index, &(*place)->source, node);
  }
}

/* The numbers of the disk's block nodes, by which QEMU's events speak of them, and what the document shows of
 * the images below. Counted as libvirt does: from the last disk to the first, an empty drive too. Filters and
 * an overlay have the last ones. */
void
running_disk_number (Device *device, LiveValues *values)
{
  DeviceDisk *disk = (DeviceDisk *)device;
  const char *path = disk_path (disk);
  const ImageInfo *info = path != NULL ? g_hash_table_lookup (values->images, path) : NULL;
  gboolean said = disk->backing != NULL && !disk->backing->detected;

  disk->source_index = (Number){ 0 };
  if (!disk_has_nodes (disk)) {
    values->next_node++;
    return;
  }
  number_image (&disk->source_index, &disk->source, &values->next_node);
  if (!said)
    g_clear_pointer (&disk->backing, disk_backing_free);
  number_below (&disk->backing, info, &values->next_node);
  /* That nothing is below is said for good, as libvirt has it: only images that were found are live. */
  disk->backing->detected = !said && !disk_backing_is_end (disk->backing);
  if (disk->throttle_filters != NULL && disk->throttle_filters->len > 0)
    disk->filter_index = NUMBER (values->next_node + (guint)disk->transient);
  values->next_node += (disk->throttle_filters != NULL ? disk->throttle_filters->len : 0) + disk->transient;
}

gboolean
running_disk_started (const DomainDef *def G_GNUC_UNUSED, const Device *device, Qmp *qmp, Job *job,
                      GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  return disk->iotune == NULL || !disk_has_nodes (disk)
         || qmp_run (qmp, job, "block_set_io_throttle", qemu_throttle_arguments (disk), error);
}

static gboolean
remove_node (Plugging *plugging, guint64 number, const char *layer)
{
  g_autofree char *name = g_strdup_printf ("libvirt-%" G_GUINT64_FORMAT "-%s", number, layer);

  return plugging_send (plugging, "blockdev-del", props ("node-name", "s", name, NULL), NULL);
}

/* From the filters down, and from the image on top to the last below it. One that is another disk's is in
 * use, and QEMU keeps it. */
void
running_disk_remove_rest (Plugging *plugging, const Device *device)
{
  static const char *const layers[] = { "format", "slice-sto", "storage" };
  const DeviceDisk *disk = (const DeviceDisk *)device;
  guint filters = disk->throttle_filters != NULL ? disk->throttle_filters->len : 0;
  g_autoptr (GArray) indexes = disk_list_indexes (disk);
  guint overlay = qemu_disk_filter (disk);

  if (!disk->source_index.set)
    return;
  for (guint i = filters; i > 0; i--)
    remove_node (plugging, overlay + i - 1, "filter");
  for (guint i = 0; disk->transient && i < G_N_ELEMENTS (layers); i++)
    remove_node (plugging, overlay - 1, layers[i]);
  for (guint i = 0; i < indexes->len; i++)
    for (guint k = 0; k < G_N_ELEMENTS (layers); k++)
      remove_node (plugging, g_array_index (indexes, guint64, i), layers[k]);
}

/* One helper serves all the machine's disks: it comes with the first that needs it. */
static gboolean
is_only_reserved (const DomainDef *def, const Device *device)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (!disk_is_reserved (disk))
    return FALSE;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, const DeviceDisk, other) {
    if (disk_is_reserved (other) && g_strcmp0 (other->device.alias, device->alias) != 0)
      return FALSE;
  }
  return TRUE;
}

gboolean
running_disk_open (Plugging *plugging, DomainDef *def, Device *device, GError **error)
{
  const Hotplug *plug = plugging->plug;
  g_autofree char *run = store_run_directory (plug->store, def->uuid);
  g_autoptr (GPtrArray) helpers = g_ptr_array_new ();
  g_autoptr (Account) account = NULL;

  if (!is_only_reserved (def, device))
    return TRUE;
  account = account_for_machine (plug->settings, def->uuid, (int)def->id.value, error);
  if (account == NULL
      || !pr_helper_start (def, account, run, plugging->directory, helpers, plugging->job, error))
    return FALSE;
  for (guint i = 0; i < helpers->len; i++)
    plugging_add_helper (plugging, g_ptr_array_index (helpers, i));
  return TRUE;
}

void
running_disk_close (const Plugging *plugging, const DomainDef *def, const Device *device)
{
  if (is_only_reserved (def, device))
    plugging_stop_helper (plugging, PR_HELPER_NAME);
}

gboolean
running_disk_update (Job *job, const Hotplug *plug, DomainDef *def, const Device *device, Device *updated,
                     gboolean force, GError **error)
{
  const DeviceDisk *disk = (const DeviceDisk *)device;

  if (disk_has_same_source (disk, (const DeviceDisk *)updated))
    return TRUE;
  return running_medium_change (job, plug, def, disk, (DeviceDisk *)updated, force, error);
}
