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

static void
free_disk (gpointer disk)
{
  field_free (&disk_table, disk);
}

static const Field checkpoint_fields[] = {
  FIELD (CheckpointDef, name, "name", field_text, NULL),
  FIELD (CheckpointDef, description, "description", field_text, NULL),
  FIELD (CheckpointDef, parent, "parent/name", field_text, NULL),
  FIELD (CheckpointDef, created, "creationTime", field_number, NULL),
  FIELD (CheckpointDef, disks, "disks/disk", field_list, &disk_table),
  FIELD (CheckpointDef, domain, "domain", field_written, NULL),
  FIELD_END,
};

static const FieldTable checkpoint_table = { sizeof (CheckpointDef), checkpoint_fields };

CheckpointDisk *
checkpoint_disk_new (const char *name, int checkpoint)
{
  CheckpointDisk *disk = field_new (&disk_table);

  disk->name = g_strdup (name);
  disk->checkpoint = checkpoint;
  return disk;
}

void
checkpoint_def_set_disks (CheckpointDef *def, GPtrArray *disks)
{
  if (def->disks != NULL) {
    g_ptr_array_set_free_func (def->disks, free_disk);
    g_ptr_array_unref (def->disks);
  }
  def->disks = disks;
}

CheckpointDisk *
checkpoint_def_find_disk (const CheckpointDef *def, const char *name)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++)
    if (g_str_equal (((CheckpointDisk *)g_ptr_array_index (def->disks, i))->name, name))
      return g_ptr_array_index (def->disks, i);
  return NULL;
}

const DocumentKind checkpoint_document = {
  .root = "domaincheckpoint",
  .schema = SCHEMA_DOMAIN_CHECKPOINT,
  .table = &checkpoint_table,
  .ref_count = G_STRUCT_OFFSET (CheckpointDef, ref_count),
  .name = G_STRUCT_OFFSET (CheckpointDef, name),
  .uuid = DOCUMENT_NO_MEMBER,
};
