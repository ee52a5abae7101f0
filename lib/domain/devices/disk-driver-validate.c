/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What serves a disk: QEMU's main loop, I/O threads that share its queues, or a process beside QEMU that
 * speaks vhost. Each rules out some of what a document may say; libvirt refuses the same, in the same words.
 */

#include "domain/devices/disk-private.h"
#include "domain/iothreads.h"

#define REFUSE(member, ...) validation_error (validation, &disk->member, disk, __VA_ARGS__)

/* Another process has the disk, and QEMU only shows it: what QEMU would do with the data cannot be said. The
 * first that is said, is told. */
static void
validate_vhost_user (Validation *validation, const DeviceDisk *disk)
{
  const struct {
    gboolean said;
    gconstpointer member;
    const char *what;
  } parts[] = {
    { disk->source.slices != NULL, &disk->source.slices, "slices" },
    { disk->shareable, &disk->shareable, "shareable" },
    { disk->transient, &disk->transient, "transient" },
    { disk->readonly, &disk->readonly, "readonly" },
    { disk->iotune != NULL, &disk->iotune, "iotune" },
    { disk->throttle_filters != NULL, &disk->throttle_filters, "throttlefilters" },
    { disk->logical_block_size.set || disk->physical_block_size.set || disk->discard_granularity.set,
      &disk->logical_block_size, "blockio" },
    { disk->cylinders.set, &disk->cylinders, "geometry" },
    { disk->cache != DISK_CACHE_NONE, &disk->cache, "cache" },
    { disk->error_policy != DISK_ERROR_NONE || disk->rerror_policy != DISK_ERROR_NONE, &disk->error_policy,
      "error_policy" },
    { disk->io != DISK_IO_NONE, &disk->io, "io" },
    { disk->ioeventfd != TRISTATE_ABSENT, &disk->ioeventfd, "ioeventfd" },
    { disk->copy_on_read != TRISTATE_ABSENT, &disk->copy_on_read, "copy_on_read" },
    { disk->discard != DISK_DISCARD_NONE, &disk->discard, "discard" },
    { disk->iothread.set || disk->iothreads != NULL, &disk->iothread, "iothread" },
    { disk->detect_zeroes != DETECT_ZEROES_NONE, &disk->detect_zeroes, "detect_zeroes" },
    { disk->serial != NULL, &disk->serial, "serial" },
    { disk->wwn != NULL, &disk->wwn, "wwn" },
    { disk->vendor != NULL, &disk->vendor, "vendor" },
    { disk->product != NULL, &disk->product, "product" },
    { disk->backing != NULL, &disk->backing, "backingStore" },
    { disk_encryption (disk) != NULL, &disk->encryption, "encryption" },
  };

  if (disk->bus != DISK_BUS_VIRTIO) {
    REFUSE (bus, "vhostuser disk supports only virtio bus");
    return;
  }
  if (disk->snapshot != DISK_SNAPSHOT_NO)
    REFUSE (snapshot, "only snapshot=no is supported with vhostuser disk");
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i].said) {
      validation_error (validation, parts[i].member, disk, "%s is not supported with vhostuser disk",
                        parts[i].what);
      return;
    }
}

static void
validate_vhost (Validation *validation, const DeviceDisk *disk)
{
  const char *type = enum_table_name (&disk_types, disk->type);

  if (disk->type != DISK_TYPE_VHOST_USER && disk->type != DISK_TYPE_VHOST_VDPA)
    return;
  if (disk->type == DISK_TYPE_VHOST_USER)
    validate_vhost_user (validation, disk);
  if (!domain_def_shares_memory (validation->def))
    REFUSE (type,
            "'%s' requires shared memory: the machine needs <memoryBacking> with <access "
            "mode='shared'/>",
            type);
  else if (disk->type == DISK_TYPE_VHOST_VDPA && disk->cache != DISK_CACHE_DISABLE
           && disk->cache != DISK_CACHE_DIRECTSYNC)
    REFUSE (cache, "disk type '%s' requires cache mode 'directsync' or 'none'", type);
}

