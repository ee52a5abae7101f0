/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Where the values of a definition stood in its document. Keyed by the address of the struct member, so that
 * whoever holds a struct can ask without a pointer back into the document; the structs stay plain data. The
 * same for what of the document was not understood: a flag in each struct would be there for life.
 */

#include "base/field.h"

struct SourceMap {
  GHashTable *places; /* member address → Position */
  GHashTable *doubts; /* a set of addresses */
  GHashTable *strays; /* a set of names */
};

SourceMap *
source_map_new (void)
{
  SourceMap *map = g_new0 (SourceMap, 1);

  map->places = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  map->doubts = g_hash_table_new (NULL, NULL);
  map->strays = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return map;
}

void
source_map_free (SourceMap *map)
{
  if (map == NULL)
    return;
  g_hash_table_unref (map->places);
  g_hash_table_unref (map->doubts);
  g_hash_table_unref (map->strays);
  g_free (map);
}

void
source_map_add (SourceMap *map, gconstpointer member, Position where)
{
  if (map != NULL)
    g_hash_table_insert (map->places, (gpointer)member, g_memdup2 (&where, sizeof where));
}

Position
source_map_find (const SourceMap *map, gconstpointer member, gconstpointer fallback)
{
  const Position *where = NULL;

  if (map != NULL) {
    where = g_hash_table_lookup (map->places, member);
    if (where == NULL && fallback != NULL)
      where = g_hash_table_lookup (map->places, fallback);
  }
  return where != NULL ? *where : (Position){ 0, 0 };
}

void
source_map_mark_invalid (SourceMap *map, gconstpointer object)
{
  if (map != NULL)
    g_hash_table_add (map->doubts, (gpointer)object);
}

void
source_map_trust (SourceMap *map, gconstpointer object)
{
  if (map != NULL)
    g_hash_table_remove (map->doubts, object);
}

gboolean
source_map_is_invalid (const SourceMap *map, gconstpointer object)
{
  return map != NULL && g_hash_table_contains (map->doubts, object);
}

void
source_map_add_stray (SourceMap *map, const char *name)
{
  if (map != NULL)
    g_hash_table_add (map->strays, g_strdup (name));
}

gboolean
source_map_has_stray (const SourceMap *map, const char *name)
{
  return map != NULL && g_hash_table_contains (map->strays, name);
}

void
source_map_clear (SourceMap *map)
{
  g_hash_table_remove_all (map->places);
  g_hash_table_remove_all (map->doubts);
  g_hash_table_remove_all (map->strays);
}
