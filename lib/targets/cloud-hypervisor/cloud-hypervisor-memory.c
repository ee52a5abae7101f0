/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processors and memory of Cloud Hypervisor's config. Memory is one piece, or where the guest has nodes, or
 * the host's node is said, zones: then the piece itself is empty, and each node has a zone of its own.
 */
#include "domain/devices/filesystem.h"
#include "domain/devices/memory.h"
#include "targets/cloud-hypervisor/cloud-hypervisor-target.h"
#include "targets/launch-json.h"

#define BYTES_PER_KIB     1024
#define KIB_PER_MIB       1024
#define THREADS_MAX       2
#define ZONE_NAME         "mem%u"
#define MEMORY_BYTES(kib) ((gint64)MIN ((kib), G_MAXINT64 / BYTES_PER_KIB) * BYTES_PER_KIB)

static gint64
whole_mib (guint64 kib)
{
  return MEMORY_BYTES ((kib + KIB_PER_MIB - 1) / KIB_PER_MIB * KIB_PER_MIB);
}

static JsonArray *
cpu_list (const char *text)
{
  g_autoptr (CpuSet) set = cpu_set_parse (text, NULL);
  JsonArray *list = json_array_new ();

  for (guint cpu = 0; set != NULL && cpu < CPU_SET_MAX; cpu++)
    if (cpu_set_contains (set, cpu))
      json_array_add_int_element (list, cpu);
  return list;
}

/* Each virtual processor's own pin, or the set that all have. */
static void
add_affinity (JsonObject *cpus, const DomainDef *def)
{
  JsonArray *affinity = json_array_new ();

  for (guint64 vcpu = 0; vcpu < def->vcpus.value; vcpu++) {
    const char *pin = def->cputune.vcpu_pins != NULL ? cputune_find_pin (def->cputune.vcpu_pins, vcpu) : NULL;
    JsonObject *one;

    if (pin == NULL)
      pin = def->vcpu_cpuset;
    if (pin == NULL)
      continue;
    one = json_object_new ();
    json_object_set_int_member (one, "vcpu", (gint64)vcpu);
    json_object_set_array_member (one, "host_cpus", cpu_list (pin));
    json_array_add_object_element (affinity, one);
  }
  if (json_array_get_length (affinity) > 0)
    json_object_set_array_member (cpus, "affinity", g_steal_pointer (&affinity));
  else
    json_array_unref (affinity);
}

static void
add_topology (JsonObject *cpus, const CpuTopology *topology, TargetLosses *losses)
{
  JsonObject *object = json_object_new ();

  if (topology->clusters.value > 1)
    target_lose (losses, NULL, "cpu/topology", "knows no clusters of cores");
  if (topology->threads.value > THREADS_MAX)
    target_refuse (losses, NULL, "cpu/topology", "has one or two threads a core");
  json_object_set_int_member (object, "threads_per_core", (gint64)MAX (topology->threads.value, 1));
  json_object_set_int_member (object, "cores_per_die",
                              (gint64)(MAX (topology->cores.value, 1) * MAX (topology->clusters.value, 1)));
  json_object_set_int_member (object, "dies_per_package", (gint64)MAX (topology->dies.value, 1));
  json_object_set_int_member (object, "packages", (gint64)MAX (topology->sockets.value, 1));
  json_object_set_object_member (cpus, "topology", object);
}

void
cloud_hypervisor_add_processors (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonObject *cpus = json_object_new ();
  guint64 now = def->vcpus_current.set ? def->vcpus_current.value : def->vcpus.value;

  json_object_set_int_member (cpus, "boot_vcpus", (gint64)now);
  json_object_set_int_member (cpus, "max_vcpus", (gint64)def->vcpus.value);
  if (def->cpu != NULL && def->cpu->topology != NULL)
    add_topology (cpus, def->cpu->topology, losses);
  if (def->cpu != NULL && def->cpu->maxphysaddr_bits.set)
    json_object_set_int_member (cpus, "max_phys_bits", (gint64)def->cpu->maxphysaddr_bits.value);
  if (def->features.hyperv != NULL)
    json_object_set_boolean_member (cpus, "kvm_hyperv", TRUE);
  add_affinity (cpus, def);
  json_object_set_object_member (object, "cpus", cpus);
}

