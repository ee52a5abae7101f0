/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of pools and of their volumes: the old ones in two calls, counts and names, and the new one. */
#include "daemon/ops/object/object-list.h"
#include "daemon/ops/storage/storage.h"

void
op_connect_num_of_storage_pools (Call *call)
{
  object_answer_count (call, &storage_pool_kind, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
}

void
op_connect_num_of_defined_storage_pools (Call *call)
{
  object_answer_count (call, &storage_pool_kind, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE);
}

void
op_connect_list_storage_pools (Call *call)
{
  object_answer_names (call, &storage_pool_kind, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
}

void
op_connect_list_defined_storage_pools (Call *call)
{
  object_answer_names (call, &storage_pool_kind, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE);
}

void
op_storage_pool_num_of_volumes (Call *call)
{
  StoragePool *pool = call_storage_pool (call);

  if (call_check_pool_active (call, pool))
    call_answer (call, g_variant_new ("(i)", (int)pool->volumes->len));
}

void
op_storage_pool_list_volumes (Call *call)
{
  guint room = (guint)MAX (call_int (call, 1), 0);
  StoragePool *pool = call_storage_pool (call);
  GVariantBuilder names;

  if (!call_check_pool_active (call, pool))
    return;
  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < pool->volumes->len && i < room; i++)
    g_variant_builder_add (&names, "s", ((StorageVolumeDef *)g_ptr_array_index (pool->volumes, i))->name);
  call_answer (call, g_variant_new ("(as)", &names));
}

void
op_storage_pool_list_all_volumes (Call *call)
{
  StoragePool *pool = call_storage_pool (call);
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 2), 0) || !call_check_pool_active (call, pool))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < pool->volumes->len && call_int (call, 1) != 0; i++)
    g_variant_builder_add_value (&list, storage_volume_value (pool, g_ptr_array_index (pool->volumes, i)));
  call_answer (call, g_variant_new ("(a(sss)u)", &list, pool->volumes->len));
}
