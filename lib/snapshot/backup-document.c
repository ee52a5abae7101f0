/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <domainbackup>: which disks are copied, since when, and whether the copies are written here or read by a
 * client over NBD.
 */
#include "snapshot/backup-document.h"

static const EnumTable modes = { "mode of a backup", { NULL, "push", "pull" } }; /* in the enums' orders */
static const EnumTable transports = { "transport", { NULL, "tcp", "unix", "fd" } };
static const EnumTable store_types = { "type of store", { NULL, "file", "block" } };
static const EnumTable disk_modes = { "mode of a disk's backup", { NULL, "full", "incremental" } };

static const Field store_fields[] = {
  FIELD (BackupStore, file, "@file", field_text, NULL),
  FIELD (BackupStore, device, "@dev", field_text, NULL),
  FIELD (BackupStore, seclabels, "seclabel", field_verbatims, NULL),
  FIELD (BackupStore, encryption, "encryption", field_verbatim, NULL),
  FIELD_END,
};

static const FieldTable store_table = { sizeof (BackupStore), store_fields };

static const Field disk_fields[] = {
  FIELD_WITH (BackupDisk, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (BackupDisk, backup, "@backup", field_yes_no, NULL),
  FIELD (BackupDisk, type, "@type", field_enum, &store_types),
  FIELD (BackupDisk, mode, "@backupmode", field_enum, &disk_modes),
  FIELD (BackupDisk, incremental, "@incremental", field_text, NULL),
  FIELD (BackupDisk, export_name, "@exportname", field_text, NULL),
  FIELD (BackupDisk, export_bitmap, "@exportbitmap", field_text, NULL),
  FIELD_WITH (BackupDisk, index, "@index", field_number, NULL, FIELD_LIVE),
  FIELD (BackupDisk, driver_type, "driver/@type", field_text, NULL),
  FIELD (BackupDisk, target, "target", field_optional, &store_table),
  FIELD (BackupDisk, scratch, "scratch", field_optional, &store_table),
  FIELD_END,
};

static const FieldTable disk_table = { sizeof (BackupDisk), disk_fields };

static const Field server_fields[] = {
  FIELD (BackupServer, transport, "@transport", field_enum, &transports),
  FIELD (BackupServer, tls, "@tls", field_yes_no, NULL),
  FIELD (BackupServer, name, "@name", field_text, NULL),
  FIELD (BackupServer, port, "@port", field_number, NULL),
  FIELD (BackupServer, socket, "@socket", field_text, NULL),
  FIELD (BackupServer, fdgroup, "@fdgroup", field_text, NULL),
  FIELD_END,
};

static const FieldTable server_table = { sizeof (BackupServer), server_fields };

static const Field backup_fields[] = {
  FIELD (BackupDef, mode, "@mode", field_enum, &modes),
  FIELD (BackupDef, incremental, "incremental", field_text, NULL),
  FIELD (BackupDef, server, "server", field_optional, &server_table),
  FIELD (BackupDef, disks, "disks/disk", field_list, &disk_table),
  FIELD_END,
};

static const FieldTable backup_table = { sizeof (BackupDef), backup_fields };

BackupDisk *
backup_def_add_disk (BackupDef *def, const char *name)
{
  BackupDisk *disk = field_new (&disk_table);

  disk->name = g_strdup (name);
  if (def->disks == NULL)
    def->disks = g_ptr_array_new ();
  g_ptr_array_add (def->disks, disk);
  return disk;
}

BackupDisk *
backup_def_find_disk (const BackupDef *def, const char *name)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++)
    if (g_str_equal (((BackupDisk *)g_ptr_array_index (def->disks, i))->name, name))
      return g_ptr_array_index (def->disks, i);
  return NULL;
}

BackupStore **
backup_disk_store (const BackupDef *def, BackupDisk *disk)
{
  return def->mode == BACKUP_PULL ? &disk->scratch : &disk->target;
}

const char *
backup_store_path (const BackupDisk *disk, const BackupStore *store)
{
  return store == NULL ? NULL : disk->type == BACKUP_STORE_BLOCK ? store->device : store->file;
}

BackupStore *
backup_store_new (void)
{
  return field_new (&store_table);
}

const DocumentKind backup_document = {
  .root = "domainbackup",
  .schema = SCHEMA_DOMAIN_BACKUP,
  .table = &backup_table,
  .ref_count = G_STRUCT_OFFSET (BackupDef, ref_count),
  .name = DOCUMENT_NO_MEMBER,
  .uuid = DOCUMENT_NO_MEMBER,
};
