/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a guest is told of its memory's speed: the caches of a node's memory, and how long and how broad the
 * ways between nodes are. ACPI calls the table HMAT. Latencies and bandwidths are one list, since QEMU is
 * told of them in the order of the document.
 */

#include "domain/numa-hmat.h"

#include "domain/report.h"

#define CACHE_LEVEL_MAX 3 /* what the table knows: first, second and third level */

const EnumTable numa_cache_associativities = { "cache associativity", { NULL, "none", "direct", "full" } };
const EnumTable numa_cache_policies = { "cache policy", { NULL, "none", "writeback", "writethrough" } };
const EnumTable numa_accesses = { "kind of access", { NULL, "access", "read", "write" } };

static const FieldRange uint32s = { 0, G_MAXUINT32 };

const FieldTable numa_cache_table = {
  sizeof (NumaCache),
  (const Field[]){
      FIELD_WITH (NumaCache, level, "@level", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_WITH (NumaCache, associativity, "@associativity", field_enum, &numa_cache_associativities,
                  FIELD_REQUIRED),
      FIELD_WITH (NumaCache, policy, "@policy", field_enum, &numa_cache_policies, FIELD_REQUIRED),
      FIELD (NumaCache, size, "size/@value", field_number, NULL),
      FIELD (NumaCache, size_unit, "size/@unit", field_text, NULL),
      FIELD (NumaCache, line, "line/@value", field_number, &uint32s),
      FIELD (NumaCache, line_unit, "line/@unit", field_text, NULL),
      FIELD_END,
  },
};

static const FieldTable link_table = {
  sizeof (NumaLink),
  (const Field[]){
      FIELD_WITH (NumaLink, initiator, "@initiator", field_number, &uint32s, FIELD_REQUIRED),
      FIELD_WITH (NumaLink, target, "@target", field_number, &uint32s, FIELD_REQUIRED),
      FIELD (NumaLink, cache, "@cache", field_number, &uint32s),
      FIELD_WITH (NumaLink, access, "@type", field_enum, &numa_accesses, FIELD_REQUIRED),
      FIELD_WITH (NumaLink, value, "@value", field_number, NULL, FIELD_REQUIRED),
      FIELD (NumaLink, unit, "@unit", field_text, NULL),
      FIELD_END,
  },
};

/* <latency> and <bandwidth> fill one list, which is written, compared, copied and freed as the first's. */
static const Field links = { "interconnects/latency", 0, &field_list, &link_table, 0, { 0, 0 } };

static void
read_link (FieldReader *reader, gpointer member, xmlNode *element, gboolean is_bandwidth)
{
  GPtrArray *list;

  field_list.read (reader, &links, member, element);
  list = *(GPtrArray **)member;
  if (list != NULL && list->len > 0)
    ((NumaLink *)g_ptr_array_index (list, list->len - 1))->is_bandwidth = is_bandwidth;
}

static void
latency_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  read_link (reader, member, element, FALSE);
}

static void
bandwidth_read (FieldReader *reader, const Field *field G_GNUC_UNUSED, gpointer member, xmlNode *element)
{
  read_link (reader, member, element, TRUE);
}

static void
links_write (const Field *field G_GNUC_UNUSED, gconstpointer member, XmlElement *parent,
             const char *name G_GNUC_UNUSED, guint flags)
{
  const GPtrArray *list = *(GPtrArray *const *)member;

  for (guint i = 0; i < list->len; i++) {
    const NumaLink *link = g_ptr_array_index (list, i);

    field_write (&link_table, link, xml_element_add (parent, link->is_bandwidth ? "bandwidth" : "latency"),
                 flags);
  }
}

static gboolean
links_is_set (const Field *field G_GNUC_UNUSED, gconstpointer member)
{
  return field_list.is_set (&links, member);
}

static char *
links_compare (const Field *field G_GNUC_UNUSED, gconstpointer a, gconstpointer b, guint flags)
{
  return field_list.compare (&links, a, b, flags);
}

static void
links_clear (const Field *field G_GNUC_UNUSED, gpointer member)
{
  field_list.clear (&links, member);
}

