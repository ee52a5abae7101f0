/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Restoring: what an image says is checked as any client's document is, then handed to the start. */
#include "daemon/drivers/qemu/restore.h"

#include "cpu/cpu-document.h"
#include "daemon/drivers/qemu/libvirt-image.h"
#include "daemon/drivers/qemu/migration.h"
#include "domain/abi.h"
#include "domain/device-list.h"
#include "domain/seclabel.h"

#include <fcntl.h>

DomainDef *
restore_parse (const char *xml, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new ("the saved machine's document");
  g_autoptr (DomainDef) def = domain_def_parse (xml, -1, DOMAIN_READ_NO_SCHEMA, platform, diagnostics);

  if (!diagnostics_check (diagnostics, error))
    return NULL;
  domain_def_drop_chosen_seclabels (def);
  return g_steal_pointer (&def);
}

DomainDef *
restore_replacement (const char *xml, const DomainDef *saved, const Platform *platform, GError **error)
{
  g_autoptr (Diagnostics) diagnostics = diagnostics_new (NULL);
  g_autoptr (DomainDef) def = domain_def_parse (xml, -1, DOMAIN_READ_LAX, platform, diagnostics);
  g_autoptr (DomainDef) arranged = NULL;

  if (!diagnostics_check (diagnostics, error))
    return NULL;
  /* A client's document is put in libvirt's order; one that completion or a hotplug wrote may be in another.
   */
  arranged = domain_def_copy (saved);
  device_list_arrange (arranged);
  domain_abi_keep_processor (def, arranged);
  if (!domain_abi_check (arranged, def, error))
    return NULL;
  return g_steal_pointer (&def);
}

gboolean
restore_take_processor (DomainDef *def, const char *processor, GError **error)
{
  g_autoptr (CpuDocument) said = NULL;

  if (processor == NULL || def->cpu == NULL)
    return TRUE;
  said = cpu_document_parse (processor, 0, error);
  if (said == NULL)
    return FALSE;
  if (said->is_host) {
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "the <cpu> beside the machine's document is a host's, not a guest's");
    return FALSE;
  }
  domain_abi_take_processor (def, said->cpu);
  return TRUE;
}

static DomainDef *
parse_image (const SaveImage *image, const Platform *platform, GError **error)
{
  g_autofree char *processor = libvirt_image_processor (image);
  g_autoptr (DomainDef) def = restore_parse (image->xml, platform, error);

  return def != NULL && restore_take_processor (def, processor, error) ? g_steal_pointer (&def) : NULL;
}

Restore *
restore_open (const char *path, const char *replacement, const Platform *platform, GError **error)
{
  g_autoptr (Restore) restore = g_new0 (Restore, 1);

  restore->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_RESTORE);
  restore->image = save_image_open (path, FALSE, error);
  if (restore->image != NULL)
    restore->def = parse_image (restore->image, platform, error);
  if (restore->def == NULL)
    return NULL;
  if (replacement != NULL) {
    DomainDef *def = restore_replacement (replacement, restore->def, platform, error);

    if (def == NULL)
      return NULL;
    domain_def_unref (restore->def);
    restore->def = def;
  }
  return g_steal_pointer (&restore);
}

Restore *
restore_of_snapshot (const char *snapshot, GPtrArray *targets, DomainDef *def)
{
  Restore *restore = g_new0 (Restore, 1);

  restore->progress = progress_new (VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_REVERT);
  restore->snapshot = g_strdup (snapshot);
  restore->targets = g_ptr_array_ref (targets);
  restore->def = domain_def_ref (def);
  return restore;
}

void
restore_free (Restore *restore)
{
  if (restore == NULL)
    return;
  g_free (restore->snapshot);
  g_clear_pointer (&restore->targets, g_ptr_array_unref);
  save_image_free (restore->image);
  g_clear_pointer (&restore->def, domain_def_unref);
  progress_unref (restore->progress);
  g_free (restore);
}

gboolean
restore_state (Restore *restore, Qmp *qmp, Job *job, guint patience, GError **error)
{
  if (!save_image_rewind (restore->image, error)
      || !migration_read (qmp, job, restore->image->fd, restore->progress, patience, error))
    return FALSE;
  if (restore->drop_cache)
    posix_fadvise (restore->image->fd, 0, 0, POSIX_FADV_DONTNEED);
  return TRUE;
}
