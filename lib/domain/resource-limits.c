/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <memtune>, <blkiotune>, <resource> and <perf>: what the machine's control group is told, and what is
 * counted of it. Values that say nothing are left out, as libvirt leaves them out.
 */

#include "domain/complete-parts.h"

#include <string.h>

#define APPID_MAX 128 /* bytes, of the kernel */

static const FieldRange uint32s = { 0, G_MAXUINT32 };

const FieldTable domain_memtune_table = {
  sizeof (DomainMemtune),
  (const Field[]){
      FIELD (DomainMemtune, hard_limit, "hard_limit", field_memory, NULL),
      FIELD (DomainMemtune, soft_limit, "soft_limit", field_memory, NULL),
      FIELD (DomainMemtune, min_guarantee, "min_guarantee", field_memory, NULL),
      FIELD (DomainMemtune, swap_hard_limit, "swap_hard_limit", field_memory, NULL),
      FIELD_END,
  },
};

const FieldTable blkio_device_table = {
  sizeof (BlkioDevice),
  (const Field[]){
      FIELD (BlkioDevice, path, "path", field_text, NULL),
      FIELD (BlkioDevice, weight, "weight", field_number, &uint32s),
      FIELD (BlkioDevice, read_iops, "read_iops_sec", field_number, &uint32s),
      FIELD (BlkioDevice, write_iops, "write_iops_sec", field_number, &uint32s),
      FIELD (BlkioDevice, read_bytes, "read_bytes_sec", field_number, NULL),
      FIELD (BlkioDevice, write_bytes, "write_bytes_sec", field_number, NULL),
      FIELD_END,
  },
};

const FieldTable domain_blkiotune_table = {
  sizeof (DomainBlkiotune),
  (const Field[]){
      FIELD (DomainBlkiotune, weight, "weight", field_number, &uint32s),
      FIELD (DomainBlkiotune, devices, "device", field_list, &blkio_device_table),
      FIELD_END,
  },
};

const FieldTable domain_resource_table = {
  sizeof (DomainResource),
  (const Field[]){
      FIELD (DomainResource, partition, "partition", field_text, NULL),
      FIELD (DomainResource, fibrechannel, "fibrechannel/@appid", field_text, NULL),
      FIELD_END,
  },
};

const EnumTable perf_events = { "perf event",
                                { NULL,
                                  "cmt",
                                  "mbmt",
                                  "mbml",
                                  "cpu_cycles",
                                  "instructions",
                                  "cache_references",
                                  "cache_misses",
                                  "branch_instructions",
                                  "branch_misses",
                                  "bus_cycles",
                                  "stalled_cycles_frontend",
                                  "stalled_cycles_backend",
                                  "ref_cpu_cycles",
                                  "cpu_clock",
                                  "task_clock",
                                  "page_faults",
                                  "context_switches",
                                  "cpu_migrations",
                                  "page_faults_min",
                                  "page_faults_maj",
                                  "alignment_faults",
                                  "emulation_faults" } };

const FieldTable perf_event_table = {
  sizeof (PerfEvent),
  (const Field[]){
      FIELD_WITH (PerfEvent, name, "@name", field_enum, &perf_events, FIELD_REQUIRED),
      FIELD_WITH (PerfEvent, enabled, "@enabled", field_yes_no, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

static void
forget_unlimited (Number *limit)
{
  if (limit->value >= MEMORY_UNLIMITED)
    *limit = (Number){ 0 };
}

static void
forget_none (Number *value)
{
  if (value->value == 0)
    *value = (Number){ 0 };
}

static void
complete_blkio_devices (GPtrArray *devices)
{
  for (guint i = devices != NULL ? devices->len : 0; i > 0; i--) {
    BlkioDevice *device = g_ptr_array_index (devices, i - 1);

    forget_none (&device->weight);
    forget_none (&device->read_iops);
    forget_none (&device->write_iops);
    forget_none (&device->read_bytes);
    forget_none (&device->write_bytes);
    if (device->path == NULL || device->weight.set || device->read_iops.set || device->write_iops.set
        || device->read_bytes.set || device->write_bytes.set)
      continue;
    g_ptr_array_remove_index (devices, i - 1);
    field_free (&blkio_device_table, device);
  }
}

static gint
compare_events (gconstpointer a, gconstpointer b)
{
  const PerfEvent *const *one = a, *const *other = b;

  return (*one)->name - (*other)->name;
}

void
complete_resource_limits (Completion *completion)
{
  DomainDef *def = completion->def;

  forget_unlimited (&def->memtune.hard_limit);
  forget_unlimited (&def->memtune.soft_limit);
  forget_unlimited (&def->memtune.min_guarantee);
  forget_unlimited (&def->memtune.swap_hard_limit);
  forget_none (&def->blkiotune.weight);
  complete_blkio_devices (def->blkiotune.devices);
  if (def->perf_events != NULL)
    g_ptr_array_sort (def->perf_events, compare_events);
}

static void
validate_blkio_devices (Validation *validation, const GPtrArray *devices)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; devices != NULL && i < devices->len; i++) {
    const BlkioDevice *device = g_ptr_array_index (devices, i);

    if (device->path == NULL || *device->path == '\0')
      validation_error (validation, &device->path, device, "missing per-device path");
    else if (!g_hash_table_add (seen, device->path))
      validation_error (validation, &device->path, device, "duplicate blkio device path '%s'", device->path);
  }
}

void
validate_resource_limits (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainResource *resource = &def->resource;

  if (def->memtune.min_guarantee.set && (def->type == VIRT_TYPE_QEMU || def->type == VIRT_TYPE_KVM))
    validation_error (validation, &def->memtune.min_guarantee, def,
                      "Parameter 'min_guarantee' not supported by QEMU.");
  validate_blkio_devices (validation, def->blkiotune.devices);
  if (resource->partition != NULL && *resource->partition == '\0')
    validation_error_code (validation, VIR_ERR_XML_ERROR, &resource->partition, def,
                           "the <partition> of <resource> is empty: expected an absolute path, such as "
                           "'/machine'");
  if (resource->fibrechannel != NULL
      && (*resource->fibrechannel == '\0' || strlen (resource->fibrechannel) > APPID_MAX))
    validation_error_code (validation, VIR_ERR_INVALID_ARG, &resource->fibrechannel, def,
                           "Fibre Channel 'appid' string length must be between [1, %d]", APPID_MAX);
  for (guint i = 0; def->perf_events != NULL && i + 1 < def->perf_events->len; i++) {
    const PerfEvent *event = g_ptr_array_index (def->perf_events, i);
    const PerfEvent *next = g_ptr_array_index (def->perf_events, i + 1);

    if (event->name == next->name)
      validation_error_code (validation, VIR_ERR_XML_ERROR, &next->name, next,
                             "perf event '%s' was already specified",
                             enum_table_name (&perf_events, next->name));
  }
}
