/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* From what a path says to what an operation is about. */
#include "daemon/dbus/private.h"
#include "daemon/ops/storage/storage.h"

static GVariant *
find_volume (Manager *manager, const char *key, GError **error)
{
  StoragePool *pool;
  StorageVolumeDef *volume = storage_volume_find_path (manager, key, &pool);

  if (volume != NULL)
    return storage_volume_value (pool, volume);
  virt_error_set (error, VIR_ERR_NO_STORAGE_VOL, "no storage vol with matching key %s", key);
  return NULL;
}

GVariant *
dbus_object_find (Manager *manager, const DbusObject *object, GError **error)
{
  GVariant *value = NULL;

  if (object->letter == 'D') {
    Domain *domain = manager_find_uuid (manager, object->id, error);

    value = domain != NULL ? call_domain_value (domain) : NULL;
  } else if (object->letter == 'S') {
    StoragePool *pool = storage_pool_find_uuid (manager, object->id, error);

    value = pool != NULL ? storage_pool_value (pool->def) : NULL;
  } else {
    value = find_volume (manager, object->id, error);
  }
  return value != NULL ? g_variant_ref_sink (value) : NULL;
}
