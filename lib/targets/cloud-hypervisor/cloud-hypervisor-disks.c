/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks of Cloud Hypervisor's config. It reads raw, qcow2, vhdx and fixed vhd images itself; which one an
 * image is is said, and never left to its first bytes, which are the guest's to write.
 */
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"
#include "targets/launch-json.h"

static const struct {
  const char *format, *image_type;
} image_types[] = {
  { "raw", "Raw" },
  { "qcow2", "Qcow2" },
  { "vhdx", "Vhdx" },
  { "vpc", "FixedVhd" },
};

static const char *
find_image_type (const char *format)
{
  for (guint i = 0; i < G_N_ELEMENTS (image_types); i++)
    if (g_strcmp0 (format, image_types[i].format) == 0)
      return image_types[i].image_type;
  return NULL;
}

/* A format alone says nothing of what lies below: an image may name one by itself. */
static gboolean
may_have_backing (const DeviceDisk *disk)
{
  return g_strcmp0 (disk->format, "qcow2") == 0
         && (disk->backing == NULL || !disk_backing_is_end (disk->backing));
}

static void
lose_values (const DeviceDisk *disk, TargetLosses *losses)
{
  if (disk->cache == DISK_CACHE_WRITETHROUGH || disk->cache == DISK_CACHE_UNSAFE)
    target_lose (losses, &disk->device, "driver cache=",
                 "writes through the host's cache or past it, and keeps "
                 "what its guest flushes");
  if (disk->io == DISK_IO_THREADS)
    target_lose (losses, &disk->device, "driver io=", "chooses between io_uring and Linux AIO by itself");
}

static void
add_image (JsonObject *object, const DeviceDisk *disk, TargetLosses *losses)
{
  const char *format = disk->format != NULL ? disk->format : "raw";
  const char *type = find_image_type (format);

  if (type == NULL)
    target_refuse (losses, &disk->device,
                   "driver type=", "reads raw, qcow2, vhdx and vpc images, and no '%s'", format);
  lose_values (disk, losses);
  json_object_set_string_member (object, "path", disk_path (disk));
  json_object_set_string_member (object, "image_type", type != NULL ? type : "Unknown");
  json_object_set_boolean_member (object, "readonly", disk->readonly);
  if (disk->cache == DISK_CACHE_DISABLE || disk->cache == DISK_CACHE_DIRECTSYNC)
    json_object_set_boolean_member (object, "direct", TRUE);
  if (may_have_backing (disk))
    json_object_set_boolean_member (object, "backing_files", TRUE);
  if (disk->discard != DISK_DISCARD_NONE)
    json_object_set_boolean_member (object, "sparse", disk->discard == DISK_DISCARD_UNMAP);
}

static JsonObject *
disk_config (const DeviceDisk *disk, const DomainDef *def, TargetLosses *losses)
{
  JsonObject *object = json_object_new (), *limiter = launch_disk_limiter (disk);
  guint64 queues = disk->queues.set ? disk->queues.value : 1;

  json_object_set_string_member (object, "id", disk->target);
  if (disk->type == DISK_TYPE_VHOST_USER) {
    json_object_set_boolean_member (object, "vhost_user", TRUE);
    json_object_set_string_member (object, "vhost_socket", disk->source.socket);
    g_clear_pointer (&limiter, json_object_unref);
  } else {
    add_image (object, disk, losses);
  }
  if (queues > def->vcpus.value)
    target_lose (losses, &disk->device, "driver queues=", "has no more queues than processors");
  if (disk->queues.set)
    json_object_set_int_member (object, "num_queues", (gint64)MIN (queues, def->vcpus.value));
  if (disk->queue_size.set)
    json_object_set_int_member (object, "queue_size", (gint64)disk->queue_size.value);
  if (disk->virtio.iommu == TRISTATE_YES)
    json_object_set_boolean_member (object, "iommu", TRUE);
  if (disk->serial != NULL)
    json_object_set_string_member (object, "serial", disk->serial);
  if (limiter != NULL)
    json_object_set_object_member (object, "rate_limiter_config", limiter);
  return object;
}

void
cloud_hypervisor_add_disks (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonArray *disks = json_array_new ();

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    if (launch_can_disk (disk, losses))
      json_array_add_object_element (disks, disk_config (disk, def, losses));
  if (json_array_get_length (disks) > 0)
    json_object_set_array_member (object, "disks", g_steal_pointer (&disks));
  else
    json_array_unref (disks);
}
