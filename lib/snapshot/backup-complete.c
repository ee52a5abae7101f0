/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A backup beside the disks of its domain. A document that names no disk means all of them that can be
 * written; one that names some leaves the others out. What stands in the completed document is what libvirt
 * would have filled in, in its order: those that were named first, then the rest.
 */
#include "snapshot/backup-complete.h"

#include "base/virt-error.h"
#include "domain/devices/disk.h"

#define DEFAULT_FORMAT "qcow2"

gboolean
backup_disk_is_copied (const BackupDisk *disk)
{
  return disk->backup == TRISTATE_YES;
}

static gboolean
complete_server (BackupDef *def, GError **error)
{
  BackupServer *server = def->server;

  if (def->mode != BACKUP_PULL)
    return TRUE;
  if (server == NULL || server->transport == BACKUP_TRANSPORT_FD) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "unexpected transport in <domainbackup>%s",
                    server != NULL ? ": 'tcp' and 'unix' are supported" : "");
    return FALSE;
  }
  if (server->transport == BACKUP_TRANSPORT_NONE)
    server->transport = BACKUP_TRANSPORT_TCP;
  if (server->transport == BACKUP_TRANSPORT_TCP && (!server->port.set || server->port.value == 0)) {
    virt_error_set (error, VIR_ERR_OPERATION_UNSUPPORTED, "<domainbackup> must specify TCP port for now");
    return FALSE;
  }
  if (server->transport == BACKUP_TRANSPORT_TCP && server->port.value > G_MAXUINT16) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "the port %" G_GUINT64_FORMAT " of <server> is above %u",
                    server->port.value, G_MAXUINT16);
    return FALSE;
  }
  return TRUE;
}

/* The store of a disk that is copied. */
static gboolean
complete_store (const BackupDef *def, BackupDisk *disk, const DeviceDisk *device, const char *suffix,
                GError **error)
{
  BackupStore **store = backup_disk_store (def, disk);

  if (!disk_has_source (device)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' has no media", disk->name);
    return FALSE;
  }
  if (disk->type == BACKUP_STORE_NONE || backup_store_path (disk, *store) == NULL)
    disk->type = disk->type == BACKUP_STORE_BLOCK && *store != NULL ? BACKUP_STORE_BLOCK : BACKUP_STORE_FILE;
  if (backup_store_path (disk, *store) == NULL) {
    if (device->type != DISK_TYPE_FILE || device->file == NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "refusing to generate file name for disk '%s'",
                      disk->name);
      return FALSE;
    }
    if (*store == NULL)
      *store = backup_store_new ();
    (*store)->file = g_strdup_printf ("%s.%s", device->file, suffix);
  }
  if (disk->driver_type == NULL)
    disk->driver_type = g_strdup (DEFAULT_FORMAT);
  return TRUE;
}

static gboolean
complete_mode (const BackupDef *def, BackupDisk *disk, GError **error)
{
  if (disk->mode == BACKUP_INCREMENTAL && disk->incremental == NULL && def->incremental == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "'incremental' backup mode of disk '%s' requires setting 'incremental' field for disk or "
                    "backup",
                    disk->name);
    return FALSE;
  }
  if (disk->mode != BACKUP_FULL && disk->incremental == NULL)
    disk->incremental = g_strdup (def->incremental);
  if (disk->mode == BACKUP_DISK_MODE_NONE)
    disk->mode = disk->incremental != NULL ? BACKUP_INCREMENTAL : BACKUP_FULL;
  return TRUE;
}

static void
complete_export (const BackupDef *def, BackupDisk *disk)
{
  if (def->mode != BACKUP_PULL)
    return;
  if (disk->export_name == NULL)
    disk->export_name = g_strdup (disk->name);
  if (disk->mode == BACKUP_INCREMENTAL && disk->export_bitmap == NULL)
    disk->export_bitmap = g_strconcat ("backup-", disk->name, NULL);
}

static gboolean
complete_disk (const BackupDef *def, BackupDisk *disk, const DomainDef *domain, const char *suffix,
               GError **error)
{
  const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

  if (disk->backup == TRISTATE_ABSENT)
    disk->backup = TRISTATE_YES;
  if (!backup_disk_is_copied (disk))
    return TRUE;
  if (!complete_store (def, disk, device, suffix, error) || !complete_mode (def, disk, error))
    return FALSE;
  complete_export (def, disk);
  return TRUE;
}

/* FALSE with @error where a disk is named that is not there, or one twice. @named gets the targets. */
static gboolean
check_names (const BackupDef *def, const DomainDef *domain, GHashTable *named, GError **error)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const BackupDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

    if (device == NULL || !g_str_equal (device->target, disk->name))
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no disk named '%s'", disk->name);
    else if (!g_hash_table_add (named, disk->name))
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' specified twice", disk->name);
    else
      continue;
    return FALSE;
  }
  return TRUE;
}

static void
add_others (BackupDef *def, const DomainDef *domain, GHashTable *named)
{
  gboolean all = def->disks == NULL;

  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, device) {
    if (g_hash_table_contains (named, device->target))
      continue;
    backup_def_add_disk (def, device->target)->backup =
        all && disk_has_source (device) && !disk_is_readonly (device) ? TRISTATE_YES : TRISTATE_NO;
  }
}

gboolean
backup_complete (BackupDef *def, const DomainDef *domain, const char *suffix, GError **error)
{
  g_autoptr (GHashTable) named = g_hash_table_new (g_str_hash, g_str_equal);
  gboolean any = FALSE;

  if (def->mode == BACKUP_MODE_NONE)
    def->mode = BACKUP_PUSH;
  if (!complete_server (def, error) || !check_names (def, domain, named, error))
    return FALSE;
  add_others (def, domain, named);
  if (def->disks == NULL) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "domain must have at least one disk to perform backup");
    return FALSE;
  }
  for (guint i = 0; i < def->disks->len; i++) {
    BackupDisk *disk = g_ptr_array_index (def->disks, i);

    if (!complete_disk (def, disk, domain, suffix, error))
      return FALSE;
    any = any || backup_disk_is_copied (disk);
  }
  if (!any)
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no disks selected for backup");
  return any;
}
