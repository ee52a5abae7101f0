/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint beside the disks of its domain. Each disk of the domain stands in the completed document once,
 * by its target and in the domain's order, with a bitmap that has the checkpoint's name or with none.
 */
#include "snapshot/checkpoint-complete.h"

#include "base/virt-error.h"
#include "domain/devices/disk.h"
#include "snapshot/snapshot-domain.h"

CheckpointDef *
checkpoint_read (const char *text, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  CheckpointDef *def = document_read (&checkpoint_document, text, -1, 0, diagnostics);

  if (diagnostics_check (diagnostics, error))
    return def;
  document_unref (&checkpoint_document, def);
  return NULL;
}

static gboolean
may_have_bitmap (const DeviceDisk *device)
{
  return disk_has_source (device) && !disk_is_readonly (device);
}

/* One that the document names. */
static gboolean
complete_named (const CheckpointDef *def, CheckpointDisk *disk, const DeviceDisk *device, GError **error)
{
  if (disk->checkpoint == CHECKPOINT_KIND_NONE)
    disk->checkpoint = CHECKPOINT_BITMAP;
  if (disk->checkpoint != CHECKPOINT_NO && !may_have_bitmap (device)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' is empty or readonly", disk->name);
    return FALSE;
  }
  if (disk->checkpoint == CHECKPOINT_BITMAP && disk->bitmap != NULL
      && !g_str_equal (disk->bitmap, def->name)) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "bitmap for disk '%s' must match checkpoint name '%s'",
                    disk->name, def->name);
    return FALSE;
  }
  return TRUE;
}

/* target → the document's disk. NULL with @error. */
static GHashTable *
index_disks (const CheckpointDef *def, const DomainDef *domain, GError **error)
{
  g_autoptr (GHashTable) named = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    CheckpointDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);

    if (device == NULL) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "no disk named '%s'", disk->name);
      return NULL;
    }
    if (!g_hash_table_insert (named, device->target, disk)) {
      virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED, "disk '%s' specified twice", device->target);
      return NULL;
    }
    if (!complete_named (def, disk, device, error))
      return NULL;
  }
  return g_steal_pointer (&named);
}

static gboolean
align_disks (CheckpointDef *def, const DomainDef *domain, GError **error)
{
  g_autoptr (GHashTable) named = index_disks (def, domain, error);
  gboolean all = def->disks == NULL;
  g_autoptr (GPtrArray) aligned = NULL;

  if (named == NULL)
    return FALSE;
  aligned = g_ptr_array_new ();
  DOMAIN_FOREACH_DEVICE (domain, disk_kind, DeviceDisk, device) {
    const CheckpointDisk *said = g_hash_table_lookup (named, device->target);
    int kind = said != NULL                      ? said->checkpoint
               : all && may_have_bitmap (device) ? (int)CHECKPOINT_BITMAP
                                                 : (int)CHECKPOINT_NO;
    CheckpointDisk *disk = checkpoint_disk_new (device->target, kind);

    if (kind == CHECKPOINT_BITMAP)
      disk->bitmap = g_strdup (def->name);
    g_ptr_array_add (aligned, disk);
  }
  if (aligned->len == 0) {
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "domain must have at least one disk to perform checkpoints");
    return FALSE;
  }
  checkpoint_def_set_disks (def, g_steal_pointer (&aligned));
  return TRUE;
}

gboolean
checkpoint_check_formats (const CheckpointDef *def, const DomainDef *domain, GError **error)
{
  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const CheckpointDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (domain, disk->name);
    const char *format = device != NULL && device->format != NULL ? device->format : "raw";

    if (disk->checkpoint != CHECKPOINT_BITMAP || g_str_equal (format, "qcow2"))
      continue;
    virt_error_set (error, VIR_ERR_CONFIG_UNSUPPORTED,
                    "checkpoint for disk %s unsupported for storage type %s", disk->name, format);
    return FALSE;
  }
  return TRUE;
}

static void
set_domain (CheckpointDef *def, const DomainDef *domain)
{
  g_free (def->domain);
  def->domain = snapshot_domain_text (domain, DOMAIN_WRITE_SECURE);
}

gboolean
checkpoint_complete (CheckpointDef *def, const DomainDef *domain, gint64 now, GError **error)
{
  if (def->name == NULL)
    def->name = g_strdup_printf ("%" G_GINT64_FORMAT, now);
  def->created = NUMBER ((guint64)now);
  g_clear_pointer (&def->parent, g_free);
  if (!align_disks (def, domain, error))
    return FALSE;
  set_domain (def, domain);
  return TRUE;
}

static DomainDef *
read_domain (const CheckpointDef *def, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("the checkpoint's domain");
  DomainDef *domain = domain_def_parse (def->domain, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);

  if (diagnostics_check (diagnostics, error))
    return domain;
  domain_def_unref (domain);
  return NULL;
}

static gboolean
complete_from_own (CheckpointDef *def, const char *uuid, const Platform *platform, GError **error)
{
  g_autoptr (DomainDef) own = read_domain (def, platform, error);

  if (own == NULL)
    return FALSE;
  if (g_str_equal (own->uuid, uuid)) {
    if (!align_disks (def, own, error))
      return FALSE;
    set_domain (def, own);
    return TRUE;
  }
  virt_error_set (error, VIR_ERR_INVALID_ARG, "definition for checkpoint %s must use uuid %s", def->name,
                  uuid);
  return FALSE;
}

gboolean
checkpoint_complete_redefined (CheckpointDef *def, const DomainDef *domain, const Platform *platform,
                               GError **error)
{
  if (def->name == NULL) {
    virt_error_set (error, VIR_ERR_XML_ERROR, "a redefined checkpoint must have a name");
    return FALSE;
  }
  if (!def->created.set) {
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing creationTime from existing checkpoint");
    return FALSE;
  }
  if (def->domain != NULL)
    return complete_from_own (def, domain->uuid, platform, error);
  if (!align_disks (def, domain, error))
    return FALSE;
  set_domain (def, domain);
  return TRUE;
}

CheckpointDef *
checkpoint_without_domain (const CheckpointDef *def)
{
  CheckpointDef *copy = document_copy (&checkpoint_document, def);

  g_clear_pointer (&copy->domain, g_free);
  return copy;
}

gboolean
checkpoint_has_secrets (const CheckpointDef *def)
{
  return def->domain != NULL && domain_xml_has_secrets (def->domain);
}

CheckpointDef *
checkpoint_without_secrets (const CheckpointDef *def, const Platform *platform, GError **error)
{
  g_autoptr (DomainDef) domain = def->domain != NULL ? read_domain (def, platform, error) : NULL;
  CheckpointDef *copy;

  if (def->domain != NULL && domain == NULL)
    return NULL;
  copy = document_copy (&checkpoint_document, def);
  if (domain != NULL) {
    g_free (copy->domain);
    copy->domain = snapshot_domain_text (domain, 0);
  }
  return copy;
}
