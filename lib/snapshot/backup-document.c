/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <domainbackup>: which disks are copied, since when, and whether the copies are written here or read by a
 * client over NBD.
 */
#include "snapshot/backup-document.h"

static const EnumTable modes = { "mode of a backup", { NULL, "push", "pull" } };
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
  FIELD (BackupDisk, driver_type, "driver/@type", field_text, NULL),
  FIELD (BackupDisk, target, "target", field_optional, &store_table),
  FIELD (BackupDisk, scratch, "scratch", field_optional, &store_table),
  FIELD_END,
};

static const FieldTable disk_table = { sizeof (BackupDisk), disk_fields };

static const Field server_fields[] = {
  FIELD (BackupServer, tls, "@tls", field_yes_no, NULL),
  FIELD (BackupServer, transport, "@transport", field_enum, &transports),
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

const DocumentKind backup_document = {
  .root = "domainbackup",
  .schema = SCHEMA_DOMAIN_BACKUP,
  .table = &backup_table,
  .ref_count = G_STRUCT_OFFSET (BackupDef, ref_count),
  .name = DOCUMENT_NO_MEMBER,
  .uuid = DOCUMENT_NO_MEMBER,
};
