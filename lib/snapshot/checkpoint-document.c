/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * <domaincheckpoint>: a point of time in each disk from which on what is written is noted in a bitmap. The
 * definition inside of a dumped one is kept as it stands.
 */
#include "snapshot/checkpoint-document.h"

static const EnumTable kinds = { "kind of checkpoint", { NULL, "no", "bitmap" } };

static const Field disk_fields[] = {
  FIELD_WITH (CheckpointDisk, name, "@name", field_text, NULL, FIELD_REQUIRED),
  FIELD (CheckpointDisk, checkpoint, "@checkpoint", field_enum, &kinds),
  FIELD (CheckpointDisk, bitmap, "@bitmap", field_text, NULL),
  FIELD (CheckpointDisk, size, "@size", field_number, NULL),
  FIELD_END,
};

static const FieldTable disk_table = { sizeof (CheckpointDisk), disk_fields };

static const Field checkpoint_fields[] = {
  FIELD (CheckpointDef, name, "name", field_text, NULL),
  FIELD (CheckpointDef, description, "description", field_text, NULL),
  FIELD (CheckpointDef, parent, "parent/name", field_text, NULL),
  FIELD (CheckpointDef, created, "creationTime", field_number, NULL),
  FIELD (CheckpointDef, disks, "disks/disk", field_list, &disk_table),
  FIELD (CheckpointDef, domain, "domain", field_verbatim, NULL),
  FIELD_END,
};

static const FieldTable checkpoint_table = { sizeof (CheckpointDef), checkpoint_fields };

const DocumentKind checkpoint_document = {
  .root = "domaincheckpoint",
  .schema = SCHEMA_DOMAIN_CHECKPOINT,
  .table = &checkpoint_table,
  .ref_count = G_STRUCT_OFFSET (CheckpointDef, ref_count),
  .name = G_STRUCT_OFFSET (CheckpointDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
};
