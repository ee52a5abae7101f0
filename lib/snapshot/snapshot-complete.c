/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A client's <domainsnapshot> made whole: its name, its time, and whether the memory is part of it. Which
 * disks are is snapshot-align.c's.
 */
#include "snapshot/snapshot-complete.h"

#include "base/virt-error.h"

#include <libvirt/virterror.h>
#include <string.h>

/* What a new one may not say: it is chosen. */
static void
choose_name_and_time (SnapshotDef *def, gint64 now)
{
  def->created = NUMBER ((guint64)now);
  if (def->name == NULL || *def->name == '\0') {
    g_free (def->name);
    def->name = g_strdup_printf ("%" G_GINT64_FORMAT, now);
  }
  g_clear_pointer (&def->parent, g_free);
  g_clear_pointer (&def->domain, g_free);
  g_clear_pointer (&def->inactive_domain, g_free);
  g_clear_pointer (&def->cookie, g_free);
  def->state = SNAPSHOT_STATE_NONE;
  snapshot_def_set_disks (&def->revert_disks, &def->has_revert_disks, NULL);
}

static gboolean
check_said (const SnapshotDef *def, GError **error)
{
  if (def->name == NULL || *def->name == '\0')
    virt_error_set (error, VIR_ERR_XML_ERROR, "a redefined snapshot must have a name");
  else if (!def->created.set)
    virt_error_set (error, VIR_ERR_INTERNAL_ERROR, "missing creationTime from existing snapshot");
  else if (def->state == SNAPSHOT_STATE_NONE)
    virt_error_set (error, VIR_ERR_XML_ERROR, "missing state from existing snapshot");
  else
    return TRUE;
  return FALSE;
}

static gboolean
complete_memory (SnapshotDef *def, SnapshotKind kind, GError **error)
{
  gboolean offline = kind == SNAPSHOT_DISKS
                     || (kind == SNAPSHOT_REDEFINED
                         && (def->state == SNAPSHOT_STATE_SHUTOFF || def->state == SNAPSHOT_STATE_DISKS));

  if (def->memory == SNAPSHOT_WHERE_NONE && def->memory_file != NULL)
    def->memory = SNAPSHOT_WHERE_EXTERNAL;
  if (def->memory_file != NULL && def->memory != SNAPSHOT_WHERE_EXTERNAL)
    virt_error_set (error, VIR_ERR_XML_ERROR, "memory filename '%s' requires external snapshot",
                    def->memory_file);
  else if (def->memory_file == NULL && def->memory == SNAPSHOT_WHERE_EXTERNAL)
    virt_error_set (error, VIR_ERR_XML_ERROR, "external memory snapshots require a filename");
  else if (offline && def->memory > SNAPSHOT_WHERE_NO)
    virt_error_set (error, VIR_ERR_XML_ERROR,
                    "memory state cannot be saved with offline or disk-only snapshot");
  else if (def->memory_file != NULL && !g_path_is_absolute (def->memory_file))
    virt_error_set (error, VIR_ERR_XML_ERROR, "memory snapshot file path (%s) must be absolute",
                    def->memory_file);
  else {
    if (def->memory == SNAPSHOT_WHERE_NONE)
      def->memory = offline ? SNAPSHOT_WHERE_NO : SNAPSHOT_WHERE_INTERNAL;
    return TRUE;
  }
  return FALSE;
}

gboolean
snapshot_complete (SnapshotDef *def, SnapshotKind kind, gint64 now, GError **error)
{
  if (kind != SNAPSHOT_REDEFINED)
    choose_name_and_time (def, now);
  else if (!check_said (def, error))
    return FALSE;
  def->active = (Number){ 0 };
  return complete_memory (def, kind, error);
}

gboolean
snapshot_check_name (const SnapshotDef *def, GError **error)
{
  gboolean slash = strchr (def->name, '/') != NULL;

  if (!slash && def->name[0] != '.')
    return TRUE;
  virt_error_set (error, VIR_ERR_XML_DETAIL, "invalid snapshot name '%s': name can't %s", def->name,
                  slash ? "contain '/'" : "start with '.'");
  return FALSE;
}

static gboolean
is_online (const SnapshotDef *def)
{
  return def->state == VIR_DOMAIN_RUNNING + 1 || def->state == VIR_DOMAIN_PAUSED + 1;
}

gboolean
snapshot_check_replacement (const SnapshotDef *def, const SnapshotDef *old, GError **error)
{
  if (is_online (def) != is_online (old))
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "cannot change between online and offline snapshot state in snapshot %s", def->name);
  else if ((def->state == SNAPSHOT_STATE_DISKS) != (old->state == SNAPSHOT_STATE_DISKS))
    virt_error_set (error, VIR_ERR_INVALID_ARG,
                    "cannot change between disk only and full system in snapshot %s", def->name);
  else
    return TRUE;
  return FALSE;
}
