/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Snapshots finished or undone after a daemon was killed. Whether a running machine's disks have gone on in
 * new images is asked of QEMU, which knows; of all else the note says how far it was.
 */
#include "daemon/snapshot/snapshot-recover.h"

#include "daemon/domain/definition.h"
#include "daemon/drivers/qemu/snapshot-job.h"
#include "daemon/drivers/qemu/snapshot-live.h"
#include "daemon/object/child-store.h"
#include "daemon/snapshot/snapshot-kind.h"
#include "daemon/snapshot/snapshot-merge.h"
#include "daemon/snapshot/snapshot-revert.h"
#include "snapshot/snapshot-align.h"

#include <string.h>

gboolean
snapshot_recovery_is_needed (const Settings *settings, const char *uuid)
{
  g_autofree char *directory = child_store_directory (&snapshot_kind, settings, uuid);
  g_autoptr (GError) error = NULL;
  g_autoptr (SnapshotIntent) intent = snapshot_intent_read (directory, &error);

  if (error != NULL)
    g_warning ("%s", error->message);
  return intent != NULL;
}

/* The targets of the disks whose part in it is @where. (borrowed) */
static GPtrArray *
targets_of (const SnapshotDef *def, int where)
{
  GPtrArray *targets = g_ptr_array_new ();

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->where == where)
      g_ptr_array_add (targets, disk->name);
  }
  return targets;
}

/* The stored definition with the new images; NULL: it has them already, or none are new. */
static DomainDef *
config_after (const SnapshotDef *def, const DomainDef *config, gboolean below)
{
  DomainDef *after = NULL;

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);
    const DeviceDisk *device = domain_def_find_disk (config, disk->name);

    if (disk->where != SNAPSHOT_WHERE_EXTERNAL || device == NULL
        || g_strcmp0 (disk_path (device), snapshot_disk_path (disk)) == 0)
      continue;
    after = domain_def_copy (config);
    snapshot_switch_disks (after, def->disks, below);
    return after;
  }
  return NULL;
}

static gboolean
recover_creation (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
                  const DomainDef *config, GError **error)
{
  g_autoptr (DomainDef) after = NULL;

  if (!intent->made) {
    snapshot_undo (place, intent, def, config);
    return TRUE;
  }
  after = config_after (def, config, FALSE);
  return snapshot_finish (place, intent, def, config, after, error);
}

static gboolean
recover_revert (const SnapshotPlace *place, const SnapshotIntent *intent, const SnapshotDef *def,
                DomainDef *config, GError **error)
{
  g_autoptr (SnapshotRevert) revert = snapshot_revert_new (
      snapshot_place_new (place->settings, place->store, place->platform, place->uuid, place->domain), def,
      NULL);

  revert->before = domain_def_ref (config);
  return snapshot_revert_again (revert, intent, error);
}

static void
unref_def (gpointer def)
{
  document_unref (&snapshot_document, def);
}

/* All that the domain's other snapshots are, from the disk. */
static SnapshotDelete *
read_deletion (const SnapshotPlace *place, const SnapshotIntent *intent, SnapshotDef *def, DomainDef *config)
{
  g_autoptr (GPtrArray) families = child_store_read_all (&snapshot_kind, place->settings);
  SnapshotDelete *deletion = g_new0 (SnapshotDelete, 1);
  gboolean is_stored = FALSE;

  deletion->place =
      snapshot_place_new (place->settings, place->store, place->platform, place->uuid, place->domain);
  deletion->def = document_ref (&snapshot_document, def);
  deletion->config = config != NULL ? domain_def_ref (config) : NULL;
  deletion->metadata_only = intent->keeps;
  deletion->merges = intent->merges != NULL ? g_ptr_array_ref (intent->merges) : NULL;
  deletion->others = g_ptr_array_new_with_free_func (unref_def);
  deletion->changed = g_ptr_array_new_with_free_func (unref_def);
  for (guint i = 0; i < families->len; i++) {
    const ChildFamily *family = g_ptr_array_index (families, i);

    if (!g_str_equal (family->uuid, place->uuid))
      continue;
    deletion->current =
        g_strdup (g_strcmp0 (family->current, def->name) == 0 ? def->parent : family->current);
    for (guint d = 0; d < family->defs->len; d++) {
      SnapshotDef *other = g_ptr_array_index (family->defs, d);

      if (g_str_equal (other->name, def->name)) {
        is_stored = TRUE;
        continue;
      }
      g_ptr_array_add (deletion->others, document_ref (&snapshot_document, other));
      if (g_strcmp0 (other->parent, def->name) == 0)
        g_ptr_array_add (deletion->changed, child_def_after (&snapshot_kind, other, def->parent));
    }
  }
  /* It is forgotten when its images are merged, and some of them may be removed already. */
  for (guint i = 0; !is_stored && deletion->merges != NULL && i < deletion->merges->len; i++)
    ((SnapshotMerge *)g_ptr_array_index (deletion->merges, i))->merged = TRUE;
  return deletion;
}