static void
links_copy (const Field *field G_GNUC_UNUSED, gpointer member, gconstpointer from)
{
  const GPtrArray *list = *(GPtrArray *const *)from, *copied;

  field_list.copy (&links, member, from);
  copied = *(GPtrArray **)member;
  for (guint i = 0; copied != NULL && i < copied->len; i++)
    ((NumaLink *)g_ptr_array_index (copied, i))->is_bandwidth =
        ((const NumaLink *)g_ptr_array_index (list, i))->is_bandwidth;
}

static gboolean
never_set (const Field *field G_GNUC_UNUSED, gconstpointer member G_GNUC_UNUSED)
{
  return FALSE;
}

static char *
never_different (const Field *field G_GNUC_UNUSED, gconstpointer a G_GNUC_UNUSED,
                 gconstpointer b G_GNUC_UNUSED, guint flags G_GNUC_UNUSED)
{
  return NULL;
}

static void
clear_nothing (const Field *field G_GNUC_UNUSED, gpointer member G_GNUC_UNUSED)
{
}

static void
copy_nothing (const Field *field G_GNUC_UNUSED, gpointer member G_GNUC_UNUSED,
              gconstpointer from G_GNUC_UNUSED)
{
}

const FieldType field_numa_latency = {
  .size = sizeof (GPtrArray *),
  .read = latency_read,
  .write = links_write,
  .is_set = links_is_set,
  .compare = links_compare,
  .repeats = TRUE,
  .clear = links_clear,
  .copy = links_copy,
};

const FieldType field_numa_bandwidth = {
  .size = sizeof (GPtrArray *),
  .read = bandwidth_read,
  .write = links_write,
  .is_set = never_set,
  .compare = never_different,
  .repeats = TRUE,
  .clear = clear_nothing,
  .copy = copy_nothing,
};

/* Completion: libvirt takes a cache's size as KiB and its line as bytes, whatever unit stands beside them,
 * and the guest is told so. */
static void
complete_caches (const NumaCell *cell)
{
  for (guint i = 0; cell->caches != NULL && i < cell->caches->len; i++) {
    NumaCache *cache = g_ptr_array_index (cell->caches, i);

    g_free (cache->size_unit);
    cache->size_unit = g_strdup ("KiB");
    g_free (cache->line_unit);
    cache->line_unit = g_strdup ("B");
  }
}

static gint
compare_places (gconstpointer a, gconstpointer b, gpointer data)
{
  const NumaLink *const *one = a, *const *other = b;
  Position first = source_map_find (data, *one, NULL), second = source_map_find (data, *other, NULL);

  return first.line != second.line ? (first.line > second.line) - (first.line < second.line)
                                   : (first.column > second.column) - (first.column < second.column);
}

gboolean
complete_numa_speeds (Completion *completion, CpuNuma *numa)
{
  /* The reader takes one kind after the other. */
  if (numa->links != NULL)
    g_ptr_array_sort_with_data (numa->links, compare_places, completion->map);
  for (guint i = 0; numa->cells != NULL && i < numa->cells->len; i++)
    complete_caches (g_ptr_array_index (numa->cells, i));
  for (guint i = 0; numa->links != NULL && i < numa->links->len; i++) {
    NumaLink *link = g_ptr_array_index (numa->links, i);

    if (link->is_bandwidth && !complete_memory_size (completion, &link->value, &link->unit, link))
      return FALSE;
  }
  return TRUE;
}

/* Validation. */

static gboolean
has_cache (const NumaCell *cell, guint64 level)
{
  for (guint i = 0; cell->caches != NULL && i < cell->caches->len; i++)
    if (((const NumaCache *)g_ptr_array_index (cell->caches, i))->level.value == level)
      return TRUE;
  return FALSE;
}

