/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * A snapshot is made. Of a machine that is off it is qemu-img's work; of one that runs the CPUs are stopped
 * where more than disks belongs to it, so that memory, firmware's variables, TPM and disks are of one moment.
 * What takes long (new images, and a guest that is asked to flush its file systems) comes before that.
 */
#include "daemon/ops/snapshot/snapshot-make.h"

#include "daemon/core/atomic-file.h"
#include "daemon/drivers/qemu/agent.h"
#include "daemon/drivers/qemu/migration.h"
#include "daemon/drivers/qemu/save-image.h"
#include "daemon/drivers/qemu/snapshot-job.h"
#include "daemon/drivers/qemu/snapshot-live.h"
#include "daemon/snapshot/snapshot-images.h"
#include "daemon/snapshot/snapshot-state.h"
#include "domain/migratable.h"
#include "snapshot/snapshot-align.h"
#include "snapshot/snapshot-domain.h"

#define DISK_ONLY(make) (((make)->flags & VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY) != 0)

void
snapshot_make_free (SnapshotMake *make)
{
  if (make == NULL)
    return;
  document_unref (&snapshot_document, make->def);
  snapshot_place_free (make->place);
  snapshot_intent_free (make->intent);
  g_clear_pointer (&make->live, domain_def_unref);
  g_clear_pointer (&make->config, domain_def_unref);
  g_clear_pointer (&make->live_after, domain_def_unref);
  g_clear_pointer (&make->config_after, domain_def_unref);
  progress_unref (make->progress);
  g_free (make->agent);
  g_free (make);
}

/* The disks whose part in it is @where. (char *, borrowed) */
static GPtrArray *
targets (const SnapshotDef *def, int where)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; def->disks != NULL && i < def->disks->len; i++) {
    const SnapshotDisk *disk = g_ptr_array_index (def->disks, i);

    if (disk->where == where)
      g_ptr_array_add (list, disk->name);
  }
  return list;
}

static gboolean
has (const SnapshotMake *make, int where)
{
  g_autoptr (GPtrArray) list = targets (make->def, where);

  return list->len > 0;
}

/* Plan. */

static gboolean
align (SnapshotMake *make, GError **error)
{
  SnapshotDef *def = make->def;
  const DomainDef *domain = make->live != NULL ? make->live : make->config;
  gboolean external = DISK_ONLY (make) || snapshot_is_external (def);
  gboolean uniform = !external || def->memory == SNAPSHOT_WHERE_INTERNAL;

  if (!snapshot_align_disks (def, domain, uniform ? SNAPSHOT_WHERE_INTERNAL : SNAPSHOT_WHERE_EXTERNAL,
                             uniform, error))
    return FALSE;
  def->state = DISK_ONLY (make) && make->live != NULL ? (int)SNAPSHOT_STATE_DISKS : make->state + 1;
  return snapshot_name_images (def, domain, error)
         && snapshot_check_disks (def, domain, make->live != NULL, DISK_ONLY (make), error);
}

static void
describe (SnapshotMake *make)
{
  g_autoptr (DomainDef) live = make->live != NULL ? domain_def_off_networks (make->live) : NULL;

  if (live != NULL)
    snapshot_set_domain (make->def, live, make->config);
  else
    snapshot_set_domain (make->def, make->config, NULL);
}

static gboolean
write_intent (SnapshotMake *make, gboolean made, GError **error)
{
  make->intent->made = made;
  return snapshot_intent_write (make->intent, make->place->directory, error);
}

static gboolean
plan (SnapshotMake *make, GError **error)
{
  SnapshotIntent *intent = snapshot_intent_new (SNAPSHOT_INTENT_CREATE, make->def->name);

  make->intent = intent;
  intent->keeps = (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA) == 0;
  intent->running = make->live != NULL && make->state == VIR_DOMAIN_RUNNING;
  intent->document = document_to_xml (&snapshot_document, make->def, FIELD_WRITE_SECURE);
  return snapshot_plan_files (intent, make->def, (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT) != 0,
                              error)
         && write_intent (make, FALSE, error);
}

/* The definitions with the new images in them. */
static void
make_definitions (SnapshotMake *make)
{
  if (!has (make, SNAPSHOT_WHERE_EXTERNAL))
    return;
  if (make->config != NULL) {
    make->config_after = domain_def_copy (make->config);
    snapshot_switch_disks (make->config_after, make->def->disks, make->live != NULL);
  }
  if (make->live != NULL) {
    make->live_after = domain_def_copy (make->live);
    snapshot_switch_disks (make->live_after, make->def->disks, FALSE);
  }
}

/* Of a machine that is off. */

static gboolean
make_offline (SnapshotMake *make, GError **error)
{
  gboolean reuse = (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT) != 0;

  return snapshot_images (SNAPSHOT_IMAGE_CREATE, make->def, make->config, make->def->name, error)
         && (reuse || snapshot_make_images (make->def, make->config, error))
         && snapshot_state_keep (make->place->directory, make->def->name, make->config, make->place->settings,
                                 error)
         && write_intent (make, TRUE, error);
}

