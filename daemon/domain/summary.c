/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is kept of a definition that is not in memory itself, see the header.
 */
#include "daemon/domain/summary.h"

#include "domain/devices/disk.h"

static void
disk_clear (gpointer data)
{
  SummaryDisk *disk = data;

  g_free (disk->target);
  g_free (disk->path);
  g_free (disk->format);
}

DefinitionSummary *
definition_summary_new (const DomainDef *def)
{
  DefinitionSummary *summary = g_new0 (DefinitionSummary, 1);

  summary->memory = def->memory.value;
  summary->current_memory = def->current_memory.set ? def->current_memory.value : def->memory.value;
  summary->vcpus_maximum = def->vcpus.set ? (guint)def->vcpus.value : 1;
  summary->vcpus = def->vcpus_current.set ? (guint)def->vcpus_current.value : summary->vcpus_maximum;
  summary->os_type = def->os.type;
  summary->nvram = g_strdup (def->os.nvram);
  summary->disks = g_array_new (FALSE, FALSE, sizeof (SummaryDisk));
  g_array_set_clear_func (summary->disks, disk_clear);
  DOMAIN_FOREACH_DEVICE (def, disk_kind, DeviceDisk, disk) {
    SummaryDisk kept = { g_strdup (disk->target), g_strdup (disk_path (disk)), g_strdup (disk->format) };

    g_array_append_val (summary->disks, kept);
  }
  return summary;
}

void
definition_summary_free (DefinitionSummary *summary)
{
  if (summary == NULL)
    return;
  g_array_unref (summary->disks);
  g_free (summary->nvram);
  g_clear_pointer (&summary->record, g_variant_unref);
  g_free (summary);
}