static gboolean
recover_deletion (const SnapshotPlace *place, const SnapshotIntent *intent, SnapshotDef *def,
                  DomainDef *config, GError **error)
{
  g_autoptr (SnapshotDelete) deletion = read_deletion (place, intent, def, config);

  return snapshot_delete_plan (deletion, error) && snapshot_delete_images (deletion, error)
         && snapshot_delete_follow (deletion, error) && snapshot_delete_store (deletion, error);
}

/* As far as it is not the machine's block jobs: NULL with @error, or what is left to do. */
static SnapshotDelete *
recover_live_deletion (Job *job, const SnapshotPlace *place, const SnapshotIntent *intent, SnapshotDef *def,
                       const Hotplug *plug, guint patience, DomainDef *live, DomainDef *config,
                       GError **error)
{
  g_autoptr (GPtrArray) internal = targets_of (def, SNAPSHOT_WHERE_INTERNAL);
  g_autoptr (SnapshotDelete) deletion = read_deletion (place, intent, def, config);

  deletion->live = domain_def_ref (live);
  if ((internal->len == 0 || intent->keeps
       || snapshot_job_run (job, plug->qmp, plug->caps, patience, "snapshot-delete", def->name, live,
                            internal, error))
      && snapshot_delete_plan (deletion, error) && snapshot_delete_images (deletion, error))
    return g_steal_pointer (&deletion);
  return NULL;
}

static void
say (const SnapshotPlace *place, const SnapshotIntent *intent, const GError *error)
{
  if (error != NULL)
    g_warning ("domain '%s': what was begun with snapshot '%s' when the daemon ended cannot be ended: %s",
               place->domain, intent->name, error->message);
  else
    g_message ("domain '%s': what was begun with snapshot '%s' when the daemon ended is ended now",
               place->domain, intent->name);
}

/* NULL: there is none, or it cannot be read, which is said. */
static SnapshotIntent *
read_intent (const SnapshotPlace *place, SnapshotDef **ret_def, DomainDef **ret_config)
{
  g_autoptr (GError) error = NULL;
  SnapshotIntent *intent = snapshot_intent_read (place->directory, &error);

  if (intent != NULL)
    *ret_def = snapshot_intent_def (intent, &error);
  if (intent != NULL && *ret_def != NULL)
    *ret_config = definition_read (place->store, place->platform, place->uuid, place->domain, NULL, &error);
  if (error == NULL)
    return intent;
  g_warning ("domain '%s': %s", place->domain, error->message);
  snapshot_intent_free (intent);
  if (*ret_def != NULL)
    document_unref (&snapshot_document, *ret_def);
  *ret_def = NULL;
  return NULL;
}

void
snapshot_recover (const SnapshotPlace *place)
{
  g_autoptr (DomainDef) config = NULL;
  SnapshotDef *def = NULL;
  g_autoptr (SnapshotIntent) intent = read_intent (place, &def, &config);
  g_autoptr (GError) error = NULL;

  if (intent == NULL)
    return;
  if (intent->kind == SNAPSHOT_INTENT_CREATE)
    recover_creation (place, intent, def, config, &error);
  else if (intent->kind == SNAPSHOT_INTENT_REVERT)
    recover_revert (place, intent, def, config, &error);
  else
    recover_deletion (place, intent, def, config, &error);
  say (place, intent, error);
  document_unref (&snapshot_document, def);
}