/* The queues of one thread, with those that have been dealt out. */
static gboolean
deal_queues (Validation *validation, const DeviceDisk *disk, const DiskIothread *thread, GHashTable *dealt)
{
  for (guint i = 0; thread->queues != NULL && i < thread->queues->len; i++) {
    const DiskQueue *queue = g_ptr_array_index (thread->queues, i);
    guint id = (guint)queue->id.value;

    if (!disk->queues.set)
      REFUSE (iothreads, "'queue' count must be configured for explicit iothread to queue mapping");
    else if (id >= disk->queues.value)
      validation_error (validation, &queue->id, disk, "iothread queue '%u' mapping out of range", id);
    else if (!g_hash_table_add (dealt, GUINT_TO_POINTER (id + 1)))
      validation_error (validation, &queue->id, disk, "iothread queue '%u' is already assigned", id);
    else
      continue;
    return FALSE;
  }
  return TRUE;
}

/* Either each thread has queues of its own, and each queue a thread, or none has. */
static gboolean
validate_thread (Validation *validation, const DeviceDisk *disk, const DiskIothread *thread, GHashTable *seen,
                 gboolean mapped)
{
  guint id = (guint)thread->id.value;

  if (!domain_has_iothread (validation->def, thread->id.value) && !iothreads_may_miss (validation))
    validation_error (validation, &thread->id, disk, "iothread '%u' not defined in iothreadid", id);
  else if (!g_hash_table_add (seen, GUINT_TO_POINTER (id)))
    validation_error (validation, &thread->id, disk, "duplicate mapping for iothread '%u'", id);
  else if ((thread->queues != NULL && thread->queues->len > 0) != mapped)
    validation_error (validation, &thread->id, disk,
                      "iothread to queue mapping must be provided for all iothreads or for none");
  else
    return TRUE;
  return FALSE;
}

static void
validate_mapping (Validation *validation, const DeviceDisk *disk)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL), dealt = g_hash_table_new (NULL, NULL);
  const DiskIothread *first = g_ptr_array_index (disk->iothreads, 0);
  gboolean mapped = first->queues != NULL && first->queues->len > 0;

  for (guint i = 0; i < disk->iothreads->len; i++) {
    const DiskIothread *thread = g_ptr_array_index (disk->iothreads, i);

    if (!validate_thread (validation, disk, thread, seen, mapped)
        || !deal_queues (validation, disk, thread, dealt))
      return;
  }
  /* One of so many is missing: it is among the first of them. */
  for (guint queue = 0; mapped && queue < disk->queues.value && queue <= g_hash_table_size (dealt); queue++)
    if (!g_hash_table_contains (dealt, GUINT_TO_POINTER (queue + 1))) {
      REFUSE (iothreads, "missing iothread mapping for queue '%u'", queue);
      return;
    }
}

static void
validate_iothreads (Validation *validation, const DeviceDisk *disk)
{
  gboolean listed = disk->iothreads != NULL && disk->iothreads->len > 0;

  if (!disk->iothread.set && !listed)
    return;
  if (disk->iothread.set && listed)
    validation_error_code (
        validation, VIR_ERR_XML_ERROR, &disk->iothread, disk,
        "disk driver 'iothread' attribute can't be used together with 'iothreads' subelement");
  else if (disk->bus != DISK_BUS_VIRTIO)
    REFUSE (iothread, "IOThreads not available for bus %s target %s",
            enum_table_name (&disk_buses, disk->bus), disk->target);
  else if (disk->device.address.type != ADDRESS_PCI && disk->device.address.type != ADDRESS_CCW
           && disk->device.address.type != ADDRESS_NONE && disk->device.address.type != ADDRESS_UNASSIGNED)
    REFUSE (iothread, "IOThreads only available for virtio pci and virtio ccw disk");
  else if (listed)
    validate_mapping (validation, disk);
  else if (!iothreads_may_miss (validation) && !domain_has_iothread (validation->def, disk->iothread.value))
    REFUSE (iothread, "Disk iothread '%u' not defined in iothreadid: the domain has %u iothreads",
            (guint)disk->iothread.value, domain_count_iothreads (validation->def));
}

void
disk_driver_validate (Validation *validation, const DeviceDisk *disk)
{
  validate_vhost (validation, disk);
  if (disk->type != DISK_TYPE_VHOST_USER)
    validate_iothreads (validation, disk);
}
