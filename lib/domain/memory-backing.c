/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <memoryBacking>: what the machine's memory is made of on the host. Pages' sizes are read in any unit and
 * kept in KiB; which page serves which node of the guest is the target's to choose, but two for one are a
 * mistake here already.
 */

#include "domain/complete-parts.h"

#define BYTES_PER_KIB 1024

static const EnumTable sources = { "memory source", { NULL, "file", "anonymous", "memfd" } };
static const EnumTable accesses = { "memory access", { NULL, "shared", "private" } };
static const EnumTable allocations = { "memory allocation", { NULL, "immediate", "ondemand" } };
static const FieldRange uint32s = { 0, G_MAXUINT32 };

static const FieldTable page_table = {
  sizeof (HugePage),
  (const Field[]){
      FIELD_WITH (HugePage, size, "@size", field_number, NULL, FIELD_REQUIRED),
      FIELD (HugePage, unit, "@unit", field_text, NULL),
      FIELD (HugePage, nodeset, "@nodeset", field_cpu_set, NULL),
      FIELD_END,
  },
};

const FieldTable domain_memory_backing_table = {
  sizeof (DomainMemoryBacking),
  (const Field[]){
      FIELD (DomainMemoryBacking, hugepages, "hugepages", field_flag, NULL),
      FIELD (DomainMemoryBacking, pages, "hugepages/page", field_list, &page_table),
      FIELD (DomainMemoryBacking, nosharepages, "nosharepages", field_flag, NULL),
      FIELD (DomainMemoryBacking, locked, "locked", field_flag, NULL),
      FIELD_WITH (DomainMemoryBacking, source, "source/@type", field_enum, &sources, FIELD_EMPTY_IS_NONE),
      FIELD_WITH (DomainMemoryBacking, access, "access/@mode", field_enum, &accesses, FIELD_EMPTY_IS_NONE),
      FIELD_WITH (DomainMemoryBacking, allocation, "allocation/@mode", field_enum, &allocations,
                  FIELD_EMPTY_IS_NONE),
      FIELD_WITH (DomainMemoryBacking, threads, "allocation/@threads", field_number, &uint32s,
                  FIELD_EMPTY_IS_NONE),
      FIELD (DomainMemoryBacking, discard, "discard", field_flag, NULL),
      FIELD_END,
  },
};

gboolean
domain_def_shares_memory (const DomainDef *def)
{
  const GPtrArray *cells = def->cpu != NULL ? def->cpu->numa.cells : NULL;

  if (def->memory_backing.access == MEMORY_ACCESS_SHARED)
    return TRUE;
  for (guint i = 0; cells != NULL && i < cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (cells, i))->access != MEMORY_ACCESS_SHARED)
      return FALSE;
  return cells != NULL && cells->len > 0;
}

gboolean
complete_memory_size (Completion *completion, Number *size, char **unit, gconstpointer object)
{
  guint64 bytes;

  if (!size_unit (*unit, BYTES_PER_KIB, &bytes)) {
    completion_error_code (completion, VIR_ERR_INVALID_ARG, unit, object, "unknown suffix '%s'", *unit);
    return FALSE;
  }
  if (size->value > (G_MAXINT64 - BYTES_PER_KIB) / bytes) {
    completion_error_code (completion, VIR_ERR_OVERFLOW, size, object,
                           "value '%" G_GUINT64_FORMAT "' is too large", size->value);
    return FALSE;
  }
  size->value = (size->value * bytes + BYTES_PER_KIB - 1) / BYTES_PER_KIB;
  g_free (*unit);
  *unit = g_strdup ("KiB");
  return TRUE;
}

void
complete_memory_backing (Completion *completion)
{
  DomainMemoryBacking *backing = &completion->def->memory_backing;
  const DomainCpu *cpu = completion->def->cpu;

  for (guint i = 0; backing->pages != NULL && i < backing->pages->len; i++) {
    HugePage *page = g_ptr_array_index (backing->pages, i);

    backing->hugepages = TRUE;
    if (page->size.value == 0)
      completion_error_code (completion, VIR_ERR_XML_DETAIL, &page->size, page,
                             "hugepage size can't be zero");
    else
      complete_memory_size (completion, &page->size, &page->unit, page);
    if ((cpu == NULL || cpu->numa.cells == NULL) && g_strcmp0 (page->nodeset, "0") == 0)
      g_clear_pointer (&page->nodeset, g_free); /* the only node there is */
  }
  if (backing->threads.value == 0)
    backing->threads = (Number){ 0 };
}

/* The pages said before: of each node, and of the machine where no node is named. */
typedef struct {
  const HugePage *of_node[CPU_SET_MAX];
  const HugePage *master;
} PagesBefore;

static void
validate_master (Validation *validation, PagesBefore *before, const HugePage *page)
{
  if (before->master != NULL)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &page->size, page,
                           "two master hugepages detected: %" G_GUINT64_FORMAT " and %" G_GUINT64_FORMAT,
                           page->size.value, before->master->size.value);
  before->master = page;
}

static void
validate_overlap (Validation *validation, PagesBefore *before, const HugePage *page)
{
  g_autoptr (CpuSet) nodes = cpu_set_parse (page->nodeset, NULL);
  const HugePage *other = NULL;

  for (guint node = 0; nodes != NULL && node < CPU_SET_MAX; node++) {
    if (!cpu_set_contains (nodes, node))
      continue;
    if (other == NULL)
      other = before->of_node[node];
    before->of_node[node] = page;
  }
  if (other != NULL)
    validation_error_code (validation, VIR_ERR_XML_DETAIL, &page->nodeset, page,
                           "nodeset attribute of hugepages of sizes %" G_GUINT64_FORMAT
                           " and %" G_GUINT64_FORMAT " intersect",
                           other->size.value, page->size.value);
}

/* A machine without nodes has node 0. */
static void
validate_nodes (Validation *validation, const HugePage *page)
{
  const DomainCpu *cpu = validation->def->cpu;
  guint count = cpu != NULL && cpu->numa.cells != NULL ? cpu->numa.cells->len : 0;
  g_autoptr (CpuSet) nodes = page->nodeset != NULL ? cpu_set_parse (page->nodeset, NULL) : NULL;

  for (guint node = MAX (count, 1); nodes != NULL && node < CPU_SET_MAX; node++)
    if (cpu_set_contains (nodes, node)) {
      validation_error_code (validation, VIR_ERR_XML_DETAIL, &page->nodeset, page,
                             "hugepages: node %u not found", node);
      return;
    }
}

void
validate_memory_backing (Validation *validation)
{
  const DomainMemoryBacking *backing = &validation->def->memory_backing;
  g_autofree PagesBefore *before = g_new0 (PagesBefore, 1);

  for (guint i = 0; backing->pages != NULL && i < backing->pages->len; i++) {
    const HugePage *page = g_ptr_array_index (backing->pages, i);

    if (page->nodeset == NULL)
      validate_master (validation, before, page);
    else
      validate_overlap (validation, before, page);
    validate_nodes (validation, page);
  }
  if (backing->hugepages && backing->source == MEMORY_SOURCE_ANONYMOUS)
    validation_error (validation, &backing->source, validation->def,
                      "hugepages are not allowed with anonymous memory source");
  if (backing->hugepages && backing->allocation == MEMORY_ALLOCATION_ONDEMAND)
    validation_error (validation, &backing->allocation, validation->def,
                      "hugepages are not allowed with memory allocation ondemand");
}
