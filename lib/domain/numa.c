/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * NUMA on both sides: <numatune>, which nodes of the host the memory comes from, and <cpu><numa>, the nodes
 * the guest sees. Where the guest has nodes, its memory is the sum of theirs.
 */

#include "domain/complete-parts.h"
#include "domain/devices/memory.h"
#include "domain/numa-hmat.h"

const EnumTable numa_modes = { "NUMA memory tuning mode",
                               { NULL, "strict", "preferred", "interleave", "restrictive" } };
static const EnumTable placements = { "NUMA memory placement", { NULL, "static", "auto" } };
static const EnumTable accesses = { "memory access", { NULL, "shared", "private" } };
static const FieldRange ids = { 0, CPU_SET_MAX - 1 };
static const FieldRange uint32s = { 0, G_MAXUINT32 };

/* Written only where it is "auto": a nodeset says that it is static. */
static gboolean
placement_parse (const Field *field, gpointer member, const char *text, char **ret_accepted)
{
  return field_enum.parse (field, member, text, ret_accepted);
}

static char *
placement_format (const Field *field, gconstpointer member)
{
  return *(const int *)member == NUMA_PLACEMENT_AUTO ? field_enum.format (field, member) : NULL;
}

static const FieldType field_placement = { .size = sizeof (int),
                                           .parse = placement_parse,
                                           .format = placement_format };

static const FieldTable numa_memory_table = {
  sizeof (NumaMemory),
  (const Field[]){
      FIELD (NumaMemory, mode, "@mode", field_enum, &numa_modes),
      FIELD (NumaMemory, placement, "@placement", field_placement, &placements),
      FIELD (NumaMemory, nodeset, "@nodeset", field_cpu_set, NULL),
      FIELD_END,
  },
};

static const FieldTable memnode_table = {
  sizeof (NumaMemnode),
  (const Field[]){
      FIELD_WITH (NumaMemnode, cell, "@cellid", field_number, &ids, FIELD_REQUIRED),
      FIELD (NumaMemnode, mode, "@mode", field_enum, &numa_modes),
      FIELD_WITH (NumaMemnode, nodeset, "@nodeset", field_cpu_set, NULL, FIELD_REQUIRED),
      FIELD_END,
  },
};

const FieldTable domain_numatune_table = {
  sizeof (DomainNumatune),
  (const Field[]){
      FIELD (DomainNumatune, memory, "memory", field_optional, &numa_memory_table),
      FIELD (DomainNumatune, memnodes, "memnode", field_list, &memnode_table),
      FIELD_END,
  },
};

static const FieldTable sibling_table = {
  sizeof (NumaSibling),
  (const Field[]){
      FIELD_WITH (NumaSibling, cell, "@id", field_number, &ids, FIELD_REQUIRED),
      FIELD_WITH (NumaSibling, value, "@value", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_END,
  },
};

static const FieldTable cell_table = {
  sizeof (NumaCell),
  (const Field[]){
      FIELD (NumaCell, id, "@id", field_number, &ids),
      FIELD (NumaCell, cpus, "@cpus", field_cpu_set, NULL),
      FIELD_WITH (NumaCell, memory, "@memory", field_number, NULL, FIELD_REQUIRED),
      FIELD (NumaCell, unit, "@unit", field_text, NULL),
      FIELD (NumaCell, access, "@memAccess", field_enum, &accesses),
      FIELD (NumaCell, discard, "@discard", field_yes_no, NULL),
      FIELD (NumaCell, siblings, "distances/sibling", field_list, &sibling_table),
      FIELD (NumaCell, caches, "cache", field_list, &numa_cache_table),
      FIELD_END,
  },
};

const FieldTable cpu_numa_table = {
  sizeof (CpuNuma),
  (const Field[]){
      FIELD (CpuNuma, cells, "cell", field_list, &cell_table),
      FIELD (CpuNuma, links, "interconnects/latency", field_numa_latency, NULL),
      FIELD (CpuNuma, links, "interconnects/bandwidth", field_numa_bandwidth, NULL),
      FIELD_END,
  },
};

NumaMemory *
numatune_ensure_memory (DomainNumatune *tune)
{
  if (tune->memory == NULL) {
    tune->memory = field_new (&numa_memory_table);
    tune->memory->mode = NUMA_MODE_STRICT;
    tune->memory->placement = NUMA_PLACEMENT_STATIC;
  }
  return tune->memory;
}

/* Completion of <cpu><numa>. */

/* Cells without a number have that of their place. */
static void
number_cells (GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++) {
    NumaCell *cell = g_ptr_array_index (cells, i);

    if (!cell->id.set)
      cell->id = NUMBER (i);
  }
}

static gint
compare_cells (gconstpointer a, gconstpointer b)
{
  const NumaCell *const *one = a, *const *other = b;

  return (gint)(*one)->id.value - (gint)(*other)->id.value;
}