/* A server beside the hypervisor reads and writes the guest's memory. */
static gboolean
needs_shared_memory (const DomainDef *def)
{
  if (domain_def_count_devices (def, &filesystem_kind) > 0)
    return TRUE;
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    if (disk->type == DISK_TYPE_VHOST_USER)
      return TRUE;
  DOMAIN_FOREACH_DEVICE (def, interface_kind, DeviceInterface, interface)
    if (interface->type == INTERFACE_VHOST_USER)
      return TRUE;
  return FALSE;
}

static void
add_backing (JsonObject *memory, const DomainDef *def, int access, guint64 page)
{
  if (access == MEMORY_ACCESS_NONE)
    access = def->memory_backing.access;
  if (access == MEMORY_ACCESS_SHARED || needs_shared_memory (def))
    json_object_set_boolean_member (memory, "shared", TRUE);
  if (page != 0) {
    json_object_set_boolean_member (memory, "hugepages", TRUE);
    json_object_set_int_member (memory, "hugepage_size", (gint64)page);
  }
  if (def->memory_backing.allocation == MEMORY_ALLOCATION_IMMEDIATE)
    json_object_set_boolean_member (memory, "prefault", TRUE);
}

/* The one node of the host that guest node @cell is bound to; -1: none. */
static gint64
host_node (const DomainDef *def, guint64 cell, TargetLosses *losses)
{
  const DomainNumatune *tune = &def->numatune;
  const char *nodes = tune->memory != NULL ? tune->memory->nodeset : NULL;
  int mode = tune->memory != NULL ? tune->memory->mode : NUMA_MODE_STRICT;
  g_autoptr (CpuSet) set = NULL;

  for (guint i = 0; tune->memnodes != NULL && i < tune->memnodes->len; i++) {
    const NumaMemnode *memnode = g_ptr_array_index (tune->memnodes, i);

    if (memnode->cell.value == cell) {
      nodes = memnode->nodeset;
      mode = memnode->mode;
    }
  }
  if (nodes == NULL)
    return -1;
  set = cpu_set_parse (nodes, NULL);
  if (mode != NUMA_MODE_STRICT || set == NULL || cpu_set_count (set) != 1) {
    target_lose (losses, NULL, "numatune", "binds memory strictly, and to one node of the host: '%s' is not",
                 nodes);
    return -1;
  }
  for (guint node = 0; node < CPU_SET_MAX; node++)
    if (cpu_set_contains (set, node))
      return node;
  return -1;
}

static JsonObject *
zone (const DomainDef *def, const char *id, guint64 kib, int access, gint64 node, guint64 page)
{
  JsonObject *object = json_object_new ();

  json_object_set_string_member (object, "id", id);
  json_object_set_int_member (object, "size", MEMORY_BYTES (kib));
  add_backing (object, def, access, page);
  if (node >= 0)
    json_object_set_int_member (object, "host_numa_node", node);
  return object;
}

static JsonArray *
distances (const NumaCell *cell)
{
  JsonArray *list = json_array_new ();

  for (guint i = 0; i < cell->siblings->len; i++) {
    const NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);
    JsonObject *one;

    if (sibling->cell.value == cell->id.value)
      continue; /* its distance to itself is always the same */
    one = json_object_new ();
    json_object_set_int_member (one, "destination", (gint64)sibling->cell.value);
    json_object_set_int_member (one, "distance", (gint64)sibling->value.value);
    json_array_add_object_element (list, one);
  }
  return list;
}

