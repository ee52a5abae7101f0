/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics of disks. What runs is told by QEMU; of what does not run the images are looked at, in a job,
 * for a file system may take its time.
 */
#include "daemon/ops/domain/stats-disks.h"

#include "daemon/host/image.h"
#include "daemon/ops/domain/counters.h"

#include "domain/devices/disk.h"

#define UINT(n)  g_variant_new_uint32 ((guint32)(n))
#define ULONG(n) g_variant_new_uint64 (n)

void
stats_add (GVariantBuilder *list, GVariant *value, const char *format, ...)
{
  g_autofree char *name = NULL;
  va_list arguments;

  va_start (arguments, format);
  name = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_variant_builder_add (list, "{sv}", name, value);
}

static void
add_name (GVariantBuilder *list, const char *target, const char *path, guint number)
{
  if (target != NULL)
    stats_add (list, g_variant_new_string (target), "block.%u.name", number);
  if (path != NULL)
    stats_add (list, g_variant_new_string (path), "block.%u.path", number);
}

static void
add_sizes (GVariantBuilder *list, guint64 allocation, guint64 capacity, guint64 physical, guint number)
{
  stats_add (list, ULONG (allocation), "block.%u.allocation", number);
  stats_add (list, ULONG (capacity), "block.%u.capacity", number);
  stats_add (list, ULONG (physical), "block.%u.physical", number);
}

static void
add_counters (GVariantBuilder *list, const DiskCounters *counters, guint number)
{
  stats_add (list, ULONG (counters->read_requests), "block.%u.rd.reqs", number);
  stats_add (list, ULONG (counters->read_bytes), "block.%u.rd.bytes", number);
  stats_add (list, ULONG (counters->read_time), "block.%u.rd.times", number);
  stats_add (list, ULONG (counters->write_requests), "block.%u.wr.reqs", number);
  stats_add (list, ULONG (counters->write_bytes), "block.%u.wr.bytes", number);
  stats_add (list, ULONG (counters->write_time), "block.%u.wr.times", number);
  stats_add (list, ULONG (counters->flush_requests), "block.%u.fl.reqs", number);
  stats_add (list, ULONG (counters->flush_time), "block.%u.fl.times", number);
}

static void
add_disk (GVariantBuilder *list, const Machine *machine, const DeviceDisk *disk, guint number)
{
  const char *path = disk_source_text (disk), *alias = disk->device.alias;
  DiskCounters counters = { 0 };
  guint64 capacity, physical;

  add_name (list, disk->target, path, number);
  if (path != NULL && disk->source_index.set)
    stats_add (list, UINT (disk->source_index.value), "block.%u.backingIndex", number);
  if (machine == NULL || alias == NULL)
    return;
  counters = machine_disk_counters (machine, alias);
  if (counters.known)
    add_counters (list, &counters, number);
  if (disk_sizes (machine->disks, alias, 0, &capacity, &physical))
    add_sizes (list, disk_highest_offset (machine->statistics, alias, 0), capacity, physical, number);
}

/* The images below, each as a disk of its own. */
static guint
add_backing (GVariantBuilder *list, const Machine *machine, const DeviceDisk *disk, guint number)
{
  guint depth = 1;
  guint64 capacity, physical;

  for (const DiskBacking *backing = disk->backing; backing != NULL && !disk_backing_is_end (backing);
       backing = backing->backing, depth++) {
    add_name (list, disk->target, disk_backing_text (backing), number);
    stats_add (list, UINT (backing->index.value), "block.%u.backingIndex", number);
    if (machine != NULL && disk->device.alias != NULL
        && disk_sizes (machine->disks, disk->device.alias, depth, &capacity, &physical))
      add_sizes (list, disk_highest_offset (machine->statistics, disk->device.alias, depth), capacity,
                 physical, number);
    number++;
  }
  return number;
}

static guint
count_images (const DomainDef *def, gboolean with_backing)
{
  guint count = 0;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    count++;
    for (const DiskBacking *backing = disk->backing;
         with_backing && backing != NULL && !disk_backing_is_end (backing); backing = backing->backing)
      count++;
  }
  return count;
}

void
stats_add_disks (GVariantBuilder *list, const Machine *machine, const DomainDef *def, gboolean with_backing)
{
  guint number = 0;

  stats_add (list, UINT (count_images (def, with_backing)), "block.count");
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    add_disk (list, machine, disk, number++);
    if (with_backing)
      number = add_backing (list, machine, disk, number);
  }
  /* How old the counters are, in milliseconds, when the guest did not answer this time. */
  if (machine != NULL && machine->statistics != NULL && machine->silent)
    stats_add (list, ULONG ((guint64)(g_get_monotonic_time () - machine->statistics_at) / 1000), "block.age");
}

void
stats_add_images (GVariantBuilder *list, const DefinitionSummary *summary, GHashTable *sizes)
{
  stats_add (list, UINT (summary->disks->len), "block.count");
  for (guint i = 0; i < summary->disks->len; i++) {
    const SummaryDisk *disk = &g_array_index (summary->disks, SummaryDisk, i);
    const ImageSizes *size =
        sizes != NULL && disk->path != NULL ? g_hash_table_lookup (sizes, disk->path) : NULL;

    add_name (list, disk->target, disk->path, i);
    if (size != NULL)
      add_sizes (list, size->allocation, size->capacity, size->physical, i);
  }
}

gpointer
stats_sizes_job (Job *job, gpointer formats, GError **error)
{
  g_autoptr (GHashTable) sizes = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer path, format;

  g_hash_table_iter_init (&iter, formats);
  while (g_hash_table_iter_next (&iter, &path, &format)) {
    ImageSizes size;

    if (!job_check (job, error))
      return NULL;
    if (image_sizes_read (path, format, &size, NULL))
      g_hash_table_insert (sizes, g_strdup (path), g_memdup2 (&size, sizeof size));
  }
  return g_steal_pointer (&sizes);
}