/* Of one that runs. */

static gboolean
freeze (const SnapshotMake *make, Job *job, const char *command, GError **error)
{
  g_autoptr (Agent) agent = agent_open (make->agent, make->qemu, job, make->agent_timeout, error);
  g_autoptr (JsonNode) answer = agent != NULL ? agent_call (agent, command, NULL, error) : NULL;

  return answer != NULL;
}

static gboolean
keep_memory (SnapshotMake *make, Job *job, GError **error)
{
  g_autoptr (DomainDef) def = domain_def_off_networks (make->live);
  g_autofree char *xml = domain_def_to_xml (def, DOMAIN_WRITE_SECURE);
  g_autofree char *id = g_uuid_string_random ();
  g_autoptr (AtomicFile) aside = atomic_file_open (make->def->memory_file, error);
  g_autoptr (SaveImage) image = aside != NULL ? save_image_begin (aside->fd, make->def->memory_file, id,
                                                                  make->intent->running, xml, error)
                                              : NULL;

  return image != NULL
         && migration_write (make->plug.qmp, job, aside->fd, make->progress, make->patience, error)
         && save_image_finish (image, error) && atomic_file_commit (aside, error);
}

/* New images are opened, and switched to in one step. */
static gboolean
switch_disks (SnapshotMake *make, Job *job, GError **error)
{
  g_autoptr (GPtrArray) external = targets (make->def, SNAPSHOT_WHERE_EXTERNAL);
  SnapshotOverlays *overlays;
  gboolean good;

  if (external->len == 0)
    return write_intent (make, TRUE, error);
  DOMAIN_FOREACH_DEVICE (make->live_after, disk_kind, DeviceDisk, disk) {
    if (snapshot_find_disk (make->def->disks, disk->target) != NULL
        && snapshot_find_disk (make->def->disks, disk->target)->where == SNAPSHOT_WHERE_EXTERNAL) {
      g_clear_pointer (&disk->backing, disk_backing_free);
      disk->backing = disk_backing_new (); /* nothing is below it yet */
    }
  }
  overlays = snapshot_overlays_open (job, &make->plug, make->live_after, external, error);
  good = overlays != NULL && write_intent (make, TRUE, error)
         && snapshot_overlays_switch (overlays, make->live, error);
  snapshot_overlays_free (overlays);
  if (good)
    snapshot_put_below (make->live_after, make->live, make->def->disks);
  return good;
}

/* While the CPUs do not run. */
static gboolean
make_stopped (SnapshotMake *make, Job *job, GError **error)
{
  g_autoptr (GPtrArray) internal = targets (make->def, SNAPSHOT_WHERE_INTERNAL);

  job_extend_deadline (job, make->patience);
  return (make->def->memory != SNAPSHOT_WHERE_INTERNAL
          || snapshot_job_run (job, make->plug.qmp, make->plug.caps, make->patience, "snapshot-save",
                               make->def->name, make->live, internal, error))
         && (make->def->memory != SNAPSHOT_WHERE_EXTERNAL || keep_memory (make, job, error))
         && snapshot_state_keep (make->place->directory, make->def->name, make->live, make->place->settings,
                                 error)
         && switch_disks (make, job, error);
}

static gboolean
make_live (SnapshotMake *make, Job *job, GError **error)
{
  gboolean reuse = (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT) != 0, frozen, good;
  gboolean manual = has (make, SNAPSHOT_WHERE_MANUAL);
  gboolean stops =
      make->intent->running
      && (make->def->memory > SNAPSHOT_WHERE_NO || manual || snapshot_state_is_needed (make->live));

  if (make->def->memory > SNAPSHOT_WHERE_NO && !migration_check (make->plug.qmp, job, error))
    return FALSE;
  if (!reuse && !snapshot_make_images (make->def, make->live, error))
    return FALSE;
  frozen = make->agent != NULL && freeze (make, job, "guest-fsfreeze-freeze", error);
  if (make->agent != NULL && !frozen)
    return FALSE;
  job_extend_deadline (job, make->patience);
  good = (!stops || qmp_run (make->plug.qmp, job, "stop", NULL, error)) && make_stopped (make, job, error);
  job_extend_deadline (job, make->patience);
  make->stays_paused = good && manual && stops;
  if (stops && !make->stays_paused && !(good && (make->flags & VIR_DOMAIN_SNAPSHOT_CREATE_HALT)))
    qmp_run (make->plug.qmp, job, "cont", NULL, NULL);
  if (frozen)
    freeze (make, job, "guest-fsfreeze-thaw", NULL);
  return good;
}

gpointer
snapshot_make_job (Job *job, gpointer data, GError **error)
{
  SnapshotMake *make = data;

  if (!align (make, error))
    return NULL;
  describe (make);
  if (!plan (make, error))
    return NULL;
  make_definitions (make);
  if (make->live != NULL ? make_live (make, job, error) : make_offline (make, error))
    return JOB_OK;
  snapshot_undo (make->place, make->intent, make->def, make->live == NULL ? make->config : NULL);
  return NULL;
}
