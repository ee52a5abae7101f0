/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The machine's memory: one back-end, or one for each node the guest sees, and one for each memory device.
 * What kind of back-end and from where on the host is libvirt's choice, so that a guest can move between the
 * two, with one exception: huge pages come by memfd and not from a directory, since a process without
 * privileges may have them so.
 */
#include "targets/qemu/recipe-private.h"

#include "domain/devices/memory.h"
#include "domain/machines/machine-kind.h"

#include <string.h>

#define KIB_PER_MIB   1024
#define BYTES_PER_KIB 1024
#define HOST_PAGE     4 /* KiB */

/* One back-end: node @cell's, or the whole machine's. */
typedef struct {
  const char *id;
  guint64 mebibytes;
  guint node; /* of the guest */
  const NumaCell *cell;
  const DeviceMemory *device;
} MemoryBackend;

static guint64
round_to_mebibytes (guint64 kib)
{
  return kib / KIB_PER_MIB + (kib % KIB_PER_MIB != 0);
}

/* A size of the machine's memory or of a node's: some machines have it in large blocks only. */
static guint64
align_to_machine (const Recipe *recipe, guint64 kib)
{
  guint64 block = machine_kind_of (recipe_def (recipe))->memory_alignment / KIB_PER_MIB;
  guint64 mebibytes = round_to_mebibytes (kib);

  return block > 0 ? (mebibytes + block - 1) / block * block : mebibytes;
}

/* KiB: the size of the pages that node is made of; 0: the host's own. @ret_default: the host's usual huge
 * pages. */
static guint64
page_size (const DomainMemoryBacking *backing, guint node, gboolean *ret_default)
{
  guint64 master = 0;

  *ret_default = backing->hugepages && backing->pages == NULL;
  for (guint i = 0; backing->pages != NULL && i < backing->pages->len; i++) {
    const HugePage *page = g_ptr_array_index (backing->pages, i);
    g_autoptr (CpuSet) nodes = page->nodeset != NULL ? cpu_set_parse (page->nodeset, NULL) : NULL;

    if (nodes == NULL)
      master = page->size.value;
    else if (cpu_set_contains (nodes, node))
      return page->size.value;
  }
  return master;
}

/* Where on the host: the node's own place, or that of all. FALSE when it is left open. */
static gboolean
find_place (const DomainNumatune *tune, guint node, int *ret_mode, const char **ret_nodeset)
{
  for (guint i = 0; tune->memnodes != NULL && i < tune->memnodes->len; i++) {
    const NumaMemnode *memnode = g_ptr_array_index (tune->memnodes, i);

    if (memnode->cell.value == node) {
      *ret_mode = memnode->mode;
      *ret_nodeset = memnode->nodeset;
      return memnode->mode != NUMA_MODE_RESTRICTIVE;
    }
  }
  if (tune->memory == NULL || tune->memory->nodeset == NULL)
    return FALSE;
  *ret_mode = tune->memory->mode;
  *ret_nodeset = tune->memory->nodeset;
  return tune->memory->mode != NUMA_MODE_RESTRICTIVE;
}

static JsonArray *
nodes_to_json (const char *nodeset)
{
  g_autoptr (CpuSet) nodes = cpu_set_parse (nodeset, NULL);
  JsonArray *array = json_array_new ();

  for (guint node = 0; node < CPU_SET_MAX; node++)
    if (cpu_set_contains (nodes, node))
      json_array_add_int_element (array, node);
  return array;
}

/* Where a memory device says itself where on the host it lies. */
static gboolean
add_own_place (JsonObject *properties, const MemoryBackend *backend)
{
  if (backend->device == NULL || backend->device->nodemask == NULL)
    return FALSE;
  props_add (properties, "host-nodes", "a", nodes_to_json (backend->device->nodemask), "policy", "s", "bind",
             NULL);
  return TRUE;
}

static void
add_place (Recipe *recipe, JsonObject *properties, const MemoryBackend *backend, gboolean preallocated)
{
  static const char *const policies[] = {
    [NUMA_MODE_STRICT] = "bind", [NUMA_MODE_PREFERRED] = "preferred", [NUMA_MODE_INTERLEAVE] = "interleave"
  };
  g_autofree char *context = g_strconcat ("tc-", backend->id, NULL);
  const char *nodeset = NULL;
  int mode = NUMA_MODE_NONE;

  if (add_own_place (properties, backend)
      || !find_place (&recipe_def (recipe)->numatune, backend->node, &mode, &nodeset))
    return;
  props_add (properties, "host-nodes", "a", nodes_to_json (nodeset), "policy", "s", policies[mode], NULL);
  if (!preallocated || !qemu_caps_has_type (recipe_caps (recipe), "thread-context"))
    return;
  /* The threads that touch the memory first run where it shall lie. */
  recipe_step (recipe, STEP_OBJECT,
               props ("qom-type", "s", "thread-context", "id", "s", context, "node-affinity", "a",
                      nodes_to_json (nodeset), NULL));
  props_add (properties, "prealloc-context", "s", context, NULL);
}

