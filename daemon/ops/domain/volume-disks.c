/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disks that a document names by pool and volume. A definition keeps those names; a machine that starts, or
 * gets such a disk, opens a file, so here the names become its path. The running machine's document has the
 * path: the pool may be stopped meanwhile, the file stays open.
 */
#include "daemon/ops/domain/volume-disks.h"

#include "base/virt-error.h"
#include "base/xml-document.h"
#include "daemon/storage/pools.h"

static StorageVolumeDef *
find_volume (Manager *manager, const char *pool_name, const char *name, GError **error)
{
  StoragePool *pool = storage_pool_find_name (manager, pool_name, error);

  if (pool == NULL)
    return NULL;
  if (!pool->active) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "storage pool '%s' containing volume '%s' is not active", pool_name, name);
    return NULL;
  }
  return storage_pool_find_volume (pool, name, error);
}

gboolean
volume_disk_translate (Manager *manager, DeviceDisk *disk, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (XmlDocument) document = NULL;
  g_autofree char *pool = NULL, *name = NULL, *policy = NULL;
  const StorageVolumeDef *volume;

  if (disk->type != DISK_TYPE_VOLUME)
    return TRUE;
  document = disk->source != NULL ? xml_document_parse (disk->source, -1, diagnostics) : NULL;
  if (document != NULL) {
    pool = xml_node_attribute (xml_document_root (document), "pool");
    name = xml_node_attribute (xml_document_root (document), "volume");
    policy = xml_node_attribute (xml_document_root (document), "startupPolicy");
  }
  if (pool == NULL || name == NULL) {
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "disk '%s': a disk of type 'volume' names its pool and its volume", disk->target);
    return FALSE;
  }
  if (xmlFirstElementChild (xml_document_root (document)) != NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "disk '%s': nothing but pool and volume is supported in <source>", disk->target);
    return FALSE;
  }
  volume = find_volume (manager, pool, name, error);
  if (volume == NULL)
    return FALSE;
  if (volume->type != STORAGE_VOLUME_FILE) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s': volume '%s' of pool '%s' is no file",
                    disk->target, name, pool);
    return FALSE;
  }
  disk->type = DISK_TYPE_FILE;
  disk->file = g_strdup (volume->path);
  disk->startup_policy = policy != NULL ? MAX (enum_table_value (&startup_policies, policy), 0) : 0;
  g_clear_pointer (&disk->source, g_free);
  if (disk->format == NULL)
    disk->format =
        g_strdup ("raw"); /* as of every other disk that does not say; what is inside is not trusted */
  return TRUE;
}

DomainDef *
volume_disks_translate (Manager *manager, DomainDef *def, GError **error)
{
  g_autoptr (DomainDef) translated = NULL;
  gboolean any = FALSE;

  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk)
    any = any || disk->type == DISK_TYPE_VOLUME;
  if (!any)
    return domain_def_ref (def);
  translated = domain_def_copy (def);
  DOMAIN_FOREACH_DEVICE (translated, disk_kind, DeviceDisk, disk)
    if (!volume_disk_translate (manager, disk, error))
      return NULL;
  return g_steal_pointer (&translated);
}
