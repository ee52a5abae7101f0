/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <domainsnapshot>: read when a client asks for one and when it gives back what was dumped, written for those
 * that there are. The definition inside is kept as it stands, for it is checked where it is used: a domain's
 * document in full, or its UUID alone.
 */
#include "snapshot/snapshot-document.h"

static const EnumTable wheres = { "kind of snapshot", { NULL, "no", "internal", "external", "manual" } };
static const EnumTable source_types = { "type of source", { NULL, "file", "block", "network" } };
static const EnumTable states = { "state of a domain",
                                  { NULL, "nostate", "running", "blocked", "paused", "shutdown", "shutoff",
                                    "crashed", "pmsuspended", "disk-snapshot" } };

static const Field disk_fields[] = {
  FIELD_WITH (SnapshotDisk, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (SnapshotDisk, where, "@snapshot", field_enum, &wheres),
  FIELD (SnapshotDisk, type, "@type", field_enum, &source_types),
  FIELD (SnapshotDisk, driver_type, "driver/@type", field_text, NULL),
  FIELD (SnapshotDisk, has_cache, "driver/metadata_cache", field_flag, NULL),
  FIELD (SnapshotDisk, cache_unit, "driver/metadata_cache/max_size/@unit", field_text, NULL),
  FIELD (SnapshotDisk, cache_size, "driver/metadata_cache/max_size", field_number, NULL),
  FIELD (SnapshotDisk, source, "source", field_verbatim, NULL),
  FIELD (SnapshotDisk, deleting, "snapshotDeleteInProgress", field_flag, NULL),
  FIELD_END,
};

static const FieldTable disk_table = { sizeof (SnapshotDisk), disk_fields };

static const Field snapshot_fields[] = {
  FIELD (SnapshotDef, name, "name", field_text, NULL),
  FIELD (SnapshotDef, description, "description", field_text, NULL),
  FIELD (SnapshotDef, state, "state", field_enum, &states),
  FIELD (SnapshotDef, parent, "parent/name", field_text, NULL),
  FIELD (SnapshotDef, created, "creationTime", field_number, NULL),
  FIELD (SnapshotDef, memory, "memory/@snapshot", field_enum, &wheres),
  FIELD (SnapshotDef, memory_file, "memory/@file", field_text, NULL),
  FIELD (SnapshotDef, has_disks, "disks", field_flag, NULL),
  FIELD (SnapshotDef, disks, "disks/disk", field_list, &disk_table),
  FIELD (SnapshotDef, has_revert_disks, "revertDisks", field_flag, NULL),
  FIELD (SnapshotDef, revert_disks, "revertDisks/disk", field_list, &disk_table),
  FIELD (SnapshotDef, domain, "domain", field_verbatim, NULL),
  FIELD (SnapshotDef, inactive_domain, "inactiveDomain", field_verbatim, NULL),
  FIELD (SnapshotDef, active, "active", field_number, NULL),
  FIELD (SnapshotDef, cookie, "cookie", field_verbatim, NULL),
  FIELD_END,
};

static const FieldTable snapshot_table = { sizeof (SnapshotDef), snapshot_fields };

const DocumentKind snapshot_document = {
  .root = "domainsnapshot",
  .schema = SCHEMA_DOMAIN_SNAPSHOT,
  .table = &snapshot_table,
  .ref_count = G_STRUCT_OFFSET (SnapshotDef, ref_count),
  .name = G_STRUCT_OFFSET (SnapshotDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
};