static void
validate_caches (Validation *validation, const NumaCell *cell)
{
  guint seen = 0; /* levels, a bit for each */

  for (guint i = 0; cell->caches != NULL && i < cell->caches->len; i++) {
    const NumaCache *cache = g_ptr_array_index (cell->caches, i);
    guint64 level = cache->level.value;

    if (level == 0)
      validation_value_error (
          validation, VIR_ERR_XML_ERROR, &cache->level, cache,
          "Invalid value for attribute 'level' in element 'cache': Zero is not permitted");
    else if (level > CACHE_LEVEL_MAX)
      validation_value_error (validation, VIR_ERR_XML_ERROR, &cache->level, cache,
                              "Ain't nobody heard of that much cache level: %" G_GUINT64_FORMAT
                              " is more than %d",
                              level, CACHE_LEVEL_MAX);
    else if ((seen & (1u << level)) != 0)
      validation_value_error (validation, VIR_ERR_XML_ERROR, &cache->level, cache,
                              "Cache level '%" G_GUINT64_FORMAT "' already defined", level);
    else
      seen |= 1u << level;
    if (!cache->size.set)
      validation_error_code (validation, VIR_ERR_XML_ERROR, cache, cell,
                             "missing element or attribute './size/@value'");
    if (!cache->line.set || cache->line.value == 0)
      validation_error_code (validation, VIR_ERR_XML_ERROR,
                             cache->line.set ? (gconstpointer)&cache->line : cache, cache,
                             "missing element or attribute './line/@value'");
  }
}

static void
validate_ends (Validation *validation, const CpuNuma *numa, const NumaLink *link)
{
  if (link->initiator.value >= numa->cells->len)
    validation_value_error (validation, VIR_ERR_XML_ERROR, &link->initiator, link,
                            "'initiator' refers to a non-existent NUMA node");
  if (link->target.value >= numa->cells->len)
    validation_value_error (validation, VIR_ERR_XML_ERROR, &link->target, link,
                            "'target' refers to a non-existent NUMA node");
  else if (link->initiator.value < numa->cells->len
           && ((const NumaCell *)g_ptr_array_index (numa->cells, link->initiator.value))->cpus == NULL)
    validation_value_error (validation, VIR_ERR_XML_ERROR, &link->initiator, link,
                            "NUMA nodes without CPUs can't be initiator");
  else if (link->cache.value != 0
           && !has_cache (g_ptr_array_index (numa->cells, link->target.value), link->cache.value))
    validation_value_error (validation, VIR_ERR_XML_ERROR, &link->cache, link,
                            "'cache' refers to a non-existent NUMA node cache");
}

/* What may be said once of a way; and both directions between two nodes are one way to libvirt. */
static void
validate_way (Validation *validation, GHashTable *said, GHashTable *ways, const NumaLink *link)
{
  guint64 from = link->initiator.value, to = link->target.value;
  g_autofree char *way = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, from, to);
  g_autofree char *back = g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, to, from);
  char *key = g_strdup_printf ("%s %" G_GUINT64_FORMAT " %d %d", way, link->cache.value, link->access,
                               link->is_bandwidth);

  if (!g_hash_table_add (said, key))
    validation_error_code (validation, VIR_ERR_XML_ERROR, link, validation->def,
                           "Duplicate info for NUMA latencies");
  else if (from != to && g_hash_table_contains (ways, back))
    validation_error_code (validation, VIR_ERR_XML_ERROR, link, validation->def, "Link already defined");
  g_hash_table_add (ways, g_steal_pointer (&way));
}

void
validate_numa_speeds (Validation *validation, const CpuNuma *numa)
{
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) ways = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < numa->cells->len; i++)
    validate_caches (validation, g_ptr_array_index (numa->cells, i));
  for (guint i = 0; numa->links != NULL && i < numa->links->len; i++) {
    const NumaLink *link = g_ptr_array_index (numa->links, i);

    validate_ends (validation, numa, link);
    validate_way (validation, said, ways, link);
  }
}

gboolean
numa_has_speeds (const CpuNuma *numa)
{
  if (numa->links != NULL)
    return TRUE;
  for (guint i = 0; numa->cells != NULL && i < numa->cells->len; i++)
    if (((const NumaCell *)g_ptr_array_index (numa->cells, i))->caches != NULL)
      return TRUE;
  return FALSE;
}