static NumaSibling *
find_sibling (const NumaCell *cell, guint64 id)
{
  for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++) {
    NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);

    if (sibling->cell.value == id)
      return sibling;
  }
  return NULL;
}

static void
add_sibling (NumaCell *cell, guint64 id, guint64 value)
{
  NumaSibling *sibling;

  if (find_sibling (cell, id) != NULL)
    return;
  sibling = field_new (&sibling_table);
  sibling->cell = NUMBER (id);
  sibling->value = NUMBER (value);
  if (cell->siblings == NULL)
    cell->siblings = g_ptr_array_new ();
  g_ptr_array_add (cell->siblings, sibling);
}

static gint
compare_siblings (gconstpointer a, gconstpointer b)
{
  const NumaSibling *const *one = a, *const *other = b;

  return (gint)(*one)->cell.value - (gint)(*other)->cell.value;
}

/* A distance said once holds in both directions, and a node that has distances has one to itself. */
static void
complete_distances (GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++) {
    NumaCell *cell = g_ptr_array_index (cells, i);

    for (guint j = 0; cell->siblings != NULL && j < cell->siblings->len; j++) {
      const NumaSibling *sibling = g_ptr_array_index (cell->siblings, j);

      if (sibling->cell.value < cells->len && sibling->cell.value != cell->id.value)
        add_sibling (g_ptr_array_index (cells, sibling->cell.value), cell->id.value, sibling->value.value);
    }
  }
  for (guint i = 0; i < cells->len; i++) {
    NumaCell *cell = g_ptr_array_index (cells, i);

    if (cell->siblings == NULL)
      continue;
    add_sibling (cell, cell->id.value, NUMA_DISTANCE_SELF);
    g_ptr_array_sort (cell->siblings, compare_siblings);
  }
}

static gboolean
are_numbered_without_gap (const GPtrArray *cells)
{
  for (guint i = 0; i < cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (cells, i))->id.value != i)
      return FALSE;
  return TRUE;
}

static void
report_numbers (Completion *completion, const GPtrArray *cells)
{
  for (guint i = 0; i + 1 < cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (cells, i), *next = g_ptr_array_index (cells, i + 1);

    if (cell->id.value == next->id.value) {
      completion_error_code (completion, VIR_ERR_XML_ERROR, &next->id, next,
                             "Duplicate NUMA cell info for cell id '%" G_GUINT64_FORMAT "'", next->id.value);
      return;
    }
  }
  completion_error_code (completion, VIR_ERR_XML_ERROR, g_ptr_array_index (cells, 0),
                         g_ptr_array_index (cells, 0),
                         "Exactly one 'cell' element per guest NUMA cell allowed, non-contiguous ranges or "
                         "ranges not starting from 0 are not allowed");
}

/* vCPUs that no node has belong to the first. */
static void
complete_cpus (const DomainDef *def, GPtrArray *cells)
{
  g_autoptr (CpuSet) left = cpu_set_new ();
  NumaCell *first = g_ptr_array_index (cells, 0);

  for (guint cpu = 0; cpu < MIN (def->vcpus.value, CPU_SET_MAX); cpu++)
    cpu_set_add (left, cpu);
  for (guint i = 1; i < cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (cells, i);
    g_autoptr (CpuSet) cpus = cell->cpus != NULL ? cpu_set_parse (cell->cpus, NULL) : NULL;

    for (guint cpu = 0; cpus != NULL && cpu < CPU_SET_MAX; cpu++)
      if (cpu_set_contains (cpus, cpu))
        cpu_set_remove (left, cpu);
  }
  if (first->cpus != NULL) {
    g_autoptr (CpuSet) own = cpu_set_parse (first->cpus, NULL);

    for (guint cpu = 0; cpu < CPU_SET_MAX; cpu++)
      if (cpu_set_contains (own, cpu))
        cpu_set_add (left, cpu);
  }
  if (cpu_set_count (left) == 0)
    return;
  g_free (first->cpus);
  first->cpus = cpu_set_to_string (left);
}

void
domain_def_sum_memory (DomainDef *def)
{
  const GPtrArray *cells = def->cpu != NULL ? def->cpu->numa.cells : NULL;
  gboolean whole = def->current_memory.value == def->memory.value;
  guint64 sum = 0;

  if (cells == NULL || cells->len == 0)
    return;
  for (guint i = 0; i < cells->len; i++)
    sum += ((const NumaCell *)g_ptr_array_index (cells, i))->memory.value;
  def->memory = NUMBER (sum + memory_devices_size (def));
  if (whole || def->current_memory.value > def->memory.value)
    def->current_memory = def->memory;
}

