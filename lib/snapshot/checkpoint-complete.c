/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A checkpoint beside the disks of its domain. Each disk of the domain stands in the completed document once,
 * by its target and in the domain's order, with a bitmap that has the checkpoint's name or with none.
 */
#include "snapshot/checkpoint-complete.h"

#include "base/virt-error.h"
#include "domain/devices/disk.h"

#include <string.h>

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
  def->domain = domain_def_to_xml (domain, DOMAIN_WRITE_SECURE);
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

/* The UUID of the definition inside, as a text that is compared; NULL where it has none. */
static char *
uuid_of_domain (const char *xml)
{
  const char *begin = strstr (xml, "<uuid>"), *end = begin != NULL ? strstr (begin, "</uuid>") : NULL;

  return end != NULL ? g_strndup (begin + strlen ("<uuid>"), (gsize)(end - begin) - strlen ("<uuid>")) : NULL;
}

gboolean
checkpoint_complete_redefined (CheckpointDef *def, const DomainDef *domain, GError **error)
{
  g_autofree char *uuid = def->domain != NULL ? uuid_of_domain (def->domain) : NULL;

  if (def->name == NULL)
    virt_error_set (error, VIR_ERR_XML_ERROR, "a redefined checkpoint must have a name");
  else if (!def->created.set)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing creationTime from existing checkpoint");
  else if (def->domain != NULL && (uuid == NULL || g_ascii_strcasecmp (uuid, domain->uuid) != 0))
    virt_error_set (error, VIR_ERR_INVALID_ARG, "definition for checkpoint %s must use uuid %s", def->name,
                    domain->uuid);
  else if (g_strcmp0 (def->parent, def->name) == 0)
    virt_error_set (error, VIR_ERR_INVALID_ARG, "cannot set moment %s as its own parent", def->name);
  else if (align_disks (def, domain, error)) {
    if (def->domain == NULL)
      set_domain (def, domain);
    return TRUE;
  }
  return FALSE;
}

CheckpointDef *
checkpoint_without_domain (const CheckpointDef *def)
{
  CheckpointDef *copy = document_copy (&checkpoint_document, def);

  g_clear_pointer (&copy->domain, g_free);
  return copy;
}

CheckpointDef *
checkpoint_without_secrets (const CheckpointDef *def, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("the checkpoint's domain");
  g_autoptr (DomainDef) domain = NULL;
  CheckpointDef *copy;

  if (def->domain == NULL)
    return document_copy (&checkpoint_document, def);
  domain = domain_def_parse (def->domain, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);
  if (!diagnostics_check (diagnostics, error))
    return NULL;
  copy = document_copy (&checkpoint_document, def);
  g_free (copy->domain);
  copy->domain = domain_def_to_xml (domain, 0);
  return copy;
}
