/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Volumes found and asked about. A volume's key is its path. */
#include "daemon/ops/storage/storage.h"
#include "daemon/storage/refresh.h"

StorageVolumeDef *
call_storage_volume (Call *call, guint index, StoragePool **ret_pool)
{
  const char *pool_name, *name;
  GError *error = NULL;
  StorageVolumeDef *volume = NULL;

  g_variant_get_child (call->arguments, index, "(&s&s&s)", &pool_name, &name, NULL);
  *ret_pool = storage_pool_find_name (call->manager, pool_name, &error);
  if (*ret_pool != NULL && storage_pool_check_active (*ret_pool, &error))
    volume = storage_pool_find_volume (*ret_pool, name, &error);
  if (volume == NULL)
    call_fail (call, error);
  return volume;
}

static void
answer_volume (Call *call, const StoragePool *pool, const StorageVolumeDef *volume)
{
  call_answer (call, g_variant_new ("(@(sss))", storage_volume_value (pool, volume)));
}

void
op_storage_vol_lookup_by_name (Call *call)
{
  StoragePool *pool = call_storage_pool (call);
  StorageVolumeDef *volume;
  GError *error = NULL;

  if (pool == NULL || !call_check_pool_active (call, pool))
    return;
  volume = storage_pool_find_volume (pool, call_string (call, 1), &error);
  if (volume != NULL)
    answer_volume (call, pool, volume);
  else
    call_fail (call, error);
}

static void
lookup_by_path (Call *call, const char *what)
{
  const char *path = call_string (call, 0);
  const char *quote = g_str_equal (what, "key") ? "" : "'"; /* as libvirt has it */
  StoragePool *pool;
  StorageVolumeDef *volume = storage_volume_find_path (call->manager, path, &pool);

  if (volume != NULL)
    answer_volume (call, pool, volume);
  else
    call_fail_with (call, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching %s %s%s%s", what, quote, path,
                    quote);
}

void
op_storage_vol_lookup_by_key (Call *call)
{
  lookup_by_path (call, "key");
}

void
op_storage_vol_lookup_by_path (Call *call)
{
  lookup_by_path (call, "path");
}

static void
answer_info (Call *call, const StorageVolumeDef *volume)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;
  const Number *taken = flags & VIR_STORAGE_VOL_GET_PHYSICAL ? &volume->physical : &volume->allocation;

  call_answer (call, g_variant_new ("(ytt)", volume->type - STORAGE_VOLUME_FILE, volume->capacity.value,
                                    taken->value));
}

void
op_storage_vol_get_info (Call *call)
{
  guint flags = g_variant_n_children (call->arguments) > 1 ? call_uint (call, 1) : 0;
  StorageVolumeDef *volume;
  StoragePool *pool;

  if (call_check_flags (call, flags, VIR_STORAGE_VOL_USE_ALLOCATION | VIR_STORAGE_VOL_GET_PHYSICAL)
      && (volume = call_storage_volume (call, 0, &pool)) != NULL)
    storage_volume_refresh (pool, volume, call, answer_info);
}

static void
answer_xml (Call *call, const StorageVolumeDef *volume)
{
  g_autofree char *xml = storage_volume_def_to_xml (volume);

  call_answer (call, g_variant_new ("(s)", xml));
}

void
op_storage_vol_get_xml_desc (Call *call)
{
  StorageVolumeDef *volume;
  StoragePool *pool;

  if (call_check_flags (call, call_uint (call, 1), 0)
      && (volume = call_storage_volume (call, 0, &pool)) != NULL)
    storage_volume_refresh (pool, volume, call, answer_xml);
}

static void
answer_text (Call *call, gsize offset)
{
  StoragePool *pool;
  StorageVolumeDef *volume = call_storage_volume (call, 0, &pool);

  if (volume != NULL)
    call_answer (call, g_variant_new ("(s)", G_STRUCT_MEMBER (char *, volume, offset)));
}

void
op_storage_vol_get_path (Call *call)
{
  answer_text (call, G_STRUCT_OFFSET (StorageVolumeDef, path));
}

void
op_storage_vol_name (Call *call)
{
  answer_text (call, G_STRUCT_OFFSET (StorageVolumeDef, name));
}

void
op_storage_vol_key (Call *call)
{
  answer_text (call, G_STRUCT_OFFSET (StorageVolumeDef, key));
}