static const char *
backend_type (const DomainMemoryBacking *backing, int access, gboolean huge)
{
  if (backing->source == MEMORY_SOURCE_MEMFD || huge)
    return "memory-backend-memfd";
  if (backing->source == MEMORY_SOURCE_FILE || access != MEMORY_ACCESS_NONE)
    return "memory-backend-file";
  return "memory-backend-ram";
}

static gboolean
is_resizable (const MemoryBackend *backend)
{
  return backend->device != NULL && backend->device->model == MEMORY_VIRTIO_MEM;
}

/* The document's own word for this piece of memory, for its node, or for all. */
static int
access_of (const DomainMemoryBacking *backing, const MemoryBackend *backend)
{
  if (backend->device != NULL && backend->device->access != MEMORY_ACCESS_NONE)
    return backend->device->access;
  if (backend->cell != NULL && backend->cell->access != MEMORY_ACCESS_NONE)
    return backend->cell->access;
  return backing->access;
}

static gboolean
is_discarded (const DomainMemoryBacking *backing, const MemoryBackend *backend)
{
  if (backend->device != NULL && backend->device->discard != TRISTATE_ABSENT)
    return backend->device->discard == TRISTATE_YES;
  if (backend->cell != NULL && backend->cell->discard != TRISTATE_ABSENT)
    return backend->cell->discard == TRISTATE_YES;
  return backing->discard;
}

static JsonObject *
backend_props (Recipe *recipe, const MemoryBackend *backend)
{
  const DomainMemoryBacking *backing = &recipe_def (recipe)->memory_backing;
  gboolean usual;
  guint64 page = page_size (backing, backend->node, &usual);
  int access = access_of (backing, backend);
  gboolean huge, preallocated, is_main = backend->cell == NULL && backend->device == NULL;
  JsonObject *properties;
  const char *type;

  if (backend->device != NULL && backend->device->page_size.value != 0) {
    page = backend->device->page_size.value;
    usual = FALSE;
  }
  huge = usual || (page != 0 && page != HOST_PAGE);
  /* What a virtio-mem device holds ready is taken piece by piece. */
  preallocated = (huge || backing->allocation == MEMORY_ALLOCATION_IMMEDIATE) && !is_resizable (backend);
  type = backend_type (backing, access, huge);
  properties = props ("qom-type", "s", type, "id", "s", backend->id, NULL);
  if (huge)
    props_add (properties, "hugetlb", "b", TRUE, "hugetlbsize", "?t", page * BYTES_PER_KIB, NULL);
  if (strcmp (type, "memory-backend-file") == 0) {
    g_autofree char *path = g_build_filename (recipe_host (recipe)->run_directory, backend->id, NULL);
    props_add (properties, "mem-path", "s", path, "discard-data", "?b", is_discarded (backing, backend),
               NULL);
  }
  if (access != MEMORY_ACCESS_NONE)
    props_add (properties, "share", "b", access == MEMORY_ACCESS_SHARED, NULL);
  if (is_main && strcmp (type, "memory-backend-ram") != 0)
    props_add (properties, "x-use-canonical-path-for-ramblock-id", "b", FALSE, NULL);
  if (is_resizable (backend))
    props_add (properties, "reserve", "b", FALSE, NULL);
  props_add (properties, "prealloc", "?b", preallocated, NULL);
  if (preallocated)
    props_add (properties, "prealloc-threads", "N", &backing->threads, NULL);
  props_add (properties, "size", "t", backend->mebibytes * KIB_PER_MIB * BYTES_PER_KIB, NULL);
  add_place (recipe, properties, backend, preallocated);
  return properties;
}

static gboolean
add_backend (Recipe *recipe, const MemoryBackend *backend, GError **error)
{
  JsonObject *properties = backend_props (recipe, backend);
  const char *type = json_object_get_string_member (properties, "qom-type");

  if (!qemu_needs_type (recipe, NULL, type, error)) {
    json_object_unref (properties);
    return FALSE;
  }
  recipe_step (recipe, STEP_OBJECT, properties);
  return TRUE;
}