/* Have the disks gone on? The live definition then. */
static DomainDef *
find_switched (Job *job, const Hotplug *plug, const SnapshotDef *def, DomainDef *live)
{
  g_autoptr (GPtrArray) targets = targets_of (def, SNAPSHOT_WHERE_EXTERNAL);
  g_autoptr (GArray) images = snapshot_live_images (job, plug, live, targets, NULL);
  DomainDef *after;

  for (guint i = 0; images != NULL && i < targets->len; i++) {
    const DeviceDisk *disk = domain_def_find_disk (live, g_ptr_array_index (targets, i));

    if (disk == NULL || g_array_index (images, guint64, i) == 0
        || disk->source_index.value == g_array_index (images, guint64, i))
      return NULL;
  }
  if (images == NULL || targets->len == 0)
    return NULL;
  after = domain_def_copy (live);
  snapshot_switch_disks (after, def->disks, FALSE);
  snapshot_put_below (after, live, def->disks);
  for (guint i = 0; i < targets->len; i++)
    domain_def_find_disk (after, g_ptr_array_index (targets, i))->source_index =
        NUMBER (g_array_index (images, guint64, i));
  return after;
}

static DomainDef *
recover_live_creation (Job *job, const SnapshotPlace *place, const SnapshotIntent *intent,
                       const SnapshotDef *def, const Hotplug *plug, guint patience, DomainDef *live,
                       DomainDef *config, GError **error)
{
  g_autoptr (GPtrArray) internal = targets_of (def, SNAPSHOT_WHERE_INTERNAL);
  g_autoptr (GPtrArray) external = targets_of (def, SNAPSHOT_WHERE_EXTERNAL);
  DomainDef *switched = find_switched (job, plug, def, live);
  gboolean has_images =
      external->len > 0
      && g_strcmp0 (disk_path (domain_def_find_disk (live, g_ptr_array_index (external, 0))),
                    snapshot_disk_path (snapshot_find_disk (def->disks, g_ptr_array_index (external, 0))))
             == 0;

  if (intent->made && (external->len == 0 || switched != NULL || has_images)) {
    g_autoptr (DomainDef) after = config != NULL ? config_after (def, config, TRUE) : NULL;

    snapshot_finish (place, intent, def, config, after, error);
  } else {
    if (def->memory == SNAPSHOT_WHERE_INTERNAL)
      snapshot_job_run (job, plug->qmp, plug->caps, patience, "snapshot-delete", def->name, live, internal,
                        NULL);
    snapshot_undo (place, intent, def, NULL);
  }
  job_extend_deadline (job, patience);
  if (intent->running)
    qmp_run (plug->qmp, job, "cont", NULL, NULL);
  return switched;
}

DomainDef *
snapshot_recover_running (Job *job, const SnapshotPlace *place, const Hotplug *plug, guint patience,
                          DomainDef *live, SnapshotDelete **ret_deletion)
{
  g_autoptr (DomainDef) config = NULL;
  SnapshotDef *def = NULL;
  g_autoptr (SnapshotIntent) intent = read_intent (place, &def, &config);
  g_autoptr (GError) error = NULL;
  DomainDef *after = NULL;

  if (intent == NULL)
    return NULL;
  job_extend_deadline (job, patience);
  if (intent->kind == SNAPSHOT_INTENT_CREATE) {
    after = recover_live_creation (job, place, intent, def, plug, patience, live, config, &error);
  } else if (intent->kind == SNAPSHOT_INTENT_DELETE) {
    *ret_deletion = recover_live_deletion (job, place, intent, def, plug, patience, live, config, &error);
  }
  if (*ret_deletion == NULL)
    say (place, intent, error);
  document_unref (&snapshot_document, def);
  return after;
}
