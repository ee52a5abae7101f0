/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <domainsnapshot>: read when a client asks for one and when it gives back what was dumped, written for those
 * that there are. The definition inside is kept as it stands, for it is checked where it is used: a domain's
 * document in full, or its UUID alone.
 */
#include "snapshot/snapshot-document.h"

const EnumTable snapshot_wheres = { "kind of snapshot", { NULL, "no", "internal", "external", "manual" } };
const EnumTable snapshot_states = { "state of a domain",
                                    { NULL, "nostate", "running", "blocked", "paused", "shutdown", "shutoff",
                                      "crashed", "pmsuspended", "disk-snapshot" } };

#define FILE_TYPE (DISK_TYPE_BIT (NONE) | DISK_TYPE_BIT (FILE))

static const FieldSize cache_size = { 1, 1, "bytes", 1 };

static const Field disk_fields[] = {
  FIELD_WITH (SnapshotDisk, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (SnapshotDisk, where, "@snapshot", field_enum, &snapshot_wheres),
  FIELD (SnapshotDisk, type, "@type", field_enum, &disk_types),
  FIELD (SnapshotDisk, driver_type, "driver/@type", field_text, NULL),
  FIELD (SnapshotDisk, metadata_cache, "driver/metadata_cache/max_size", field_memory, &cache_size),
  FIELD_WHEN (SnapshotDisk, file, "source/@file", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (SnapshotDisk, fdgroup, "source/@fdgroup", field_text, NULL, type, FILE_TYPE),
  FIELD_WHEN (SnapshotDisk, dev, "source/@dev", field_text, NULL, type, DISK_TYPE_BIT (BLOCK)),
  DISK_SOURCE_ATTRIBUTES (SnapshotDisk),
  FIELD_WITH (SnapshotDisk, index, "source/@index", field_number, NULL, FIELD_IGNORED),
  DISK_SOURCE_ELEMENTS (SnapshotDisk),
  FIELD (SnapshotDisk, deleting, "snapshotDeleteInProgress", field_flag, NULL),
  FIELD_END,
};

static const FieldTable disk_table = { sizeof (SnapshotDisk), disk_fields };

static const Field snapshot_fields[] = {
  FIELD (SnapshotDef, name, "name", field_text, NULL),
  FIELD (SnapshotDef, description, "description", field_text, NULL),
  FIELD (SnapshotDef, state, "state", field_enum, &snapshot_states),
  FIELD (SnapshotDef, parent, "parent/name", field_text, NULL),
  FIELD (SnapshotDef, created, "creationTime", field_number, NULL),
  FIELD (SnapshotDef, memory, "memory/@snapshot", field_enum, &snapshot_wheres),
  FIELD (SnapshotDef, memory_file, "memory/@file", field_text, NULL),
  FIELD (SnapshotDef, has_disks, "disks", field_flag, NULL),
  FIELD (SnapshotDef, disks, "disks/disk", field_list, &disk_table),
  FIELD (SnapshotDef, has_revert_disks, "revertDisks", field_flag, NULL),
  FIELD (SnapshotDef, revert_disks, "revertDisks/disk", field_list, &disk_table),
  FIELD (SnapshotDef, domain, "domain", field_written, NULL),
  FIELD (SnapshotDef, inactive_domain, "inactiveDomain", field_written, NULL),
  FIELD (SnapshotDef, active, "active", field_number, NULL),
  FIELD (SnapshotDef, cookie, "cookie", field_verbatim, NULL),
  FIELD_END,
};

static const FieldTable snapshot_table = { sizeof (SnapshotDef), snapshot_fields };

SnapshotDisk *
snapshot_disk_new (const char *name, int where)
{
  SnapshotDisk *disk = field_new (&disk_table);

  disk->name = g_strdup (name);
  disk->where = where;
  return disk;
}

SnapshotDisk *
snapshot_disk_copy (const SnapshotDisk *disk)
{
  return field_copy (&disk_table, disk);
}

void
snapshot_def_set_disks (GPtrArray **list, gboolean *has, GPtrArray *disks)
{
  for (guint i = 0; *list != NULL && i < (*list)->len; i++)
    field_free (&disk_table, g_ptr_array_index (*list, i));
  if (*list != NULL)
    g_ptr_array_unref (*list);
  *list = disks;
  *has = disks != NULL;
}

const char *
snapshot_disk_path (const SnapshotDisk *disk)
{
  return disk->type == DISK_TYPE_BLOCK ? disk->dev : disk->file;
}

gboolean
snapshot_is_external (const SnapshotDef *def)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++)
    if (((const SnapshotDisk *)g_ptr_array_index (def->disks, i))->where == SNAPSHOT_WHERE_EXTERNAL)
      return TRUE;
  return def->memory == SNAPSHOT_WHERE_EXTERNAL;
}

const DocumentKind snapshot_document = {
  .root = "domainsnapshot",
  .schema = SCHEMA_DOMAIN_SNAPSHOT,
  .table = &snapshot_table,
  .ref_count = G_STRUCT_OFFSET (SnapshotDef, ref_count),
  .name = G_STRUCT_OFFSET (SnapshotDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
};