static const GPtrArray *
cells_of (const DomainDef *def)
{
  return def->cpu != NULL ? def->cpu->numa.cells : NULL;
}

gboolean
recipe_has_nodes (const Recipe *recipe)
{
  return cells_of (recipe_def (recipe)) != NULL;
}

/* libvirt rounds a machine's memory up to whole MiB, and each node's. */
gboolean
recipe_add_memory (Recipe *recipe, GError **error)
{
  const DomainDef *def = recipe_def (recipe);
  const GPtrArray *cells = cells_of (def);
  guint64 mebibytes = 0;

  for (guint i = 0; cells != NULL && i < cells->len; i++)
    mebibytes += align_to_machine (recipe, ((const NumaCell *)g_ptr_array_index (cells, i))->memory.value);
  if (cells == NULL)
    mebibytes = align_to_machine (recipe, def->memory.value);
  if (mebibytes == 0 || mebibytes > G_MAXUINT32)
    return qemu_unsupported (NULL, error, "a machine cannot have %" G_GUINT64_FORMAT " KiB of memory",
                             def->memory.value);
  if (def->numatune.memory != NULL && def->numatune.memory->placement == NUMA_PLACEMENT_AUTO)
    return qemu_unsupported (NULL, error,
                             "Advice from numad is needed in case of automatic numa placement: say where the "
                             "memory is to lie with <numatune><memory nodeset=>");
  if (def->max_memory.set)
    recipe_option (recipe, "-m",
                   "size=%" G_GUINT64_FORMAT "k,slots=%" G_GUINT64_FORMAT ",maxmem=%" G_GUINT64_FORMAT "k",
                   mebibytes * KIB_PER_MIB, def->max_memory_slots.value,
                   align_to_machine (recipe, def->max_memory.value) * KIB_PER_MIB);
  else
    recipe_option (recipe, "-m", "size=%" G_GUINT64_FORMAT "k", mebibytes * KIB_PER_MIB);
  if (cells == NULL) {
    const MemoryBackend backend = { recipe_memory_id (recipe), mebibytes, 0, NULL, NULL };
    if (!add_backend (recipe, &backend, error))
      return FALSE;
  }
  recipe_option (recipe, "-overcommit", "mem-lock=%s", def->memory_backing.locked ? "on" : "off");
  return TRUE;
}

/* "0-1,cpus=3": as -numa takes ranges. */
static char *
cpus_option (const char *cpus)
{
  g_auto (GStrv) ranges = g_strsplit (cpus, ",", -1);

  return g_strjoinv (",cpus=", ranges);
}

static gboolean
has_distances (const GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (cells, i))->siblings != NULL)
      return TRUE;
  return FALSE;
}

static guint64
distance_of (const NumaCell *cell, guint64 other)
{
  for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++) {
    const NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);

    if (sibling->cell.value == other)
      return sibling->value.value;
  }
  return cell->id.value == other ? NUMA_DISTANCE_SELF : NUMA_DISTANCE_OTHERS;
}

static void
add_node (Recipe *recipe, guint node, const char *cpus, const char *backend)
{
  g_autoptr (GString) text = g_string_new (NULL);

  g_string_append_printf (text, "node,nodeid=%u", node);
  if (cpus != NULL)
    g_string_append_printf (text, ",cpus=%s", cpus);
  recipe_append_initiator (recipe, text, node);
  recipe_option (recipe, "-numa", "%s,memdev=%s", text->str, backend);
}

gboolean
recipe_add_nodes (Recipe *recipe, GError **error)
{
  const GPtrArray *cells = cells_of (recipe_def (recipe));

  for (guint i = 0; cells != NULL && i < cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (cells, i);
    g_autofree char *id = g_strdup_printf ("ram-node%u", i);
    g_autofree char *cpus = cell->cpus != NULL ? cpus_option (cell->cpus) : NULL;
    const MemoryBackend backend = { id, align_to_machine (recipe, cell->memory.value), i, cell, NULL };

    if (!add_backend (recipe, &backend, error))
      return FALSE;
    add_node (recipe, i, cpus, id);
  }
  if (cells == NULL || !has_distances (cells))
    return recipe_add_hmat (recipe, error);
  for (guint i = 0; i < cells->len; i++)
    for (guint j = 0; j < cells->len; j++)
      recipe_option (recipe, "-numa", "dist,src=%u,dst=%u,val=%" G_GUINT64_FORMAT, i, j,
                     distance_of (g_ptr_array_index (cells, i), j));
  return recipe_add_hmat (recipe, error);
}