static void
complete_cells (Completion *completion, CpuNuma *numa)
{
  DomainDef *def = completion->def;
  guint64 sum = 0;

  number_cells (numa->cells);
  g_ptr_array_sort (numa->cells, compare_cells);
  if (!are_numbered_without_gap (numa->cells)) {
    report_numbers (completion, numa->cells);
    return;
  }
  for (guint i = 0; i < numa->cells->len; i++) {
    NumaCell *cell = g_ptr_array_index (numa->cells, i);

    if (!complete_memory_size (completion, &cell->memory, &cell->unit, cell))
      return;
    sum += cell->memory.value;
  }
  if (!complete_numa_speeds (completion, numa))
    return;
  complete_distances (numa->cells);
  complete_cpus (def, numa->cells);
  if (sum > 0)
    def->memory = NUMBER (sum + memory_devices_size (def));
}

/* What can be plugged in belongs to a node, so the machine has one. */
static void
add_node (Completion *completion)
{
  DomainDef *def = completion->def;
  guint64 devices = memory_devices_size (def);
  NumaCell *cell;

  if (!def->max_memory.set || completion->live || def->memory.value <= devices || def->vcpus.value == 0)
    return;
  if (def->cpu == NULL)
    def->cpu = field_new (&domain_cpu_table);
  if (def->cpu->numa.cells != NULL)
    return;
  cell = field_new (&cell_table);
  cell->id = NUMBER (0);
  cell->cpus =
      def->vcpus.value == 1 ? g_strdup ("0") : g_strdup_printf ("0-%" G_GUINT64_FORMAT, def->vcpus.value - 1);
  cell->memory = NUMBER (def->memory.value - devices);
  cell->unit = g_strdup ("KiB");
  def->cpu->numa.cells = g_ptr_array_new ();
  g_ptr_array_add (def->cpu->numa.cells, cell);
  DOMAIN_FOREACH_DEVICE (def, memory_kind, DeviceMemory, memory)
    if (!memory->node.set && memory->model != MEMORY_VIRTIO_PMEM && memory->model != MEMORY_SGX_EPC)
      memory->node = NUMBER (0);
}

/* Completion of <numatune>. */

static void
complete_mode (int *mode)
{
  if (*mode == NUMA_MODE_NONE)
    *mode = NUMA_MODE_STRICT;
}

static void
complete_placement (DomainDef *def, NumaMemory *memory)
{
  complete_mode (&memory->mode);
  if (memory->placement == NUMA_PLACEMENT_NONE)
    memory->placement = memory->nodeset != NULL || def->vcpu_placement != VCPU_PLACEMENT_AUTO
                            ? NUMA_PLACEMENT_STATIC
                            : NUMA_PLACEMENT_AUTO;
  if (memory->placement == NUMA_PLACEMENT_AUTO)
    g_clear_pointer (&memory->nodeset, g_free);
}

/* Whose threads are pinned by the document is not placed by advice. */
static gboolean
is_pinned (const DomainDef *def)
{
  return def->vcpu_cpuset != NULL || def->cputune.vcpu_pins != NULL || def->cputune.emulator_pin != NULL
         || def->cputune.iothread_pins != NULL;
}

void
complete_numa (Completion *completion)
{
  DomainDef *def = completion->def;
  DomainNumatune *tune = &def->numatune;

  if (def->vcpu_placement == VCPU_PLACEMENT_AUTO) {
    g_clear_pointer (&def->vcpu_cpuset, g_free);
    if (tune->memory == NULL)
      tune->memory = field_new (&numa_memory_table);
  }
  if (tune->memory != NULL)
    complete_placement (def, tune->memory);
  if (tune->memory != NULL && tune->memory->placement == NUMA_PLACEMENT_AUTO && !is_pinned (def))
    def->vcpu_placement = VCPU_PLACEMENT_AUTO;
  for (guint i = 0; tune->memnodes != NULL && i < tune->memnodes->len; i++)
    complete_mode (&((NumaMemnode *)g_ptr_array_index (tune->memnodes, i))->mode);
  add_node (completion);
  if (def->cpu != NULL && def->cpu->numa.cells != NULL)
    complete_cells (completion, &def->cpu->numa);
}

/* Validation. */

/* @owners: for each vCPU one more than the cell that has it, 0 for none. The cell before @index that has a
 * vCPU of @cpus, or -1; then @cpus are this cell's. */
static int
find_overlap (guint *owners, const CpuSet *cpus, guint index)
{
  int overlap = -1;

  for (guint cpu = 0; cpu < CPU_SET_MAX; cpu++) {
    if (!cpu_set_contains (cpus, cpu))
      continue;
    if (owners[cpu] != 0 && overlap < 0)
      overlap = (int)owners[cpu] - 1;
    owners[cpu] = index + 1;
  }
  return overlap;
}