static JsonObject *
node (const NumaCell *cell, const char *zone_id)
{
  JsonObject *object = json_object_new ();
  JsonArray *zones = json_array_new ();

  json_object_set_int_member (object, "guest_numa_id", (gint64)cell->id.value);
  if (cell->cpus != NULL)
    json_object_set_array_member (object, "cpus", cpu_list (cell->cpus));
  if (cell->siblings != NULL)
    json_object_set_array_member (object, "distances", distances (cell));
  json_array_add_string_element (zones, zone_id);
  json_object_set_array_member (object, "memory_zones", zones);
  return object;
}

static void
add_nodes (JsonObject *object, JsonObject *memory, const DomainDef *def, guint64 page, TargetLosses *losses)
{
  const GPtrArray *cells = def->cpu->numa.cells;
  JsonArray *zones = json_array_new (), *nodes = json_array_new ();

  for (guint i = 0; i < cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (cells, i);
    g_autofree char *id = g_strdup_printf (ZONE_NAME, i);
    gint64 bound = host_node (def, cell->id.value, losses);

    json_array_add_object_element (zones, zone (def, id, cell->memory.value, cell->access, bound, page));
    json_array_add_object_element (nodes, node (cell, id));
  }
  json_object_set_array_member (memory, "zones", zones);
  json_object_set_array_member (object, "numa", nodes);
}

static void
add_hotplug (JsonObject *memory, const DomainDef *def, TargetLosses *losses)
{
  const DeviceMemory *virtio_mem = NULL;

  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, device) {
    if (device->model == MEMORY_VIRTIO_MEM && virtio_mem == NULL)
      virtio_mem = device;
    else if (device->model != MEMORY_VIRTIO_PMEM)
      target_lose (losses, &device->device, NULL,
                   "has one memory device of the model 'virtio-mem', any of 'virtio-pmem', and no others");
  }
  if (virtio_mem != NULL) {
    json_object_set_string_member (memory, "hotplug_method", "VirtioMem");
    json_object_set_int_member (memory, "hotplug_size", MEMORY_BYTES (virtio_mem->size.value));
    json_object_set_int_member (memory, "hotplugged_size", MEMORY_BYTES (virtio_mem->requested.value));
  } else if (def->max_memory.set && def->max_memory.value > def->memory.value) {
    json_object_set_string_member (memory, "hotplug_method", "Acpi");
    json_object_set_int_member (memory, "hotplug_size",
                                MEMORY_BYTES (def->max_memory.value - def->memory.value));
  }
}

void
cloud_hypervisor_add_memory (JsonObject *object, const DomainDef *def, TargetLosses *losses)
{
  JsonObject *memory = json_object_new ();
  const CpuNuma *numa = def->cpu != NULL ? &def->cpu->numa : NULL;
  gboolean has_nodes = numa != NULL && numa->cells != NULL && numa->cells->len > 1;
  guint64 page = launch_huge_page (def, losses);
  gint64 bound = has_nodes ? -1 : host_node (def, 0, losses);

  json_object_set_int_member (memory, "size", has_nodes || bound >= 0 ? 0 : whole_mib (launch_memory (def)));
  if (has_nodes) {
    add_nodes (object, memory, def, page, losses);
  } else if (bound >= 0) {
    JsonArray *zones = json_array_new ();

    json_array_add_object_element (zones,
                                   zone (def, "mem0", launch_memory (def), MEMORY_ACCESS_NONE, bound, page));
    json_object_set_array_member (memory, "zones", zones);
  } else {
    add_backing (memory, def, MEMORY_ACCESS_NONE, page);
    add_hotplug (memory, def, losses);
  }
  if ((has_nodes || bound >= 0) && (def->max_memory.set || domain_def_count_devices (def, &memory_kind) > 0))
    target_lose (losses, NULL, "maxMemory", "adds no memory to a machine whose memory is bound to nodes");
  json_object_set_object_member (object, "memory", memory);
}