/* Memory devices. */

#define DEVICE_ALIGNMENT 2 /* MiB: what a guest can plug in */

static guint64
device_mebibytes (const DeviceMemory *memory)
{
  guint64 mebibytes = round_to_mebibytes (memory->size.value);

  return (mebibytes + DEVICE_ALIGNMENT - 1) / DEVICE_ALIGNMENT * DEVICE_ALIGNMENT;
}

/* What is a file of the document's. */
static void
add_file_backend (Recipe *recipe, const DeviceMemory *memory, const char *id)
{
  guint64 size = device_mebibytes (memory) * KIB_PER_MIB * BYTES_PER_KIB;
  const MemoryBackend backend = { id, 0, (guint)memory->node.value, NULL, memory };
  int access = access_of (&recipe_def (recipe)->memory_backing, &backend);
  JsonObject *properties =
      props ("qom-type", "s", "memory-backend-file", "id", "s", id, "mem-path", "s", memory->path, NULL);

  if (access != MEMORY_ACCESS_NONE)
    props_add (properties, "share", "b", access == MEMORY_ACCESS_SHARED, NULL);
  props_add (properties, "prealloc", "?b", memory->model == MEMORY_NVDIMM && !memory->persistent, "size", "t",
             size, NULL);
  if (memory->alignment.set)
    props_add (properties, "align", "t", memory->alignment.value * BYTES_PER_KIB, NULL);
  props_add (properties, "pmem", "?b", memory->persistent, NULL);
  add_own_place (properties, &backend);
  recipe_memory_file (recipe, memory->path, size, &memory->device, "memory");
  recipe_step (recipe, STEP_OBJECT, properties);
}

static gboolean
add_anonymous_backend (Recipe *recipe, const DeviceMemory *memory, const char *id, GError **error)
{
  const GPtrArray *cells = cells_of (recipe_def (recipe));
  guint node = (guint)memory->node.value;
  const MemoryBackend backend = { id, device_mebibytes (memory), node,
                                  cells != NULL && node < cells->len ? g_ptr_array_index (cells, node) : NULL,
                                  memory };

  return add_backend (recipe, &backend, error);
}

static JsonObject *
memory_props (const DeviceMemory *memory, const char *driver, const char *backend)
{
  const DeviceAddress *address = &memory->device.address;
  JsonObject *properties = props ("driver", "s", driver, NULL);

  if (memory->model != MEMORY_VIRTIO_PMEM)
    props_add (properties, "node", "t", memory->node.value, NULL);
  if (memory->label_size.set)
    props_add (properties, "label-size", "t", memory->label_size.value * BYTES_PER_KIB, NULL);
  props_add (properties, "unarmed", "?b", memory->readonly && memory->model == MEMORY_NVDIMM, NULL);
  if (memory->model == MEMORY_VIRTIO_MEM)
    props_add (properties, "block-size", "t", memory->block.value * BYTES_PER_KIB, "requested-size", "t",
               memory->requested.value * BYTES_PER_KIB, "dynamic-memslots", "T", memory->dynamic_slots, NULL);
  props_add (properties, "memdev", "s", backend, "memaddr", "N", &memory->base, NULL);
  if (address->type == ADDRESS_DIMM)
    props_add (properties, "slot", "t", address->dimm_slot.value, "addr", "N", &address->base, NULL);
  return properties;
}

gboolean
recipe_add_memory_device (Recipe *recipe, const Device *device, GError **error)
{
  static const char *const drivers[] = { [MEMORY_DIMM] = "pc-dimm",
                                         [MEMORY_NVDIMM] = "nvdimm",
                                         [MEMORY_VIRTIO_PMEM] = "virtio-pmem-pci",
                                         [MEMORY_VIRTIO_MEM] = "virtio-mem-pci" };
  const DeviceMemory *memory = (const DeviceMemory *)device;
  g_autofree char *id = g_strconcat ("mem", device->alias, NULL);

  if (memory->model == MEMORY_SGX_EPC)
    return recipe_add_epc (recipe, memory, error);
  if (!qemu_needs_type (recipe, device, drivers[memory->model], error))
    return FALSE;
  if (memory->path != NULL && memory->model != MEMORY_DIMM)
    add_file_backend (recipe, memory, id);
  else if (!add_anonymous_backend (recipe, memory, id, error))
    return FALSE;
  return recipe_device (recipe, device, memory_props (memory, drivers[memory->model], id), error);
}
