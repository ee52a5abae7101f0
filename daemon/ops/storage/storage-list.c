/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of pools and of their volumes: the old ones in two calls, counts and names, and the new one. */
#include "daemon/ops/storage/storage.h"

#define TYPE_FLAGS                                                                 \
  (VIR_CONNECT_LIST_STORAGE_POOLS_DIR | VIR_CONNECT_LIST_STORAGE_POOLS_FS          \
   | VIR_CONNECT_LIST_STORAGE_POOLS_NETFS | VIR_CONNECT_LIST_STORAGE_POOLS_LOGICAL \
   | VIR_CONNECT_LIST_STORAGE_POOLS_DISK | VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI    \
   | VIR_CONNECT_LIST_STORAGE_POOLS_SCSI | VIR_CONNECT_LIST_STORAGE_POOLS_MPATH    \
   | VIR_CONNECT_LIST_STORAGE_POOLS_RBD | VIR_CONNECT_LIST_STORAGE_POOLS_SHEEPDOG  \
   | VIR_CONNECT_LIST_STORAGE_POOLS_GLUSTER | VIR_CONNECT_LIST_STORAGE_POOLS_ZFS   \
   | VIR_CONNECT_LIST_STORAGE_POOLS_VSTORAGE | VIR_CONNECT_LIST_STORAGE_POOLS_ISCSI_DIRECT)
#define LIST_KNOWN_FLAGS                                                                  \
  (VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE | VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE        \
   | VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT | VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT \
   | VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART | VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART | TYPE_FLAGS)

/* Neither of a group's flags lets everything pass. */
static gboolean
passes (guint flags, guint yes, guint no, gboolean is)
{
  return (flags & (yes | no)) == 0 || (flags & (is ? yes : no)) != 0;
}

static gboolean
pool_passes (const StoragePool *pool, guint flags)
{
  return passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE,
                 pool->active)
         && passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_PERSISTENT,
                    VIR_CONNECT_LIST_STORAGE_POOLS_TRANSIENT, pool->persistent)
         && passes (flags, VIR_CONNECT_LIST_STORAGE_POOLS_AUTOSTART,
                    VIR_CONNECT_LIST_STORAGE_POOLS_NO_AUTOSTART, pool->autostart)
         && ((flags & TYPE_FLAGS) == 0 || (flags & VIR_CONNECT_LIST_STORAGE_POOLS_DIR) != 0);
}

void
op_connect_list_all_storage_pools (Call *call)
{
  guint flags = call_uint (call, 1), count = 0;
  g_autoptr (GPtrArray) pools = NULL;
  GVariantBuilder list;

  if (!call_check_flags (call, flags, LIST_KNOWN_FLAGS))
    return;
  pools = storage_pool_list (call->manager);
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(say)"));
  for (guint i = 0; i < pools->len; i++) {
    const StoragePool *pool = g_ptr_array_index (pools, i);

    if (!pool_passes (pool, flags))
      continue;
    count++;
    if (call_int (call, 0) != 0)
      g_variant_builder_add_value (&list, storage_pool_value (pool->def));
  }
  call_answer (call, g_variant_new ("(a(say)u)", &list, count));
}

static void
answer_count (Call *call, guint flags)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (call->manager);
  int count = 0;

  for (guint i = 0; i < pools->len; i++)
    count += pool_passes (g_ptr_array_index (pools, i), flags);
  call_answer (call, g_variant_new ("(i)", count));
}

static void
answer_names (Call *call, guint flags)
{
  g_autoptr (GPtrArray) pools = storage_pool_list (call->manager);
  int room = call_int (call, 0);
  GVariantBuilder names;

  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < pools->len && room > 0; i++) {
    const StoragePool *pool = g_ptr_array_index (pools, i);

    if (!pool_passes (pool, flags))
      continue;
    g_variant_builder_add (&names, "s", pool->def->name);
    room--;
  }
  call_answer (call, g_variant_new ("(as)", &names));
}

void
op_connect_num_of_storage_pools (Call *call)
{
  answer_count (call, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
}

void
op_connect_num_of_defined_storage_pools (Call *call)
{
  answer_count (call, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE);
}

void
op_connect_list_storage_pools (Call *call)
{
  answer_names (call, VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE);
}

void
op_connect_list_defined_storage_pools (Call *call)
{
  answer_names (call, VIR_CONNECT_LIST_STORAGE_POOLS_INACTIVE);
}

void
op_storage_pool_num_of_volumes (Call *call)
{
  StoragePool *pool = call_storage_pool (call);

  if (pool != NULL && call_check_pool_active (call, pool))
    call_answer (call, g_variant_new ("(i)", (int)pool->volumes->len));
}

void
op_storage_pool_list_volumes (Call *call)
{
  guint room = (guint)MAX (call_int (call, 1), 0);
  StoragePool *pool = call_storage_pool (call);
  GVariantBuilder names;

  if (pool == NULL || !call_check_pool_active (call, pool))
    return;
  g_variant_builder_init (&names, G_VARIANT_TYPE ("as"));
  for (guint i = 0; i < pool->volumes->len && i < room; i++)
    g_variant_builder_add (&names, "s", ((StorageVolumeDef *)g_ptr_array_index (pool->volumes, i))->name);
  call_answer (call, g_variant_new ("(as)", &names));
}

void
op_storage_pool_list_all_volumes (Call *call)
{
  StoragePool *pool;
  GVariantBuilder list;

  if (!call_check_flags (call, call_uint (call, 2), 0) || (pool = call_storage_pool (call)) == NULL
      || !call_check_pool_active (call, pool))
    return;
  g_variant_builder_init (&list, G_VARIANT_TYPE ("a(sss)"));
  for (guint i = 0; i < pool->volumes->len && call_int (call, 1) != 0; i++)
    g_variant_builder_add_value (&list, storage_volume_value (pool, g_ptr_array_index (pool->volumes, i)));
  call_answer (call, g_variant_new ("(a(sss)u)", &list, pool->volumes->len));
}