static void
validate_siblings (Validation *validation, const NumaCell *cell, guint count)
{
  for (guint i = 0; cell->siblings != NULL && i < cell->siblings->len; i++) {
    const NumaSibling *sibling = g_ptr_array_index (cell->siblings, i);
    guint64 value = sibling->value.value;
    gboolean self = sibling->cell.value == cell->id.value;

    if (sibling->cell.value >= count)
      validation_error_code (validation, VIR_ERR_XML_ERROR, &sibling->cell, sibling,
                             "'sibling_id %" G_GUINT64_FORMAT "' does not refer to a valid cell within NUMA "
                             "'cell id %" G_GUINT64_FORMAT "'",
                             sibling->cell.value, cell->id.value);
    else if (value < NUMA_DISTANCE_SELF || value > NUMA_DISTANCE_MAX || self != (value == NUMA_DISTANCE_SELF))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &sibling->value, sibling,
                             "'value %" G_GUINT64_FORMAT "' is invalid for 'sibling id %" G_GUINT64_FORMAT
                             "' under NUMA 'cell id %" G_GUINT64_FORMAT "'",
                             value, sibling->cell.value, cell->id.value);
  }
}

static void
validate_cells (Validation *validation, const CpuNuma *numa)
{
  g_autofree guint *owners = g_new0 (guint, CPU_SET_MAX);
  const DomainDef *def = validation->def;

  for (guint i = 0; i < numa->cells->len; i++) {
    const NumaCell *cell = g_ptr_array_index (numa->cells, i);
    g_autoptr (CpuSet) cpus = cell->cpus != NULL ? cpu_set_parse (cell->cpus, NULL) : NULL;

    int overlap = cpus != NULL ? find_overlap (owners, cpus, i) : -1;

    validate_siblings (validation, cell, numa->cells->len);
    if (overlap >= 0)
      validation_error (validation, &cell->cpus, cell, "NUMA cells %u and %d have overlapping vCPU ids", i,
                        overlap);
    for (guint cpu = (guint)def->vcpus.value; cpus != NULL && cpu < CPU_SET_MAX; cpu++)
      if (cpu_set_contains (cpus, cpu)) {
        validation_error_code (validation, VIR_ERR_INTERNAL_ERROR, &cell->cpus, cell,
                               "Number of CPUs in <numa> exceeds the <vcpu> count");
        break;
      }
  }
}

static void
validate_memnodes (Validation *validation, const DomainNumatune *tune, guint cells)
{
  gboolean restrictive = tune->memory != NULL && tune->memory->mode == NUMA_MODE_RESTRICTIVE;
  g_autoptr (GHashTable) said = g_hash_table_new (NULL, NULL); /* cells, one more than they are */

  for (guint i = 0; tune->memnodes != NULL && i < tune->memnodes->len; i++) {
    const NumaMemnode *node = g_ptr_array_index (tune->memnodes, i);

    if (cells == 0)
      validation_error_code (validation, VIR_ERR_XML_ERROR, node, validation->def,
                             "Element 'memnode' is invalid without any guest NUMA cells");
    else if (node->cell.value >= cells)
      validation_error_code (
          validation, VIR_ERR_XML_ERROR, &node->cell, node,
          "Argument 'cellid' in memnode element must correspond to existing guest's NUMA cell");
    if (restrictive && node->mode != NUMA_MODE_RESTRICTIVE)
      validation_error_code (
          validation, VIR_ERR_XML_ERROR, &node->mode, node,
          "'restrictive' mode is required in memnode element when mode is 'restrictive' in "
          "memory element");
    if (!g_hash_table_add (said, GSIZE_TO_POINTER (node->cell.value + 1)))
      validation_error_code (validation, VIR_ERR_XML_ERROR, &node->cell, node,
                             "Multiple memnode elements with cellid %" G_GUINT64_FORMAT, node->cell.value);
  }
}

void
validate_numa (Validation *validation)
{
  const DomainDef *def = validation->def;
  const DomainNumatune *tune = &def->numatune;
  const CpuNuma *numa = def->cpu != NULL ? &def->cpu->numa : NULL;
  guint cells = numa != NULL && numa->cells != NULL ? numa->cells->len : 0;

  if (tune->memory != NULL && tune->memory->placement == NUMA_PLACEMENT_STATIC
      && tune->memory->nodeset == NULL)
    validation_error (validation, tune->memory, def,
                      "nodeset for NUMA memory tuning must be set if 'placement' is 'static'");
  if (numa != NULL && cells == 0 && source_map_find (validation->map, numa, NULL).line > 0)
    validation_error_code (validation, VIR_ERR_XML_ERROR, numa, def,
                           "NUMA topology defined without NUMA cells");
  validate_memnodes (validation, tune, cells);
  if (cells > 0) {
    validate_cells (validation, numa);
    validate_numa_speeds (validation, numa);
  }
}
